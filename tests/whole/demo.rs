//! `demo` and `serve` as a user sees them: readiness, the eight interfaces, alerts as they come, stopping and resuming.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{
    PATIENCE, Replay, Running, folder, get, get_data, platewatch, post_data, serve, serve_fed, serve_nothing, simulated,
};

fn demo(data: &Path, port: &str, more: &[&str]) -> (Running, String) {
    let mut command = platewatch();
    command.args(["demo", "--port", port, "--data-dir"]).arg(data).args(more);
    let mut running = Running::start(command);
    let line = running.wait_for("open http://");
    let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    (running, address)
}

/// The event stream of alerts, read as it comes.
struct Stream(Receiver<String>);

impl Stream {
    fn open(address: &str, last_event_id: Option<u64>) -> Self {
        let mut socket = TcpStream::connect(address).unwrap();
        let last = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        write!(socket, "GET /api/warnings/stream HTTP/1.1\r\nHost: {address}\r\n{last}\r\n").unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(socket).lines() {
                let Ok(line) = line else { break };
                let _ = sender.send(line);
            }
        });
        let mut stream = Self(lines);
        stream.line_with("HTTP/1.1 200");
        stream
    }

    fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.0.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{part:?} did not come: {error}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// The next alert.
    fn alert(&mut self) -> Value {
        serde_json::from_str(self.line_with("data: {").strip_prefix("data: ").unwrap()).unwrap()
    }

    /// Whether the stream ends.
    fn ends(self) -> bool {
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(error) => return error == RecvTimeoutError::Disconnected,
            }
        }
    }
}

