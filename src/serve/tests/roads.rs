//! `GET /api/roads` and `GET /api/roads/hours`.

use serde_json::{Value, json};

use super::Server;

fn ends(road: &Value) -> [&str; 2] {
    [road["from"]["code"].as_str().unwrap(), road["to"]["code"].as_str().unwrap()]
}

#[tokio::test]
async fn the_worst_comes_first_and_what_is_not_learnt_says_so() {
    let server = Server::start().await;
    let list = server.get("/api/roads").await.data();
    assert_eq!(
        (&list["state"], &list["message"], &list["time"]),
        (&json!("ready"), &json!(null), &json!("2024-01-05 08:30:00"))
    );
    let roads = list["roads"].as_array().unwrap();
    assert_eq!(ends(&roads[0]), ["G104_Tongshan_Sulu", "G104_Suining_Suwan"]);
    // 129 km by the marks in 5400 s, of which 2700 are those of a free road.
    let worst = json!({
        "level": "moderate", "basis": "quarter", "index": 2.0, "median_seconds": 5400, "free_flow_seconds": 2700, "cars": 5,
        "speed_kmh": 86.0, "distance_km": 129.0, "distance_basis": "marks", "link": "road",
    });
    for (name, value) in worst.as_object().unwrap() {
        assert_eq!(&roads[0][name], value, "{name}");
    }
    assert_eq!(
        (ends(&roads[1]), &roads[1]["level"], &roads[1]["link"]),
        (["G3_Sulu", "S251_Pizhou_Sulu"], &json!("free"), &json!("near"))
    );
    assert_eq!(roads[1]["distance_basis"], "great_circle");
    let rest = &roads[2..];
    assert!(
        rest.len() >= 30
            && rest.iter().all(|road| road["level"].is_null() && road["basis"] == "too_few" && road["cars"] == 0)
    );
    // Every neighbour of the catalogue is there once, in both directions.
    let mut pairs: Vec<_> = roads.iter().map(ends).collect();
    pairs.sort_unstable();
    assert!(pairs.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(pairs.iter().filter(|[from, _]| *from == "G104_Suining_Suwan").count() >= 1);
}

#[tokio::test]
async fn a_segment_by_hour() {
    let server = Server::start().await;
    let hours = server.get("/api/roads/hours?from=G104_Tongshan_Sulu&to=G104_Suining_Suwan").await.data();
    assert_eq!(hours["road"]["level"], "moderate");
    // It is the fifth, a Friday: the second to the fourth are its profile.
    assert_eq!(
        hours["profile"],
        json!([
            {"hour": 8, "days": 3, "low_seconds": 2790, "median_seconds": 2800, "high_seconds": 2820},
            {"hour": 9, "days": 3, "low_seconds": 2890, "median_seconds": 2900, "high_seconds": 2920},
        ])
    );
    assert_eq!(
        hours["today"],
        json!([{"hour": 7, "cars": 20, "low_seconds": 2990, "median_seconds": 3000, "high_seconds": 3020}])
    );
    // 5400 over 2800 s is 1.929, and 0.3 of the excess is left in an hour: 1 + 0.929 × 0.3 = 1.279.
    let expected = &hours["expected"][0];
    assert_eq!((&expected["time"], &expected["factor"]), (&json!("2024-01-05 09:00:00"), &json!(1.279)));
    assert_eq!(expected["median_seconds"], 3708);
    assert_eq!((&hours["measured"]["hours"], &hours["measured"]["error"]), (&json!(2), &json!(0.0)));

    let unlearnt = server.get("/api/roads/hours?from=G104_Suining_Suwan&to=G104_Tongshan_Sulu").await.data();
    assert_eq!(
        (&unlearnt["road"]["basis"], &unlearnt["today"], &unlearnt["measured"]),
        (&json!("too_few"), &json!([]), &json!(null))
    );
    for (path, status, reason) in [
        ("/api/roads/hours?from=G3_Sulu", 400, "missing_end"),
        ("/api/roads/hours?from=G3_Sulu&to=nowhere", 404, "unknown_road"),
        ("/api/roads/hours?from=G3_Sulu&to=G3_Sulu", 404, "unknown_road"),
    ] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, &reply.json()["reason"]), (status, &json!(reason)), "{path}");
    }
}
