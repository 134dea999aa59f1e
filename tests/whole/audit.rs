//! The audit log with the real program: kill -9, several processes, a full disk, retention, and what `verify-audit` finds.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use access::trail::{Action, Draft, Entry, Head, Via};
use serde_json::{Value, json};

use super::full_disk::{SmallDisk, may_mount};
use crate::harness::{
    Ended, PATIENCE, Replay, folder, get, patch, platewatch, post, serve, serve_nothing, simulated, wait_until,
};

fn audit(data: &Path) -> PathBuf {
    data.join("access/audit")
}

fn files(data: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(audit(data)).unwrap().map(|file| file.unwrap().path());
    let mut days: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).collect();
    days.sort();
    days
}

fn entries(data: &Path) -> Vec<Value> {
    let text: String = files(data).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(data: &Path, action: &str) -> usize {
    entries(data).iter().filter(|entry| entry["action"] == action).count()
}

fn verify(data: &Path, more: &[&str]) -> Ended {
    platewatch().args(["verify-audit", "--data-dir"]).arg(data).args(more).output().unwrap().into()
}

#[track_caller]
fn sound(data: &Path) -> String {
    let ended = verify(data, &[]);
    ended.done();
    ended.stdout
}

/// A data directory with passages and warnings.
fn replayed(folder: &Path) -> PathBuf {
    let (file, data) = (folder.join("capture.tsv"), folder.join("data"));
    std::fs::write(&file, simulated(20_000, 14, &[])).unwrap();
    Replay::new(&file, &folder.join("out")).args(["--data-dir"]).args([&data]).results();
    data
}

#[test]
fn what_was_answered_is_recorded_whenever_the_process_is_killed() {
    let folder = folder();
    let data = replayed(folder.path());
    let mut answered = 0;
    for round in 0..3 {
        let (running, address) = serve_nothing(&data);
        let (is_over, got) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
                        let asked = agent.post(format!("http://{address}/api/query")).send_json(json!({"limit": 1}));
                        let read = asked.and_then(|mut answer| answer.body_mut().read_to_string());
                        got.fetch_add(
                            usize::from(read.is_ok_and(|text| text.contains("HPHM") || text.contains("hphm"))),
                            Ordering::Relaxed,
                        );
                    }
                });
            }
            wait_until(PATIENCE, "answers", || got.load(Ordering::Relaxed) > 50 + 40 * round);
            running.signal("KILL");
            is_over.store(true, Ordering::Relaxed);
        });
        drop(running.end());
        answered += got.load(Ordering::Relaxed);
        let recorded = count(&data, "query");
        assert!(recorded >= answered, "{answered} answered, {recorded} recorded");
        assert!(sound(&data).contains("OK "), "a kill leaves nothing torn");
    }
    assert_eq!(count(&data, "recovered"), 0);
}

#[test]
fn the_command_line_appends_beside_a_running_appliance() {
    let folder = folder();
    let data = replayed(folder.path());
    let (running, address) = serve_nothing(&data);
    // As soon as a user is noticed, none of these is answered.
    post(&address, "/api/query", &json!({"limit": 1}));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                post(&address, "/api/query", &json!({"limit": 1}));
            }
        });
        for number in 0..6 {
            let mut command = platewatch();
            let name = format!("user{number}");
            command.args(["user", "add", &name, "--role", "admin", "--generate", "--data-dir"]).arg(&data);
            Ended::from(command.output().unwrap()).done();
            assert!(sound(&data).contains("OK "));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let mut command = platewatch();
    command.args(["token", "add", "user0", "--scope", "metrics", "--note", "prometheus", "--data-dir"]).arg(&data);
    let made: Ended = command.output().unwrap().into();
    let token = made.stdout.lines().next().unwrap().to_owned();
    assert_eq!((count(&data, "user_add"), count(&data, "token_add")), (6, 1));
    assert!(count(&data, "query") > 0);
    let last = entries(&data).pop().unwrap();
    assert_eq!(
        (&last["via"], &last["details"]["note"], &last["status"]),
        (&json!("command"), &json!("prometheus"), &Value::Null)
    );
    assert!(!entries(&data).iter().any(|entry| entry.to_string().contains(&token)));
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0));
    // What the log of the process says of the head lies on the chain.
    let heads = ended.stderr.lines().filter_map(|line| line.split("head=").nth(1));
    let heads: Vec<&str> =
        heads.map(|head| head.split(' ').next().unwrap()).filter(|head| !head.starts_with("0:")).collect();
    assert!(!heads.is_empty(), "{}", ended.stderr);
    for head in &heads {
        verify(&data, &["--head", head]).done();
    }
    // Where no entry can be written, nobody becomes a user.
    std::fs::rename(audit(&data), folder.path().join("aside")).unwrap();
    std::fs::write(audit(&data), "in the way").unwrap();
    let mut command = platewatch();
    command.args(["user", "disable", "user5", "--data-dir"]).arg(&data);
    Ended::from(command.output().unwrap()).failed(3, &["nothing was changed, because the audit log cannot be written"]);
    let mut command = platewatch();
    command.args(["user", "list", "--data-dir"]).arg(&data);
    assert!(!Ended::from(command.output().unwrap()).stdout.contains("disabled"));
}

