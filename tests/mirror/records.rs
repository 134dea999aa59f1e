//! Alerts and cases in MySQL and cases in Redis: each once in its newest state, whatever happens to the targets, the
//! connections and the appliance; and a deployment without the tables goes on.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::mirroring::{HASTY_MYSQL, HASTY_REDIS};
use crate::harness::{Appliance, LONG, patch, repository, road, wait_until};
use crate::servers::mariadb::{self, MYCAT_PASSWORD, MariaDb, READER_PASSWORD, WRITER_PASSWORD};
use crate::servers::mycat::MyCat;
use crate::servers::proxy::{Fault, Mode, Proxy};
use crate::servers::redis::Redis;

const CASES: &str = "traffic:cases";

/// The road as a capture, and mirrors at these addresses.
pub(super) fn sections(folder: &Path, urls: &[String], redis: Option<&str>) -> String {
    let file = folder.join("road.tsv");
    std::fs::write(&file, road(5)).unwrap();
    let redis = redis.map_or_else(String::new, |url| format!("[redis]\nurl = {url:?}\n{HASTY_REDIS}"));
    format!(
        "[mycat]\nurls = {urls:?}\nbatch_rows = 20\nretention = \"forever\"\nalerts_retention = \"forever\"\n{HASTY_MYSQL}{redis}\
         [store]\nretention = \"forever\"\nalerts_retention = \"forever\"\nmemory = \"64MiB\"\n\
         [source]\nkind = \"capture\"\nfiles = [{file:?}]\nbatch_records = 50\n"
    )
}

/// Rows of a table with an id and a JSON document.
fn rows(server: &MariaDb, table: &str, column: &str) -> BTreeMap<String, Value> {
    let text = server.sql(&format!("SELECT id, {column} FROM traffic_db.{table}"));
    // The client writes a backslash twice.
    let read = |text: &str| {
        serde_json::from_str(&text.replace("\\\\", "\\")).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    text.lines().map(|line| line.split_once('\t').unwrap()).map(|(id, json)| (id.to_owned(), read(json))).collect()
}

fn pages(appliance: &Appliance, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let answer = appliance.get(&format!("{path}?limit=100&page={page}")).unwrap();
        let records = answer["records"].as_array().unwrap().clone();
        if records.is_empty() {
            return all;
        }
        all.extend(records);
    }
    all
}

/// Both tables and the list have what the appliance has, once, and nothing else.
#[track_caller]
fn check(appliance: &Appliance, server: &MariaDb, redis: Option<&Redis>) {
    let cases = pages(appliance, "/api/cases");
    assert!(cases.len() >= 3, "{} cases", cases.len());
    let bodies = rows(server, "traffic_cases", "body");
    assert_eq!(bodies.len(), cases.len());
    for brief in &cases {
        let id = brief["id"].as_str().unwrap();
        let mut whole = appliance.get(&format!("/api/cases/{id}")).unwrap();
        ["places", "times", "allowed"].iter().for_each(|name| drop(whole.as_object_mut().unwrap().remove(*name)));
        assert_eq!(bodies[id], whole, "{id}");
    }
    let briefs = rows(server, "traffic_cases", "brief");
    assert!(cases.iter().all(|brief| &briefs[brief["id"].as_str().unwrap()] == brief));
    let columns =
        server.sql("SELECT id, hphm, status, last_time, contradictions FROM traffic_db.traffic_cases ORDER BY id");
    let mut expected: Vec<String> = cases
        .iter()
        .map(|case| {
            let text = |name: &str| case[name].as_str().unwrap();
            let (id, hphm, status, last) = (text("id"), text("hphm"), text("status"), text("last_time"));
            format!("{id}\t{hphm}\t{status}\t{last}\t{}\n", case["contradictions"])
        })
        .collect();
    expected.sort();
    assert_eq!(columns, expected.concat());

    let alerts = pages(appliance, "/api/warnings");
    assert!(alerts.len() > 20, "{} alerts", alerts.len());
    assert_eq!(server.count("traffic_alerts"), alerts.len() as u64);
    let numbers = server.sql("SELECT id, seq, curr_time FROM traffic_db.traffic_alerts ORDER BY seq DESC");
    let of = |alert: &Value| {
        format!("{}\t{}\t{}\n", alert["id"].as_str().unwrap(), alert["seq"], alert["curr_time"].as_str().unwrap())
    };
    assert_eq!(numbers, alerts.iter().map(of).collect::<String>());

    if let Some(redis) = redis {
        let mut list: Vec<Value> = redis.list(CASES).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let versions: Vec<u64> = list
            .iter_mut()
            .map(|element| element.as_object_mut().unwrap().remove("version").unwrap().as_u64().unwrap())
            .collect();
        assert!(versions.is_sorted_by(|a, b| a > b), "the one that changed last first: {versions:?}");
        let by_id = |cases: Vec<Value>| -> BTreeMap<String, Value> {
            cases.into_iter().map(|case| (case["id"].as_str().unwrap().to_owned(), case)).collect()
        };
        assert_eq!(list.len(), cases.len(), "each once");
        assert_eq!(by_id(list), by_id(cases));
    }
}

