//! Who is limited to some districts or checkpoints: every endpoint is walked by somebody who sees one district of several, and
//! nothing of the others is in any answer.

use access::{Area, Permission, Token, UserName};
use serde_json::{Value, json};
use traffic::{AlertId, Catalogue, Rule, Severity};

use super::access::{Closed, noticed};
use super::client::{Reply, head, open};
use super::memory::{alert, row};
use crate::gate::secret;
use crate::scope::OUTSIDE;
use crate::serve::access::{Limited, row_of};
use crate::serve::endpoints;

/// Of the sample, its checkpoints have G1, G2 and G8, one end of the second alert, and one end of the case.
const DISTRICT: &str = "邳州市";
const PLATE: &str = "%E8%8B%8FC12345";

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn area(districts: &[&str], checkpoints: &[&str]) -> Option<Area> {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
    Area::of(names(districts), names(checkpoints))
}

/// A server whose `supervisor` sees one district.
async fn limited() -> (Closed, Vec<(String, String)>) {
    let closed = Closed::start().await;
    closed.files.change(|accounts| accounts.set_area(&name("supervisor"), area(&[DISTRICT], &[]))).unwrap();
    noticed().await;
    let (cookie, csrf) = closed.log_in("supervisor").await;
    (closed, vec![("cookie".to_owned(), cookie), ("x-csrf-token".to_owned(), csrf)])
}

async fn send(closed: &Closed, headers: &[(String, String)], method: &str, path: &str, body: &Value) -> Reply {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    closed.send(method, path, &headers, body).await
}

async fn get(closed: &Closed, headers: &[(String, String)], path: &str) -> Value {
    send(closed, headers, "GET", path, &Value::Null).await.data()
}

/// Names, passages and plates of the sample that lie outside the district.
fn foreign() -> Vec<String> {
    let catalogue = Catalogue::xuzhou();
    let outside = catalogue.iter().filter(|checkpoint| checkpoint.district != DISTRICT);
    let mut texts: Vec<String> = outside
        .flat_map(|checkpoint| [&checkpoint.code, &checkpoint.name, &checkpoint.label, &checkpoint.district])
        .filter(|text| !text.is_empty())
        .cloned()
        .collect();
    let passages = ["G3", "G4", "G5", "G6", "G7", "A1", "B1", "A2", "A3", "B3"];
    texts.extend(passages.iter().flat_map(|gcxh| [format!("\"{gcxh}\""), format!("\n{gcxh},")]));
    texts.extend(["unlisted-1", "某县", "皖A00001", "苏CD12345", "苏CDM", "苏C12346"].map(str::to_owned));
    texts
}

fn assert_nothing_foreign(what: &str, text: &str) {
    for foreign in foreign() {
        assert!(!text.contains(&foreign), "{what} shows {foreign}: {text}");
    }
}

#[tokio::test]
async fn no_answer_shows_anything_of_another_district() {
    let (closed, headers) = limited().await;
    let id = AlertId::of("苏C12345", "A2", "B2").to_string();
    let case = "33fd7a2a41c6278a";
    let (mut refused, mut shown) = (Vec::new(), 0);
    for (method, path) in endpoints::document().unwrap().all() {
        // The sessions are one's own, the examples of the document are no data, and the stream has a test of its own.
        if path.starts_with("/api/session") || path == "/api/openapi.json" || path.ends_with("/stream") {
            continue;
        }
        let limited = row_of(&method.parse().unwrap(), &path).unwrap().limited;
        let of = if path.starts_with("/api/cases") { case } else { &id };
        let mut asked = path.replace("{id}", of).replace("{name}", "nobody");
        match path.as_str() {
            "/api/track" => asked += &format!("?hphm={PLATE}"),
            "/api/predict/flow" | "/api/predict/day" => asked += "?kkmc=S250_Pizhou_Sulu",
            "/api/roads/hours" => asked += "?from=S250_Pizhou_Sulu&to=S251_Pizhou_Sulu",
            _ => {}
        }
        let body = if method == "PATCH" { json!({"note": "核查"}) } else { json!({}) };
        let body = if method == "GET" { Value::Null } else { body };
        let reply = send(&closed, &headers, &method, &asked, &body).await;
        assert_nothing_foreign(&format!("{method} {asked}"), reply.text());
        match limited {
            Limited::Refused => {
                assert_eq!(reply.status, 403, "{method} {asked}: {}", reply.text());
                refused.push(path);
            }
            Limited::Scoped | Limited::Placeless => {
                assert!(![403, 500].contains(&reply.status), "{method} {asked}: {}", reply.text());
                shown += usize::from(reply.status == 200);
            }
        }
    }
    assert!(shown >= 22, "only {shown} endpoints answered");
    for path in ["/metrics", "/api/rejects", "/api/stats/vehicle_type", "/api/stats/vehicle_brand", "/api/users"] {
        assert!(refused.iter().any(|refused| refused == path), "{path} was not refused");
    }
}

