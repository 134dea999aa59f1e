//! `POST /api/query`.

use serde_json::json;

use super::Server;
use super::client::request;
use super::memory::MemoryReader;
use crate::config::TimeFormat;

/// GCXH of the records, in their order, and the total.
async fn found(server: &Server, body: &str) -> (Vec<String>, u64) {
    let data = server.post("/api/query", body).await.data();
    let records = data["records"].as_array().unwrap().iter();
    (records.map(|record| record["GCXH"].as_str().unwrap().to_owned()).collect(), data["total"].as_u64().unwrap())
}

#[tokio::test]
async fn filters() {
    let server = Server::start().await;
    let all = "G8 G6 G7 G5 G4 G3 G2 G1";
    for (body, expected) in [
        ("", all),
        ("  ", all),
        ("null", all),
        ("{}", all),
        (r#"{"kkmc":null,"hphm":"","startTime":" ","page":null,"limit":""}"#, all),
        (r#"{"kkmc":"S250_Pizhou_Sulu"}"#, "G8 G2 G1"),
        (r#"{"kkmc":"徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口"}"#, "G8 G2 G1"),
        (r#"{"kkmc":"S250-邳州-苏鲁界"}"#, "G8 G2 G1"),
        (r#"{"kkmc":"unlisted-1"}"#, "G7"),
        (r#"{"kkmc":"no such checkpoint"}"#, ""),
        (r#"{"hphm":"12345"}"#, "G8 G5 G3 G1"),
        (r#"{"hphm":"苏c·１2345"}"#, "G8 G5 G1"),
        (r#"{"hphm":"苏C?1*5"}"#, "G3"),
        (r#"{"hphm":"*"}"#, all),
        (r#"{"hphm":"-"}"#, "G7"),
        (r#"{"startTime":"2024-01-02 00:00:00"}"#, "G8 G6 G7 G5 G4"),
        (r#"{"startTime":"2024-01-02T00:00:01","endTime":"2024-01-02T11:59:00"}"#, "G6 G7 G5"),
        (r#"{"startTime":"2024-01-01T16:00:00Z"}"#, "G8 G6 G7 G5 G4"),
        (r#"{"startTime":"2024-01-01","endTime":"2024-01-01"}"#, "G3 G2 G1"),
        (r#"{"endTime":"2024-01-01 23:59:58"}"#, "G2 G1"),
        (r#"{"startTime":"2024-01-01 08:30:00","endTime":"2024-01-01 08:30:00"}"#, "G2"),
        (r#"{"vehicleType":"货车"}"#, "G6 G2"),
        (r#"{"vehicleType":"其他"}"#, "G7"),
        (r#"{"province":"苏"}"#, "G8 G5 G4 G3 G1"),
        (r#"{"fuelType":"新能源"}"#, "G3"),
        (r#"{"xzqhmc":"邳州市"}"#, "G8 G2 G1"),
        (r#"{"xzqhmc":"邳州"}"#, ""),
        (r#"{"fxlx":2}"#, "G5 G2"),
        (r#"{"hpzl":"1"}"#, "G2"),
        (r#"{"hpzl":1}"#, "G2"),
        (r#"{"hpzl":"-"}"#, "G7"),
        (r#"{"clppxh":"朗逸"}"#, "G8 G5 G1"),
        (r#"{"hphm":"苏C12345","xzqhmc":"高速五大队","fxlx":"2"}"#, "G5"),
    ] {
        let (records, total) = found(&server, body).await;
        assert_eq!(records.join(" "), expected, "{body}");
        assert_eq!(total, records.len() as u64, "{body}");
    }
}

#[tokio::test]
async fn pages() {
    let server = Server::start().await;
    for (body, expected) in [
        (r#"{"limit":3}"#, "G8 G6 G7"),
        (r#"{"limit":3,"order":"newest"}"#, "G8 G6 G7"),
        (r#"{"limit":3,"order":"oldest"}"#, "G1 G2 G3"),
        (r#"{"limit":3,"order":"oldest","page":2}"#, "G4 G5 G6"),
        (r#"{"limit":3,"order":"oldest","page":3}"#, "G7 G8"),
        (r#"{"limit":"3","page":"2"}"#, "G5 G4 G3"),
        (r#"{"limit":3,"page":3}"#, "G2 G1"),
        (r#"{"limit":3,"page":4}"#, ""),
        (r#"{"limit":500,"page":999999999}"#, ""),
    ] {
        let (records, total) = found(&server, body).await;
        assert_eq!((records.join(" ").as_str(), total), (expected, 8), "{body}");
    }
}

#[tokio::test]
async fn a_record_has_all_fields() {
    let server = Server::start().await;
    let data = server.post("/api/query", r#"{"hphm":"苏CD"}"#).await.data();
    assert_eq!(
        data["records"][0],
        json!({"GCXH": "G4", "XZQHMC": "高速五大队", "KKMC": "G3_Sulu", "FXLX": "1", "GCSJ": "2024-01-02 00:00:00",
            "HPZL": "02", "HPHM": "苏CDM***", "CLPPXH": "大众牌-速腾", "PROVINCE": "苏",
            "VEHICLE_TYPE_NAME": "小型客车", "FUEL_TYPE": "燃油", "KKMC_LABEL": "G3-京台高速-苏鲁界"})
    );
    let unlisted = server.post("/api/query", r#"{"kkmc":"unlisted-1"}"#).await.data();
    assert_eq!(unlisted["records"][0]["KKMC_LABEL"], "unlisted-1");
}

/// The setting is for who does not say it; a request decides for itself, and nothing else changes.
#[tokio::test]
async fn times_are_written_as_asked() {
    let (plain, http) = ("2024-01-02 00:00:00", "Tue, 02 Jan 2024 00:00:00 GMT");
    for (setting, default) in [(TimeFormat::Plain, plain), (TimeFormat::Http, http)] {
        let server = Server::start_with(MemoryReader::sample(), |settings| settings.time_format = setting).await;
        for (asked, expected) in [
            (json!({}), default),
            (json!({"timeFormat": null}), default),
            (json!({"timeFormat": ""}), default),
            (json!({"timeFormat": "plain"}), plain),
            (json!({"timeFormat": "http"}), http),
        ] {
            let mut body = json!({"hphm": "苏CD", "startTime": plain, "endTime": plain});
            body.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
            let data = server.post("/api/query", &body.to_string()).await.data();
            assert_eq!(
                (&data["total"], &data["records"][0]["GCSJ"]),
                (&json!(1), &json!(expected)),
                "{setting:?} {asked}"
            );
        }
        let file = server.post("/api/query/export", r#"{"hphm":"苏CD","timeFormat":"http","columns":"GCSJ"}"#).await;
        assert!(file.text().contains(plain) && !file.text().contains("GMT"), "{}", file.text());
        let track = server.get("/api/track?hphm=苏C12345").await;
        assert!(!track.text().contains("GMT") && track.text().contains("2024-01-02 11:58:30"), "{}", track.text());
    }
}

#[tokio::test]
async fn errors_say_what_to_change() {
    let server = Server::start().await;
    for (body, part) in [
        ("{", "not valid JSON"),
        (r#"{"page":1,"hphm":tru}"#, "not valid JSON in `hphm`: "),
        (r#"{"kkmc":[1,{"a":}]}"#, "not valid JSON in `kkmc[1].a`: "),
        ("[]", "must be a JSON object"),
        ("\"text\"", "must be a JSON object"),
        ("\u{feff}{}", "not valid JSON"),
        (r#"{"page":0}"#, "`page` must be a whole number from 1"),
        (r#"{"page":-1}"#, "`page`"),
        (r#"{"page":1.5}"#, "`page`"),
        (r#"{"page":"two"}"#, "`page`"),
        (r#"{"page":99999999999999999999}"#, "`page`"),
        (r#"{"limit":0}"#, "`limit` must be a whole number from 1 to 500"),
        (r#"{"limit":501}"#, "`limit`"),
        (r#"{"limit":true}"#, "`limit` must be a text"),
        (r#"{"hphm":["苏"]}"#, "`hphm` must be a text"),
        (r#"{"kkmc":{}}"#, "`kkmc` must be a text"),
        (r#"{"startTime":"yesterday"}"#, "`startTime` must be a time such as"),
        (r#"{"endTime":"2024-02-30"}"#, "`endTime` must be a time"),
        (r#"{"endTime":1704067200}"#, "`endTime` must be a text"),
        (r#"{"startTime":"2024-01-02","endTime":"2024-01-01"}"#, "swap them"),
        (r#"{"vehicleType":"卡车"}"#, "小型客车, 大型客车, 货车, 其他"),
        (r#"{"fuelType":"柴油"}"#, "燃油, 新能源"),
        (r#"{"timeFormat":"iso"}"#, "`timeFormat` must be one of plain, http"),
        (r#"{"province":"江苏"}"#, "first character"),
        (r#"{"unknown":{"nested":[1]},"hphm":"皖"}"#, "there is no field \"unknown\""),
        (r#"{"order":"asc"}"#, "`order` must be one of newest, oldest"),
    ] {
        // Each of the two times is sound.
        let status = if part == "swap them" { 409 } else { 400 };
        let msg = server.post("/api/query", body).await.error(status);
        assert!(msg.contains(part), "{body}: {msg}");
    }
}

#[tokio::test]
async fn content_types() {
    let server = Server::start().await;
    let body = br#"{"hphm":"12345"}"#;
    for (content_type, status) in [
        (Some("application/json"), 200),
        (Some("application/json; charset=utf-8"), 200),
        (Some("Application/JSON"), 200),
        (Some("application/vnd.api+json"), 200),
        (None, 200),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("text/plain"), 415),
        (Some("\u{80}"), 415),
    ] {
        let headers: Vec<_> = content_type.map(|value| ("content-type", value)).into_iter().collect();
        let reply = request(server.address, "POST", "/api/query", &headers, body).await;
        assert_eq!(reply.status, status, "{content_type:?}");
        if status != 200 {
            assert!(reply.error(415).contains("application/json"));
        }
        let empty = request(server.address, "POST", "/api/query", &headers, b"").await;
        assert_eq!(empty.status, 200, "an empty body has no type: {content_type:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let server = Server::start().await;
    let body = |spaces: usize| format!(r#"{{"hphm":"12345"{}}}"#, " ".repeat(spaces));
    assert_eq!(found(&server, &body(60_000)).await.1, 4);
    let too_large = body(66_000);
    assert!(server.post("/api/query", &too_large).await.error(413).contains("too large"));
}
