//! Cases in the role `api`: the appliance mirrors them, and both roles give the same JSON, directly and through MyCat; work
//! of the desk arrives, and is not taken here; without the table the words say what to load.

use std::path::Path;

use serde_json::{Value, json};

use super::data::api_settings;
use crate::harness::{Answer, Appliance, LONG, patch, road, wait_until};
use crate::servers::mariadb::MariaDb;
use crate::servers::mycat::MyCat;
use crate::servers::redis::Redis;

const FAST: &str = "check_interval = \"200ms\"\nretry_max = \"500ms\"\n";

/// An appliance that takes the road in and mirrors it.
fn appliance(folder: &Path, urls: &[String], redis: &str) -> Appliance {
    let file = folder.join("road.tsv");
    std::fs::write(&file, road(6)).unwrap();
    let data = folder.join("data");
    let settings = format!(
        "data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [{file:?}]\n\
         [store]\nretention = \"forever\"\nalerts_retention = \"forever\"\nmemory = \"64MiB\"\n\
         [mycat]\nurls = {urls:?}\nretention = \"forever\"\nalerts_retention = \"forever\"\n{FAST}[redis]\nurl = {redis:?}\n{FAST}"
    );
    Appliance::serving(&folder.join("appliance"), &settings)
}

fn level(appliance: &Appliance) {
    wait_until(LONG * 2, "all is mirrored", || {
        let status = appliance.ask("/api/status").data().clone();
        let mirrors = status["mirrors"].as_array().unwrap();
        status["source"]["state"] == "finished"
            && mirrors.len() == 6
            && mirrors.iter().all(|mirror| mirror["state"] == "level" && mirror["lag_rows"] == 0)
    });
}

fn paths(appliance: &Appliance) -> Vec<String> {
    let list = appliance.ask("/api/cases?limit=100").data()["records"].as_array().unwrap().clone();
    assert!(list.len() >= 3);
    let text = |name: &str| list[0][name].as_str().unwrap().to_owned();
    let (plate, last) = (text("hphm"), text("last_time"));
    let probability = list[1]["probability"].to_string();
    let mut paths: Vec<String> = [
        "",
        "order=newest",
        "order=probability&limit=2",
        "limit=1&page=2",
        "limit=1&page=3&order=newest",
        "page=9999",
        "status=new",
        "status=investigating",
        "cause=clone",
        "cause=misread",
        "probability=0.9",
        "probability=1",
        "kkmc=K05_Road",
        "kkmc=K05",
        "kkmc=K99_Road",
        "hphm=苏C?0*2",
        "hphm=%25",
        "hphm=***",
        "end=2023-12-31",
        "start=2024-01-01&end=2024-01-01",
        // A wrong request gets the same answer.
        "order=oldest",
        "probability=2",
        "limit=101",
        "pages=1",
    ]
    .map(|query| if query.is_empty() { "/api/cases".to_owned() } else { format!("/api/cases?{query}") })
    .into();
    paths.push(format!("/api/cases?hphm={plate}"));
    paths.push(format!("/api/cases?probability={probability}"));
    paths.extend([format!("/api/cases?start={last}"), format!("/api/cases?end={last}")]);
    paths.extend(list.iter().map(|case| format!("/api/cases/{}", case["id"].as_str().unwrap())));
    paths.extend(["/api/cases/0000000000000001", "/api/cases/1"].map(str::to_owned));
    paths
}

/// The answer without the travel times, which only a process that learns has.
fn without_times(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\"times\":") else { return text.to_owned() };
    let (times, after) = rest.split_once(",\"version\":").unwrap();
    assert!(times == "null" || times.starts_with('{'), "{times}");
    format!("{before},\"version\":{after}")
}

#[track_caller]
fn same(local: &Appliance, remote: &Appliance) {
    let mut filled = 0;
    for path in paths(local) {
        let texts = [local, remote].map(|appliance| {
            let (status, text) = appliance.answer(&path);
            (status, without_times(&text))
        });
        assert!(texts[0] == texts[1], "{path}\nlocal:  {:?}\nremote: {:?}\n{}", texts[0], texts[1], remote.log());
        filled += usize::from(texts[0].1.contains("\"hphm\""));
    }
    assert!(filled > 15, "only {filled} answers hold a case");
}

fn change(appliance: &Appliance, id: &str, body: &Value) -> Answer {
    patch(&appliance.address(), &format!("/api/cases/{id}"), body).into()
}

#[test]
fn both_roles_show_the_same_cases() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start();
    let servers = MariaDb::start_two();
    let mycat = MyCat::start([&servers[0], &servers[1]]);
    let local = appliance(folder.path(), &[servers[0].url(), servers[1].url()], &redis.url());
    level(&local);

    let readers = [servers[0].reader_url(), servers[1].reader_url()];
    let direct = Appliance::serving(&folder.path().join("direct"), &api_settings(&readers, &redis.url()));
    let through = Appliance::serving(&folder.path().join("through"), &api_settings(&[mycat.url()], &redis.url()));
    for remote in [&direct, &through] {
        wait_until(LONG, "it is ready", || remote.ask("/readyz").status == 200);
        same(&local, remote);
    }

    // The desk works on the appliance; here it is shown, and a stream tells of it.
    let id = local.ask("/api/cases").data()["records"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({"status": "investigating", "by": "王警官", "note": "it's \"two\"\\ 车", "version": 0});
    let refused = change(&direct, &id, &body);
    assert_eq!(refused.status, 501, "{refused:?}");
    assert!(refused.message().contains("role \"all\""), "{refused:?}");
    let told = std::thread::scope(|scope| {
        let stream = scope.spawn(|| direct.stream_until(0, "event: case\n"));
        std::thread::sleep(std::time::Duration::from_secs(3));
        assert_eq!(change(&local, &id, &body).status, 200);
        stream.join().unwrap()
    });
    assert!(told.contains("event: case\n"), "{told}");
    level(&local);
    for remote in [&direct, &through] {
        same(&local, remote);
        assert_eq!(remote.ask(&format!("/api/cases/{id}")).data()["history"][0]["note"], body["note"]);
    }

    // One instance is away: cases are on the first.
    let [first, mut second] = servers;
    second.kill();
    wait_until(LONG, "it is missed", || direct.ask("/readyz").status == 503);
    same(&local, &direct);
    same(&local, &through);

    // An earlier deployment has no such table.
    second.start_again();
    wait_until(LONG, "it is back", || direct.ask("/readyz").status == 200 && through.ask("/readyz").status == 200);
    first.sql("RENAME TABLE traffic_db.traffic_cases TO traffic_db.elsewhere");
    for remote in [&direct, &through] {
        for path in ["/api/cases".to_owned(), format!("/api/cases/{id}")] {
            let answer = remote.ask(&path);
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.message().contains("load sql/schema.sql"), "{answer:?}");
        }
        assert_eq!(remote.ask("/readyz").status, 200, "all else works");
        assert_eq!(remote.ask("/api/stats/kkmc_count").status, 200);
        assert_eq!(remote.ask("/api/warnings").status, 200);
    }
    first.sql("RENAME TABLE traffic_db.elsewhere TO traffic_db.traffic_cases");
    same(&local, &direct);
}
