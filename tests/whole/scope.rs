//! Users who are limited to a district, with the real program and its real store: what they get is what somebody who sees everything
//! counts for that district, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Replay, done, folder, serve_nothing, simulated, wait_until};

const DISTRICT: &str = "邳州市";

/// A user of the data directory who sees everything or one district, by a token.
struct Client<'a> {
    address: &'a str,
    token: String,
}

impl Client<'_> {
    fn new<'a>(data: &Path, address: &'a str, name: &str, district: Option<&str>) -> Client<'a> {
        let data = data.to_str().unwrap();
        let mut add = vec!["user", "add", name, "--role", "supervisor", "--generate", "--data-dir", data];
        add.extend(district.iter().flat_map(|district| ["--district", district]));
        done(add);
        let scopes = ["dashboard", "plates", "work", "export"].map(|scope| ["--scope", scope]).concat();
        let made = done([&["token", "add", name, "--data-dir", data][..], &scopes[..]].concat());
        Client { address, token: made.lines().next().unwrap().to_owned() }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
        let (url, bearer) = (format!("http://{}{path}", self.address), format!("Bearer {}", self.token));
        let answer = match method {
            "GET" => agent.get(url).header("authorization", &bearer).call(),
            _ => agent.post(url).header("authorization", &bearer).send_json(body),
        };
        let mut answer = answer.unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    #[track_caller]
    fn data(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, text) = self.ask(method, path, body);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str::<Value>(&text).unwrap()["data"].take()
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        self.data("GET", path, &Value::Null)
    }

    /// All records of a list.
    fn list(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let data = self.get(&format!("{path}?limit=100&page={page}"));
            let records = data["records"].as_array().unwrap();
            all.extend(records.iter().cloned());
            if records.is_empty() {
                assert_eq!(data["total"], all.len(), "{path}");
                break;
            }
        }
        all
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

fn sum(counts: &Value) -> u64 {
    counts
        .as_array()
        .unwrap()
        .iter()
        .map(|count| count["value"].as_u64().unwrap_or_else(|| count.as_u64().unwrap()))
        .sum()
}

