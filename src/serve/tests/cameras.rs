//! `GET /api/cameras`.

use super::Server;

#[tokio::test]
async fn the_worst_comes_first_with_what_to_do() {
    let server = Server::start().await;
    let list = server.get("/api/cameras").await.data();
    assert_eq!((&list["bad"], &list["doubtful"]), (&1.into(), &0.into()));
    assert_eq!((&list["evidence"], &list["learnt_until"]), (&true.into(), &"2024-01-01 00:00:00".into()));
    let cameras = list["cameras"].as_array().unwrap();
    let names: Vec<_> = cameras.iter().map(|camera| camera["kkmc"].as_str().unwrap()).collect();
    assert_eq!(names, ["G3_Sulu", "G104_Tongshan_Sulu"]);
    assert_eq!((&cameras[0]["state"], &cameras[0]["offset_seconds"]), (&"bad".into(), &300.0.into()));
    let finding = &cameras[0]["findings"][0];
    assert_eq!((&finding["code"], &finding["text"]), (&"offset".into(), &"its clock is 300 s fast".into()));
    assert!(finding["action"].as_str().unwrap().contains("NTP"), "{finding}");
    assert_eq!((&cameras[1]["state"], cameras[1]["findings"].as_array().unwrap().len()), (&"ok".into(), 0));
}

#[tokio::test]
async fn the_status_counts_them() {
    let server = Server::start().await;
    let counts = &server.get("/api/status").await.data()["cameras"];
    assert_eq!((&counts["ok"], &counts["doubtful"], &counts["bad"]), (&1.into(), &0.into(), &1.into()));
}
