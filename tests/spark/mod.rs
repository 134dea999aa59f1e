//! Pipelines that the original script's users have: fitted and saved by the real Spark 3 and 4 in the test (`fit.py`), then imported,
//! or served from where they are. Spark 2.4 starts on no Python and Java of today: its layout is made of what Spark 3 wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use platewatch::internals::{FlowModel, import_pipeline};
use serde_json::Value;

use crate::harness::{Ended, Replay, Running, folder, get, get_data, platewatch, serve, simulated};
use crate::whole::demo::{ask_until, stop};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/spark_lr/train.csv");
const PATIENT: Duration = Duration::from_secs(60);
/// Pipelines that are to be served.
const GOOD: [&str; 4] = ["plain", "other", "reversed", "old"];

/// The Python that has a Spark of this major version.
fn python(version: u8) -> PathBuf {
    let path = match std::env::var_os(format!("PLATEWATCH_PYSPARK{version}")) {
        Some(path) => path.into(),
        None => Path::new(&std::env::var_os("HOME").unwrap())
            .join(format!(".cache/platewatch/pyspark-{version}/bin/python")),
    };
    assert!(path.exists(), "{} is not there: scripts/test installs it", path.display());
    path
}

/// What `fit.py` saved with this Spark; fitted once.
fn saved(version: u8) -> &'static Path {
    static SAVED: [OnceLock<tempfile::TempDir>; 2] = [OnceLock::new(), OnceLock::new()];
    let saved = SAVED[usize::from(version) - 3].get_or_init(|| {
        let folder = folder();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spark/fit.py");
        let out = Command::new(python(version)).args([script, TABLE]).arg(folder.path()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let said = String::from_utf8(out.stdout).unwrap();
        let is_of = |line: &str| line.starts_with(&format!("{version}."));
        assert!(said.lines().any(is_of), "another Spark answered: {said}");
        folder
    });
    saved.path()
}

/// What Spark predicts: checkpoint, hour, whether it is weekend, flow.
fn expected(version: u8, name: &str) -> Vec<(String, u8, u8, f64)> {
    let text = std::fs::read(saved(version).join(format!("{name}.json"))).unwrap();
    let all: Vec<(String, u8, u8, f64)> = serde_json::from_slice(&text).unwrap();
    assert!(all.len() > 500, "{} predictions", all.len());
    all
}

fn import(from: &Path, to: &Path) -> Ended {
    platewatch().arg("import-model").arg(from).arg("--model-dir").arg(to).output().unwrap().into()
}

fn metadata(model: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(model.join("metadata.json")).unwrap()).unwrap()
}

fn serve_model(data: &Path, model: &Path, more: &str) -> (Running, String) {
    serve(&format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[predict]\nmodel_dir = {model:?}\n{more}\n"))
}

fn version(address: &str) -> Value {
    get_data(address, "/api/predict/model")["model"]["version"].clone()
}

fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-rT").args([from, to]).status().unwrap().success());
}

/// A part of a folder of Spark, as `part-*` with this end.
fn part(folder: &Path, end: &str) -> PathBuf {
    let parts = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_meant = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("part-") && name.ends_with(end)
    };
    parts.into_iter().find(is_meant).unwrap()
}

fn stage(pipeline: &Path, number: usize) -> PathBuf {
    let stages = std::fs::read_dir(pipeline.join("stages")).unwrap().map(|entry| entry.unwrap().path());
    let prefix = format!("{number}_");
    stages.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix)).unwrap()
}

/// Every pipeline predicts here what it predicts there.
fn predicts_what_spark_predicts(spark: u8) {
    let folder = folder();
    for name in GOOD {
        let (from, to) = (saved(spark).join(name), folder.path().join(name));
        let ended = import(&from, &to);
        ended.done();
        let about = metadata(&to);
        for part in [
            "spark-linear from",
            about["version"].as_str().unwrap(),
            "checkpoints",
            "predicts the column traffic_count from",
        ] {
            assert!(ended.stdout.contains(part), "{part:?} is not in {}", ended.stdout);
        }
        assert_eq!((&about["kind"], &about["trained_from"]["kind"]), (&"spark-linear".into(), &"pipeline".into()));
        assert_eq!((&about["spark"]["rmse"], &about["evaluation"]), (&Value::Null, &Value::Null), "{about}");
        let model = FlowModel::decode(&std::fs::read(to.join("model.bin")).unwrap()).unwrap();
        let indices = model.spark.indices();
        for (checkpoint, hour, weekend, flow) in expected(spark, name) {
            let ours = model.spark.predict(Some(indices[checkpoint.as_str()]), hour, weekend == 1);
            let difference = (ours - flow).abs();
            assert!(difference <= 1e-9 * flow.abs().max(1.0), "{name}, {checkpoint} at {hour}: {ours}, Spark {flow}");
        }
    }
}