#[tokio::test]
async fn what_was_refused_says_to_what_one_is_limited() {
    let (closed, headers) = limited().await;
    for path in ["/api/stats/vehicle_type", "/api/rejects", "/api/predict/flow", "/api/predict/day?kkmc="] {
        let reply = send(&closed, &headers, "GET", path, &Value::Null).await;
        assert!(reply.error(403).contains("limited to 邳州市"), "{path}");
    }
}

#[tokio::test]
async fn counts_lists_and_files_agree_about_the_district() {
    let (closed, headers) = limited().await;
    let page = send(&closed, &headers, "POST", "/api/query", &json!({"order": "oldest"})).await.data();
    let found: Vec<&str> =
        page["records"].as_array().unwrap().iter().map(|row| row["GCXH"].as_str().unwrap()).collect();
    assert_eq!((page["total"].as_u64(), found), (Some(3), vec!["G1", "G2", "G8"]));
    let file = send(&closed, &headers, "POST", "/api/query/export", &json!({})).await;
    assert_eq!((file.header("x-total-count"), file.text().lines().count()), (Some("3"), 4), "{}", file.text());
    let overview = get(&closed, &headers, "/api/overview").await;
    assert_eq!((&overview["total"], &overview["alerts"], &overview["alerts_today"]), (&json!(3), &json!(1), &json!(1)));
    let sum = |counts: &Value, field: &str| -> u64 {
        counts.as_array().unwrap().iter().map(|count| count[field].as_u64().unwrap()).sum()
    };
    for range in ["", "?start=2024-01-01", "?start=2024-01-01%2000:00:20&end=2024-01-02%2011:59:30"] {
        assert_eq!(sum(&get(&closed, &headers, &format!("/api/stats/kkmc_count{range}")).await, "value"), 3, "{range}");
        let districts = get(&closed, &headers, &format!("/api/stats/map_data{range}")).await;
        assert_eq!(districts, json!([{"name": DISTRICT, "value": 3}]), "{range}");
        let hours = get(&closed, &headers, &format!("/api/stats/hour_count{range}")).await["data"].clone();
        let at = |hour: usize| hours[hour].as_u64().unwrap();
        assert_eq!((at(0), at(8), at(11), hours.as_array().unwrap().len()), (1, 1, 1, 24), "{range}");
    }
    let hours = get(&closed, &headers, "/api/stats/hour_count?start=2024-01-01%2000:00:25&end=2024-01-02%2011:59:19");
    let hours: u64 = hours.await["data"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(hours, 1, "the ends of a range are counted to the second");
    let track = get(&closed, &headers, &format!("/api/track?hphm={PLATE}")).await;
    assert_eq!((&track["total"], track["hops"].as_array().unwrap().len()), (&json!(2), 1));
    let checkpoints = get(&closed, &headers, "/api/checkpoints").await;
    assert!(checkpoints.as_array().unwrap().iter().all(|checkpoint| checkpoint["xzqhmc"] == DISTRICT));
    assert!(!checkpoints.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn asking_for_what_is_outside_finds_nothing() {
    let (closed, headers) = limited().await;
    let total = async |method: &str, path: &str, body: Value| {
        send(&closed, &headers, method, path, &body).await.data()["total"].as_u64().unwrap()
    };
    for kkmc in ["G3_Sulu", "unlisted-1", "*", "nowhere"] {
        assert_eq!(total("POST", "/api/query", json!({"kkmc": kkmc})).await, 0, "{kkmc}");
        for list in ["warnings", "cases"] {
            // It would say that the other sighting of the pair is there.
            assert_eq!(total("GET", &format!("/api/{list}?kkmc={kkmc}"), Value::Null).await, 0, "{list} {kkmc}");
        }
        let predicted = send(&closed, &headers, "GET", &format!("/api/predict/flow?kkmc={kkmc}"), &Value::Null).await;
        assert!(!predicted.error(404).contains("Tongshan"));
    }
    assert_eq!(total("POST", "/api/query", json!({"xzqhmc": "铜山县"})).await, 0);
    assert_eq!(total("POST", "/api/query", json!({"kkmc": "S250_Pizhou_Sulu"})).await, 3);
    let other = format!("/api/warnings/{}", AlertId::of("苏CD12345", "A1", "B1"));
    for (method, body) in [("GET", Value::Null), ("PATCH", json!({"status": "investigating"}))] {
        assert!(send(&closed, &headers, method, &other, &body).await.error(404).contains("no alert"), "{method}");
    }
    let (operator, _) = closed.log_in("operator").await;
    let untouched = closed.get_as(&operator, &other).await.data();
    assert_eq!((&untouched["status"], &untouched["version"]), (&json!("new"), &json!(0)), "nor is it changed");
    let road = "/api/roads/hours?from=G3_Sulu&to=S251_Pizhou_Sulu";
    send(&closed, &headers, "GET", road, &Value::Null).await.error(404);
}

#[tokio::test]
async fn an_alert_and_a_case_that_begin_elsewhere_are_shown_without_that_place() {
    let (closed, headers) = limited().await;
    let path = format!("/api/warnings/{}", AlertId::of("苏C12345", "A2", "B2"));
    let one = get(&closed, &headers, &path).await;
    assert_eq!(
        (&one["prev_kkmc"], &one["prev_gcxh"], &one["prev"]["lon"]),
        (&json!(OUTSIDE), &json!(OUTSIDE), &Value::Null)
    );
    assert_eq!((&one["curr_kkmc"], &one["curr_gcxh"]), (&json!("S250_Pizhou_Sulu"), &json!("B2")));
    assert_eq!((&one["gap_seconds"], &one["distance_km"]), (&json!(50), &json!(45.2)), "what it is judged by stays");
    let changed = send(&closed, &headers, "PATCH", &path, &json!({"status": "investigating"})).await.data();
    assert_eq!((&changed["status"], &changed["prev_kkmc"]), (&json!("investigating"), &json!(OUTSIDE)));
    let case = get(&closed, &headers, "/api/cases/33fd7a2a41c6278a").await;
    let pair = &case["pairs"][0];
    assert_eq!((&pair["earlier"]["kkmc"], &pair["later"]["kkmc"]), (&json!("S250_Pizhou_Sulu"), &json!(OUTSIDE)));
    assert_eq!((&pair["later"]["gcxh"], &pair["neighbour_due"]), (&Value::Null, &Value::Null));
    assert_eq!((&case["cars"][1]["sightings"], &case["cars"][1]["next"]), (&json!([]), &json!([])));
    assert_eq!(case["times"], Value::Null);
    let listed = get(&closed, &headers, "/api/warnings/realtime").await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["prev_kkmc"]), (1, &json!(OUTSIDE)));
}

#[tokio::test]
async fn a_change_of_the_scope_holds_from_the_next_second_on() {
    let (closed, headers) = limited().await;
    let total =
        async || send(&closed, &headers, "POST", "/api/query", &json!({})).await.data()["total"].as_u64().unwrap();
    assert_eq!(total().await, 3);
    for (area, rows) in [
        (area(&[], &["S250_Pizhou_Sulu"]), 3),
        (area(&["铜山县"], &[]), 2),
        (area(&["铜山县"], &["unlisted-1", "G3_Sulu"]), 5),
        (area(&["nowhere"], &[]), 0),
        (None, 8),
    ] {
        closed.files.change(|accounts| accounts.set_area(&name("supervisor"), area.clone())).unwrap();
        noticed().await;
        assert_eq!(total().await, rows, "{area:?}");
    }
}

#[tokio::test]
async fn a_token_sees_no_more_than_its_owner_and_may_see_less() {
    let (closed, _) = limited().await;
    let both = area(&[DISTRICT, "铜山县"], &[]);
    let made = |owner: &str, area: Option<Area>| {
        let secret = secret(Token::PREFIX).unwrap();
        let token = Token::new(secret.digest(), name(owner), String::new(), Permission::ALL.to_vec(), 0, None);
        closed.files.change(|accounts| accounts.add_token(token.within(area))).unwrap();
        vec![("authorization".to_owned(), format!("Bearer {}", secret.reveal()))]
    };
    let tokens = [
        (made("supervisor", None), 3),
        (made("supervisor", both.clone()), 3),
        (made("supervisor", area(&["铜山县"], &[])), 0),
        (made("operator", both.clone()), 5),
        (made("operator", None), 8),
    ];
    let of_admin = made("admin", both);
    noticed().await;
    for (token, rows) in &tokens {
        let found = send(&closed, token, "POST", "/api/query", &json!({})).await.data();
        assert_eq!(found["total"].as_u64(), Some(*rows));
    }
    for path in ["/metrics", "/api/users", "/api/tokens"] {
        let reply = send(&closed, &of_admin, "GET", path, &Value::Null).await;
        assert!(reply.error(403).contains("limited"), "{path}: who is limited must not make others who are not");
    }
}

#[tokio::test]
async fn the_stream_tells_of_the_district_only_and_ends_with_a_change_of_the_scope() {
    let (closed, headers) = limited().await;
    let mut all: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    all.push(("last-event-id", "0"));
    let mut stream = open(closed.server.address, "GET", "/api/warnings/stream", &all, b"").await;
    assert_eq!(head(&mut stream).await.0, 200);
    let mut text = String::new();
    async fn until(stream: &mut (impl tokio::io::AsyncBufRead + Unpin), text: &mut String, wanted: &str) {
        while !text.contains(wanted) {
            let read = tokio::io::AsyncBufReadExt::read_line(stream, text);
            let read = tokio::time::timeout(std::time::Duration::from_secs(10), read).await;
            assert!(read.expect("an event").unwrap() > 0, "it ended before {wanted}: {text}");
        }
    }
    until(&mut stream, &mut text, "id: 2\n").await;
    let reader = &closed.server.reader;
    let raise = |seq, from: &str, to: &str| {
        let raised = alert(seq, "苏C12345", from, to, "2024-01-02 11:59:40", Severity::High, Rule::Window);
        let passed = row("G9", "铜山县", "G3_Sulu", "1", "2024-01-02 11:59:40", "02", "苏C12345", "大众牌-朗逸-2015");
        reader.commit(vec![passed], vec![raised]);
    };
    raise(4, "G3_Sulu", "G104_Tongshan_Sulu");
    raise(5, "S250_Pizhou_Sulu", "G3_Sulu");
    until(&mut stream, &mut text, "id: 5\n").await;
    reader.change_sample_case();
    until(&mut stream, &mut text, "event: case").await;
    for seq in ["id: 1\n", "id: 3\n", "id: 4\n"] {
        assert!(!text.contains(seq), "{seq} is of another district: {text}");
    }
    assert!(text.contains(OUTSIDE));
    assert_nothing_foreign("the stream", &text);
    closed.files.change(|accounts| accounts.set_area(&name("supervisor"), area(&["铜山县"], &[]))).unwrap();
    noticed().await;
    raise(6, "S250_Pizhou_Sulu", "S250_Pizhou_Sulu");
    let ended = async { while tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut text).await.unwrap() > 0 {} };
    tokio::time::timeout(std::time::Duration::from_secs(40), ended).await.expect("the stream ends");
    assert!(!text.contains("id: 6\n"), "nothing is sent after the change");
}

