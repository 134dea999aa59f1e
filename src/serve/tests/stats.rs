//! `GET /api/stats/*` and `GET /api/overview`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};

use super::memory::{MemoryReader, row};
use super::{Server, time};

#[tokio::test]
async fn answers() {
    let server = Server::start().await;
    for (path, expected) in [
        (
            "/api/stats/kkmc_count?limit=3",
            json!([
                {"name": "G104_Tongshan_Sulu", "value": 2, "label": "G104-铜山-苏鲁界"},
                {"name": "G3_Sulu", "value": 2, "label": "G3-京台高速-苏鲁界"},
                {"name": "S250_Pizhou_Sulu", "value": 2, "label": "S250-邳州-苏鲁界"},
            ]),
        ),
        (
            "/api/stats/kkmc_count?start=2024-01-02%2011:59:00&end=2024-01-02+11:59:10",
            json!([
                {"name": "G104_Tongshan_Sulu", "value": 1, "label": "G104-铜山-苏鲁界"},
                {"name": "unlisted-1", "value": 1, "label": "unlisted-1"},
            ]),
        ),
        (
            "/api/stats/map_data",
            json!([{"name": "邳州市", "value": 3}, {"name": "铜山县", "value": 2}, {"name": "高速五大队", "value": 2}, {"name": "某县", "value": 1}]),
        ),
        ("/api/stats/map_data?end=2024-01-01", json!([{"name": "邳州市", "value": 2}, {"name": "铜山县", "value": 1}])),
        (
            "/api/stats/vehicle_type",
            json!([{"name": "小型客车", "value": 5}, {"name": "货车", "value": 2}, {"name": "其他", "value": 1}]),
        ),
        (
            "/api/stats/vehicle_brand?limit=2&start=&end=",
            json!([{"name": "大众", "value": 4}, {"name": "未知", "value": 1}]),
        ),
        ("/api/stats/vehicle_brand?start=2025-01-01", json!([])),
        (
            "/api/stats/map_data?fold=true",
            json!([{"name": "铜山县", "value": 4}, {"name": "邳州市", "value": 3}, {"name": "某县", "value": 1}]),
        ),
        (
            "/api/stats/map_data?fold=true&end=2024-01-01",
            json!([{"name": "邳州市", "value": 2}, {"name": "铜山县", "value": 1}]),
        ),
        (
            "/api/stats/map_data?fold=false&day=2024-01-01",
            json!([{"name": "邳州市", "value": 2}, {"name": "铜山县", "value": 1}]),
        ),
        (
            "/api/stats/map_data?fold=true&day=today",
            json!([{"name": "铜山县", "value": 3}, {"name": "某县", "value": 1}, {"name": "邳州市", "value": 1}]),
        ),
        (
            "/api/stats/vehicle_brand?start=2024-01-01T00:00:24%2B08:00&end=2024-01-01T00:00:24+08:00",
            json!([{"name": "大众", "value": 1}]),
        ),
    ] {
        assert_eq!(server.get(path).await.data(), expected, "{path}");
    }
}

/// The clock says 2024-01-02 12:00.
#[tokio::test]
async fn a_day_is_the_range_of_its_first_to_its_last_second_in_every_interface() {
    let server = Server::start().await;
    for path in ["kkmc_count", "hour_count", "map_data", "vehicle_type", "vehicle_brand"] {
        let mut answers = Vec::new();
        for (day, range) in [
            ("today", "start=2024-01-02&end=2024-01-02"),
            ("2024-01-02", "start=2024-01-02 00:00:00&end=2024-01-02 23:59:59"),
            ("2024-01-01", "start=2024-01-01&end=2024-01-01"),
            ("2024-01-03", "start=2024-01-03&end=2024-01-03"),
            ("", ""),
        ] {
            let of_day = server.get(&format!("/api/stats/{path}?day={day}")).await.data();
            let of_range = server.get(&format!("/api/stats/{path}?{}", range.replace(' ', "%20"))).await.data();
            assert_eq!(of_day, of_range, "{path}, {day}");
            answers.push(of_day);
        }
        assert!(answers[0] != answers[2] && answers[2] != answers[3] && answers[3] != answers[4], "{path}");
    }
}

