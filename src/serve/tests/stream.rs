//! `GET /api/warnings/stream`.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use traffic::{Rule, Severity};

use super::Server;
use super::client::{head, open, request};
use super::memory::{MemoryReader, alert};

const SOON: Duration = Duration::from_secs(10);

/// An open stream whose head was read.
struct Events(BufReader<TcpStream>);

impl Events {
    async fn open(server: &Server, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = open(server.address, "GET", &format!("/api/warnings/stream{query}"), headers, b"").await;
        let (status, answered) = head(&mut stream).await;
        assert_eq!(status, 200);
        assert!(answered.contains(&("content-type".to_owned(), "text/event-stream".to_owned())), "{answered:?}");
        assert!(!answered.iter().any(|(name, _)| name == "content-encoding"), "{answered:?}");
        let mut events = Self(stream);
        let hello = events.block().await.unwrap();
        assert!(hello.contains(": connected") && hello.contains("retry: 2000"), "{hello}");
        events
    }

    /// The lines up to the next blank one; none at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        let mut block = String::new();
        loop {
            let mut line = String::new();
            let read = timeout(SOON, self.0.read_line(&mut line)).await.expect("an event or the end").unwrap();
            if read == 0 {
                return None;
            }
            if line == "\n" {
                return Some(block);
            }
            block.push_str(&line);
        }
    }

    /// `seq` of the next alert, after a look at its form.
    async fn next(&mut self) -> u64 {
        let block = self.block().await.expect("the stream goes on");
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{block}"));
        let data: serde_json::Value = serde_json::from_str(field("data: ")).unwrap();
        assert_eq!(field("event: "), "warning");
        assert_eq!(field("id: "), data["seq"].to_string());
        assert_eq!(data["rule"], "window");
        data["seq"].as_u64().unwrap()
    }
}

fn raise(server: &Server, seqs: std::ops::RangeInclusive<u64>) {
    let alerts = seqs.map(|seq| alert(seq, "苏C12345", "a", "b", "2024-01-02 12:00:00", Severity::High, Rule::Window));
    server.reader.commit(Vec::new(), alerts.collect());
}

#[tokio::test]
async fn begins_with_the_next_alert_and_follows() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "", &[]).await;
    raise(&server, 4..=5);
    assert_eq!((events.next().await, events.next().await), (4, 5));
    server.reader.commit(Vec::new(), Vec::new());
    raise(&server, 6..=6);
    assert_eq!(events.next().await, 6);
}

#[tokio::test]
async fn sends_cases_as_they_change() {
    let server = Server::start().await;
    server.reader.change_sample_case();
    let mut events = Events::open(&server, "", &[]).await;
    raise(&server, 4..=4);
    assert_eq!(events.next().await, 4, "no case changed since it was opened");
    server.reader.change_sample_case();
    let block = events.block().await.unwrap();
    assert!(
        block.starts_with("event: case\ndata: {\"seq\":1,\"id\":\"33fd7a2a41c6278a\"") && !block.contains("id: "),
        "{block}"
    );
    raise(&server, 5..=5);
    assert_eq!(events.next().await, 5);
}

#[tokio::test]
async fn resumes_after_the_last_event_id() {
    let server = Server::start_with(MemoryReader::empty(), |_| {}).await;
    raise(&server, 1..=5);
    for (query, header, expected) in
        [("", Some("3"), 4), ("?lastEventId=2", None, 3), ("?lastEventId=1", Some("4"), 5), ("?lastEventId=0", None, 1)]
    {
        let headers: Vec<_> = header.map(|value| ("last-event-id", value)).into_iter().collect();
        let mut events = Events::open(&server, query, &headers).await;
        for seq in expected..=5 {
            assert_eq!(events.next().await, seq, "{query} {header:?}");
        }
    }
    // An id of another data directory, and an empty one, count as none.
    let mut ahead = Events::open(&server, "?lastEventId=900", &[]).await;
    let mut empty = Events::open(&server, "?lastEventId=", &[]).await;
    raise(&server, 6..=6);
    assert_eq!((ahead.next().await, empty.next().await), (6, 6));

    let reply = request(server.address, "GET", "/api/warnings/stream?lastEventId=abc", &[], b"").await;
    assert!(reply.error(400).contains("`seq`"));
}

#[tokio::test]
async fn a_client_that_lags_gets_everything() {
    let server = Server::start_with(MemoryReader::empty(), |_| {}).await;
    let mut events = Events::open(&server, "", &[]).await;
    // Far more than one read of the store and than a socket's buffer.
    for first in (1..=20_000).step_by(1_000) {
        raise(&server, first..=first + 999);
    }
    for seq in 1..=20_000 {
        assert_eq!(events.next().await, seq);
    }
}

#[tokio::test]
async fn of_too_many_clients_the_oldest_leaves_and_misses_nothing() {
    let server = Server::start_with(MemoryReader::empty(), |settings| {
        settings.sse_max_clients = 3;
        settings.sse_max_clients_per_address = 2;
    })
    .await;
    let mut first = Events::open(&server, "", &[]).await;
    let mut second = Events::open(&server, "", &[]).await;
    let mut third = Events::open(&server, "", &[]).await;
    assert_eq!(first.block().await, None, "its own address has two already");
    raise(&server, 1..=1);
    assert_eq!((second.next().await, third.next().await), (1, 1));
    let mut again = Events::open(&server, "?lastEventId=0", &[]).await;
    assert_eq!(again.next().await, 1);
    assert_eq!(second.block().await, None);
    raise(&server, 2..=2);
    assert_eq!((third.next().await, again.next().await), (2, 2));
    assert_eq!(server.get("/api/status").await.data()["open_streams"], 2);
    let none = Server::start_with(MemoryReader::empty(), |settings| settings.sse_max_clients = 0).await;
    assert!(none.get("/api/warnings/stream").await.error(503).contains("api.sse_max_clients"));
}

#[tokio::test]
async fn a_place_is_given_back() {
    let server = Server::start_with(MemoryReader::empty(), |_| {}).await;
    let events = Events::open(&server, "", &[]).await;
    assert_eq!(server.get("/api/status").await.data()["open_streams"], 1);
    drop(events);
    // The server notices when it next writes to the closed connection.
    let given_back = async {
        for seq in 1.. {
            raise(&server, seq..=seq);
            if server.get("/api/status").await.data()["open_streams"] == 0 {
                return;
            }
        }
    };
    timeout(SOON, given_back).await.expect("the place is free again");
}

#[tokio::test]
async fn ends_at_shutdown() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "", &[]).await;
    server.shutdown.cancel();
    assert_eq!(events.block().await, None);
    timeout(SOON, server.serving).await.expect("the server stops").unwrap().unwrap();
}
