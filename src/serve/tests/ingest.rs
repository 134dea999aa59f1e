//! `/api/ingest` over a source of the test's own: what is taken from whom, what is refused, and what is said when there is no room or
//! no source any more.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use access::{Area, Permission, UserName};
use serde_json::{Value, json};
use traffic::RejectReason;

use super::Server;
use super::access::{Closed, limits, noticed};
use super::client::{Reply, open, request};
use super::memory::MemoryReader;
use crate::deliveries::{Deliveries, Delivery, Form, MOST_BYTES, Receipt, Taking};
use crate::gate::GateSettings;

const LINE: &str = "G1\t铜山县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\t大众牌\n";
const LIMIT: usize = 1 << 20;

/// A server that hands over to the source that is returned.
async fn taking() -> (Server, Arc<Deliveries>, Taking) {
    let deliveries = Arc::new(Deliveries::default());
    let taking = deliveries.taking().unwrap();
    let given = deliveries.clone();
    let server = Server::start_with(MemoryReader::sample(), move |settings| {
        (settings.deliveries, settings.ingest_limit) = (Some(given), LIMIT);
    });
    (server.await, deliveries, taking)
}

/// A source that says that everything was stored, until the deliveries end.
fn storing(taking: Taking) -> std::thread::JoinHandle<Vec<(Vec<u8>, Form, String)>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        while let Some(Delivery { body, form, origin, receipt, room: _room }) = taking.next(Duration::from_secs(2)) {
            let lines = body.iter().filter(|byte| **byte == b'\n').count() as u64;
            all.push((body.to_vec(), form, origin.to_string()));
            let rejects = vec![(7, RejectReason::InvalidGcsj)];
            let _ = receipt.send(Receipt { lines, accepted: lines, rejected: 1, rejects, ..Receipt::default() });
        }
        all
    })
}

async fn send(server: &Server, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    request(server.address, "POST", "/api/ingest", headers, body).await
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(plain).unwrap();
    packed.finish().unwrap()
}