#[tokio::test]
async fn the_audit_log_says_to_what_who_asked_was_limited() {
    let (closed, headers) = limited().await;
    send(&closed, &headers, "POST", "/api/query", &json!({})).await.data();
    send(&closed, &headers, "GET", "/api/rejects", &Value::Null).await.error(403);
    let (auditor, _) = closed.log_in("auditor").await;
    let entries = closed.get_as(&auditor, "/api/audit").await.data()["entries"].clone();
    for action in ["query", "rejects"] {
        let entry = entries.as_array().unwrap().iter().find(|entry| entry["action"] == action).unwrap();
        assert_eq!(entry["details"]["scope"], DISTRICT, "{entry}");
    }
}

#[tokio::test]
async fn an_admin_limits_users_and_tokens_over_the_interface() {
    let closed = Closed::start().await;
    let (cookie, csrf) = closed.log_in("admin").await;
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    let new = json!({"name": "sun", "roles": ["operator"], "districts": [DISTRICT], "checkpoints": []});
    let made = closed.send("POST", "/api/users", &headers, &new).await.data();
    assert_eq!((&made["user"]["districts"], &made["user"]["checkpoints"]), (&json!([DISTRICT]), &json!([])));
    let change = async |body: Value| closed.send("PATCH", "/api/users/sun", &headers, &body).await;
    let data = change(json!({"checkpoints": ["G3_Sulu"]})).await.data();
    assert_eq!((&data["user"]["districts"], &data["user"]["checkpoints"]), (&json!([DISTRICT]), &json!(["G3_Sulu"])));
    assert!(change(json!({"roles": ["admin"]})).await.error(409).contains("admin or auditor"));
    assert!(change(json!({"districts": ["邳".repeat(101)]})).await.error(409).contains("100"));
    assert!(change(json!({"districts": ["a\u{202e}b"]})).await.status == 400);
    let data = change(json!({"districts": [], "checkpoints": [], "roles": ["admin"]})).await.data();
    assert_eq!((&data["user"]["districts"], &data["user"]["roles"]), (&json!([]), &json!(["admin"])));
    let token = json!({"owner": "operator", "scopes": ["plates"], "districts": [DISTRICT]});
    let token = closed.send("POST", "/api/tokens", &headers, &token).await.data()["token"].clone();
    assert_eq!((&token["districts"], &token["checkpoints"]), (&json!([DISTRICT]), &json!([])));
    let (auditor, _) = closed.log_in("auditor").await;
    let entries = closed.get_as(&auditor, "/api/audit?action=user_scope").await.data()["entries"].clone();
    assert_eq!(entries[entries.as_array().unwrap().len() - 1]["details"]["checkpoints"], json!(["G3_Sulu"]));
}

/// The handlers have no other way to the data than what the gate hands them: whoever adds one that takes it all is found here.
#[test]
fn only_health_and_metrics_read_without_a_sight() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve");
    let mut found = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for way in ["data.whole()", ".data.within(", "Scope::everywhere()", "api.sight("] {
                    found.extend(text.contains(way).then(|| (name.clone(), way)));
                }
            }
        }
    }
    found.sort();
    let expected = [
        ("access.rs", "api.sight("),
        ("health.rs", "data.whole()"),
        ("metrics.rs", "Scope::everywhere()"),
        ("metrics.rs", "api.sight("),
        ("state.rs", ".data.within("),
    ];
    assert_eq!(found, expected.map(|(name, way)| (name.to_owned(), way)));
}

#[tokio::test]
async fn the_session_says_where_one_may_look() {
    let (closed, headers) = limited().await;
    let session = get(&closed, &headers, "/api/session").await;
    assert_eq!(session["areas"], json!([{"districts": [DISTRICT], "checkpoints": []}]));
    let (cookie, _) = closed.log_in("operator").await;
    let session = get(&closed, &[("cookie".to_owned(), cookie)], "/api/session").await;
    assert_eq!(session["areas"], json!([]));
}
