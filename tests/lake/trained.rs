//! The full circle: the appliance writes the lake, Spark trains the original pipeline from it (`examples/spark`), and the
//! appliance predicts with it what Spark predicts.

use std::process::Command;

use serde_json::Value;

use super::{Peer, runs};
use crate::harness::{Appliance, folder, get_data, repository, serve, simulated};
use crate::whole::demo::ask_until;

/// Runs the example, and asks its model about each checkpoint and hour.
const ASK: &str = "
import json, os, sys
sys.path.insert(0, sys.argv[1])
from pyspark.sql import SparkSession
(SparkSession.builder.master('local[1]').config('spark.ui.enabled', 'false')
 .config('spark.sql.shuffle.partitions', '1').config('spark.driver.bindAddress', '127.0.0.1')
 .config('spark.driver.host', '127.0.0.1').getOrCreate())
import train_from_lake
model, rows = train_from_lake.main(sys.argv[2], sys.argv[3])
asked = rows.select('KKMC', 'hour', 'is_weekend').distinct()
answers = model.transform(asked).select('KKMC', 'hour', 'is_weekend', 'prediction').collect()
print(json.dumps([list(answer) for answer in answers]))
";

#[test]
fn a_model_that_spark_trains_from_the_lake_is_served() {
    let folder = folder();
    let capture = folder.path().join("capture.tsv");
    std::fs::write(&capture, simulated(20_000, 4, &["--rate", "0.05", "--sites", "8"])).unwrap();
    let lake = folder.path().join("lake");
    let mut appliance = Appliance::new(&folder.path().join("one"));
    appliance.configure_lake(&lake, &capture, "max_delay = \"100ms\"", "");
    appliance.start();
    appliance.wait_for_lake();
    appliance.stop();
    let pipeline = folder.path().join("pipeline");
    let said = runs(
        Command::new(Peer::Spark.python()).args(["-c", ASK]).arg(repository("examples/spark")).args([&lake, &pipeline]),
    );
    let expected: Vec<(String, u8, u8, f64)> = serde_json::from_str(said.lines().next_back().unwrap()).unwrap();
    assert!(expected.len() > 100, "{said}");
    let (data, model) = (folder.path().join("data"), folder.path().join("model"));
    let ended =
        crate::harness::run(["import-model".as_ref(), pipeline.as_os_str(), "--model-dir".as_ref(), model.as_os_str()]);
    ended.done();
    let (_running, address) = serve(&format!(
        "data_dir = {data:?}\n[source]\nkind = \"none\"\n[predict]\nmodel_dir = {model:?}\ntrain = \"off\"\n"
    ));
    ask_until("the model", || get_data(&address, "/api/predict/model")["model"]["version"].clone(), Value::is_string);
    for (checkpoint, hour, weekend, flow) in expected.iter().step_by(expected.len() / 40) {
        // A Wednesday and a Saturday.
        let date = if *weekend == 1 { "2024-01-06" } else { "2024-01-03" };
        let answer = get_data(&address, &format!("/api/predict/flow?kkmc={checkpoint}&hour={hour}&date={date}"));
        let ours = answer["predicted_flow"].as_f64().unwrap();
        assert!((ours - flow.max(0.0)).abs() <= 0.05 + 1e-9, "{checkpoint} at {hour}: {ours}, Spark {flow}");
    }
}
