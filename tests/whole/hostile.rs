//! The HTTP interface under hostile clients, or very many: long query strings, silent sockets, unread streams,
//! downloads read slowly, a million rows of one second. The load comes from here, over loopback; what is measured is
//! how others are served meanwhile.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::demo::{ask_until, stop};
use crate::harness::{
    PATIENCE, Random, Replay, folder, get, get_data, memory_kib, post, post_data, serve_nothing, simulated, tell,
};

/// Others are served within this, on a machine that is busy with all the other tests too.
const SOON: Duration = Duration::from_secs(5);
const ENOUGH: Duration = Duration::from_secs(20);

/// Sends bytes and leaves the connection open.
fn send(address: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.write_all(bytes);
    stream
}

fn export_request(address: &str, body: &str) -> String {
    format!(
        "POST /api/query/export HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Others get their answers soon.
#[track_caller]
fn is_served(address: &str, when: &str) {
    for path in ["/healthz", "/readyz", "/api/overview", "/api/stats/kkmc_count"] {
        let started = Instant::now();
        assert_eq!(get(address, path).0, 200, "{path} {when}");
        assert!(started.elapsed() < SOON, "{path} took {:?} {when}", started.elapsed());
    }
}

/// A data directory of a simulated capture.
fn data_of(folder: &Path, capture: &[u8]) -> std::path::PathBuf {
    let (file, data) = (folder.join("capture.tsv"), folder.join("data"));
    std::fs::write(&file, capture).unwrap();
    let replay = Replay::new(&file, &folder.join("out")).args(["--data-dir", data.to_str().unwrap()]);
    assert!(replay.results().count("accepted") > 0);
    data
}

#[test]
fn long_query_strings_freeze_nobody() {
    let folder = folder();
    let data = data_of(folder.path(), &simulated(2000, 1, &[]));
    let (running, address) = serve_nothing(&data);
    let names: Vec<String> = (0..16_000).map(|number| format!("p{number:02x}")).collect();
    let request = format!("GET /api/overview?{} HTTP/1.1\r\nhost: {address}\r\n\r\n", names.join("&"));
    assert!(request.len() > 64 << 10);
    let short = format!("GET /api/overview?{} HTTP/1.1\r\nhost: {address}\r\n\r\n", names[..1500].join("&"));
    let open: Vec<TcpStream> =
        (0..40).flat_map(|_| [send(&address, request.as_bytes()), send(&address, short.as_bytes())]).collect();
    is_served(&address, "beside 80 long query strings");
    for stream in open {
        let mut line = String::new();
        let _ = BufReader::new(stream).read_line(&mut line);
        assert!(line.is_empty() || ["400", "414", "431"].iter().any(|status| line.contains(status)), "{line}");
    }
    stop(running, ENOUGH);
}

#[test]
fn more_silent_sockets_than_are_allowed_lock_nobody_out() {
    let folder = folder();
    let data = data_of(folder.path(), &simulated(2000, 1, &[]));
    let (running, address) = serve_nothing(&data);
    let mut open = Vec::new();
    for number in 0..1200 {
        let begun: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET / HTTP/1.1\r\nhost: t\r\nx-slow: ",
            _ => b"POST /api/query HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{",
        };
        open.push(send(&address, begun));
        if number % 300 == 299 {
            is_served(&address, &format!("beside {number} silent sockets"));
        }
    }
    drop(open);
    is_served(&address, "afterwards");
    stop(running, ENOUGH);
}

#[test]
fn sipped_files_and_silent_streams_leave_room_for_others() {
    let folder = folder();
    let data = data_of(folder.path(), &simulated(150_000, 2, &[]));
    let (running, address) = serve_nothing(&data);
    let sipped: Vec<TcpStream> = (0..2).map(|_| send(&address, export_request(&address, "{}").as_bytes())).collect();
    let (status, file) = post(&address, "/api/query/export", &json!({"columns": ["GCXH"]}));
    let total = get_data(&address, "/api/overview")["total"].as_u64().unwrap();
    assert_eq!((status, file.lines().count() as u64), (200, total + 1), "beside two that are sipped");

    // More streams than are allowed in total, none of which reads.
    let request = format!("GET /api/warnings/stream HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let silent: Vec<TcpStream> = (0..300).map(|_| send(&address, request.as_bytes())).collect();
    // All of them have begun: one that begins later would end the oldest stream, which is the next one then.
    silent.iter().for_each(|stream| assert!(stream.peek(&mut [0]).unwrap() > 0));
    let mut stream = BufReader::new(send(
        &address,
        format!("GET /api/warnings/stream?lastEventId=0 HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes(),
    ));
    let mut seen = String::new();
    while !seen.contains("data: {") {
        assert!(stream.read_line(&mut seen).unwrap() > 0, "the stream ended: {seen}");
    }
    let open = get_data(&address, "/api/status")["open_streams"].as_u64().unwrap();
    assert!((1..=64).contains(&open), "one address has {open} streams");
    drop((sipped, silent));
    stop(running, ENOUGH);
}

#[test]
fn replays_of_all_alerts_slow_nobody() {
    let folder = folder();
    let data = data_of(folder.path(), &simulated(300_000, 3, &[]));
    let config = format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[api]\nsse_max_clients_per_address = 256\n");
    let (running, address) = crate::harness::serve(&config);
    let alerts = get_data(&address, "/api/overview")["alerts"].as_u64().unwrap();
    assert!(alerts > 1000, "{alerts}");
    let request = format!("GET /api/warnings/stream?lastEventId=0 HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let streams: Vec<TcpStream> = (0..250).map(|_| send(&address, request.as_bytes())).collect();
    is_served(&address, "beside 250 replays");
    let readers: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            std::thread::spawn(move || {
                let mut seqs = BufReader::new(stream)
                    .lines()
                    .map_while(Result::ok)
                    .filter_map(|line| line.strip_prefix("id: ").and_then(|seq| seq.parse::<u64>().ok()));
                (1..=alerts).all(|seq| seqs.next() == Some(seq))
            })
        })
        .collect();
    let (started, mut slowest) = (Instant::now(), Duration::ZERO);
    while readers.iter().any(|reader| !reader.is_finished()) {
        let asked = Instant::now();
        assert_eq!(get(&address, "/api/overview").0, 200);
        slowest = slowest.max(asked.elapsed());
        assert!(started.elapsed() < PATIENCE, "the replays do not end");
    }
    assert!(readers.into_iter().all(|reader| reader.join().unwrap()), "a stream left alerts out");
    tell(&format!("250 replays of {alerts} alerts took {:?}, /api/overview at most {slowest:?}", started.elapsed()));
    assert!(slowest < SOON, "/api/overview took {slowest:?}");
    stop(running, ENOUGH);
}

/// Dates without a time make a second of a whole day.
#[test]
fn a_million_rows_of_one_second() {
    const ROWS: u64 = 1_000_000;
    let folder = folder();
    let mut random = Random(11);
    let mut capture = String::new();
    // Ids in no order.
    for row in 0..ROWS {
        let id = row * 7_919 % ROWS;
        let plate = random.below(90_000) + 10_000;
        capture.push_str(&format!(
            "G{id:07}\t邳州市\tS250_Pizhou_Sulu\t1\t2024-01-01\t02\t苏C{plate}\t大众牌-朗逸-2015\n"
        ));
    }
    let data = data_of(folder.path(), capture.as_bytes());
    drop(capture);
    let (running, address) = serve_nothing(&data);
    let page = |page: u64, order: &str| {
        let started = Instant::now();
        let data = post_data(&address, "/api/query", &json!({"page": page, "limit": 500, "order": order}));
        let ids: Vec<String> =
            data["records"].as_array().unwrap().iter().map(|row| row["GCXH"].as_str().unwrap().to_owned()).collect();
        let expected: Vec<String> = ((page - 1) * 500..page * 500).map(|id| format!("G{id:07}")).collect();
        assert_eq!((&data["total"], ids), (&json!(ROWS), expected), "page {page}");
        started.elapsed()
    };
    let times = [page(1, "newest"), page(2, "oldest"), page(1000, "newest"), page(2000, "oldest")];
    tell(&format!("pages 1, 2, 1000 and 2000 of 500 among a million rows of one second: {times:?}"));
    let memory_before = memory_kib(running.child.id(), "VmRSS");

    let started = Instant::now();
    let mut stream = BufReader::new(send(
        &address,
        export_request(&address, r#"{"columns":["GCXH"]}"#).replace("HTTP/1.1", "HTTP/1.0").as_bytes(),
    ));
    let (mut line, mut next) = (String::new(), 0u64);
    while stream.read_line(&mut line).unwrap() > 0 {
        if line.starts_with('G') && line != "GCXH\r\n" {
            assert_eq!(line.trim_end(), format!("G{next:07}"));
            next += 1;
        }
        line.clear();
    }
    assert_eq!(next, ROWS);
    let grown = memory_kib(running.child.id(), "VmRSS").saturating_sub(memory_before);
    tell(&format!("an export of them took {:?}, with {grown} KiB more memory", started.elapsed()));
    assert!(grown < 300 << 10, "{grown} KiB more");

    let plate = post_data(&address, "/api/query", &json!({"limit": 1}))["records"][0]["HPHM"].clone();
    let track = get_data(
        &address,
        &format!("/api/track?hphm={}&limit=1000", plate.as_str().unwrap().replace('苏', "%E8%8B%8F")),
    );
    assert!(track["total"].as_u64().unwrap() > 0, "{track}");
    let count: Value =
        get_data(&address, "/api/stats/kkmc_count?start=2024-01-01%2000:00:00&end=2024-01-01%2000:00:00");
    assert_eq!(count[0]["value"], json!(ROWS));
    stop(running, ENOUGH);
}

/// Memory that a process holds.
#[test]
fn a_connection_that_says_nothing_ends_in_its_time() {
    let folder = folder();
    let data = data_of(folder.path(), &simulated(100, 1, &[]));
    let config = format!(
        "data_dir = {data:?}\n[source]\nkind = \"none\"\n[api]\nheader_timeout = \"200ms\"\nidle_timeout = \"400ms\"\n"
    );
    let (running, address) = crate::harness::serve(&config);
    for begun in [&b""[..], b"GET /", b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n"] {
        let mut stream = send(&address, begun);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest.starts_with(b"HTTP/1.1 200"), begun.ends_with(b"\r\n\r\n"));
    }
    ask_until("health", || get(&address, "/healthz").0, |status| *status == 200);
    stop(running, ENOUGH);
}
