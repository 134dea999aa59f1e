//! DuckDB and Spark count in the lake what the API counts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Peer, by_name, equals_store};
use crate::harness::{Appliance, folder, simulated};

fn counts(value: &Value) -> BTreeMap<String, u64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn duckdb_and_spark_count_what_the_api_counts() {
    let folder = folder();
    let capture = folder.path().join("capture.tsv");
    // Three days, in the order of arrival, and some lines of the first day at the end: late ones.
    let mut lines = simulated(30_000, 11, &["--rate", "0.15"]);
    let text = String::from_utf8(lines.clone()).unwrap();
    let late = text.lines().filter(|line| line.contains('\t')).take(50).enumerate();
    let late: String =
        late.map(|(number, line)| format!("L{number:019}{}\n", &line[line.find('\t').unwrap()..])).collect();
    lines.extend_from_slice(late.as_bytes());
    std::fs::write(&capture, &lines).unwrap();
    let lake = folder.path().join("lake");
    let mut appliance = Appliance::new(&folder.path().join("one"));
    appliance.configure_lake(&lake, &capture, "file_rows = 4000\nmax_delay = \"300ms\"", "");
    appliance.start();
    appliance.wait_for_lake();

    let api = by_name(appliance.ask("/api/stats/kkmc_count?limit=1000").data());
    let total: u64 = api.values().sum();
    assert!(total > 29_000, "{total}");
    equals_store(&lake, &appliance.data(), "after the capture");
    let [duck, spark] = [Peer::Duck, Peer::Spark].map(|peer| peer.counts(&lake));
    for (counted, who) in [(&duck, "DuckDB"), (&spark, "Spark")] {
        assert_eq!((&counted["total"], &counted["distinct"]), (&json!(total), &json!(total)), "{who}");
        assert_eq!(counted["agree"], total, "{who} sees times of other days than the folders'");
        assert_eq!(counts(&counted["by_kkmc"]), api, "{who}");
        let days = counts(&counted["by_day"]);
        assert!(days.len() >= 2, "{who}: {days:?}");
        for (day, count) in days {
            let body =
                json!({"startTime": format!("{day} 00:00:00"), "endTime": format!("{day} 23:59:59"), "limit": 1});
            assert_eq!(appliance.post("/api/query", &body).data()["total"], count, "{who}, {day}");
        }
    }
    assert_eq!(duck["types"]["GCSJ"], "TIMESTAMP", "{duck}");
    assert_eq!(spark["types"]["GCSJ"], "timestamp_ntz", "{spark}");
    assert_eq!(duck["compression"], json!(["ZSTD"]));
    appliance.stop();
}