#[tokio::test]
async fn bodies_of_every_kind_are_handed_over_and_the_receipt_is_the_answer() {
    let (server, _deliveries, taking) = taking().await;
    let storing = storing(taking);
    let reply = send(&server, &[("content-type", "text/plain")], LINE.as_bytes()).await;
    let receipt = json!({"lines": 1, "skipped": 0, "accepted": 1, "duplicates": 0, "rejected": 1,
        "rejects": [{"line": 7, "reason": "invalid_gcsj"}]});
    assert_eq!(reply.data(), receipt);
    let packed = gzip(LINE.as_bytes());
    send(&server, &[("content-type", "text/csv; charset=gbk"), ("content-encoding", "gzip")], &packed).await.data();
    send(&server, &[("content-type", "application/x-ndjson")], b"{\"a\":1}\n7").await.data();
    send(&server, &[("content-type", "application/json")], b"[{\"a\":1},\n{}]").await.data();
    assert_eq!(send(&server, &[], b"").await.data()["lines"], 0);
    drop(server);
    let all = storing.join().unwrap();
    let lines = |gb18030| Form::Lines { gb18030 };
    let expected = [
        (LINE, lines(None)),
        (LINE, lines(Some(true))),
        ("{\"a\":1}\n7", Form::Objects),
        ("{\"a\":1}\n{}\n", Form::Objects),
        ("", lines(None)),
    ];
    assert_eq!(all.len(), expected.len());
    for ((body, form, origin), (text, of)) in all.iter().zip(expected) {
        assert_eq!((std::str::from_utf8(body).unwrap(), *form, &**origin), (text, of, "http"));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_nothing_is_handed_over() {
    let (server, deliveries, taking) = taking().await;
    let text = ("content-type", "text/plain");
    let json = ("content-type", "application/json");
    let packed = ("content-encoding", "gzip");
    let bomb = gzip(&vec![b'x'; 20 * LIMIT]);
    let large = vec![b'x'; LIMIT + 1];
    let many = "\n".repeat(100_001);
    for (headers, body, status, reason) in [
        (&[("content-type", "image/png")][..], &b""[..], 415, "ingest_type"),
        (&[("content-type", "text/plain; charset=utf-16")], b"", 415, "ingest_type"),
        (&[text, ("content-encoding", "br")], b"", 415, "ingest_packing"),
        (&[text, packed], LINE.as_bytes(), 400, "body_unread"),
        (&[text, packed], &bomb, 413, "ingest_too_large"),
        (&[text], &large, 413, "ingest_too_large"),
        (&[text], many.as_bytes(), 413, "ingest_too_many"),
        (&[json], b"{", 400, "not_json"),
        (&[json], b"", 400, "not_json"),
        (&[json], b"[{}]x", 400, "not_json"),
    ] {
        let reply = send(&server, headers, body).await;
        reply.error(status);
        assert_eq!(reply.json()["reason"], reason, "{headers:?}");
    }
    let unknown = request(server.address, "POST", "/api/ingest?dry=1", &[text], b"x").await;
    unknown.error(400);
    assert!(taking.waiting().is_none(), "something was handed over");
    deliveries.room().grow(MOST_BYTES).unwrap();
    drop(server);
}

#[tokio::test]
async fn without_room_the_sender_waits_and_nothing_is_lost() {
    let (server, deliveries, taking) = taking().await;
    let mut full = deliveries.room();
    full.grow(MOST_BYTES - 10).unwrap();
    for headers in [&[("content-type", "text/plain")][..], &[("content-encoding", "gzip")]] {
        let body = if headers[0].0 == "content-encoding" { gzip(&[b'x'; 100]) } else { LINE.as_bytes().to_vec() };
        let reply = send(&server, headers, &body).await;
        reply.error(429);
        assert_eq!((&reply.json()["reason"], reply.header("retry-after")), (&json!("intake_full"), Some("1")));
    }
    assert!(taking.waiting().is_none());
    drop(full);
    let storing = storing(taking);
    assert_eq!(send(&server, &[], LINE.as_bytes()).await.data()["accepted"], 1);
    drop((server, deliveries));
    assert_eq!(storing.join().unwrap().len(), 1);
}

#[tokio::test]
async fn when_the_source_ends_who_waits_and_who_comes_is_told() {
    let (server, _deliveries, taking) = taking().await;
    let waiting = send(&server, &[], LINE.as_bytes());
    let ending = tokio::task::spawn_blocking(move || {
        let taken = taking.next(Duration::from_secs(10)).unwrap();
        drop((taken, taking));
    });
    let (waited, ended) = tokio::join!(waiting, ending);
    ended.unwrap();
    for reply in [waited, send(&server, &[], LINE.as_bytes()).await] {
        reply.error(503);
        assert_eq!(reply.json()["reason"], "intake_ended");
        assert!(reply.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn records_that_come_from_elsewhere_are_not_taken_here() {
    let server = Server::start().await;
    let reply = send(&server, &[], LINE.as_bytes()).await;
    assert!(reply.error(409).contains("source.kind"));
}

/// The server of `taking` with a user for each role.
async fn closed() -> (Closed, Taking) {
    let deliveries = Arc::new(Deliveries::default());
    let taking = deliveries.taking().unwrap();
    let settings = GateSettings { open: false, is_local: false, limits: limits() };
    (Closed::start_with(settings, move |settings| settings.deliveries = Some(deliveries)).await, taking)
}

#[tokio::test]
async fn only_who_may_send_records_sends_them_and_the_audit_log_names_the_sender_once_an_hour() {
    let (closed, taking) = closed().await;
    let storing = storing(taking);
    let name = |text| UserName::parse(text).unwrap();
    let area = Area::of(vec!["邳州市".to_owned()], Vec::new());
    let token = |role: &str, scopes: &[Permission]| format!("Bearer {}", closed.token(role, scopes, None));
    let senders = [
        ("viewer", token("viewer", &Permission::ALL), 403),
        ("operator", token("operator", &Permission::ALL), 403),
        ("auditor", token("auditor", &Permission::ALL), 403),
        ("admin", token("admin", &[Permission::Dashboard]), 403),
        ("admin", token("admin", &[Permission::Ingest]), 200),
        ("supervisor", token("supervisor", &[Permission::Ingest]), 200),
    ];
    noticed().await;
    for (role, bearer, status) in &senders {
        for _ in 0..3 {
            let reply = send(&closed.server, &[("authorization", bearer)], LINE.as_bytes()).await;
            assert_eq!(reply.status, *status, "{role}: {}", reply.text());
        }
    }
    assert_eq!(send(&closed.server, &[], LINE.as_bytes()).await.status, 401);
    // A page of another origin cannot use a session: it has no secret.
    let (cookie, csrf) = closed.log_in("supervisor").await;
    assert_eq!(send(&closed.server, &[("cookie", &cookie)], LINE.as_bytes()).await.status, 403);
    let ours = [("cookie", cookie.as_str()), ("x-csrf-token", &csrf)];
    assert_eq!(send(&closed.server, &ours, LINE.as_bytes()).await.status, 200);
    // Who is limited to some places sends nothing: records are of all places.
    closed.files.change(|accounts| accounts.set_area(&name("supervisor"), area)).unwrap();
    noticed().await;
    let reply = send(&closed.server, &[("authorization", &senders[5].1)], LINE.as_bytes()).await;
    assert_eq!((reply.status, &reply.json()["reason"]), (403, &json!("outside_scope")));

    let entries: Vec<Value> = closed.entries().into_iter().filter(|entry| entry["action"] == "ingest").collect();
    let of = |user: &str, status: u16| {
        entries.iter().filter(|entry| entry["user"] == user && entry["status"] == status).count()
    };
    assert_eq!((of("admin", 200), of("admin", 403), of("viewer", 403)), (1, 3, 3), "{entries:?}");
    assert_eq!(of("supervisor", 200), 2, "by token and by session");
    assert!(!entries.iter().any(|entry| entry.to_string().contains("苏C12345")));
    drop(closed);
    let origins: Vec<String> = storing.join().unwrap().into_iter().map(|(_, _, origin)| origin).collect();
    assert_eq!(origins.len(), 7);
    assert!(origins.iter().all(|origin| origin == "http admin" || origin == "http supervisor"), "{origins:?}");
}

#[tokio::test]
async fn who_goes_before_the_answer_has_delivered_and_is_in_the_audit_log() {
    let (closed, taking) = closed().await;
    let bearer = format!("Bearer {}", closed.token("admin", &[Permission::Ingest], None));
    noticed().await;
    let headers = [("authorization", bearer.as_str())];
    let stream = open(closed.server.address, "POST", "/api/ingest", &headers, LINE.as_bytes()).await;
    let taken = tokio::task::spawn_blocking(move || (taking.next(Duration::from_secs(10)).unwrap(), taking));
    let (delivery, _taking) = taken.await.unwrap();
    drop(stream);
    // The server learns of it; what was handed over goes on.
    tokio::time::sleep(Duration::from_millis(100)).await;
    delivery.receipt.send(Receipt::default()).unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !closed.entries().iter().any(|entry| entry["action"] == "ingest" && entry["status"] == 200) {
        assert!(tokio::time::Instant::now() < deadline, "no entry: {:?}", closed.entries());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
