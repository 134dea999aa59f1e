//! What people do with the web page, against the real binary: work on alerts that outlives a kill, exports, deep links.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{
    PATIENCE, Random, Replay, folder, get, get_data, patch, post, post_data, serve, serve_nothing, simulated, tell,
};

fn change(address: &str, id: &str, body: &Value) -> (u16, Value) {
    let (status, body) = patch(address, &format!("/api/warnings/{id}"), body);
    (status, serde_json::from_str(&body).unwrap())
}

fn ids(address: &str, limit: usize) -> Vec<String> {
    let alerts = get_data(address, &format!("/api/warnings?limit={limit}"));
    alerts["records"].as_array().unwrap().iter().map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
}

/// The data directory of a replay, as an older version would have left it: without any work.
fn replayed(folder: &Path, count: u64) -> std::path::PathBuf {
    let (file, data) = (folder.join("capture.tsv"), folder.join("data"));
    std::fs::write(&file, simulated(count, 91, &[])).unwrap();
    Replay::new(&file, &folder.join("out")).args(["--data-dir"]).args([&data]).results();
    data
}

/// Every change that was answered with 200 is there after kill -9, whenever it comes.
#[test]
fn work_outlives_a_kill() {
    let folder = folder();
    let data = replayed(folder.path(), 30_000);
    let mut random = Random(91);
    // The history as it must be, by alert.
    let mut model: std::collections::BTreeMap<String, Vec<Value>> = std::collections::BTreeMap::new();
    let (mut changes, mut kills) = (0, 0);
    for _ in 0..6 {
        let (running, address) = serve_nothing(&data);
        let all = ids(&address, 40);
        for (id, history) in &model {
            let alert = get_data(&address, &format!("/api/warnings/{id}"));
            assert_eq!(alert["history"], json!(history), "after {kills} kills");
            assert_eq!(alert["version"], history.len());
        }
        for status in ["new", "investigating", "confirmed", "dismissed"] {
            let total = get_data(&address, &format!("/api/warnings?status={status}"))["total"].as_u64().unwrap();
            let last = |history: &Vec<Value>| history.last().unwrap()["to"] == status;
            let touched = model.values().filter(|history| last(history)).count() as u64;
            let untouched = get_data(&address, "/api/warnings")["total"].as_u64().unwrap() - model.len() as u64;
            assert_eq!(total, if status == "new" { touched + untouched } else { touched }, "{status}");
        }
        for number in 0..5 + random.below(20) {
            let id = random.pick(&all.iter().map(String::as_str).collect::<Vec<_>>()).to_owned();
            let allowed = get_data(&address, &format!("/api/warnings/{id}"))["allowed"].clone();
            let to = allowed[random.below(allowed.as_array().unwrap().len())].clone();
            let note = format!("第 {number} 次");
            let (status, answer) = change(&address, &id, &json!({"status": to, "by": "王警官", "note": note}));
            assert_eq!(status, 200, "{answer}");
            model.insert(id, answer["data"]["history"].as_array().unwrap().clone());
            changes += 1;
        }
        running.signal("KILL");
        assert_eq!(running.end().code, None, "it was not killed");
        kills += 1;
    }
    let touched = model.len();
    assert!(changes > 30 && touched > 10);
    tell(&format!("{changes} changes on {touched} alerts, each there after {kills} kills"));
}

/// Changes while the writer is busy; both survive.
#[test]
fn work_beside_a_busy_writer() {
    let folder = folder();
    let data = folder.path().join("data");
    let config = format!("data_dir = {data:?}\n[source]\nkind = \"simulator\"\nrate = 20000.0\n");
    let (running, address) = serve(&config);
    let mut taken = Vec::new();
    while taken.len() < 10 {
        std::thread::sleep(Duration::from_millis(10));
        for id in ids(&address, 50) {
            if taken.contains(&id) {
                continue;
            }
            let (status, answer) = change(&address, &id, &json!({"status": "investigating", "by": "李", "version": 0}));
            assert_eq!(status, 200, "{answer}");
            let (status, answer) = change(&address, &id, &json!({"status": "confirmed", "by": "李", "version": 0}));
            assert_eq!(status, 409, "{answer}");
            taken.push(id);
        }
    }
    let accepted = get_data(&address, "/api/overview")["accepted"].as_u64().unwrap();
    running.signal("KILL");
    running.end();
    let (running, address) = serve_nothing(&data);
    assert!(get_data(&address, "/api/overview")["accepted"].as_u64().unwrap() >= accepted);
    let stored = get_data(&address, "/api/warnings?status=investigating&limit=1000");
    assert_eq!(stored["total"], taken.len());
    for id in &taken {
        let alert = get_data(&address, &format!("/api/warnings/{id}"));
        assert_eq!((&alert["status"], &alert["history"][0]["by"]), (&json!("investigating"), &json!("李")));
        for side in ["prev", "curr"] {
            assert!(alert[side]["lon"].is_number() && alert[side]["lat"].is_number(), "{alert}");
        }
    }
    running.signal("TERM");
    running.end().done();
}

