//! `replay` reads the lake, and the Parquet of DuckDB and Spark.

use std::path::Path;

use super::{Peer, stored};
use crate::harness::{Appliance, Replay, folder, road, simulated};

/// A capture as CSV with a header.
fn csv(lines: &[u8]) -> String {
    let text = std::str::from_utf8(lines).unwrap();
    let rows = text.lines().filter(|line| line.matches('\t').count() == 7).map(|line| line.replace('\t', ","));
    let header = "GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH".to_owned();
    std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn a_lake_replayed_by_time_is_the_traffic_again() {
    let folder = folder();
    let capture = folder.path().join("capture.tsv");
    std::fs::write(&capture, road(9)).unwrap();
    let lake = folder.path().join("lake");
    let mut appliance = Appliance::new(&folder.path().join("one"));
    appliance.configure_lake(&lake, &capture, "file_rows = 300\nmax_delay = \"50ms\"", "");
    appliance.start();
    appliance.wait_for_lake();
    appliance.stop();
    let replay = |from: &Path, to: &str| {
        let place = folder.path().join(to);
        let replay = Replay::new(from, &place).args(["--order", "time", "--batch-records", "500", "--data-dir"]);
        (replay.args([place.join("data")]).results(), stored(&place.join("data")))
    };
    let ((of_lake, rows), (of_capture, expected)) = (replay(&lake, "a"), replay(&capture, "b"));
    of_lake.adds_up();
    assert_eq!(rows, expected);
    assert_eq!(of_lake.by_kkmc(), of_capture.by_kkmc());
    assert_eq!(of_lake.count("alerts"), of_capture.count("alerts"));
    assert!(of_lake.count("alerts") > 0);
    // Interrupted at any commit it goes on where it was: here after its end, where nothing is left to do.
    let again = Replay::new(&lake, &folder.path().join("a")).args(["--order", "time", "--data-dir"]);
    let again = again.args([folder.path().join("a/data")]).results();
    assert_eq!(again.count("accepted"), of_lake.count("accepted"));
}

#[track_caller]
fn same(parquet: &Path, expected: &[String], place: &Path) {
    let data = place.join("data");
    let what = parquet.display().to_string();
    let results =
        Replay::new(parquet, &place.join("out")).args(["--order", "time", "--data-dir"]).args([&data]).results();
    results.adds_up();
    assert_eq!(results.rejected(), 0, "{what}: {}", results.rejects);
    assert_eq!(stored(&data), expected, "{what}");
    std::fs::remove_dir_all(place).unwrap();
}

fn written_by(peer: Peer, kinds: &[&str]) {
    let folder = folder();
    let table = folder.path().join("table.csv");
    std::fs::write(&table, csv(&simulated(6_000, 2, &[]))).unwrap();
    let direct = folder.path().join("direct");
    Replay::new(&table, &folder.path().join("out")).args(["--order", "time", "--data-dir"]).args([&direct]).results();
    let expected = stored(&direct);
    assert!(expected.len() > 5_000, "{}", expected.len());
    let parquet = folder.path().join("parquet");
    std::fs::create_dir(&parquet).unwrap();
    peer.says("write", &[&table, &parquet]);
    for kind in kinds {
        same(&parquet.join(kind), &expected, &folder.path().join("place"));
    }
}

#[test]
fn parquet_of_duckdb_is_read() {
    written_by(
        Peer::Duck,
        &[
            "plain.parquet",
            "millis.parquet",
            "nanos.parquet",
            "text.parquet",
            "zstd.parquet",
            "gzip.parquet",
            "uncompressed.parquet",
            "parts",
        ],
    );
}

#[test]
fn parquet_of_spark_is_read() {
    written_by(Peer::Spark, &["int96", "parts", "wall"]);
}

#[test]
fn what_is_no_parquet_of_ours_is_refused_with_what_to_do() {
    let folder = folder();
    let table = folder.path().join("table.csv");
    std::fs::write(
        &table,
        "GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,PLATE,CLPPXH\nG1,a,b,1,2024-01-01 00:00:00,02,苏C12345,x\n",
    )
    .unwrap();
    let parquet = folder.path().join("parquet");
    std::fs::create_dir(&parquet).unwrap();
    Peer::Duck.says("plain", &[&table, &parquet]);
    let out = folder.path().join("out");
    let ended = Replay::new(parquet.join("plain.parquet"), &out).run();
    ended.failed(2, &["it lacks the column HPHM", "PLATE"]);
    let short = parquet.join("short.parquet");
    let bytes = std::fs::read(parquet.join("plain.parquet")).unwrap();
    std::fs::write(&short, &bytes[..bytes.len() / 2]).unwrap();
    let ended = Replay::new(&short, &out).run();
    assert!(ended.code == Some(3) && ended.stderr.contains("short.parquet"), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    let ended = Replay::new("-", &out).input(&bytes).run();
    assert!(ended.code == Some(3) && ended.stderr.contains("name the file"), "{ended:?}");
}
