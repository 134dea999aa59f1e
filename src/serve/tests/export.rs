//! `POST /api/query/export`.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};
use tokio::time::timeout;

use super::Server;
use super::client::{Reply, head, open};
use super::memory::{MemoryReader, row};

const SOON: Duration = Duration::from_secs(30);

async fn export(server: &Server, body: serde_json::Value) -> Reply {
    server.post("/api/query/export", &body.to_string()).await
}

/// Lines behind the byte order mark, the header among them.
#[track_caller]
fn lines(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = reply.text().strip_prefix('\u{feff}').expect("a byte order mark");
    assert!(text.ends_with("\r\n"), "{text:?}");
    text.trim_end_matches("\r\n").split("\r\n").map(str::to_owned).collect()
}

#[tokio::test]
async fn the_whole_result_in_the_order_of_the_query() {
    let server = Server::start().await;
    let reply = server.post("/api/query/export", "").await;
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(reply.header("content-disposition"), Some("attachment; filename=\"passages-2024-01-02-12-00-00.csv\""));
    assert_eq!(reply.header("x-total-count"), Some("8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let all = lines(&reply);
    assert_eq!(all[0], "GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH,PROVINCE,VEHICLE_TYPE_NAME,FUEL_TYPE,KKMC_LABEL");
    assert_eq!(
        all[1],
        "G8,邳州市,S250_Pizhou_Sulu,1,\"2024-01-02 11:59:20\",02,苏C12345,大众牌-朗逸-2015,苏,小型客车,燃油,S250-邳州-苏鲁界"
    );
    let ids: Vec<_> = all[1..].iter().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(ids.join(" "), "G8 G6 G7 G5 G4 G3 G2 G1");
    assert!(all.iter().any(|line| line.contains(",-,-,-,-,")), "a lone - stays: {all:?}");
}

#[tokio::test]
async fn filters_and_form() {
    let server = Server::start().await;
    let columns = |body: serde_json::Value| {
        let server = &server;
        async move { lines(&export(server, body).await).join("|") }
    };
    for (body, expected) in [
        (json!({"hphm": "苏C*345", "columns": ["GCXH"]}), "GCXH|G8|G5|G3|G1"),
        (json!({"hphm": "苏C*345", "columns": ["GCXH"], "order": "oldest"}), "GCXH|G1|G3|G5|G8"),
        (json!({"hphm": "苏C*345", "columns": ["GCXH"], "page": 2, "limit": 1}), "GCXH|G8|G5|G3|G1"),
        (json!({"kkmc": "S250-邳州-苏鲁界", "columns": "HPHM, GCXH"}), "HPHM,GCXH|苏C12345,G8|鲁D8888A,G2|苏C12345,G1"),
        (json!({"kkmc": "unlisted-1", "columns": ["GCXH", "GCXH"]}), "GCXH,GCXH|G7,G7"),
        (
            json!({"endTime": "2024-01-01", "columns": ["HPZL"], "header": "titles", "excel": true}),
            "号牌种类|52|01\t|02\t",
        ),
        (json!({"hphm": "nothing", "columns": ["GCXH"]}), "GCXH"),
    ] {
        assert_eq!(columns(body.clone()).await, expected, "{body}");
    }
    for (body, part) in [
        (json!({"columns": ["GCXH", "PASSWORD"]}), "PASSWORD"),
        (json!({"columns": vec!["GCXH"; 33]}), "at most 32"),
        (json!({"columns": [1]}), "`columns`"),
        (json!({"header": "english"}), "names, titles"),
        (json!({"excel": "perhaps"}), "`excel`"),
        (json!({"startTime": "soon"}), "`startTime`"),
        (json!({"order": "plate"}), "`order`"),
    ] {
        let msg = export(&server, body.clone()).await.error(400);
        assert!(msg.contains(part), "{body}: {msg}");
    }
}

#[tokio::test]
async fn a_result_that_is_too_long_is_refused_with_its_count() {
    let server = Server::start_with(MemoryReader::sample(), |settings| settings.export_max_rows = 7).await;
    let refusal = export(&server, json!({})).await;
    assert_eq!((refusal.header("x-total-count"), refusal.header("x-max-rows")), (Some("8"), Some("7")));
    let msg = refusal.error(409);
    assert!(
        msg.contains("8 passages match") && msg.contains("7 at most") && msg.contains("api.export_max_rows"),
        "{msg}"
    );
    assert_eq!(lines(&export(&server, json!({"endTime": "2024-01-02 11:59:00"})).await).len(), 8);
}

/// More than one piece, with many rows of one second, and nothing twice or left out.
#[tokio::test]
async fn many_pieces() {
    let server = Server::start_with(many(30_000), |_| {}).await;
    let reply = export(&server, json!({"columns": ["GCXH", "CLPPXH"]})).await;
    let all = lines(&reply);
    assert_eq!((all.len(), reply.header("x-total-count")), (30_001, Some("30000")));
    let mut ids: Vec<_> = all[1..].iter().map(|line| line.split(',').next().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 30_000);
    assert!(all[1].ends_with(",'=cmd|' /C calc'!A0") || all[1].contains("\"'=cmd|' /C calc'!A0\""), "{}", all[1]);
}

fn many(count: usize) -> MemoryReader {
    let reader = MemoryReader::empty();
    let rows = (0..count).map(|number| {
        let second = number / 5000 % 60;
        let time = format!("2024-01-02 08:00:{second:02}");
        row(&format!("G{number:06}"), "d", "k", "1", &time, "02", "苏C12345", "=cmd|' /C calc'!A0")
    });
    reader.commit(rows.collect(), Vec::new());
    reader
}

/// Clients that read only the head: the file does not fit into the connection's buffers.
async fn sipping(server: &Server, clients: usize) -> Vec<tokio::io::BufReader<tokio::net::TcpStream>> {
    let mut all = Vec::new();
    for _ in 0..clients {
        let mut slow = open(server.address, "POST", "/api/query/export", &[], b"").await;
        assert_eq!(head(&mut slow).await.0, 200);
        all.push(slow);
    }
    all
}

#[tokio::test]
async fn sipping_clients_do_not_hold_the_places() {
    let server = Server::start_with(many(200_000), |settings| settings.max_concurrent_exports = 2).await;
    let _two = sipping(&server, 2).await;
    assert_eq!(lines(&export(&server, json!({"columns": ["GCXH"]})).await).len(), 200_001);
    assert_eq!(server.post("/api/query", "").await.data()["total"], 200_000);
}

#[tokio::test]
async fn of_too_many_sipping_clients_the_slowest_leaves() {
    let server = Server::start_with(many(200_000), |settings| settings.max_concurrent_exports = 1).await;
    // As many as one address may have open.
    let mut slow = sipping(&server, crate::serve::export::OPEN_PER_PLACE / 2).await;
    let refused = export(&server, json!({})).await;
    assert!(refused.error(503).contains("other exports"));
    assert!(refused.header("retry-after").is_some());
    let retried = async {
        while export(&server, json!({"hphm": "nothing"})).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, retried).await.expect("who reads nothing leaves for another");
    let mut rest = Vec::new();
    timeout(SOON, slow[0].read_to_end(&mut rest)).await.expect("its connection ends").ok();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a broken transfer must not end in order");
}

#[tokio::test]
async fn a_client_that_is_too_slow_is_cut_off() {
    let server = Server::start_with(many(200_000), |settings| {
        settings.max_concurrent_exports = 1;
        settings.export_timeout = Duration::from_millis(300);
    })
    .await;
    let mut slow = sipping(&server, 1).await.remove(0);
    let mut rest = Vec::new();
    timeout(SOON, slow.read_to_end(&mut rest)).await.expect("the connection ends").ok();
    let lines = rest.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines < 200_001, "the file must not be whole");
}

/// A failure behind the head breaks the transfer off: with HTTP/1.1 the last chunk does not come.
#[tokio::test]
async fn a_failure_on_the_way_is_noticed() {
    use tokio::io::AsyncWriteExt;
    let server = Server::start_with(many(200_000), |_| {}).await;
    let mut stream = tokio::io::BufReader::new(tokio::net::TcpStream::connect(server.address).await.unwrap());
    stream.write_all(b"POST /api/query/export HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert!(line.contains("200"), "{line}");
    server.shutdown.cancel();
    let mut rest = Vec::new();
    timeout(SOON, stream.read_to_end(&mut rest)).await.expect("it ends").ok();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a broken transfer must not end in order");
    timeout(SOON, server.serving).await.expect("the server stops").unwrap().unwrap();
}
