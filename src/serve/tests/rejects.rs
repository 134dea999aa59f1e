//! `GET /api/rejects`.

use serde_json::{Value, json};
use traffic::RejectReason;

use super::{Server, time};
use crate::reader::RejectRow;

fn reject(seq: u64, reason: RejectReason, raw: &[u8]) -> RejectRow {
    let near = (seq > 1).then(|| time("2024-01-02 11:59:20"));
    let bytes = raw.len() as u64;
    RejectRow { seq, origin: "a.log".to_owned(), line: seq * 10, reason, raw: raw.to_vec(), near, bytes }
}

async fn server() -> Server {
    let server = Server::start().await;
    let rows = (1..=45).map(|seq| match seq {
        45 => reject(seq, RejectReason::InvalidEncoding, b"\xff<b>\x1b[2J"),
        _ if seq % 9 == 0 => reject(seq, RejectReason::EmptyGcxh, b"\tx"),
        _ => reject(seq, RejectReason::InvalidGcsj, "G1\t邳州市".as_bytes()),
    });
    server.reader.reject(rows.collect());
    server.reader.set_status(|status| {
        status.pipeline.rejected = [("invalid_gcsj", 140), ("empty_gcxh", 4), ("invalid_encoding", 1)].into();
    });
    server
}

fn seqs(data: &Value) -> Vec<u64> {
    data["records"].as_array().unwrap().iter().map(|row| row["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn newest_first_with_counts_by_reason() {
    let server = server().await;
    let data = server.get("/api/rejects?limit=3").await.data();
    assert_eq!((seqs(&data), &data["next"]), (vec![45, 44, 43], &json!(43)));
    assert_eq!((&data["total"], &data["kept"]), (&json!(145), &json!(45)));
    assert_eq!(
        data["reasons"],
        json!([{"reason": "invalid_gcsj", "count": 140}, {"reason": "empty_gcxh", "count": 4},
            {"reason": "invalid_encoding", "count": 1}])
    );
    assert_eq!(
        data["records"][0],
        json!({"seq": 45, "origin": "a.log", "line": 450, "reason": "invalid_encoding", "text": "\\xff<b>\\u{1b}[2J",
            "raw_base64": "/zxiPhtbMko=", "bytes": 8, "near": "2024-01-02 11:59:20"})
    );
    assert_eq!(data["records"][1]["text"], "G1\\u{9}邳州市");
}

#[tokio::test]
async fn piece_after_piece_to_the_end() {
    let server = server().await;
    for (reason, expected) in [("", (1..=45).rev().collect::<Vec<_>>()), ("&reason=empty_gcxh", vec![36, 27, 18, 9])] {
        let (mut all, mut before) = (Vec::new(), String::new());
        loop {
            let data = server.get(&format!("/api/rejects?limit=2{reason}{before}")).await.data();
            all.extend(seqs(&data));
            match data["next"].as_u64() {
                Some(next) => before = format!("&before={next}"),
                None => break,
            }
        }
        assert_eq!(all, expected, "{reason}");
    }
    for (query, part) in [("reason=bad", "invalid_gcsj"), ("limit=201", "`limit`"), ("before=x", "`before`")] {
        assert!(server.get(&format!("/api/rejects?{query}")).await.error(400).contains(part), "{query}");
    }
}

#[tokio::test]
async fn a_long_line_is_shown_in_part() {
    let server = Server::start().await;
    server.reader.reject(vec![reject(1, RejectReason::LineTooLong, &vec![b'x'; 65_536])]);
    let row = &server.get("/api/rejects").await.data()["records"][0];
    assert_eq!(
        (row["text"].as_str().unwrap().len(), &row["bytes"], &row["near"]),
        (1024, &json!(65_536), &Value::Null)
    );
}