/// Asks until the answer is as wanted.
#[track_caller]
pub(crate) fn ask_until<T>(what: &str, mut ask: impl FnMut() -> T, will_do: impl Fn(&T) -> bool) -> T {
    let started = Instant::now();
    loop {
        let answer = ask();
        if will_do(&answer) {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn number(address: &str, path: &str, name: &str) -> u64 {
    get_data(address, path)[name].as_u64().unwrap()
}

pub(crate) fn stop(running: Running, within: Duration) -> String {
    let started = Instant::now();
    running.signal("TERM");
    let ended = running.end();
    ended.done();
    assert!(started.elapsed() < within, "stopping took {:?}", started.elapsed());
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("ERROR"), "{}", ended.stderr);
    ended.stderr
}

#[test]
fn demo_from_the_first_start_to_the_second() {
    let folder = folder();
    let data = folder.path().join("data");
    let (running, address) = demo(&data, "0", &["--rate", "60"]);
    ask_until("readiness", || get(&address, "/readyz").0, |status| *status == 200);
    let mut stream = Stream::open(&address, Some(0));
    let first = ask_until("traffic", || number(&address, "/api/overview", "total"), |total| *total > 0);
    ask_until("more traffic", || number(&address, "/api/overview", "total"), |total| *total > first);
    let alert = stream.alert();
    assert_eq!((alert["seq"].as_u64(), stream.alert()["seq"].as_u64()), (Some(1), Some(2)));
    assert!(alert["prev_kkmc"] != alert["curr_kkmc"] && alert["hphm"].is_string(), "{alert}");

    the_eight_interfaces(&address);
    assert!(get(&address, "/").1.contains("<html"), "no page");
    assert!(get(&address, "/metrics").1.contains("platewatch_"));

    // Live traffic continues after the history, by the times of a checkpoint whose clock is right: some are ahead.
    let began = get_data(&address, "/api/overview")["now"].as_str().unwrap().to_owned();
    let live = json!({"kkmc": "S250_Pizhou_Sulu", "startTime": began, "limit": 1});
    let newest = || post_data(&address, "/api/query", &live)["records"][0]["GCSJ"].as_str().map(str::to_owned);
    let now = ask_until("today's traffic", newest, Option::is_some);
    ask_until("the next second", newest, |newest| *newest > now);

    stop(running, Duration::from_secs(5));
    assert!(stream.ends(), "an open stream did not end");

    // The second start resumes where the first ended.
    let (running, address) = serve_nothing(&data);
    let [accepted, alerts] = ["accepted", "alerts"].map(|name| number(&address, "/api/overview", name));
    stop(running, Duration::from_secs(5));
    assert!(accepted > 1_000_000 && alerts > 100, "{accepted} {alerts}");
    let port = address.rsplit(':').next().unwrap();
    let (running, address) = demo(&data, port, &["--rate", "60"]);
    assert!(address.ends_with(&format!(":{port}")), "{address} is not port {port}");
    let more = ask_until("more traffic", || number(&address, "/api/overview", "accepted"), |now| *now > accepted);
    assert!(more < accepted + accepted / 10, "{accepted} became {more}: the history was made up once more");
    // All alerts, of both runs, by number and without a gap.
    let mut stream = Stream::open(&address, Some(0));
    for seq in 1..=alerts {
        assert_eq!(stream.alert()["seq"], seq);
    }
    stop(running, Duration::from_secs(5));
}

fn the_eight_interfaces(address: &str) {
    let query = post_data(address, "/api/query", &json!({"province": "苏", "hphm": "苏C*", "limit": 3}));
    assert!(query["total"].as_u64().unwrap() > 1000 && query["records"].as_array().unwrap().len() == 3, "{query}");
    let record = query["records"][0].as_object().unwrap();
    for field in
        "GCXH XZQHMC KKMC FXLX GCSJ HPZL HPHM CLPPXH PROVINCE VEHICLE_TYPE_NAME FUEL_TYPE KKMC_LABEL".split(' ')
    {
        assert!(record.contains_key(field), "{field} is not in {record:?}");
    }
    let counted = |path: &str| {
        let data = get_data(address, path);
        data.as_array().unwrap().iter().map(|entry| entry["value"].as_u64().unwrap()).sum::<u64>()
    };
    let hours = get_data(address, "/api/stats/hour_count");
    assert_eq!((hours["hours"].as_array().unwrap().len(), hours["data"].as_array().unwrap().len()), (24, 24));
    for path in ["kkmc_count?limit=19", "map_data", "vehicle_type", "vehicle_brand?limit=100"] {
        assert!(counted(&format!("/api/stats/{path}")) > 10_000, "{path}");
    }
    let warnings = get_data(address, "/api/warnings/realtime?limit=5");
    let seqs: Vec<u64> = warnings.as_array().unwrap().iter().map(|alert| alert["seq"].as_u64().unwrap()).collect();
    assert!(seqs.len() == 5 && seqs.is_sorted_by(|newer, older| newer > older), "{seqs:?}");
    // Prediction learns from the generated history by itself.
    let model = || get_data(address, "/api/predict/model")["model"].clone();
    ask_until("a flow model", model, Value::is_object);
    let flow = get_data(address, "/api/predict/flow?kkmc=S250_Pizhou_Sulu");
    assert!(flow["predicted_flow"].as_f64().unwrap() > 0.0 && flow["basis"] == "short_history", "{flow}");
    assert_eq!(get_data(address, "/api/predict/flow")["kkmc"], "全市");
    let (status, body) = get(address, "/api/stats/kkmc_count?limit=many");
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()["code"].as_u64()), (400, Some(400)), "{body}");
}

/// A plate at both ends of the region in one second: an alert.
fn clone(number: u64) -> String {
    let plate = 10_000 + number;
    let at = |site: &str| {
        format!("{site}{number}\t邳州市\t{site}\t1\t2024-01-01 00:00:{number:02}\t02\t苏C{plate}\t大众牌\n")
    };
    at("G3_Sulu") + &at("S252_Suining_Suwan")
}

