//! `GET /api/track` and `GET /api/checkpoints`.

use serde_json::json;

use super::Server;

#[tokio::test]
async fn sightings_of_one_plate_in_order() {
    let server = Server::start().await;
    for (query, expected, total) in [
        // Raw UTF-8 and percent-encoding alike; width, case and the dot do not matter.
        ("hphm=苏C12345", "G1 G5 G8", 3),
        ("hphm=%E8%8B%8FC12345", "G1 G5 G8", 3),
        ("hphm=苏c·１2345", "G1 G5 G8", 3),
        ("hphm=苏C12345&limit=2", "G5 G8", 3),
        ("hphm=苏C12345&start=2024-01-02&end=2024-01-02%2011:58:30", "G5", 1),
        ("hphm=苏C1234", "", 0),
        ("hphm=苏CDM***", "G4", 1),
    ] {
        let data = server.get(&format!("/api/track?{query}")).await.data();
        let records = data["records"].as_array().unwrap();
        let ids: Vec<_> = records.iter().map(|record| record["GCXH"].as_str().unwrap()).collect();
        assert_eq!((ids.join(" ").as_str(), &data["total"]), (expected, &json!(total)), "{query}");
    }
    let data = server.get("/api/track?hphm=苏c12345&limit=1").await.data();
    assert_eq!(data["hphm"], "苏C12345");
    assert_eq!(data["records"][0]["KKMC_LABEL"], "S250-邳州-苏鲁界");
}

#[tokio::test]
async fn bad_parameters() {
    let server = Server::start().await;
    for (query, part) in [
        ("", "`hphm` is missing"),
        ("?hphm=", "`hphm` is missing"),
        ("?hphm=苏C12345&limit=1001", "`limit`"),
        ("?hphm=苏C12345&start=x", "`start`"),
    ] {
        let msg = server.get(&format!("/api/track{query}")).await.error(400);
        assert!(msg.contains(part), "{query}: {msg}");
    }
}

#[tokio::test]
async fn the_catalogue() {
    let data = Server::start().await.get("/api/checkpoints").await.data();
    let checkpoints = data.as_array().unwrap();
    assert_eq!(checkpoints.len(), 19);
    assert_eq!(
        checkpoints[0],
        json!({"code": "S250_Pizhou_Sulu", "kkmc": "徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口",
            "label": "S250-邳州-苏鲁界", "xzqhmc": "邳州市", "road": "S250", "lon": 118.06454, "lat": 34.641634})
    );
}