/// Moves the work on the likeliest case on.
fn work(appliance: &Appliance, number: usize) -> String {
    let id = appliance.get("/api/cases").unwrap()["records"][0]["id"].as_str().unwrap().to_owned();
    let address = appliance.address();
    let path = format!("/api/cases/{id}");
    let allowed = appliance.get(&path).unwrap()["allowed"][0].clone();
    let body = json!({"status": allowed, "by": "王警官", "note": format!("it's \"{number}\"\\ 次")});
    let (status, answer) = patch(&address, &path, &body);
    assert_eq!(status, 200, "{answer}");
    id
}

const MIRRORS: [&str; 3] = ["mysql/alerts", "mysql/cases", "redis/cases"];

#[test]
fn each_is_there_once_in_its_newest_state_whatever_happens() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers = MariaDb::start_two();
    let mut redis = Redis::start();
    let proxies = [servers[0].port(), servers[1].port(), redis.port()].map(Proxy::start);
    let url = |proxy: &Proxy| mariadb::url("platewatch", WRITER_PASSWORD, proxy.port());
    let urls = [url(&proxies[0]), url(&proxies[1])];
    let redis_url = format!("redis://127.0.0.1:{}", proxies[2].port());
    let sections = sections(folder.path(), &urls, Some(&redis_url));
    let mut appliance = Appliance::new(&folder.path().join("appliance"));

    // Cut in the middle of a statement, before and within the answer, and killed each time.
    proxies[0].arm(Fault::CutBeforeAnswer { least: 6_000 });
    proxies[2].arm(Fault::CutBeforeAnswer { least: 1_500 });
    appliance.start_with(&sections);
    wait_until(LONG, "both faults happened", || proxies[0].faults_met() > 0 && proxies[2].faults_met() > 0);
    appliance.kill();
    for fault in [Fault::CutUpstream(30_000), Fault::TruncateAnswer { least: 6_000, arrive: 3 }] {
        let met = proxies[0].faults_met();
        proxies[0].arm(fault);
        appliance.start_with(&sections);
        // Whether or not there was still enough to send.
        std::thread::sleep(Duration::from_millis(700));
        appliance.kill();
        println!("{} faults", proxies[0].faults_met() - met);
    }
    appliance.start_with(&sections);
    appliance.wait_until_level();
    check(&appliance, &servers[0], Some(&redis));
    assert_eq!((servers[1].count("traffic_cases"), servers[1].count("traffic_alerts")), (0, 0), "only on the first");

    // While they are away, work goes on and arrives afterwards; a kill in between changes nothing.
    for mode in [Mode::Refuse, Mode::Stall] {
        proxies.iter().for_each(|proxy| proxy.set(mode));
        work(&appliance, 1);
        for name in ["mysql/cases", "redis/cases"] {
            appliance.wait_for(name, "it is away", |mirror| mirror["state"] == "away" && mirror["lag_rows"] == 1);
        }
        appliance.kill();
        appliance.start_with(&sections);
        work(&appliance, 2);
        proxies.iter().for_each(|proxy| proxy.set(Mode::Pass));
        appliance.wait_until_level();
        check(&appliance, &servers[0], Some(&redis));
    }

    // Emptied by hand, in part and whole.
    let refilled = |name: &str| appliance.number(name, "refilled");
    let before = MIRRORS.map(refilled);
    servers[0].sql("USE traffic_db; TRUNCATE traffic_cases; DELETE FROM traffic_alerts ORDER BY seq DESC LIMIT 30");
    redis.command(&["DEL", CASES]);
    for (name, before) in MIRRORS.into_iter().zip(before) {
        appliance.wait_for(name, "it is filled again", |mirror| mirror["refilled"].as_u64() > Some(before));
    }
    appliance.wait_until_level();
    check(&appliance, &servers[0], Some(&redis));
    // Restarted without its data; the tables are there.
    servers[0].start_empty();
    redis.start_empty();
    wait_until(LONG, "both are filled again", || {
        let is_new = |name: &str| appliance.number(name, "refilled") >= 2;
        MIRRORS.into_iter().all(is_new)
    });
    appliance.wait_until_level();
    check(&appliance, &servers[0], Some(&redis));
    for name in MIRRORS {
        assert_eq!((appliance.number(name, "refused"), appliance.number(name, "lost")), (0, 0));
    }
}