#[test]
fn what_spark_3_and_its_elder_saved_is_predicted_alike() {
    predicts_what_spark_predicts(3);
}

#[test]
fn what_spark_4_saved_is_predicted_alike() {
    predicts_what_spark_predicts(4);
}

/// The interface answers what Spark predicts, to the decimal that is shown, of a few of all.
fn answers(address: &str, name: &str, spark: u8) {
    let expected = expected(spark, name);
    let by_hour: BTreeMap<(u8, u8), &(String, u8, u8, f64)> =
        expected.iter().map(|one| ((one.1, one.2), one)).collect();
    assert_eq!(by_hour.len(), 48);
    for ((hour, weekend), (checkpoint, _, _, flow)) in by_hour {
        // A Wednesday and a Saturday.
        let date = if weekend == 1 { "2024-01-06" } else { "2024-01-03" };
        let said = get_data(address, &format!("/api/predict/flow?kkmc={checkpoint}&hour={hour}&date={date}"));
        let ours = said["predicted_flow"].as_f64().unwrap();
        assert!((ours - flow.max(0.0)).abs() <= 0.05 + 1e-9, "{name}, {checkpoint} at {hour}: {ours}, Spark {flow}");
        assert_eq!(said["model"]["kind"], "spark-linear");
    }
}

#[test]
fn a_folder_of_spark_is_served_from_where_it_is() {
    let folder = folder();
    let model = folder.path().join("traffic_flow_model");
    copied(&saved(3).join("plain"), &model);
    let data = folder.path().join("data");
    let (running, address) = serve_model(&data, &model, "");
    let first = ask_until("the model", || version(&address), Value::is_string);
    answers(&address, "plain", 3);
    let about = get_data(&address, "/api/predict/model");
    assert_eq!(about["metadata"]["trained_from"]["kind"], "pipeline");
    assert!(about["metadata"]["trained_from"]["path"].as_str().unwrap().contains("(Spark 3."), "{about}");
    assert!(!model.join("model.bin").exists(), "nothing is written into the folder of another program");

    // Saved again as `overwrite` of Spark does: the folder is removed, then written once more.
    std::fs::remove_dir_all(&model).unwrap();
    copied(&saved(4).join("other"), &model);
    ask_until("the other model", || version(&address), |now| now.is_string() && *now != first);
    answers(&address, "other", 4);

    // Damaged: the model before it stays, and the reason is told.
    let second = version(&address);
    std::fs::remove_dir_all(&model).unwrap();
    copied(&saved(3).join("plain"), &model);
    let learnt = part(&stage(&model, 2).join("data"), ".parquet");
    let bytes = std::fs::read(&learnt).unwrap();
    std::fs::write(&learnt, &bytes[..bytes.len() - 9]).unwrap();
    let problem = || get_data(&address, "/api/predict/model")["problem"].clone();
    let told = ask_until("the problem", problem, Value::is_string);
    assert!(told.as_str().unwrap().contains("copy the whole folder again"), "{told}");
    assert_eq!((version(&address), get(&address, "/api/predict/flow").0), (second, 200));
    running.signal("TERM");
    running.end().done();

    // The same folder after a start: the same version.
    std::fs::write(&learnt, bytes).unwrap();
    let (running, address) = serve_model(&data, &model, "");
    ask_until("the first again", || version(&address), |now| *now == first);
    stop(running, PATIENT);
}

#[test]
fn an_imported_model_is_not_replaced_by_training() {
    let folder = folder();
    let [file, data, model] = ["capture.tsv", "data", "model"].map(|name| folder.path().join(name));
    // Some 33 hours.
    std::fs::write(&file, simulated(60_000, 81, &["--rate", "0.5"])).unwrap();
    Replay::new(&file, &folder.path().join("out")).args(["--data-dir"]).args([&data]).results();
    import(&saved(3).join("plain"), &model).done();
    let (running, address) = serve_model(&data, &model, "retrain_every = \"1s\"");
    let imported = ask_until("the model", || version(&address), Value::is_string);
    let history = || get_data(&address, "/api/predict/model")["history_hours"].clone();
    ask_until("the history", history, |hours| hours.as_u64() >= Some(24));
    // Longer than it takes to train once more, were it allowed.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(version(&address), imported);
    stop(running, PATIENT);
}

