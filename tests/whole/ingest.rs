//! Records sent to `/api/ingest` of the real program: what is answered is durable, what is sent again is stored once, whatever is killed
//! in between, and a replay of the same lines finds the same.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::access::make;
use super::formats::gzip;
use crate::harness::{
    Answer, Appliance, Ended, PATIENCE, Random, Replay, agent, answer, folder, platewatch, simulated, tell, url,
    wait_until,
};

const SIGABRT: i32 = 6;

fn source(folder: &Path, more: &str) -> String {
    let data = folder.join("data");
    format!(
        "data_dir = {data:?}\n[source]\nkind = \"http\"\n{more}[store]\nretention = \"forever\"\n[predict]\ntrain = \"off\"\n"
    )
}

fn started(folder: &Path, more: &str) -> Appliance {
    let mut appliance = Appliance::new(folder);
    appliance.configure(&source(folder, more), "");
    appliance.start();
    appliance
}

/// The answer to a delivery; none if there was none.
fn try_send(address: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    let mut request = agent(PATIENCE).post(url(address, "/api/ingest"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.send(body).ok()?;
    Some((response.status().as_u16(), response.body_mut().read_to_string().ok()?).into())
}

#[track_caller]
fn send(appliance: &Appliance, headers: &[(&str, &str)], body: &[u8]) -> Value {
    try_send(&appliance.address(), headers, body).unwrap().data().clone()
}

/// Accepted, duplicates and rejected of a receipt.
fn counts(receipt: &Value) -> [u64; 3] {
    ["accepted", "duplicates", "rejected"].map(|name| receipt[name].as_u64().unwrap())
}

/// Lines as JSON objects.
fn objects(lines: &str) -> Vec<Value> {
    let names = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"];
    let object = |line: &str| {
        let fields = line.split('\t').zip(names).map(|(value, name)| (name.to_owned(), json!(value)));
        Value::Object(fields.collect())
    };
    lines.lines().map(object).collect()
}

/// What is seen of a capture: totals, alerts by id, and passages.
fn seen(appliance: &Appliance) -> [Value; 3] {
    let status = appliance.status();
    let totals = ["accepted", "duplicates", "alerts"].map(|name| status["pipeline"][name].clone());
    let warnings = appliance.get("/api/warnings?limit=500").unwrap();
    let query = appliance.post("/api/query", &json!({"limit": 500, "page": 2, "order": "oldest"}));
    [json!(totals), warnings, query.data().clone()]
}

#[test]
fn every_form_gives_what_a_replay_of_the_lines_gives() {
    let folder = folder();
    let capture = String::from_utf8(simulated(6_000, 91, &[])).unwrap();
    let all: Vec<&str> = capture.lines().filter(|line| !line.contains("GCXH")).collect();
    std::fs::write(folder.path().join("capture.tsv"), &capture).unwrap();
    let replayed = folder.path().join("replayed");
    let replay = Replay::new(folder.path().join("capture.tsv"), &folder.path().join("out"));
    let results = replay.args(["--data-dir"]).args([&replayed]).results();
    let mut appliance = Appliance::new(&folder.path().join("of-replay"));
    appliance.configure(&format!("data_dir = {replayed:?}\n[predict]\ntrain = \"off\"\n"), "");
    appliance.start();
    let expected = seen(&appliance);
    drop(appliance);
    assert!(expected[0][2].as_u64().unwrap() > 5, "{results:?}");

    let appliance = started(folder.path(), "");
    let csv = ("content-type", "text/csv");
    let mut forms = (0..).cycle();
    let mut sent = 0;
    for lines in all.chunks(500) {
        let text = lines.join("\n");
        let list = objects(&text);
        let ndjson: Vec<String> = list.iter().map(Value::to_string).collect();
        let (headers, body) = match forms.next().unwrap() % 6 {
            0 => (vec![("content-type", "text/plain")], text.into_bytes()),
            1 => (
                vec![("content-type", "text/tab-separated-values"), ("content-encoding", "gzip")],
                gzip(text.as_bytes()),
            ),
            2 => (vec![("content-type", "application/x-ndjson")], (ndjson.join("\r\n") + "\r\n").into_bytes()),
            3 => (vec![("content-type", "application/json")], serde_json::to_vec_pretty(&list).unwrap()),
            4 => {
                let text = encoding_rs::GB18030.encode(&text.replace('\t', ",")).0.into_owned();
                (vec![("content-type", "text/csv; charset=gb18030")], text)
            }
            _ => (
                vec![csv],
                format!("\u{feff}GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH\r\n{}", text.replace('\t', ","))
                    .into_bytes(),
            ),
        };
        let receipt = send(&appliance, &headers, &body);
        sent += 1;
        let with_header = u64::from(sent % 6 == 0);
        assert_eq!((receipt["skipped"].as_u64(), counts(&receipt)[2]), (Some(with_header), 0), "{receipt}");
        assert_eq!(receipt["lines"], lines.len() as u64 + with_header, "{receipt}");
    }
    assert_eq!(seen(&appliance), expected);
    let status = appliance.status();
    assert_eq!((&status["source"]["kind"], &status["source"]["state"]), (&json!("http"), &json!("running")));
    assert_eq!(status["source"]["position_notice"]["code"], "at_delivery", "{status}");
    assert_eq!(status["source"]["position"], format!("delivery {sent}"));
}

#[test]
fn what_is_sent_again_is_stored_once_also_after_a_restart_and_rejects_are_kept() {
    let folder = folder();
    let mut appliance = started(folder.path(), "");
    let line =
        |id: u32, second: u32| format!("G{id}\t铜山县\tK1\t1\t2024-01-01 00:00:{second:02}\t02\t苏C1234{id}\t大众牌");
    let body = format!("{}\nnonsense\n\n{}", line(1, 1), line(2, 2));
    let first = send(&appliance, &[], body.as_bytes());
    let wrong = json!([{"line": 2, "reason": "wrong_column_count"}]);
    assert_eq!((counts(&first), &first["skipped"], &first["rejects"]), ([2, 0, 1], &json!(1), &wrong));
    let object =
        json!({"gcxh": "G3", "KKMC": "K1", "GCSJ": "2024-01-01 00:00:03", "HPHM": "苏C12343", "pictures": [1]});
    let mixed = json!([object, {"GCXH": 1.5}, {"GCXH": "G1", "KKMC": "K1", "GCSJ": "2024-01-01 09:00:00"}, [], object]);
    let second = send(&appliance, &[("content-type", "application/json")], mixed.to_string().as_bytes());
    let wrong = json!([{"line": 2, "reason": "invalid_json"}, {"line": 3, "reason": "gcxh_conflict"},
        {"line": 4, "reason": "invalid_json"}]);
    assert_eq!((counts(&second), &second["rejects"]), ([1, 1, 3], &wrong));
    let rejects = appliance.get("/api/rejects").unwrap();
    let kept: Vec<_> = rejects["records"].as_array().unwrap().iter().map(|it| (&it["origin"], &it["text"])).collect();
    assert!(kept.iter().all(|(origin, _)| **origin == "http"), "{rejects}");
    for raw in ["nonsense", "{\"GCXH\":1.5}", "[]"] {
        assert!(kept.iter().any(|(_, kept)| **kept == raw), "{raw}: {rejects}");
    }
    for _ in 0..2 {
        let again = send(&appliance, &[], body.as_bytes());
        assert_eq!(counts(&again), [0, 2, 1], "{again}");
        appliance.stop();
        appliance.start();
    }
    assert_eq!(counts(&send(&appliance, &[], body.as_bytes())), [0, 2, 1]);
    assert_eq!(appliance.status()["source"]["position"], "delivery 5");
    assert_eq!(appliance.status()["pipeline"]["accepted"], 3);
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_between_the_commit_and_the_answer_it_takes_the_same_again_once() {
    for point in ["commit::before-write", "commit::after-write", "commit::before-publish"] {
        let folder = folder();
        let mut appliance = Appliance::new(folder.path());
        appliance.configure(&source(folder.path(), ""), "");
        appliance.environment("PLATEWATCH_FAILPOINTS", &format!("{point}=abort@2"));
        appliance.start();
        let capture = String::from_utf8(simulated(2_000, 92, &[])).unwrap();
        let lines: Vec<&str> = capture.lines().collect();
        let bodies: Vec<Vec<u8>> = lines.chunks(1_000).map(|half| half.join("\n").into_bytes()).collect();
        let first = counts(&send(&appliance, &[], &bodies[0]));
        assert!(try_send(&appliance.address(), &[], &bodies[1]).is_none(), "{point}: it is answered");
        appliance.dies(SIGABRT);
        appliance.environment("PLATEWATCH_FAILPOINTS", "");
        appliance.start();
        let again = counts(&send(&appliance, &[], &bodies[1]));
        let is_stored = point != "commit::before-write";
        assert_eq!(again[0] == 0, is_stored, "{point}: {again:?}");
        assert_eq!(counts(&send(&appliance, &[], &bodies[0])), [0, first[0] + first[1], first[2]], "{point}");
        let status = appliance.status();
        let stored = status["pipeline"]["accepted"].as_u64().unwrap();
        assert_eq!(counts(&send(&appliance, &[], &bodies[1]))[0], 0, "{point}");
        assert!((1_900..=2_000).contains(&stored), "{point}: {stored}");
        assert_eq!(appliance.status()["pipeline"]["accepted"], stored, "{point}");
    }
}

#[test]
fn killed_and_stopped_under_load_each_record_is_stored_once() {
    let folder = folder();
    let mut random = Random(93);
    tell("seed 93");
    let mut appliance = started(folder.path(), "");
    let capture = String::from_utf8(simulated(60_000, 93, &[])).unwrap();
    let lines: Vec<&str> = capture.lines().filter(|line| !line.contains("GCXH")).collect();
    let bodies: Vec<String> = lines.chunks(100).map(|lines| lines.join("\n")).collect();
    let (address, next) = (appliance.address(), AtomicUsize::new(0));
    let mut kills = 0;
    let sent = std::thread::scope(|scope| {
        let sender = || {
            let mut again = 0;
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                // As a sender does that keeps what has no answer.
                loop {
                    match try_send(&address, &[], body.as_bytes()) {
                        Some(Answer { status: 200, json }) => {
                            let [accepted, duplicates, rejected] = counts(&json["data"]);
                            assert_eq!(accepted + duplicates + rejected, 100, "{json}");
                            break;
                        }
                        Some(Answer { status: 429 | 503, .. }) | None => {
                            again += 1;
                            std::thread::sleep(Duration::from_millis(20));
                        }
                        Some(other) => panic!("{other:?}"),
                    }
                }
            }
            again
        };
        let senders: Vec<_> = (0..4).map(|_| scope.spawn(sender)).collect();
        let all = bodies.len();
        while kills < 6 {
            let at = all * (kills + 1) / 8 + random.below(20);
            wait_until(PATIENCE, "records are sent", || next.load(Ordering::Relaxed) >= at.min(all));
            if kills % 2 == 0 {
                appliance.kill()
            } else {
                appliance.stop();
            }
            kills += 1;
            appliance.start();
        }
        senders.into_iter().map(|sender| sender.join().unwrap()).sum::<usize>()
    });
    tell(&format!("{kills} kills and stops, {sent} deliveries sent again"));
    assert!(sent > 0, "no delivery was interrupted");
    // Every delivery was answered in the end, so everything is stored, and nothing twice.
    let ids: std::collections::BTreeSet<&str> = lines.iter().filter_map(|line| line.split('\t').next()).collect();
    let status = appliance.status();
    assert_eq!(status["pipeline"]["accepted"], ids.len(), "{status}");
}

/// Connections that send most of a body and then nothing.
fn slow_senders(address: &str, bytes: usize, count: usize) -> Vec<TcpStream> {
    let piece = vec![b'x'; bytes];
    let one = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("POST /api/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", bytes + 1);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&piece).unwrap();
        stream
    };
    (0..count).map(one).collect()
}

