//! `platewatch forget` with the real program: nothing of the plate is left in the data directory, whenever it was killed; the
//! audit log says that something was forgotten, not what; all else is as before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Ended, Random, Replay, Running, folder, get, get_data, patch, platewatch, post, post_data, serve_nothing, simulated,
};

fn forget(data: &Path, plate: &str, more: &[&str]) -> std::process::Command {
    let mut command = platewatch();
    command.args(["forget", plate, "--reason", "申请人要求删除", "--data-dir"]).arg(data).args(more);
    command
}

fn ended(mut command: std::process::Command) -> Ended {
    command.output().unwrap().into()
}

/// A data directory with passages, warnings and cases, and one of its plates with a warning.
fn replayed(folder: &Path, count: u64) -> (PathBuf, String) {
    let (file, data) = (folder.join("capture.tsv"), folder.join("data"));
    std::fs::write(&file, simulated(count, 71, &[])).unwrap();
    Replay::new(&file, &folder.join("out")).args(["--data-dir"]).args([&data]).results();
    let (running, address) = serve_nothing(&data);
    let plate = get_data(&address, "/api/warnings?limit=1")["records"][0]["hphm"].as_str().unwrap().to_owned();
    running.signal("TERM");
    running.end().done();
    (data, plate)
}

/// Files that hold these bytes, and no letter or digit behind them.
fn files_with(folder: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with(&path, text, found);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let mut at = memchr::memmem::find_iter(&bytes, text);
            if at.any(|at| bytes.get(at + text.len()).is_none_or(|next| !next.is_ascii_alphanumeric())) {
                found.push(path);
            }
        }
    }
}

#[track_caller]
fn assert_gone(data: &Path, plate: &str) {
    let mut found = Vec::new();
    files_with(data, plate, &mut found);
    assert!(found.is_empty(), "{plate} is in {found:#?}");
}

fn audit(data: &Path) -> Vec<Value> {
    let mut text = String::new();
    for entry in std::fs::read_dir(data.join("access/audit")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn total(address: &str, filter: &Value) -> u64 {
    post_data(address, "/api/query", filter)["total"].as_u64().unwrap()
}

#[test]
fn nothing_of_it_is_left_and_all_else_is() {
    let folder = folder();
    let (data, plate) = replayed(folder.path(), 40_000);
    let (running, address) = serve_nothing(&data);
    let (all, own) = (total(&address, &json!({})), total(&address, &json!({"hphm": plate})));
    assert!(own >= 2, "{own}");
    let warnings = get_data(&address, "/api/warnings?limit=1");
    let id = warnings["records"][0]["id"].as_str().unwrap().to_owned();
    let note = json!({"status": "investigating", "by": "王", "note": format!("即{plate}")});
    assert_eq!(patch(&address, &format!("/api/warnings/{id}"), &note).0, 200);
    assert_eq!(get(&address, &format!("/api/warnings/{id}")).0, 200);
    // While somebody has it open, nothing is done.
    ended(forget(&data, &plate, &["--yes"])).failed(3, &["in use by another process"]);
    running.signal("TERM");
    running.end().done();

    let said = ended(forget(&data, &plate, &["--dry-run"]));
    said.done();
    assert!(
        said.stdout.contains(&format!("{own:>8}  passages")) && said.stdout.contains("nothing was removed"),
        "{said:?}"
    );
    ended(forget(&data, &plate, &[])).failed(2, &["--yes"]);
    // As an earlier program's proof, torn.
    std::fs::write(data.join("prove.json"), format!("{{\"pairs\":[{{\"hphm\":\"{plate}\"")).unwrap();
    let mut found = Vec::new();
    files_with(&data, &plate, &mut found);
    assert!(found.len() > 1, "the search finds what is there");

    let said = ended(forget(&data, &plate, &["--yes"]));
    said.done();
    let statement = format!("DELETE FROM traffic_data WHERE hphm = '{plate}';");
    assert!(said.stdout.contains(&statement) && said.stdout.contains("DEL traffic:warnings traffic:cases"), "{said:?}");
    assert_gone(&data, &plate);
    let mut found = Vec::new();
    files_with(&data, &id, &mut found);
    assert!(found.is_empty(), "the id of its warning is in {found:?}");
    let entries = audit(&data);
    let entry = entries.iter().find(|entry| entry["action"] == "forget").unwrap();
    assert_eq!(
        (&entry["via"], &entry["rows"], &entry["purpose"]["text"], &entry["details"]["passages"]),
        (&json!("command"), &json!(own), &json!("申请人要求删除"), &json!(own))
    );
    assert!(entries.iter().any(|entry| entry["action"] == "erase"));
    let mut verify = platewatch();
    verify.args(["verify-audit", "--data-dir"]).arg(&data);
    let verified = ended(verify);
    verified.done();
    assert!(verified.stdout.contains("were erased"), "{verified:?}");

    let (running, address) = serve_nothing(&data);
    assert_eq!(total(&address, &json!({})), all - own);
    assert_eq!(total(&address, &json!({"hphm": plate})), 0);
    assert_eq!(get(&address, &format!("/api/warnings/{id}")).0, 404);
    let (_, cases) = post(&address, "/api/query", &json!({"limit": 1}));
    assert!(!cases.contains(&plate));
    let status = get_data(&address, "/api/status");
    assert!(status["storage"]["accepted_loss"].is_null(), "{status}");
    running.signal("TERM");
    running.end().done();
}

#[test]
fn killed_at_any_moment_it_is_done_by_the_next_run() {
    let folder = folder();
    let (data, plate) = replayed(folder.path(), 100_000);
    let seed = 72;
    let mut random = Random(seed);
    let mut kills = 0;
    for round in 0..12 {
        let running = Running::start(forget(&data, &plate, &["--yes"]));
        std::thread::sleep(Duration::from_millis(random.below(60 * (round + 1)) as u64));
        running.signal("KILL");
        kills += u32::from(running.end().code.is_none());
        // It opens between, with nothing lost.
        if round % 4 == 3 {
            let (running, address) = serve_nothing(&data);
            let status = get_data(&address, "/api/status");
            assert!(status["storage"]["accepted_loss"].is_null(), "seed {seed}, round {round}: {status}");
            running.signal("KILL");
            running.end();
        }
    }
    assert!(kills > 4, "seed {seed}: it was killed {kills} times");
    ended(forget(&data, &plate, &["--yes"])).done();
    assert_gone(&data, &plate);
    let again = ended(forget(&data, &plate, &["--dry-run"]));
    again.done();
    assert!(again.stdout.contains("       0  passages"), "{again:?}");
}

#[test]
fn what_is_no_request_is_refused() {
    let folder = folder();
    let data = folder.path().join("data");
    for (arguments, part) in [
        (vec!["forget", "苏C123*", "--reason", "x"], "no whole plate"),
        (vec!["forget", "-", "--reason", "x"], "no whole plate"),
        (vec!["forget", "苏C12345", "--reason", " "], "says in words why"),
        (vec!["forget", "苏C12345", "--reason", "车主苏c·12345要求"], "must not name the plate"),
        (vec!["forget", "苏C12345", "--reason", "x"], "is no data directory"),
    ] {
        let mut command = platewatch();
        command.args(&arguments).arg("--yes").arg("--data-dir").arg(&data);
        ended(command).failed(2, &[part]);
    }
    assert!(!data.exists(), "nothing was made");
}