#[test]
fn an_older_state_never_takes_the_place_of_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let servers = MariaDb::start_two();
    let redis = Redis::start();
    let urls = [servers[0].url(), servers[1].url()];
    let sections = sections(folder.path(), &urls, Some(&redis.url()));
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections);
    appliance.wait_until_level();
    check(&appliance, &servers[0], Some(&redis));
    let id = work(&appliance, 1);
    appliance.wait_until_level();

    // What a newer state left, in both places, stays when an older one is sent.
    let on = |statement: &str| servers[0].sql(&format!("USE traffic_db; {statement}"));
    on(&format!("UPDATE traffic_cases SET version = version + 1000000000000000, status = 'newer' WHERE id = '{id}'"));
    let element = redis.list(CASES).into_iter().find(|text| text.contains(&id)).unwrap();
    let mut newer: Value = serde_json::from_str(&element).unwrap();
    newer["version"] = json!(newer["version"].as_u64().unwrap() + 1_000_000_000_000_000);
    newer["hphm"] = json!("newer");
    redis.command(&["LREM", CASES, "1", &element]);
    redis.command(&["LPUSH", CASES, &newer.to_string()]);
    work(&appliance, 2);
    appliance.wait_until_level();
    assert_eq!(on(&format!("SELECT status FROM traffic_cases WHERE id = '{id}'")), "newer\n");
    assert_eq!(redis.list(CASES).iter().filter(|text| text.contains(&id)).collect::<Vec<_>>(), [&newer.to_string()]);

    // An older one that somebody put back, such as a backup, is noticed and replaced.
    on("UPDATE traffic_cases SET version = 1, body = '{}', status = 'older'");
    appliance.wait_for("mysql/cases", "it is filled again", |mirror| mirror["refilled"].as_u64() > Some(0));
    appliance.wait_until_level();
    redis.command(&["DEL", CASES]);
    appliance.wait_for("redis/cases", "it is filled again", |mirror| mirror["refilled"].as_u64() > Some(0));
    appliance.wait_until_level();
    check(&appliance, &servers[0], Some(&redis));

    // A directory made anew from the same records writes over what the earlier one left.
    appliance.stop();
    std::fs::remove_dir_all(appliance.data()).unwrap();
    appliance.start_with(&sections);
    appliance.wait_until_level();
    check(&appliance, &servers[0], Some(&redis));
}

#[test]
fn a_deployment_without_the_tables_goes_on_and_is_told_what_to_load() {
    let folder = tempfile::tempdir().unwrap();
    let servers = MariaDb::start_two();
    for server in &servers {
        server.sql("USE traffic_db; DROP TABLE traffic_alerts, traffic_cases");
    }
    let urls = [servers[0].url(), servers[1].url()];
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), &urls, None));
    wait_until(LONG, "all is taken in", || appliance.status()["source"]["state"] == "finished");
    for name in ["mysql/0", "mysql/1"] {
        appliance.wait_for(name, "it is level", |mirror| mirror["state"] == "level" && mirror["lag_rows"] == 0);
    }
    for name in ["mysql/alerts", "mysql/cases"] {
        appliance.wait_for(name, "it says so", |mirror| {
            let error = mirror["last_error"].as_str().unwrap_or_default();
            mirror["state"] == "blocked" && error.contains("load sql/schema.sql") && error.contains("sql/users.sql")
        });
    }
    assert!(appliance.status()["failure"].is_null());
    assert_eq!(appliance.ask("/readyz").status, 200);
    // The upgrade: the files are loaded again.
    let read = |name: &str| std::fs::read_to_string(repository("sql").join(name)).unwrap();
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let passwords = format!(
        "SET @platewatch_password = {};\nSET @reader_password = {};\nSET @mycat_password = {};\n",
        quoted(WRITER_PASSWORD),
        quoted(READER_PASSWORD),
        quoted(MYCAT_PASSWORD)
    );
    for server in &servers {
        server.sql(&[read("schema.sql"), read("events.sql"), passwords.clone(), read("users.sql")].join("\n"));
    }
    appliance.wait_until_level();
    check(&appliance, &servers[0], None);
}

#[test]
fn through_mycat_they_go_to_the_first_instance() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers = MariaDb::start_two();
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    let mut appliance = Appliance::new(&folder.path().join("appliance"));
    appliance.start_with(&sections(folder.path(), &[mycat.url()], None));
    appliance.wait_until_level();
    check(&appliance, &servers[0], None);
    assert_eq!((servers[1].count("traffic_cases"), servers[1].count("traffic_alerts")), (0, 0));
    let statements = mycat.take_statements();
    let of_records = |text: &&String| text.contains("traffic_cases") || text.contains("traffic_alerts");
    assert!(statements.iter().filter(of_records).all(|text| text.starts_with("/*!mycat:dataNode=dn1*/ ")));
    assert!(statements.iter().all(|text| text.len() < 900_100));
    // While the second instance is away they go on; while the first is, they wait and have not forgotten.
    servers[1].kill();
    work(&appliance, 1);
    let is_level = |mirror: &Value| mirror["state"] == "level" && mirror["lag_rows"] == 0;
    appliance.wait_for("mysql/cases", "it is level", is_level);
    servers[1].start_again();
    servers[0].kill();
    work(&appliance, 2);
    appliance.wait_for("mysql/cases", "it is away", |mirror| {
        mirror["state"] == "away" && mirror["last_error"].as_str().unwrap_or_default().contains("dataNode dn1 is away")
    });
    servers[0].start_again();
    appliance.wait_until_level();
    check(&appliance, &servers[0], None);
    assert_eq!((appliance.number("mysql/cases", "refilled"), appliance.number("mysql/alerts", "refilled")), (0, 0));
}