#[test]
fn on_a_full_disk_no_plate_is_shown() {
    if !may_mount(module_path!(), "on_a_full_disk_no_plate_is_shown") {
        return;
    }
    let folder = folder();
    let data = replayed(folder.path());
    let disk = SmallDisk::mount(data.join("access"), "128k");
    let (running, address) = serve_nothing(&data);
    let shown = post(&address, "/api/query", &json!({"limit": 5}));
    assert!(shown.0 == 200 && shown.1.contains("HPHM"), "{shown:?}");
    let id = serde_json::from_str::<Value>(&get(&address, "/api/warnings").1).unwrap()["data"]["records"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = count(&data, "query");
    let filler = data.join("access/filler");
    let _ = std::fs::write(&filler, vec![1; 256 << 10]);
    let mut refused = 0;
    // The last block may still hold an entry or two.
    for _ in 0..40 {
        let (status, text) = post(&address, "/api/query", &json!({"limit": 5}));
        if status == 503 {
            assert!(text.contains("audit_unavailable") && !text.contains("HPHM"), "{text}");
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused}");
    let change = json!({"status": "investigating", "by": "x"});
    assert_eq!(patch(&address, &format!("/api/warnings/{id}"), &change).0, 503);
    assert_eq!(get(&address, "/api/overview").0, 200, "what shows no plate is served");
    std::fs::remove_file(&filler).unwrap();
    let again = post(&address, "/api/query", &json!({"limit": 5}));
    assert!(again.0 == 200, "{again:?}");
    let (_, alert) = get(&address, &format!("/api/warnings/{id}"));
    assert!(alert.contains("\"status\":\"new\""), "nothing was changed: {alert}");
    assert_eq!(count(&data, "query") - before, 40 - refused + 1);
    assert_eq!(count(&data, "recovered"), 0, "of an entry without room nothing is left");
    assert!(sound(&data).contains("OK "));
    drop(running);
    drop(disk);
}

#[test]
fn old_days_are_removed_and_the_chain_still_holds() {
    let folder = folder();
    let data = folder.path().join("data");
    std::fs::create_dir_all(audit(&data)).unwrap();
    let mut head = Head::NONE;
    for (day, at) in [("2024-01-01", 1_704_081_600_000), ("2024-01-02", 1_704_168_000_000)] {
        let mut text = String::new();
        for number in 0..5 {
            let entry = Entry::new(Draft::new(Action::Query, Via::Open), at + number, [7; 16], head);
            head = entry.head();
            text += &(entry.line() + "\n");
        }
        std::fs::write(audit(&data).join(format!("{day}.jsonl")), text).unwrap();
    }
    let keeping =
        |keep: &str| serve(&format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[audit]\nkeep = {keep:?}\n"));
    let (running, address) = keeping("forever");
    post(&address, "/api/query", &json!({}));
    assert_eq!((files(&data).len(), count(&data, "retention")), (3, 0));
    drop(running);
    let (running, _) = keeping("30d");
    wait_until(PATIENCE, "old days go", || files(&data).len() == 1);
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
    let retention = entries(&data).pop().unwrap();
    assert_eq!((&retention["action"], &retention["via"]), (&json!("retention"), &json!("process")));
    assert_eq!(
        (&retention["details"]["through"], &retention["details"]["hash"]),
        (&json!(10), &json!(head.hash.to_string()))
    );
    let said = sound(&data);
    assert!(said.contains("first 11 at ") && said.contains("OK 3 entries"), "{said}");
    let older = verify(&data, &["--head", &head.to_string()]);
    assert!(older.code == Some(1) && older.stdout.contains("is older than the log"), "{older:?}");
}

#[test]
fn verify_audit_finds_what_was_changed() {
    let folder = folder();
    let data = replayed(folder.path());
    let none = verify(&folder.path().join("out"), &[]);
    none.failed(2, &["holds no audit log"]);
    let (running, address) = serve_nothing(&data);
    for number in 0..5 {
        post(&address, "/api/query", &json!({"hphm": format!("苏C1234{number}")}));
    }
    let (status, read) = get(&address, "/api/audit?hphm=苏C12342");
    let read: Value = serde_json::from_str(&read).unwrap();
    assert_eq!((status, &read["data"]["entries"][0]["n"]), (200, &json!(3)));
    let said = sound(&data);
    assert!(said.contains("first 1 at ") && said.contains("last  6 at ") && said.contains("OK 6 entries"), "{said}");
    drop(running);
    let [file] = files(&data).try_into().unwrap();
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let head: Entry = serde_json::from_str(lines[5]).unwrap();
    let cases: [(String, &str); 5] = [
        (whole.replacen("苏C12342", "苏C99999", 1), "line 3: the details of entry 3"),
        (whole.replacen("\"status\":200", "\"status\":201", 1), "line 1: entry 1 was changed"),
        ([&lines[..2], &lines[3..]].concat().join("\n") + "\n", "line 3: entry 3 is missing"),
        (lines[..5].join("\n") + "\n", "line 5: the log ends before entry 6"),
        (whole[..whole.len() - 3].to_owned(), "line 6: the line has no end"),
    ];
    for (text, part) in cases {
        std::fs::write(&file, text).unwrap();
        let ended = verify(&data, &[]);
        assert!(ended.stdout.contains("BROKEN") && ended.stdout.contains(part), "{part}: {ended:?}");
        ended.failed(1, &["not as it was written"]);
    }
    std::fs::write(&file, &whole).unwrap();
    verify(&data, &["--head", &head.head().to_string()]).done();
    let other = format!("6:{}", "0".repeat(64));
    let ended = verify(&data, &["--head", &other]);
    assert!(ended.stdout.contains("entry 6 was replaced"), "{ended:?}");
    ended.failed(1, &["not as it was written"]);
    // A torn end is cut off by the next start, which says so.
    std::fs::write(&file, &whole[..whole.len() - 3]).unwrap();
    let (running, _) = serve_nothing(&data);
    drop(running);
    assert_eq!(entries(&data).pop().unwrap()["action"], "recovered");
    assert!(sound(&data).contains("OK 6 entries"));
}