/// Alerts raised while a client listens: simulated roads raise too few of them at night.
#[test]
fn an_alert_arrives_when_it_is_raised() {
    let folder = folder();
    let data = folder.path().join("data");
    let config = format!("data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [\"-\"]\n");
    let feed = |running: &mut Running, clones: std::ops::Range<u64>| {
        let lines: String = clones.map(clone).collect();
        running.child.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    };
    let (mut running, address) = serve_fed(&config);
    let mut stream = Stream::open(&address, None);
    feed(&mut running, 1..2);
    let alert = stream.alert();
    assert_eq!((&alert["seq"], &alert["hphm"]), (&json!(1), &json!("苏C10001")));
    feed(&mut running, 2..5);
    assert_eq!(stream.alert()["seq"], 2);
    let stored = get_data(&address, "/api/warnings/realtime?limit=50");
    assert!(stored.as_array().unwrap().contains(&alert), "{alert} is not in {stored}");
    assert_eq!([stream.alert(), stream.alert()].map(|alert| alert["seq"].clone()), [json!(3), json!(4)]);
    stop(running, Duration::from_secs(5));
    assert!(stream.ends());

    // A client that was away gets what it missed, and what comes then.
    let (mut running, address) = serve_fed(&config);
    let mut stream = Stream::open(&address, Some(1));
    for next in 2..5 {
        assert_eq!(stream.alert()["seq"], next);
    }
    feed(&mut running, 5..7);
    assert_eq!([stream.alert(), stream.alert()].map(|alert| alert["seq"].clone()), [json!(5), json!(6)]);
    stop(running, Duration::from_secs(5));
}

/// What `replay` counted, `serve` counts too, over the same data directory or by reading the capture itself.
#[test]
fn serve_answers_what_replay_counted() {
    let folder = folder();
    let [file, data, own] = ["capture.tsv", "data", "own"].map(|name| folder.path().join(name));
    // Less than 3 days old by event time, which retention uses: served data is not kept forever.
    std::fs::write(&file, simulated(30_000, 71, &[])).unwrap();
    let results = Replay::new(&file, &folder.path().join("out")).args(["--data-dir"]).args([&data]).results();
    let capture = |data: &Path| format!("data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [{file:?}]\n");
    for (what, config) in [
        ("none", format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n")),
        ("capture, read before", capture(&data)),
        ("capture", capture(&own)),
        ("capture, again", capture(&own)),
    ] {
        let (running, address) = serve(&config);
        let status = || get_data(&address, "/api/status");
        ask_until("the end of the capture", status, |status| status["source"]["state"] == "finished");
        let overview = get_data(&address, "/api/overview");
        let accepted = results.count("accepted");
        assert_eq!(overview["total"], accepted, "{what}");
        assert_eq!(overview["alerts"], results.summary["alerts"], "{what}");
        assert_eq!(overview["newest_gcsj"], results.summary["last_time"], "{what}");
        let by_kkmc = get_data(&address, "/api/stats/kkmc_count?limit=100");
        for entry in by_kkmc.as_array().unwrap() {
            assert_eq!(entry["value"], results.summary["by_kkmc"][entry["name"].as_str().unwrap()], "{what}");
        }
        assert_eq!(by_kkmc.as_array().unwrap().len(), results.by_kkmc().len(), "{what}");
        let query = post_data(&address, "/api/query", &json!({}));
        assert_eq!(query["total"], accepted, "{what}");
        let status = status();
        for name in ["lines", "headers", "blank", "duplicates", "accepted", "late", "alerts"] {
            assert_eq!(status["pipeline"][name], results.summary[name], "{what}: {name}");
        }
        let mut stream = Stream::open(&address, Some(0));
        for alert in results.alerts() {
            assert_eq!(stream.alert(), alert, "{what}");
        }
        stop(running, Duration::from_secs(5));
    }
}

#[test]
fn demo_without_a_data_dir_leaves_nothing() {
    let folder = folder();
    let mut command = platewatch();
    command.args(["demo", "--port", "0", "--rate", "5"]).env("TMPDIR", folder.path());
    let mut running = Running::start(command);
    running.wait_for("removed at the end");
    running.signal("INT");
    let ended = running.end();
    ended.done();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{ended:?}");
}