/// The day begins with the clock's midnight, without a restart.
#[tokio::test]
async fn today_is_the_day_of_the_clock() {
    let now = Arc::new(AtomicI64::new(0));
    let clock = now.clone();
    let server = Server::start_with(MemoryReader::sample(), |settings| {
        settings.clock = Arc::new(move || traffic::CivilTime(clock.load(Ordering::SeqCst)));
    })
    .await;
    for (at, expected) in [("2024-01-01 23:59:59", 3), ("2024-01-02 00:00:00", 5), ("2024-01-03 00:00:00", 0)] {
        now.store(time(at).0, Ordering::SeqCst);
        let data = server.get("/api/stats/hour_count?day=today").await.data();
        let sum: u64 = data["data"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(sum, expected, "{at}");
    }
}

#[tokio::test]
async fn hours_of_the_day() {
    let server = Server::start().await;
    let check = |data: Value, expected: &[(usize, u64)]| {
        let hours = data["hours"].as_array().unwrap();
        assert_eq!((hours.len(), &hours[0], &hours[23]), (24, &json!("00:00"), &json!("23:00")));
        let mut counts = [0; 24];
        for (hour, count) in expected {
            counts[*hour] = *count;
        }
        assert_eq!(data["data"], json!(counts));
    };
    check(server.get("/api/stats/hour_count").await.data(), &[(0, 2), (8, 1), (11, 4), (23, 1)]);
    check(server.get("/api/stats/hour_count?start=2024-01-02").await.data(), &[(0, 1), (11, 4)]);
}

#[tokio::test]
async fn bad_parameters() {
    let server = Server::start().await;
    for (path, part) in [
        ("/api/stats/kkmc_count?limit=0", "`limit` must be a whole number from 1 to 1000"),
        ("/api/stats/kkmc_count?limit=1001", "`limit`"),
        ("/api/stats/kkmc_count?limit=ten", "not \"ten\""),
        ("/api/stats/kkmc_count?limit=1&limit=2", "given twice"),
        ("/api/stats/vehicle_brand?limit=-1", "`limit`"),
        ("/api/stats/hour_count?start=2024-13-01", "`start` must be a time"),
        ("/api/stats/map_data?end=later", "`end` must be a time"),
        ("/api/stats/vehicle_type?start=2024-01-02&end=2024-01-01", "swap them"),
        ("/api/stats/map_data?day=yesterday", "`day` must be `today` or a date"),
        ("/api/stats/hour_count?day=2024-02-30", "not \"2024-02-30\""),
        ("/api/stats/hour_count?day=2024-01-01%2008:00:00", "`day` must be"),
        ("/api/stats/vehicle_type?day=1999-12-31", "`day` must be"),
        ("/api/stats/vehicle_brand?day=today&start=2024-01-01", "give the day, or the ends"),
        ("/api/stats/kkmc_count?day=2024-01-01&end=2024-01-01", "give the day, or the ends"),
        ("/api/stats/recent?day=today", "no parameter \"day\""),
        ("/api/stats/map_data?fold=yes", "`fold` must be one of true, false"),
        ("/api/stats/hour_count?fold=true", "no parameter \"fold\""),
        ("/api/stats/map_data?start=%ff", "`start` is not UTF-8"),
        ("/api/stats/map_data?%ff=1", "not UTF-8"),
    ] {
        let status = if ["swap them", "give the day, or the ends"].contains(&part) { 409 } else { 400 };
        let msg = server.get(path).await.error(status);
        assert!(msg.contains(part), "{path}: {msg}");
    }
}

#[tokio::test]
async fn overview() {
    let server = Server::start().await;
    assert_eq!(
        server.get("/api/overview").await.data(),
        json!({"total": 8, "accepted": 8, "date": "2024-01-02", "date_is_today": true, "today": 5, "last_minute": 4, "active_checkpoints": 4,
            "checkpoints": 19, "alerts": 3, "alerts_today": 2, "alerts_today_high": 1, "newest_gcsj": "2024-01-02 11:59:20",
            "yesterday": 3, "yesterday_same_time": 2, "now": "2024-01-02 12:00:00", "lag_seconds": 40})
    );
    let empty = Server::start_with(MemoryReader::empty(), |_| {}).await;
    assert_eq!(
        empty.get("/api/overview").await.data(),
        json!({"total": 0, "accepted": 0, "date": "2024-01-02", "date_is_today": true, "today": 0, "last_minute": 0, "active_checkpoints": 0,
            "checkpoints": 19, "alerts": 0, "alerts_today": 0, "alerts_today_high": 0, "newest_gcsj": null,
            "yesterday": 0, "yesterday_same_time": 0, "now": "2024-01-02 12:00:00", "lag_seconds": null})
    );
}

/// A capture of the past, served today.
#[tokio::test]
async fn of_old_data_the_numbers_speak_of_its_day() {
    let server = Server::start_with(MemoryReader::sample(), |settings| {
        let now = time("2026-11-27 03:00:00");
        settings.clock = Arc::new(move || now);
    })
    .await;
    let data = server.get("/api/overview").await.data();
    for (name, expected) in [
        ("date", json!("2024-01-02")),
        ("date_is_today", json!(false)),
        ("today", json!(5)),
        ("alerts_today", json!(2)),
        ("alerts_today_high", json!(1)),
        ("yesterday", json!(3)),
        ("yesterday_same_time", json!(2)),
        ("now", json!("2026-11-27 03:00:00")),
    ] {
        assert_eq!(data[name], expected, "{name}: {data}");
    }
}

#[tokio::test]
async fn yesterday_goes_on_with_the_minutes() {
    let now = Arc::new(AtomicI64::new(0));
    let clock = now.clone();
    let server = Server::start_with(MemoryReader::sample(), |settings| {
        settings.clock = Arc::new(move || traffic::CivilTime(clock.load(Ordering::SeqCst)));
    })
    .await;
    for (at, yesterday, same_time) in [
        ("2024-01-02 00:00:00", 3, 0),
        // To the minute: the passage of 00:00:24 counts from 00:01 on.
        ("2024-01-02 00:00:59", 3, 0),
        ("2024-01-02 00:01:00", 3, 1),
        ("2024-01-02 08:30:59", 3, 1),
        ("2024-01-02 08:31:00", 3, 2),
        ("2024-01-02 23:59:59", 3, 2),
        // All data is older: the numbers speak of its day.
        ("2024-01-03 12:00:00", 3, 2),
        ("2024-01-04 00:00:00", 3, 2),
    ] {
        now.store(time(at).0, Ordering::SeqCst);
        for _ in 0..2 {
            let data = server.get("/api/overview").await.data();
            assert_eq!(
                (&data["yesterday"], &data["yesterday_same_time"]),
                (&json!(yesterday), &json!(same_time)),
                "{at}"
            );
        }
    }
}

#[tokio::test]
async fn the_flow_of_now() {
    let server = Server::start().await;
    let data = server.get("/api/stats/recent?minutes=1").await.data();
    assert_eq!(
        (&data["start"], &data["end"], &data["minutes"], &data["total"]),
        (&json!("2024-01-02 11:58:21"), &json!("2024-01-02 11:59:20"), &json!(1), &json!(4))
    );
    let checkpoints = data["checkpoints"].as_array().unwrap();
    assert_eq!(checkpoints.len(), 20, "the whole catalogue, and one that is not in it");
    let of = |code: &str| checkpoints.iter().find(|it| it["code"] == code).unwrap();
    assert_eq!((&of("G3_Sulu")["value"], &of("G235_Xinyi_Jiaojie")["value"]), (&json!(1), &json!(0)));
    assert_eq!(
        of("unlisted-1"),
        &json!({"code": "unlisted-1", "label": "unlisted-1", "value": 1, "lon": null, "lat": null})
    );
    // A checkpoint's code and its full name are one.
    let day = server.get("/api/stats/recent?minutes=1440").await.data();
    let busiest = &day["checkpoints"][0];
    assert_eq!((&day["total"], &busiest["value"]), (&json!(6), &json!(2)));
    let all = server.get("/api/stats/recent?minutes=1440").await.data()["checkpoints"].take();
    assert!(all.as_array().unwrap().is_sorted_by_key(|it| std::cmp::Reverse(it["value"].as_u64())));
    // A camera whose clock is ahead does not move the window.
    let ahead = row("G9", "d", "k", "1", "2024-01-02 18:00:00", "02", "苏C12345", "-");
    server.reader.commit(vec![ahead], Vec::new());
    assert_eq!(server.get("/api/stats/recent?minutes=1").await.data()["end"], "2024-01-02 12:00:00");
    let empty = Server::start_with(MemoryReader::empty(), |_| {}).await;
    let data = empty.get("/api/stats/recent").await.data();
    assert_eq!((&data["start"], &data["total"]), (&Value::Null, &json!(0)));
    assert_eq!(data["checkpoints"].as_array().unwrap().len(), 19);
    assert!(server.get("/api/stats/recent?minutes=0").await.error(400).contains("`minutes`"));
}