#[test]
fn a_limited_user_gets_what_the_district_has_and_nothing_else() {
    let folder = folder();
    let (file, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    std::fs::write(&file, simulated(40_000, 77, &["--full-names"])).unwrap();
    Replay::new(&file, &folder.path().join("out")).args(["--data-dir"]).args([&data]).results();
    let (running, address) = serve_nothing(&data);
    let whole = Client::new(&data, &address, "all", None);
    let limited = Client::new(&data, &address, "li", Some(DISTRICT));
    let overview = "/api/overview";
    for client in [&whole, &limited] {
        wait_until(PATIENCE, "the tokens are known", || client.ask("GET", overview, &Value::Null).0 == 200);
    }

    let checkpoints = whole.get("/api/checkpoints");
    let is_inside = |checkpoint: &&Value| checkpoint["xzqhmc"] == DISTRICT;
    let names = |checkpoint: &Value| ["code", "kkmc", "label"].map(|field| text(checkpoint, field).to_owned());
    let all = checkpoints.as_array().unwrap();
    let inside: BTreeSet<String> = all.iter().filter(is_inside).flat_map(names).collect();
    let outside: BTreeSet<String> = all.iter().filter(|one| !is_inside(one)).flat_map(names).collect();
    assert!(inside.len() > 3 && outside.len() > 30);

    // Counts, by all and by a part that begins and ends within hours.
    let span = whole.data("POST", "/api/query", &json!({"order": "oldest", "limit": 1}));
    let day = text(&span["records"][0], "GCSJ").split(' ').next().unwrap().to_owned();
    let part = format!("start={day}%2001:17:23&end={day}%2021:43:09");
    for range in ["", part.as_str()] {
        let by_kkmc = whole.get(&format!("/api/stats/kkmc_count?limit=1000&{range}"));
        let mine = |count: &&Value| inside.contains(text(count, "name"));
        let expected: u64 =
            by_kkmc.as_array().unwrap().iter().filter(mine).map(|count| count["value"].as_u64().unwrap()).sum();
        assert!(expected > 100, "{by_kkmc}");
        assert_eq!(sum(&limited.get(&format!("/api/stats/kkmc_count?limit=1000&{range}"))), expected, "{range}");
        assert_eq!(sum(&limited.get(&format!("/api/stats/map_data?{range}"))), expected, "{range}");
        assert_eq!(sum(&limited.get(&format!("/api/stats/hour_count?{range}"))["data"]), expected, "{range}");
        let body = match range.is_empty() {
            true => json!({"limit": 1}),
            false => json!({"limit": 1, "startTime": format!("{day} 01:17:23"), "endTime": format!("{day} 21:43:09")}),
        };
        assert_eq!(limited.data("POST", "/api/query", &body)["total"], expected, "{range}");
        if range.is_empty() {
            assert_eq!(limited.get(overview)["total"], expected);
            let (_, csv) = limited.ask("POST", "/api/query/export", &json!({}));
            assert_eq!(csv.lines().count() as u64, expected + 1);
            assert!(outside.iter().all(|name| !csv.contains(name.as_str())), "an export shows another district");
        }
    }

    // Warnings and cases: those with an end inside, and of those the same ones.
    let concerns =
        |alert: &Value| inside.contains(text(alert, "prev_kkmc")) || inside.contains(text(alert, "curr_kkmc"));
    let id = |record: &Value| text(record, "id").to_owned();
    let expected: Vec<String> = whole.list("/api/warnings").iter().filter(|alert| concerns(alert)).map(id).collect();
    let found = limited.list("/api/warnings");
    assert!(expected.len() > 10 && found.iter().any(|alert| alert["prev_kkmc"] == "辖区外"));
    assert_eq!(found.iter().map(id).collect::<Vec<_>>(), expected);
    let ends = |case: &Value| -> bool {
        let case = whole.get(&format!("/api/cases/{}", text(case, "id")));
        let pairs = case["pairs"].as_array().unwrap().clone();
        pairs.iter().any(|pair| ["earlier", "later"].iter().any(|end| inside.contains(text(&pair[end], "kkmc"))))
    };
    let expected: Vec<String> = whole.list("/api/cases").iter().filter(|case| ends(case)).map(id).collect();
    let cases = limited.list("/api/cases");
    assert_eq!(cases.iter().map(id).collect::<Vec<_>>(), expected);

    let mut paths: Vec<String> = found.iter().map(|alert| format!("/api/warnings/{}", text(alert, "id"))).collect();
    paths.extend(cases.iter().map(|case| format!("/api/cases/{}", text(case, "id"))));
    let plates: BTreeSet<&str> = found.iter().map(|alert| text(alert, "hphm")).collect();
    let encode = |plate: &str| plate.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    paths.extend(plates.iter().take(20).map(|plate| format!("/api/track?hphm={}", encode(plate))));
    paths.extend(
        ["/api/roads", "/api/cameras", "/api/stats/recent?minutes=1440", "/api/status", "/api/checkpoints"]
            .map(str::to_owned),
    );
    for path in paths {
        let answer = limited.get(&path).to_string();
        for name in &outside {
            assert!(!answer.contains(name.as_str()), "{path} shows {name}: {answer}");
        }
    }
    for path in ["/api/stats/vehicle_type", "/api/predict/flow", "/metrics"] {
        assert_eq!(limited.ask("GET", path, &Value::Null).0, 403, "{path}");
    }

    // Somebody widens it, beside the running appliance.
    done(["user", "scope", "li", "--data-dir", data.to_str().unwrap()]);
    let total = whole.get(overview)["total"].clone();
    wait_until(PATIENCE, "everything is seen", || limited.get(overview)["total"] == total);
    drop(running);
}