/// The file has every row of the result, and is itself a capture: replayed, it gives the same records again.
#[test]
fn an_export_is_whole_and_can_be_replayed() {
    let folder = folder();
    let data = replayed(folder.path(), 60_000);
    let (running, address) = serve_nothing(&data);
    let total = get_data(&address, "/api/overview")["total"].as_u64().unwrap();
    let columns = json!(["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"]);
    let (status, text) = post(&address, "/api/query/export", &json!({"columns": columns}));
    assert_eq!(status, 200, "{text}");
    assert_eq!(text.lines().count() as u64, total + 1);
    // Page by page the query gives the same rows in the same order.
    let mut lines = text.lines().skip(1);
    for page in 1..=3 {
        let records = post_data(&address, "/api/query", &json!({"page": page, "limit": 500}));
        for record in records["records"].as_array().unwrap() {
            let line = lines.next().unwrap();
            assert!(line.starts_with(record["GCXH"].as_str().unwrap()), "{line} is not {record}");
        }
    }
    let mut filter = json!({"province": "苏", "hphm": "C*8"});
    let wanted = post_data(&address, "/api/query", &filter)["total"].as_u64().unwrap();
    filter["columns"] = json!(["HPHM"]);
    let (_, found) = post(&address, "/api/query/export", &filter);
    assert_eq!(found.lines().count() as u64, wanted + 1);
    assert!(found.lines().skip(1).all(|plate| plate.trim_matches(['\'', '"']).starts_with('苏')));

    // Plates such as -*** would begin a formula and get an apostrophe in front; all others are unchanged.
    let csv = folder.path().join("export.csv");
    std::fs::write(&csv, &text).unwrap();
    let again = Replay::new(&csv, &folder.path().join("again")).args(["--order", "time"]).results();
    let first = get_data(&address, "/api/status")["pipeline"].clone();
    assert_eq!((again.count("accepted"), again.rejected()), (total, 0));
    assert_eq!(again.count("headers"), 1);
    assert_eq!(again.summary["by_shard"], first["by_shard"]);
    running.signal("TERM");
    running.end().done();
}

/// Aborted or stalled downloads block neither the next one nor the end of the process.
#[test]
fn downloads_that_stand_still() {
    let folder = folder();
    let data = replayed(folder.path(), 200_000);
    let config = format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[api]\nmax_concurrent_exports = 2\n");
    let (running, address) = serve(&config);
    for _ in 0..6 {
        // The head is read, and then nothing.
        let mut reader = BufReader::new(download(&address));
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.contains("200") || line.contains("503"), "{line}");
    }
    let started = Instant::now();
    let whole = loop {
        let (status, text) = post(&address, "/api/query/export", &json!({"columns": "GCXH"}));
        if status == 200 {
            break text;
        }
        assert!(status == 503 && started.elapsed() < PATIENCE, "{status} {text}");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(whole.lines().count() as u64, get_data(&address, "/api/overview")["total"].as_u64().unwrap() + 1);
    // An unread download is open while the process ends.
    let mut unread = BufReader::new(download(&address));
    let mut line = String::new();
    unread.read_line(&mut line).unwrap();
    assert!(line.contains("200"), "{line}");
    running.signal("TERM");
    let ended = running.end();
    ended.done();
    assert!(!ended.stderr.contains("still open at the shutdown deadline"), "{}", ended.stderr);
    let mut rest = Vec::new();
    let _ = unread.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a broken transfer must not end in order");
}

fn download(address: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(socket, "POST /api/query/export HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n").unwrap();
    socket
}

/// Links into the page open it; a request for a missing file or endpoint gets an error.
#[test]
fn deep_links() {
    let folder = folder();
    let (running, address) = serve_nothing(&folder.path().join("data"));
    let page = get(&address, "/").1;
    for path in ["/query?hphm=x", "/warnings/0123456789abcdef", "/track/%E8%8B%8FC12345", "/predict", "/system"] {
        assert_eq!(get(&address, path), (200, page.clone()), "{path}");
    }
    for path in ["/assets/gone-1a2b3c.js", "/assets/gone", "/api/gone"] {
        let (status, body) = get(&address, path);
        assert_eq!(
            (status, serde_json::from_str::<Value>(&body).unwrap()["code"].as_u64()),
            (404, Some(404)),
            "{path}"
        );
    }
    running.signal("TERM");
    running.end().done();
}