#[test]
fn where_too_much_waits_a_sender_hears_when_to_come_again() {
    let folder = folder();
    let appliance = started(folder.path(), "");
    let line = "G1\t铜山县\tK1\t1\t2024-01-01 00:00:01\t02\t苏C12341\t大众牌";
    // Eight bodies of 16 MiB, the limit of one, are all that waits at most. A record that comes before all of them are there may take the
    // room of the last, so they begin anew then.
    let (mut slow, mut refused) = (Vec::new(), None);
    wait_until(PATIENCE, "the room is taken", || {
        slow = slow_senders(&appliance.address(), (16 << 20) - 2, 8);
        std::thread::sleep(Duration::from_millis(500));
        let mut response = agent(PATIENCE).post(url(&appliance.address(), "/api/ingest")).send(line).unwrap();
        let (status, after) = (response.status().as_u16(), response.headers().get("retry-after").cloned());
        refused = Some((status, after, response.body_mut().read_to_string().unwrap()));
        status == 429
    });
    let (_, after, text) = refused.unwrap();
    assert_eq!(after.unwrap(), "1", "{text}");
    assert!(text.contains("intake_full"), "{text}");
    assert!(appliance.memory_kib("VmRSS") < 700 << 10, "{} KiB", appliance.memory_kib("VmRSS"));
    // All else is served.
    assert!(appliance.status()["ready"].as_bool().unwrap());
    drop(slow);
    wait_until(PATIENCE, "there is room again", || {
        try_send(&appliance.address(), &[], line.as_bytes()).unwrap().status == 200
    });
    assert_eq!(appliance.status()["pipeline"]["accepted"], 1);
}

