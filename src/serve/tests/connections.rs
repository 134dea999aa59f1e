//! Connections that are silent, slow or many, and query strings that are long: nobody else notices.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Server;
use super::client::{head, open, request};
use super::memory::{Fault, MemoryReader};
use crate::serve::ConnectionSettings;

const SOON: Duration = Duration::from_secs(20);

async fn limited(change: impl FnOnce(&mut ConnectionSettings)) -> Server {
    let mut settings = ConnectionSettings::default();
    change(&mut settings);
    Server::start_limited(MemoryReader::sample(), settings, |_| {}).await
}

/// Whether the server closes the connection.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    timeout(SOON, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn a_head_that_does_not_come_has_a_deadline() {
    let server = limited(|settings| settings.header_timeout = Duration::from_millis(100)).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: t\r\nx-slow: ").await.unwrap();
    assert!(is_closed(&mut silent).await && is_closed(&mut slow).await);
    // So has a second request on the same connection, from its first byte on.
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    second.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    second.write_all(b"GET /he").await.unwrap();
    assert!(is_closed(&mut second).await);
}

#[tokio::test]
async fn an_idle_connection_ends_but_not_before_its_time() {
    let server = limited(|settings| {
        settings.header_timeout = Duration::from_millis(50);
        settings.idle_timeout = Duration::from_millis(400);
    })
    .await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 4096];
        assert!(stream.read(&mut answer).await.unwrap() > 0);
        // Longer than a head may take.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn sockets_that_are_merely_open_lock_nobody_out() {
    let server = limited(|settings| settings.max = 16).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: t\r\n").await.unwrap();
        silent.push(stream);
    }
    for path in ["/healthz", "/readyz", "/api/overview", "/"] {
        assert_eq!(timeout(SOON, server.get(path)).await.expect("an answer").status, 200, "{path}");
    }
    // The oldest had to leave.
    assert!(is_closed(&mut silent[0]).await);
}

#[tokio::test]
async fn where_every_connection_is_at_work_health_is_still_answered() {
    let server = limited(|settings| settings.max = 4).await;
    let (fault, hang) = Fault::hang();
    server.reader.set_fault(fault);
    let mut busy = Vec::new();
    for _ in 0..4 {
        busy.push(open(server.address, "POST", "/api/query", &[], b"{}").await);
    }
    hang.reached().await;
    // All four must have been taken before the fifth comes.
    while !server.get("/api/overview").await.text().contains("api.max_connections") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let crowded = server.get("/api/overview").await;
    assert!(crowded.error(503).contains("api.max_connections"));
    assert!(crowded.header("retry-after").is_some());
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 200);
    drop(hang);
    for stream in &mut busy {
        assert_eq!(timeout(SOON, head(stream)).await.expect("an answer").0, 200);
    }
}

#[tokio::test]
async fn one_address_has_its_share() {
    let server = limited(|settings| settings.max_per_address = 4).await;
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert_eq!(server.get("/api/overview").await.status, 200);
    assert!(is_closed(&mut silent[0]).await && is_closed(&mut silent[1]).await);
}

#[tokio::test]
async fn a_long_query_string_is_refused_at_once() {
    let server = Server::start().await;
    let names = |count: usize| (0..count).map(|number| format!("p{number}")).collect::<Vec<_>>().join("&");
    let reply = server.get(&format!("/api/overview?{}", "x".repeat(8200))).await;
    assert!(reply.error(414).contains("8192"));
    assert_eq!(server.get(&format!("/?{}", "x".repeat(8200))).await.status, 414);
    assert!(server.get(&format!("/api/warnings?{}", names(1000))).await.error(400).contains("more than 32 parameters"));
    assert_eq!(server.get(&format!("/api/warnings?{}", names(16_000))).await.status, 414);
    let mut body: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
    for number in 0..4000 {
        body.insert(format!("p{number}"), number.into());
    }
    let msg = server.post("/api/query", &serde_json::to_string(&body).unwrap()).await.error(400);
    assert!(msg.contains("more than 32 fields"), "{msg}");
    let deep = format!("{{\"hphm\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(server.post("/api/query", &deep).await.error(400).contains("not valid JSON"));
    // More than a head may have.
    let mut huge = TcpStream::connect(server.address).await.unwrap();
    let line = format!("GET /?{} HTTP/1.1\r\nhost: t\r\n\r\n", "x".repeat(1 << 20));
    let _ = huge.write_all(line.as_bytes()).await;
    let mut huge = BufReader::new(huge);
    let mut answer = Vec::new();
    let _ = timeout(SOON, huge.read_to_end(&mut answer)).await.expect("it ends");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.contains(" 414 ") || answer.contains(" 431 "), "{answer}");
}

#[tokio::test]
async fn what_does_not_exist_is_refused_and_the_nearest_named() {
    let server = Server::start().await;
    for (path, parts) in [
        ("/api/warnings?severty=high", vec!["\"severty\"", "`severity`"]),
        ("/api/warnings/realtime?limt=3", vec!["`limit`"]),
        ("/api/stats/kkmc_count?strat=2024-01-01", vec!["`start`"]),
        ("/api/stats/hour_count?colour=red", vec!["start, end"]),
        ("/api/track?hphm=x&lmit=1", vec!["`limit`"]),
        ("/api/overview?x=1", vec!["takes no parameters"]),
        ("/api/checkpoints?x=1", vec!["takes no parameters"]),
        ("/api/status?x", vec!["takes no parameters"]),
        ("/api/warnings/0123456789abcdef?x", vec!["takes no parameters"]),
        ("/api/predict/flow?kkm=x", vec!["`kkmc`"]),
        ("/api/warnings/stream?lasteventid=1", vec!["`lastEventId`"]),
    ] {
        let msg = server.get(path).await.error(400);
        assert!(parts.iter().all(|part| msg.contains(part)), "{path}: {msg}");
    }
    for (path, body, part) in [
        ("/api/query", r#"{"hpmh":"苏C"}"#, "`hphm`"),
        ("/api/query", r#"{"starttime":"2024-01-01"}"#, "`startTime`"),
        ("/api/query", r#"{"columns":[]}"#, "there is no field"),
        ("/api/query", r#"{"hphm":"a","hphm":"b"}"#, "`hphm` is given twice"),
        ("/api/query/export", r#"{"colums":["GCXH"]}"#, "`columns`"),
    ] {
        let msg = server.post(path, body).await.error(400);
        assert!(msg.contains(part), "{path} {body}: {msg}");
    }
    assert!(server.post("/api/query?limit=1", "{}").await.error(400).contains("takes no parameters"));
    let patch = [("content-type", "application/json")];
    let reply = request(server.address, "PATCH", "/api/warnings/0123456789abcdef", &patch, br#"{"bye":"a"}"#).await;
    assert!(reply.error(400).contains("`by`"));
    // A name of the greatest length costs nothing.
    let long = format!("{{\"{}\":1}}", "k".repeat(60_000));
    assert!(server.post("/api/query", &long).await.error(400).contains("there is no field"));
    // What asks for the health may say what it likes.
    assert_eq!(server.get("/healthz?x=1").await.status, 200);
}
