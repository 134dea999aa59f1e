//! `GET /api/warnings/realtime` and `GET /api/warnings`.

use serde_json::{Value, json};

use super::Server;

fn seqs(alerts: &Value) -> Vec<u64> {
    alerts.as_array().unwrap().iter().map(|alert| alert["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn newest_first() {
    let server = Server::start().await;
    assert_eq!(seqs(&server.get("/api/warnings/realtime").await.data()), [3, 2, 1]);
    let data = server.get("/api/warnings/realtime?limit=2").await.data();
    assert_eq!(seqs(&data), [3, 2]);
    assert_eq!(
        data[1],
        json!({"seq": 2, "id": traffic::AlertId::of("苏C12345", "A2", "B2").to_string(), "hphm": "苏C12345", "prev_kkmc": "G3_Sulu",
            "curr_kkmc": "S250_Pizhou_Sulu", "prev_time": "2024-01-02 11:58:30", "curr_time": "2024-01-02 11:59:20",
            "prev_gcxh": "A2", "curr_gcxh": "B2", "gap_seconds": 50, "distance_km": 45.2, "speed_kmh": 3254.4,
            "severity": "high", "rule": "window"})
    );
}

/// The realtime list takes the filters of the history.
#[tokio::test]
async fn realtime_with_filters() {
    let server = Server::start().await;
    for (query, expected) in [
        ("severity=low", vec![3]),
        ("severity=high&limit=5", vec![2]),
        ("severity=&status=&rule=&hphm=&kkmc=", vec![3, 2, 1]),
        ("status=new", vec![3, 2, 1]),
        ("status=confirmed", vec![]),
        ("rule=speed", vec![3]),
        ("kkmc=unlisted-1", vec![1]),
        ("hphm=苏&limit=1", vec![2]),
        ("start=2024-01-02", vec![3, 2]),
        ("end=2024-01-01", vec![1]),
    ] {
        let data = server.get(&format!("/api/warnings/realtime?{query}")).await.data();
        assert_eq!(seqs(&data), expected, "{query}");
        // The same rows as the history's, in the form of an alert.
        let history = server.get(&format!("/api/warnings?{query}")).await.data();
        assert_eq!(seqs(&history["records"]), expected, "{query}");
    }
}

#[tokio::test]
async fn history() {
    let server = Server::start().await;
    for (query, expected, total) in [
        ("", vec![3, 2, 1], 3),
        ("?hphm=&kkmc=&severity=&rule=&start=&end=&page=&limit=", vec![3, 2, 1], 3),
        ("?hphm=c·12", vec![2], 1),
        ("?hphm=苏", vec![2, 1], 2),
        ("?kkmc=G3_Sulu", vec![3, 2, 1], 3),
        ("?kkmc=S250-邳州-苏鲁界", vec![2], 1),
        ("?kkmc=unlisted-1", vec![1], 1),
        ("?kkmc=nowhere", vec![], 0),
        ("?severity=low", vec![3], 1),
        ("?severity=medium&rule=window", vec![1], 1),
        ("?rule=speed", vec![3], 1),
        ("?start=2024-01-02", vec![3, 2], 2),
        ("?end=2024-01-01", vec![1], 1),
        ("?limit=2", vec![3, 2], 3),
        ("?limit=2&page=2", vec![1], 3),
        ("?limit=2&page=3", vec![], 3),
    ] {
        let data = server.get(&format!("/api/warnings{query}")).await.data();
        assert_eq!((seqs(&data["records"]), &data["total"]), (expected, &json!(total)), "{query}");
    }
}

#[tokio::test]
async fn bad_parameters() {
    let server = Server::start().await;
    for (path, part) in [
        ("/api/warnings/realtime?limit=0", "`limit` must be a whole number from 1 to 1000"),
        ("/api/warnings?severity=High", "high, medium, low"),
        ("/api/warnings?rule=any", "window, speed"),
        ("/api/warnings?page=0", "`page`"),
        ("/api/warnings?limit=1001", "`limit`"),
        ("/api/warnings?start=2024-01-02&end=2024-01-01", "swap them"),
    ] {
        let status = if part == "swap them" { 409 } else { 400 };
        let msg = server.get(path).await.error(status);
        assert!(msg.contains(part), "{path}: {msg}");
    }
}