#[test]
fn users_need_the_permission_and_pseudonyms_hide_plates_here_too() {
    let folder = folder();
    let key = folder.path().join("plates.key");
    let made: Ended = platewatch().args(["plate-key", "new"]).arg(&key).output().unwrap().into();
    made.done();
    let data = folder.path().join("data");
    make(&data, &["user", "add", "wang", "--role", "supervisor"]);
    let token = |scopes: &[&str]| {
        let scopes: Vec<&str> = scopes.iter().flat_map(|scope| ["--scope", scope]).collect();
        let made = make(&data, &[&["token", "add", "wang", "--note", "gateway"], &scopes[..]].concat());
        format!("Bearer {}", made.lines().next().unwrap())
    };
    let (sends, reads) = (token(&["ingest"]), token(&["plates", "rejects"]));
    let mut appliance = Appliance::new(folder.path());
    appliance.configure(&source(folder.path(), &format!("[privacy]\nplate_key_file = {key:?}\n")), "");
    appliance.spawn();
    let address = appliance.address();
    wait_until(PATIENCE, "it listens", || TcpStream::connect(&address).is_ok());
    let body = "G1\t铜山县\tK1\t1\t2024-01-01 00:00:01\t02\t苏CXYZ45\t大众牌\n苏CXYZ46 is no record\n\
        G1\t铜山县\tK1\t1\t2024-01-01 09:00:00\t02\t苏CXYZ47\t大众牌\n";
    assert_eq!(try_send(&address, &[], body.as_bytes()).unwrap().status, 401);
    assert_eq!(try_send(&address, &[("authorization", &reads)], body.as_bytes()).unwrap().status, 403);
    let receipt = try_send(&address, &[("authorization", &sends)], body.as_bytes()).unwrap();
    assert_eq!(counts(receipt.data()), [1, 0, 2], "{receipt:?}");
    let get = |path: &str, token: &str| {
        answer(agent(PATIENCE).get(url(&address, path)).header("authorization", token).call())
    };
    assert_eq!(get("/api/track?hphm=苏CXYZ45", &sends).0, 403, "it sends and sees nothing");
    let seen = get("/api/track?hphm=苏CXYZ45", &reads);
    assert!(seen.0 == 200 && seen.1.contains("G1"), "{seen:?}");
    let rejects = get("/api/rejects", &reads).1;
    assert!(rejects.contains("苏CXYZ46") && rejects.contains("http wang"), "{rejects}");
    appliance.stop();
    let mut files = 0;
    let mut folders = vec![data];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let mut bytes = Vec::new();
            std::fs::File::open(entry.path()).unwrap().read_to_end(&mut bytes).unwrap();
            assert!(!bytes.windows(4).any(|part| part == b"XYZ4"), "a plate is in {:?}", entry.path());
            files += 1;
        }
    }
    assert!(files > 5 && !appliance.log().contains("XYZ4"), "{files} files");
}

#[test]
fn a_reader_of_elsewhere_and_a_second_process_take_nothing() {
    let folder = folder();
    let mut none = Appliance::new(folder.path());
    none.configure(&format!("data_dir = {:?}\n[predict]\ntrain = \"off\"\n", none.data()), "");
    none.start();
    let refused = try_send(&none.address(), &[], b"x").unwrap();
    assert_eq!((refused.status, &refused.json["reason"]), (409, &json!("no_intake")));
    none.stop();
    // The role `ingest` answers this and its status alone.
    let mut ingest = Appliance::new(folder.path());
    ingest.configure(&format!("role = \"ingest\"\n{}", source(folder.path(), "")), "");
    ingest.start();
    assert_eq!(counts(&send(&ingest, &[], b"x")), [0, 0, 1]);
    assert_eq!(ingest.answer("/api/overview").0, 404);
    // One directory has one process.
    let mut second = platewatch();
    let config = folder.path().join("second.toml");
    std::fs::write(&config, source(folder.path(), "") + "[api]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let ended: Ended = second.args(["serve", "--config"]).arg(&config).output().unwrap().into();
    assert!(ended.code != Some(0), "{ended:?}");
    assert_eq!(counts(&send(&ingest, &[], b"x")), [0, 0, 1]);
}
