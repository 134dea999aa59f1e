//! `GET /api/cases/calibration`.

use super::Server;

/// Two of three cases at 0.85 confirmed, with the five of the band: (2 + 5 × 0.85) / 8 = 0.78125, above the band below.
#[tokio::test]
async fn what_the_desk_decided_is_a_table_and_a_curve() {
    let server = Server::start().await;
    let said = server.get("/api/cases/calibration").await.data();
    assert_eq!(said["decided"], 3);
    let bands = said["bands"].as_array().unwrap();
    assert_eq!(bands.len(), 10);
    let band = &bands[8];
    assert_eq!((&band["decided"], &band["confirmed"]), (&3.into(), &2.into()));
    assert_eq!((&band["observed"], &band["calibrated"]), (&0.6667.into(), &0.7813.into()));
    assert_eq!((&bands[0]["decided"], &bands[0]["predicted"]), (&0.into(), &serde_json::Value::Null));
    let curve = said["curve"].as_array().unwrap();
    assert_eq!((curve.len(), &curve[85]["calibrated"]), (101, &0.7813.into()));
    assert_eq!((&curve[0]["calibrated"], &curve[100]["calibrated"]), (&0.0.into(), &1.0.into()));
}
