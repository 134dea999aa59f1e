//! With a plate key MySQL and Redis hold pseudonyms, and the same records otherwise; `verify-mirror` needs no key for that.

use serde_json::{Value, json};

use super::records::sections;
use crate::harness::{Appliance, CLONED, Ended, patch, platewatch, post, post_data};
use crate::servers::mariadb::MariaDb;
use crate::servers::redis::Redis;

const PLATE: &str = CLONED[0];

/// Everything that is in the database.
fn dump(server: &MariaDb) -> String {
    let all = |table: &str| server.sql(&format!("SELECT * FROM traffic_db.{table}"));
    ["traffic_data", "traffic_alerts", "traffic_cases"].map(all).concat()
}

#[test]
fn the_targets_hold_pseudonyms() {
    let folder = tempfile::tempdir().unwrap();
    let (server, redis) = (MariaDb::start(), Redis::start());
    let key = folder.path().join("plates.key");
    let made: Ended = platewatch().args(["plate-key", "new"]).arg(&key).output().unwrap().into();
    made.done();
    let targets = sections(folder.path(), &[server.url()], Some(&redis.url()));
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&format!("{targets}[privacy]\nplate_key_file = {key:?}\n"));
    appliance.wait_until_level();
    let cases = appliance.get("/api/cases?limit=100").unwrap()["records"].as_array().unwrap().clone();
    let case = cases.iter().find(|case| case["hphm"] == PLATE).expect("the clone is shown as a plate");
    let path = format!("/api/cases/{}", case["id"].as_str().unwrap());
    let allowed = appliance.get(&path).unwrap()["allowed"][0].clone();
    let note = serde_json::json!({"status": allowed, "by": "王", "note": format!("车主称{PLATE}系套牌")});
    assert_eq!(patch(&appliance.address(), &path, &note).0, 200);
    appliance.wait_until_level();

    let plates = server.sql("SELECT DISTINCT hphm FROM traffic_db.traffic_data");
    assert!(plates.lines().count() > 200 && plates.lines().all(|plate| plate.starts_with("苏#0")), "{plates}");
    let lists = ["traffic:warnings", "traffic:cases"].map(|key| redis.list(key).concat()).concat();
    let text = dump(&server) + &lists;
    for plate in plates_of(folder.path()) {
        assert!(!text.contains(&plate), "{plate} is in a target");
    }
    let hidden = server.sql(&format!("SELECT hphm FROM traffic_db.traffic_cases WHERE id = '{}'", id(case)));
    assert!(lists.contains(hidden.trim()) && text.contains("#=") && !text.contains("车主称"), "{hidden}");

    // The role `api` shows what is in MySQL and Redis with plates.
    let servers = targets.split("[store]").next().unwrap();
    let serve = |name: &str, more: &str| {
        let mut role = Appliance::new(&folder.path().join(name));
        role.start_with(&format!("role = \"api\"\n{servers}{more}"));
        role
    };
    let mut api = serve("api", &format!("[privacy]\nplate_key_file = {key:?}\n"));
    let shown = api.get(&path).unwrap();
    assert_eq!((&shown["hphm"], &shown["history"]), (&case["hphm"], &appliance.get(&path).unwrap()["history"]));
    let asked = |role: &Appliance, body: Value| post_data(&role.address(), "/api/query", &body);
    for filter in
        [json!({"hphm": PLATE}), json!({"fuelType": "新能源"}), json!({"fuelType": "燃油"}), json!({"province": "苏"})]
    {
        let (one, other) = (asked(&appliance, filter.clone()), asked(&api, filter.clone()));
        assert_eq!(one, other, "{filter}");
        assert!(one["total"].as_u64() > Some(0) || filter["fuelType"] == "新能源", "{filter}: {one}");
    }
    api.stop();

    appliance.stop();
    let (code, out) = appliance.verify_mirror();
    assert_eq!(code, Some(0), "{out}");
    // Whoever has a copy without the key sees pseudonyms.
    appliance.start_with(&targets.replace("kind = \"capture\"", "kind = \"none\""));
    let shown = appliance.get(&path).unwrap();
    assert_eq!(shown["hphm"], hidden.trim());
    // No plate is said not to be there that may be there.
    let (status, said) = post(&appliance.address(), "/api/query", &json!({"hphm": PLATE}));
    assert!(status == 409 && said.contains("no_plate_key"), "{status} {said}");
    let found = asked(&appliance, json!({"hphm": hidden.trim()}));
    assert!(found["total"].as_u64() > Some(0), "{found}");
    appliance.stop();
    // Records that are written again after work without the key are the same.
    appliance.start_with(&format!("{targets}[privacy]\nplate_key_file = {key:?}\n"));
    appliance.wait_until_level();
    assert_eq!(appliance.get(&path).unwrap()["hphm"], PLATE);
    appliance.stop();
    assert_eq!(appliance.verify_mirror().0, Some(0));
}

fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

/// The plates of the capture.
fn plates_of(folder: &std::path::Path) -> std::collections::BTreeSet<String> {
    let text = std::fs::read_to_string(folder.join("road.tsv")).unwrap();
    text.lines().filter_map(|line| line.split('\t').nth(6)).map(str::to_owned).collect()
}
