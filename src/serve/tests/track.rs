//! `GET /api/track` and `GET /api/checkpoints`.

use serde_json::json;

use super::Server;
use super::memory::row;

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
async fn hops_that_no_car_can_make() {
    let server = Server::start().await;
    let pizhou = "S250_Pizhou_Sulu";
    let at = |id: &str, kkmc: &str, time: &str, plate: &str| row(id, "d", kkmc, "1", time, "02", plate, "-");
    let mut rows = Vec::new();
    for plate in ["苏A11111", "苏A1***"] {
        rows.extend([
            at(&format!("{plate}1"), pizhou, "2024-01-02 08:00:00", plate),
            at(&format!("{plate}2"), pizhou, "2024-01-02 08:00:00", plate),
            at(&format!("{plate}3"), "G3_Sulu", "2024-01-02 08:10:00", plate),
            at(&format!("{plate}4"), "G3_Sulu", "2024-01-02 09:10:00", plate),
            at(&format!("{plate}5"), pizhou, "2024-01-02 10:10:00", plate),
            at(&format!("{plate}6"), "unlisted-1", "2024-01-02 10:12:00", plate),
            at(&format!("{plate}7"), pizhou, "2024-01-02 10:12:00", plate),
        ]);
    }
    server.reader.commit(rows, Vec::new());
    let data = server.get("/api/track?hphm=苏A11111").await.data();
    assert_eq!(data["compared"], true);
    let hops: Vec<_> = data["hops"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hop| (hop["gap_seconds"].as_i64().unwrap(), hop["impossible"].as_bool().unwrap(), hop["rule"].as_str()))
        .collect();
    assert_eq!(
        hops,
        [
            // The same checkpoint in the same second, twice read.
            (0, false, None),
            // 63.5 km in ten minutes: beyond the window, but impossible.
            (600, true, None),
            (3600, false, None),
            // 63.5 km/h.
            (3600, false, None),
            // No distance is known: suspicious, not impossible.
            (120, false, Some("window")),
            // Nor is it in one second.
            (0, false, Some("window")),
        ]
    );
    assert_eq!(
        data["hops"][1],
        json!({"from": "苏A111112", "to": "苏A111113", "gap_seconds": 600, "distance_km": 63.5, "speed_kmh": 381.1,
            "impossible": true, "rule": null})
    );
    // A masked plate may be many cars.
    let masked = server.get("/api/track?hphm=苏A1***").await.data();
    assert_eq!((&masked["compared"], &masked["total"]), (&json!(false), &json!(7)));
    assert!(masked["hops"].as_array().unwrap().iter().all(|hop| hop["impossible"] == false && hop["rule"].is_null()));
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
    let neighbour = checkpoints[0]["neighbours"][0].as_object().unwrap();
    assert!(neighbour["code"].is_string() && neighbour["distance_km"].is_number(), "{neighbour:?}");
    assert!(["road", "near"].contains(&neighbour["link"].as_str().unwrap()));
    assert_eq!(
        checkpoints[0],
        json!({"code": "S250_Pizhou_Sulu", "kkmc": "徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口",
            "label": "S250-邳州-苏鲁界", "xzqhmc": "邳州市", "road": "S250", "lon": 118.06454, "lat": 34.641634,
            "neighbours": checkpoints[0]["neighbours"].clone()})
    );
}
