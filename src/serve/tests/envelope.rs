//! What all endpoints share: envelopes of errors, timing, CORS, compression, limits.

use std::time::Duration;

use super::Server;
use super::client::request;
use super::memory::{Fault, MemoryReader};

#[tokio::test]
async fn unknown_paths_and_methods() {
    let server = Server::start().await;
    for path in ["/api", "/api/", "/api/nope", "/api/query/", "/api/stats", "/api/stats/nope?x=1", "/api/openapi"] {
        let msg = server.get(path).await.error(404);
        assert!(msg.contains(path.split('?').next().unwrap()) && msg.contains("/api/openapi.json"), "{path}: {msg}");
    }
    for (method, path, allowed) in [
        ("GET", "/api/query", "POST"),
        ("PUT", "/api/query", "POST"),
        ("POST", "/api/overview", "GET"),
        ("DELETE", "/api/warnings/stream", "GET"),
        ("POST", "/healthz", "GET"),
        ("POST", "/metrics", "GET"),
        ("POST", "/", "GET"),
        ("POST", "/anything", "GET"),
    ] {
        let reply = request(server.address, method, path, &[], b"").await;
        let msg = reply.error(405);
        assert!(msg.contains(method) && msg.contains(allowed), "{method} {path}: {msg}");
        assert!(reply.header("allow").unwrap().contains(allowed), "{method} {path}");
    }
}

/// A device sends faces, or asks for something: no page is its answer, and no envelope.
#[tokio::test]
async fn what_is_not_spoken_of_ga_t_1400_is_said_in_its_own_words() {
    let server = Server::start().await;
    let (get, post) = ("GET", "POST");
    for (method, path, status) in [
        (post, "/VIID/Faces", 404),
        (get, "/VIID/Faces", 404),
        (get, "/VIID", 404),
        (get, "/VIID/", 404),
        (get, "/VIID/MotorVehicles", 405),
    ] {
        let reply = request(server.address, method, path, &[], b"").await;
        let said = reply.header("content-type").unwrap().to_owned();
        assert!(reply.status == status && said.starts_with("application/VIID+JSON"), "{method} {path}: {reply:?}");
    }
    assert!(
        request(server.address, get, "/VIID/MotorVehicles", &[], b"").await.header("allow").unwrap().contains(post)
    );
}

#[tokio::test]
async fn failures_of_the_storage() {
    let server = Server::start().await;
    server.reader.set_fault(Fault::Storage);
    assert!(server.post("/api/query", "").await.error(500).contains("segment 7 is damaged"));
    server.reader.set_fault(Fault::TooExpensive);
    assert!(server.post("/api/query", "").await.error(400).contains("narrow the time range"));
    server.reader.set_fault(Fault::Panic);
    let msg = server.post("/api/query", "").await.error(500);
    assert!(msg.contains("log") && !msg.contains("on purpose"), "{msg}");
    assert!(server.get("/api/track?hphm=x").await.error(500).contains("log"));
    server.reader.set_fault(Fault::None);
    assert_eq!(server.post("/api/query", "").await.data()["total"], 8);
}

#[tokio::test]
async fn a_panic_in_a_handler_is_500_with_an_envelope() {
    let server = Server::start_with(MemoryReader::sample(), |settings| {
        settings.clock = std::sync::Arc::new(|| panic!("the clock panicked on purpose"));
    })
    .await;
    let reply = request(server.address, "GET", "/api/overview", &[("origin", "http://a.example")], b"").await;
    assert!(!reply.error(500).contains("on purpose"));
    assert!(reply.header("access-control-allow-origin").is_some() && reply.header("server-timing").is_some());
    server.get("/api/checkpoints").await.data();
}

#[tokio::test]
async fn a_slow_query_is_504_and_the_next_one_503_but_counters_answer() {
    let server = Server::start_with(MemoryReader::sample(), |settings| {
        settings.max_concurrent_queries = 1;
        settings.query_timeout = Duration::from_millis(400);
    })
    .await;
    let (fault, hang) = Fault::hang();
    server.reader.set_fault(fault);
    assert!(server.post("/api/query", "").await.error(504).contains("narrow the time range"));
    // The first query still runs and holds the only place.
    let busy = server.post("/api/query", "").await;
    assert!(busy.error(503).contains("busy"));
    assert_eq!(busy.header("retry-after"), Some("2"));
    assert_eq!(server.get("/api/overview").await.data()["total"], 8);
    assert_eq!(server.get("/api/stats/map_data").await.data().as_array().unwrap().len(), 4);
    drop(hang);
    server.reader.set_fault(Fault::None);
    assert_eq!(server.post("/api/query", "").await.data()["total"], 8);
}

