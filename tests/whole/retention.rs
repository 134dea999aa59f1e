//! Each data directory has its own retention: only a configured value shortens it, and not before that was announced.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Ended, Replay, Running, folder, get_data, platewatch, run, simulated};

/// Eight and a half hours of traffic, long ago, replayed; in commits so small that each hour is a segment.
fn replayed(folder: &Path) -> (PathBuf, u64) {
    let (capture, data) = (folder.join("capture.tsv"), folder.join("data"));
    std::fs::write(&capture, simulated(200_000, 46, &["--rate", "10", "--start", "2024-01-01 00:00:00"])).unwrap();
    let results = Replay::new(&capture, &folder.join("out"))
        .args(["--batch-records", "2000", "--data-dir"])
        .args([&data])
        .results();
    (data, results.count("accepted"))
}

/// A start with these settings of the store; returns its status, and everything that it printed.
fn start(data: &Path, store: &str, variables: &[(&str, &str)]) -> (Value, String) {
    let config = data.with_extension("toml");
    let text = format!(
        "data_dir = {data:?}\n[store]\n{store}\n[source]\nkind = \"none\"\n[api]\nlisten = \"127.0.0.1:0\"\n[predict]\ntrain = \"off\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(&config).envs(variables.iter().copied());
    let mut running = Running::start(command);
    let line = running.wait_for("address=");
    let status = get_data(line.split("address=").nth(1).unwrap().trim(), "/api/status");
    running.signal("TERM");
    let ended = running.end();
    ended.done();
    (status["storage"].clone(), ended.stderr)
}

#[test]
fn a_default_drops_nothing() {
    let folder = folder();
    let (data, accepted) = replayed(folder.path());
    // 90 minutes are far less than the capture spans; the default of three days is more, and that of an old version is
    // not configured either.
    for round in 0..3 {
        let (storage, said) = start(&data, "", &[]);
        assert_eq!(storage["passages"], accepted, "start {round}");
        assert!(storage["retention_seconds"].is_null() && storage["last_drop"].is_null(), "{storage}");
        assert!(
            said.contains("the data directory remembers its retention") && said.contains("remembered=\"forever\""),
            "{said}"
        );
        let ended = run(["import-checkpoints", "data/kkmc_dimension.csv", "--data-dir", data.to_str().unwrap()]);
        ended.done();
    }
    let model = folder.path().join("model");
    let mut train = platewatch();
    train.args(["train", "--quiet", "--data-dir"]).arg(&data).arg("--model-dir").arg(&model);
    let _ = Ended::from(train.output().unwrap());
    assert_eq!(start(&data, "", &[]).0["passages"], accepted);
}

#[test]
fn a_shorter_retention_is_announced_before_it_acts() {
    let folder = folder();
    let (data, accepted) = replayed(folder.path());
    let mut announced = Value::Null;
    for (store, variables) in [
        ("retention = \"90m\"", &[][..]),
        ("", &[("PLATEWATCH__STORE__RETENTION", "90m")]),
        ("retention = \"90m\"", &[]),
    ] {
        let (storage, said) = start(&data, store, variables);
        assert_eq!(storage["passages"], accepted, "nothing goes while it is announced");
        assert!(storage["retention_seconds"].is_null() && storage["last_drop"].is_null(), "{storage}");
        let here = &storage["retention_announced"][0];
        assert_eq!((&here["what"], &here["retention_seconds"]), (&"passages".into(), &5400.into()), "{storage}");
        assert!(said.contains("a shorter retention is going to drop passages"), "{said}");
        assert!(said.contains(&format!("count={}", here["count"])), "{said}");
        if announced.is_null() {
            announced = here.clone();
        }
        assert_eq!(*here, announced, "a restart neither forgets nor postpones it");
    }
    // The longer time again: the announcement is withdrawn; configured once more, it starts again.
    let (storage, said) = start(&data, "retention = \"forever\"", &[]);
    assert!(storage["retention_announced"].as_array().unwrap().is_empty(), "{storage}");
    assert!(said.contains("is withdrawn"), "{said}");

    let at_once = "retention = \"90m\"\nretention_grace = \"0s\"";
    let (storage, said) = start(&data, at_once, &[]);
    assert_eq!(storage["passages"], accepted, "announced at the start, not dropped before");
    assert!(said.contains("a shorter retention is going to drop passages"), "{said}");
    assert!(said.contains("retention dropped passages") && said.contains("is in force"), "{said}");

    // From here on it is the directory's own retention, whatever the default is.
    let (storage, _) = start(&data, "", &[]);
    let count = announced["count"].as_u64().unwrap();
    assert!(count > 10_000, "{announced}");
    assert_eq!(storage["passages"], accepted - count, "what was announced, and no more");
    assert_eq!((&storage["retention_seconds"], &storage["dropped_passages"]), (&5400.into(), &count.into()));
    let dropped = &storage["last_drop"];
    assert_eq!((&dropped["from"], &dropped["to"]), (&announced["from"], &announced["to"]), "{storage}");
    assert_eq!((&dropped["passages"], &dropped["retention_seconds"]), (&count.into(), &5400.into()), "{storage}");
}

#[test]
fn an_empty_directory_takes_the_default() {
    let folder = folder();
    let data = folder.path().join("data");
    let ended = run(["import-checkpoints", "data/kkmc_dimension.csv", "--data-dir", data.to_str().unwrap()]);
    ended.done();
    let (storage, said) = start(&data, "", &[]);
    assert_eq!(storage["retention_seconds"], 259_200, "{storage}");
    assert!(!said.contains("remembers"), "{said}");
    assert_eq!(start(&data, "retention = \"7d\"", &[]).0["retention_seconds"], 604_800);
}

/// One camera a day ahead of the clock must not make everything else too old.
#[test]
fn one_wrong_clock_drops_nothing() {
    let folder = folder();
    let (capture, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    let mut lines = simulated(100_000, 47, &["--rate", "10", "--start", "2024-01-01 00:00:00"]);
    let last = String::from_utf8(lines.clone()).unwrap().lines().last().unwrap().to_owned();
    let fields: Vec<&str> = last.split('\t').collect();
    let now = now();
    let wrong = [&format!("{}9", fields[0]), fields[1], fields[2], fields[3], &now, fields[5], fields[6], fields[7]];
    lines.extend_from_slice((wrong.join("\t") + "\n").as_bytes());
    std::fs::write(&capture, lines).unwrap();
    let replay = Replay::new(&capture, &folder.path().join("out")).args(["--retention", "12h", "--data-dir"]);
    let results = replay.args([&data]).results();
    let (storage, _) = start(&data, "", &[]);
    assert_eq!(storage["passages"], results.count("accepted"), "{storage}");
}

fn now() -> String {
    let output = std::process::Command::new("date").args(["+%Y-%m-%d %H:%M:%S"]).env("TZ", "Asia/Shanghai").output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}
