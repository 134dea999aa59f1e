//! Passages and plates are private: who may read the files, and what a terminal and a log show of input from outside.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde_json::json;

use crate::harness::{
    PATIENCE, Replay, Running, folder, get_data, patch, platewatch, serve, serve_nothing, simulated, wait_until,
};

/// Files and folders that other users may read.
fn open_to_others(path: &Path, found: &mut Vec<String>) {
    let about = std::fs::symlink_metadata(path).unwrap();
    if about.mode() & 0o077 != 0 {
        found.push(format!("{} {:o}", path.display(), about.mode() & 0o777));
    }
    if about.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            open_to_others(&entry.unwrap().path(), found);
        }
    }
}

#[track_caller]
fn assert_private(path: &Path) {
    let mut found = Vec::new();
    open_to_others(path, &mut found);
    assert!(found.is_empty(), "others may read {found:#?}");
}

#[test]
fn only_the_owner_may_read_what_is_written() {
    let folder = folder();
    let (file, data, out) = (folder.path().join("capture.tsv"), folder.path().join("data"), folder.path().join("out"));
    std::fs::write(&file, simulated(20_000, 81, &[])).unwrap();
    Replay::new(&file, &out).args(["--data-dir"]).args([&data]).results();
    assert_private(&data);
    assert_private(&out);
    // A data directory that an earlier version left readable by all.
    for name in ["", "rocksdb", "rocksdb/CURRENT", "reference/db"] {
        let mode = if data.join(name).is_dir() { "755" } else { "644" };
        assert!(std::process::Command::new("chmod").arg(mode).arg(data.join(name)).status().unwrap().success());
    }
    let (running, _) = serve_nothing(&data);
    assert_private(&data);
    running.signal("TERM");
    running.end().done();
    assert_private(&data);
}

/// The files of each part of the program, while it runs.
#[test]
fn every_kind_of_file_is_private_while_it_is_used() {
    let folder = folder();
    let (file, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    let hours = ["--rate", "2", "--start", "2024-01-01 00:00:00"];
    std::fs::write(&file, simulated(150_000, 84, &hours)).unwrap();
    Replay::new(&file, &folder.path().join("out")).args(["--data-dir"]).args([&data]).results();
    let of_data = |name: &str, more: &[&str]| {
        let ended = platewatch().arg(name).args(more).arg("--data-dir").arg(&data).output().unwrap();
        assert!(ended.status.success(), "{name}: {ended:?}");
    };
    of_data("user", &["add", "wang", "--role", "operator", "--generate"]);
    of_data("token", &["add", "wang", "--scope", "plates"]);
    let model = data.join("model");
    of_data("train", &["--quiet", "--model-dir", model.to_str().unwrap()]);
    let config = "[source]\nkind = \"none\"\n[predict]\nmin_hours = 1\n";
    let (running, _) = serve(&format!("data_dir = {data:?}\n{config}model_dir = {model:?}\n"));
    let parts =
        ["rocksdb", "reference", "access/audit", "access/accounts.json", "tally-0", "model/model.bin", "flow-history"];
    wait_until(PATIENCE, "each part has written", || parts.iter().all(|part| data.join(part).exists()));
    assert_private(&data);
    running.signal("TERM");
    running.end().done();
    assert_private(&data);
}

#[test]
fn what_a_killed_replay_leaves_is_private_and_goes_with_the_next_one() {
    let folder = folder();
    let (file, out) = (folder.path().join("capture.tsv"), folder.path().join("out"));
    std::fs::write(&file, simulated(200_000, 82, &[])).unwrap();
    let left = || -> Vec<_> {
        let entries = std::fs::read_dir(&out).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    };
    let replay = || Replay::new(&file, &out).args(["--batch-records", "256"]);
    let running = Running::start(replay().command);
    while !left().iter().any(|path| path.join("rocksdb/CURRENT").exists()) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    running.signal("KILL");
    running.end();
    assert_eq!(left().len(), 1);
    assert_private(&left()[0]);
    // A temporary directory in use stays: its lock is held.
    let used = out.join(".platewatch-used");
    std::fs::create_dir(&used).unwrap();
    let lock = std::fs::File::create(used.join("in-use")).unwrap();
    lock.lock().unwrap();
    Replay::new(&file, &out).run().done();
    assert_eq!(left(), std::slice::from_ref(&used), "a folder in use was removed, or one was left");
    drop(lock);
    Replay::new(&file, &out).run().done();
    assert!(left().is_empty(), "{:?}", left());
}

#[test]
fn names_and_notes_hold_no_control_characters() {
    let folder = folder();
    let (file, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    std::fs::write(&file, simulated(20_000, 83, &[])).unwrap();
    Replay::new(&file, &folder.path().join("out")).args(["--data-dir"]).args([&data]).results();
    let (_running, address) = serve_nothing(&data);
    let alerts = get_data(&address, "/api/warnings?limit=1");
    let path = format!("/api/warnings/{}", alerts["records"][0]["id"].as_str().unwrap());
    for (hazard, code) in [
        ("\u{1b}[31m", "U+001B"),
        ("\u{202e}", "U+202E"),
        ("\u{7f}", "U+007F"),
        ("\u{9b}", "U+009B"),
        ("\u{2066}", "U+2066"),
        ("\0", "U+0000"),
    ] {
        for name in ["by", "note"] {
            let mut body = json!({"status": "investigating", "by": "王", "note": "x"});
            body[name] = format!("王{hazard}警官").into();
            let (status, answer) = patch(&address, &path, &body);
            assert_eq!(status, 400, "{answer}");
            assert!(answer.contains(&format!("`{name}` holds the control character {code}")), "{answer}");
        }
    }
    let (status, answer) = patch(&address, &path, &json!({"status": "investigating", "by": "王\n警官"}));
    assert!(status == 400 && answer.contains("U+000A"), "{answer}");
    // A note may be typed in several lines; it is kept as one.
    let body = json!({"status": "investigating", "by": "王警官", "note": "第一行\r\n第二行\n第三行"});
    let (status, answer) = patch(&address, &path, &body);
    assert!(status == 200 && answer.contains("第一行 第二行 第三行"), "{answer}");
}

#[test]
fn terminals_and_logs_are_shown_no_control_characters() {
    let folder = folder();
    let name = "a\u{1b}[2J\u{202e}b.tsv";
    let ended = Replay::new(folder.path().join(name), &folder.path().join("out")).run();
    ended.failed(2, &["a\\u{1b}[2J\\u{202e}b.tsv", "no such file"]);
    let hazard =
        |text: &str| text.chars().any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}'));
    assert!(!hazard(&ended.stderr), "{:?}", ended.stderr);

    // The same in a log: the source is named there when it cannot go on.
    let (file, config) = (folder.path().join(name), folder.path().join("platewatch.toml"));
    std::fs::write(&file, b"\x1f\x8b\x08").unwrap();
    let data = folder.path().join("data");
    let text = format!(
        "data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [\"{}/a\\u001b[2J\\u202eb.tsv\"]\n[api]\nlisten = \"127.0.0.1:0\"\n[predict]\ntrain = \"off\"\n",
        folder.path().display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(&config);
    let mut running = Running::start(command);
    let line = running.wait_for("the source cannot go on");
    assert!(line.contains("a\\u{1b}[2J\\u{202e}b.tsv"), "{line:?}");
    assert!(!hazard(&line), "{line:?}");
}