#[tokio::test]
async fn every_api_answer_tells_the_servers_time() {
    let server = Server::start().await;
    for path in ["/api/overview", "/api/stats/map_data", "/api/nope", "/api/track", "/api/query"] {
        let reply = server.get(path).await;
        let timing = reply.header("server-timing").unwrap();
        let millis: f64 = timing.strip_prefix("app;dur=").unwrap().parse().unwrap();
        assert!((0.0..10_000.0).contains(&millis), "{path}: {timing}");
    }
    assert_eq!(server.get("/healthz").await.header("server-timing"), None);
}

#[tokio::test]
async fn cors() {
    let any = Server::start().await;
    let listed = Server::start_with(MemoryReader::sample(), |settings| {
        settings.cors_origins =
            vec!["https://a.example/".to_owned(), "bad\norigin".to_owned(), "http://b.example:81".to_owned()];
    })
    .await;
    for (server, origin, allowed) in [
        (&any, "https://anyone.example", Some("*")),
        (&listed, "https://a.example", Some("https://a.example")),
        (&listed, "http://b.example:81", Some("http://b.example:81")),
        (&listed, "https://c.example", None),
    ] {
        let headers = [("origin", origin)];
        for path in ["/api/overview", "/api/nope", "/api/track"] {
            let reply = request(server.address, "GET", path, &headers, b"").await;
            assert_eq!(reply.header("access-control-allow-origin"), allowed, "{origin} {path}");
        }
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ];
        let reply = request(server.address, "OPTIONS", "/api/query", &preflight, b"").await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("access-control-allow-origin"), allowed, "{origin}");
        assert_eq!(reply.header("access-control-allow-methods"), allowed.map(|_| "GET,HEAD,POST"));
        assert_eq!(reply.header("access-control-allow-headers"), allowed.map(|_| "*"));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        let page = request(server.address, "GET", "/", &headers, b"").await;
        assert_eq!(page.header("access-control-allow-origin"), None, "only the API is shared");
    }
}

/// Whatever changes something is for our own page and for origins that are named.
#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let server = Server::start_with(MemoryReader::sample(), |settings| {
        settings.allowed_origins = vec!["https://desk.example".to_owned()];
    })
    .await;
    let own = format!("http://{}", server.address);
    let host = server.address.to_string();
    let path = format!("/api/warnings/{}", traffic::AlertId::of("苏C12345", "A2", "B2"));
    let body = br#"{"status":"investigating","by":"a"}"#;
    for (origin, allowed) in [
        ("https://anyone.example", false),
        ("null", false),
        ("http://127.0.0.1:1", false),
        ("https://desk.example", true),
        (own.as_str(), true),
    ] {
        let preflight = [("origin", origin), ("host", host.as_str()), ("access-control-request-method", "PATCH")];
        let asked = request(server.address, "OPTIONS", &path, &preflight, b"").await;
        assert_eq!(asked.header("access-control-allow-origin"), allowed.then_some(origin), "{origin}");
        assert_eq!(asked.header("access-control-allow-methods").is_some_and(|it| it.contains("PATCH")), allowed);
        let headers = [("origin", origin), ("host", host.as_str()), ("content-type", "application/json")];
        let reply = request(server.address, "PATCH", &path, &headers, body).await;
        if allowed {
            assert!(matches!(reply.status, 200 | 409), "{origin}: {}", reply.text());
        } else {
            assert!(reply.error(403).contains("api.allowed_origins"), "{origin}");
        }
        // Reading is for all of them, without credentials.
        let read = request(server.address, "POST", "/api/query", &headers, b"{}").await;
        assert_eq!((read.status, read.header("access-control-allow-origin")), (200, Some("*")), "{origin}");
        assert_eq!(read.header("access-control-allow-credentials"), None);
    }
    let data = server.get(&path).await.data();
    assert_eq!(data["version"], 1, "one change was made, by an origin that may");
    // A program that is no browser says no origin.
    let note = br#"{"note":"n","by":"a"}"#;
    let json = [("content-type", "application/json")];
    assert_eq!(request(server.address, "PATCH", &path, &json, note).await.status, 200);
}

#[tokio::test]
async fn large_answers_are_compressed_where_the_client_asks() {
    let server = Server::start().await;
    let gzip = [("accept-encoding", "gzip")];
    let reply = request(server.address, "GET", "/api/openapi.json", &gzip, b"").await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert!(reply.body.starts_with(&[0x1f, 0x8b]));
    assert_eq!(server.get("/api/openapi.json").await.header("content-encoding"), None);
    let small = request(server.address, "GET", "/healthz", &gzip, b"").await;
    assert_eq!(small.header("content-encoding"), None);
}

#[tokio::test]
async fn a_request_that_waits_for_its_body_times_out() {
    use tokio::io::AsyncWriteExt;
    let server = Server::start_with(MemoryReader::sample(), |settings| {
        settings.query_timeout = Duration::from_millis(100);
    })
    .await;
    let mut stream = tokio::io::BufReader::new(tokio::net::TcpStream::connect(server.address).await.unwrap());
    stream.write_all(b"POST /api/query HTTP/1.0\r\nhost: t\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    assert_eq!(super::client::head(&mut stream).await.0, 504);
}