#[test]
fn training_writes_nothing_into_a_pipeline_that_cannot_be_loaded() {
    let folder = folder();
    let [file, data, model] = ["capture.tsv", "data", "model"].map(|name| folder.path().join(name));
    std::fs::write(&file, simulated(60_000, 81, &["--rate", "0.5"])).unwrap();
    Replay::new(&file, &folder.path().join("out")).args(["--data-dir"]).args([&data]).results();
    copied(&saved(3).join("plain"), &model);
    let learnt = part(&stage(&model, 2).join("data"), ".parquet");
    let bytes = std::fs::read(&learnt).unwrap();
    std::fs::write(&learnt, &bytes[..bytes.len() - 9]).unwrap();
    let (running, address) = serve_model(&data, &model, "retrain_every = \"1s\"");
    let about = |part: &str| get_data(&address, "/api/predict/model")[part].clone();
    ask_until("the problem", || about("problem"), Value::is_string);
    ask_until("the history", || about("history_hours"), |hours| hours.as_u64() >= Some(24));
    // Longer than it takes to train, were it allowed.
    std::thread::sleep(Duration::from_secs(6));
    assert!(!model.join("model.bin").exists() && !version(&address).is_string());
    // Copied whole at last: only a file within a stage has changed.
    std::fs::write(&learnt, bytes).unwrap();
    ask_until("the model", || version(&address), Value::is_string);
    answers(&address, "plain", 3);
    running.signal("TERM");
    running.end().done();
}

#[test]
fn what_is_no_such_pipeline_is_refused_with_its_reason() {
    let folder = folder();
    let to = folder.path().join("model");
    let refused = |from: &Path, parts: &[&str]| import(from, &to).failed(2, parts);
    refused(&saved(3).join("another"), &["this pipeline is another one", "StringIndexer of KKMC"]);
    refused(&folder.path().join("none"), &["none", "No such file"]);
    refused(saved(3), &["metadata", "No such file"]);
    let own = saved(3).join("plain");
    import(&own, &own).failed(2, &["would be written into itself", "predict.model_dir"]);

    let broken = folder.path().join("broken");
    let with = |change: &dyn Fn(&Path)| {
        let _ = std::fs::remove_dir_all(&broken);
        copied(&own, &broken);
        change(&broken);
        &broken
    };
    refused(with(&|at| std::fs::remove_dir_all(stage(at, 2)).unwrap()), &["2_LinearRegression", "No such file"]);
    refused(with(&|at| std::fs::remove_dir_all(stage(at, 0).join("data")).unwrap()), &["data", "No such file"]);
    let no_row = |at: &Path| std::fs::remove_file(part(&stage(at, 0).join("data"), ".parquet")).unwrap();
    refused(with(&no_row), &["it has no row"]);
    let no_line = |at: &Path| std::fs::write(part(&at.join("metadata"), ""), "").unwrap();
    refused(with(&no_line), &["no part of it has a line"]);
    let no_json = |at: &Path| std::fs::write(part(&at.join("metadata"), ""), "{\"class\":").unwrap();
    refused(with(&no_json), &["part-", "EOF"]);
    let upper = |at: &Path| std::fs::write(part(&stage(at, 2).join("data"), ".parquet"), vec![b'x'; 17 << 20]).unwrap();
    refused(with(&upper), &["more than 16777216 bytes"]);
    assert!(!to.exists(), "nothing was written");
}

#[test]
fn damaged_parquet_is_an_error_or_the_same_and_never_a_panic() {
    let folder = folder();
    let broken = folder.path().join("broken");
    copied(&saved(3).join("plain"), &broken);
    for number in [0, 2] {
        let file = part(&stage(&broken, number).join("data"), ".parquet");
        let bytes = std::fs::read(&file).unwrap();
        let mut refused = 0;
        let places: Vec<usize> = (0..bytes.len()).step_by((bytes.len() / 300).max(1)).collect();
        for place in &places {
            let mut changed = bytes.clone();
            changed[*place] ^= 0x41;
            std::fs::write(&file, &changed).unwrap();
            refused += u32::from(import_pipeline(&broken).is_err());
            std::fs::write(&file, &bytes[..*place]).unwrap();
            assert!(import_pipeline(&broken).is_err(), "stage {number} cut at {place}");
        }
        assert!(refused > 0, "none of {} changes was noticed", places.len());
        std::fs::write(&file, &bytes).unwrap();
        assert!(import_pipeline(&broken).is_ok());
    }
}
