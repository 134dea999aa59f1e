//! Evidence and cases of the real binary, over a small road whose truth is known: the cloned plates are cases and nothing
//! else is, whatever the batches are and whenever it is killed; the desk's work on a case outlives a restart.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{
    CLONED, LEG, Random, Replay, Results, SITES, folder, get, get_data, patch, road, serve, serve_nothing,
};

fn replay(folder: &Path, name: &str, more: &[&str]) -> Replay {
    Replay::new(folder.join("road.tsv"), &folder.join(name)).args(more)
}

#[test]
fn cloned_plates_are_cases_and_nothing_else_is() {
    let folder = folder();
    for seed in [5, 6] {
        std::fs::write(folder.path().join("road.tsv"), road(seed)).unwrap();
        let found = replay(folder.path(), "out", &[]).results();
        found.adds_up();
        let cases = found.cases();
        let mut plates: Vec<&str> = cases.iter().map(|case| case["hphm"].as_str().unwrap()).collect();
        plates.sort_unstable();
        assert_eq!(plates, CLONED, "seed {seed}");
        for case in &cases {
            assert!(case["probability"].as_f64().unwrap() >= 0.9, "{case}");
            assert_eq!((case["cause"].as_str(), case["status"].as_str()), (Some("clone"), Some("new")));
            let pairs = case["pairs"].as_array().unwrap();
            assert_eq!(case["contradictions"].as_u64().unwrap().min(100), pairs.len() as u64);
            for pair in pairs {
                let seconds = |name: &str| pair[name].as_f64().unwrap();
                assert!(seconds("gap_seconds") < seconds("fastest_seconds"), "{pair}");
                assert!(pair["earlier"]["gcxh"].as_str().unwrap().starts_with("G32030"), "{pair}");
            }
            // Each car has one brand, but for sightings that either can have made.
            for car in case["cars"].as_array().unwrap() {
                let sightings = car["sightings"].as_array().unwrap();
                let one = sightings.iter().filter(|sighting| sighting["brand"] == "大众").count();
                assert!(sightings.len() > 10 && one.min(sightings.len() - one) <= 3, "{one} of {}", sightings.len());
            }
        }
        // Alerts of a cloned plate are high where the roads are known, and no other is.
        let is_clone = |alert: &Value| CLONED.contains(&alert["hphm"].as_str().unwrap());
        let high = found.alerts().into_iter().filter(|alert| alert["severity"] == "high");
        let high: Vec<Value> = high.collect();
        assert!(high.len() >= 5 && high.iter().all(is_clone), "{} high, seed {seed}", high.len());
        assert!(high.iter().all(|alert| alert["probability"].as_f64().unwrap() >= 0.9));
        let clocks = found.alerts().into_iter().filter(|alert| alert["cause"] == "clock").count();
        assert!(clocks > 20, "{clocks} alerts of the fast clock");
    }
}

#[test]
fn without_evidence_there_are_the_same_alerts_and_no_cases() {
    let folder = folder();
    std::fs::write(folder.path().join("road.tsv"), road(7)).unwrap();
    let with = replay(folder.path(), "with", &[]).results();
    let without = replay(folder.path(), "without", &[]).env("PLATEWATCH__DETECT__EVIDENCE", "off").results();
    let ids = |results: &Results| results.alerts().iter().map(|alert| alert["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&with), ids(&without));
    assert!(with.count("cases") >= 3 && with.alerts.contains("\"probability\""));
    assert_eq!((without.count("cases"), without.cases.as_str()), (0, ""));
    assert!(!without.alerts.contains("probability") && !without.alerts.contains("reasons"));
}

#[test]
fn batches_and_kills_change_no_case() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("road.tsv"), road(8)).unwrap();
    let started = Instant::now();
    let expected = replay(folder.path(), "whole", &["--batch-records", "256"]).results();
    let takes = started.elapsed();
    assert!(expected.count("cases") >= 3, "{}", expected.summary);
    for records in ["1", "1000", "100000"] {
        let found = replay(folder.path(), "batch", &["--batch-records", records]).results();
        found.equals(&expected, records);
    }
    let (mut random, mut kills, mut rounds) = (Random(8), 0, 0);
    while kills < 12 {
        rounds += 1;
        assert!(rounds < 100, "only {kills} kills");
        let data = path(&format!("data-{rounds}"));
        let killable = || replay(folder.path(), "killed", &["--batch-records", "256", "--data-dir"]).args([&data]);
        loop {
            let mut command = killable().command;
            let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // A random moment, not a wait for something.
            std::thread::sleep(takes.mul_f64(random.below(1000) as f64 / 1000.0));
            if child.try_wait().unwrap().is_some_and(|status| status.success()) {
                break;
            }
            child.kill().unwrap();
            kills += u32::from(child.wait().unwrap().code().is_none());
        }
        Results::read(&path("killed")).equals(&expected, &format!("after {kills} kills"));
    }
}

/// The list by probability, its filters, one case, and the work on it.
#[test]
fn the_desk_works_on_a_case() {
    let folder = folder();
    let data = folder.path().join("data");
    std::fs::write(folder.path().join("road.tsv"), road(5)).unwrap();
    let found = replay(folder.path(), "out", &["--data-dir"]).args([&data]).results();
    let (running, address) = serve_nothing(&data);
    let list = get_data(&address, "/api/cases?limit=100");
    assert_eq!(list["total"], found.count("cases"));
    let records = list["records"].as_array().unwrap();
    let likely: Vec<f64> = records.iter().map(|case| case["probability"].as_f64().unwrap()).collect();
    assert!(likely.is_sorted_by(|a, b| a >= b), "{likely:?}");
    let mut by_number: Vec<&Value> = records.iter().collect();
    by_number.sort_by_key(|case| case["seq"].as_u64());
    let written = found.cases();
    assert_eq!(by_number.len(), written.len());
    for (brief, whole) in by_number.into_iter().zip(&written) {
        // In brief: what replay wrote, but for what only the whole case has.
        let mut brief = brief.clone();
        let strongest = brief.as_object_mut().unwrap().remove("strongest").unwrap();
        for (name, value) in brief.as_object().unwrap() {
            assert_eq!(value, &whole[name], "{name}");
        }
        let shares = whole["pairs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair["gap_seconds"].as_f64().unwrap() / pair["fastest_seconds"].as_f64().unwrap(), pair));
        let (_, least) = shares.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        assert_eq!(strongest["gap_seconds"], least["gap_seconds"]);
        assert!(brief["pairs"].is_null() && brief["cars"].is_null() && brief.to_string().len() < 600, "{brief}");
        let mut one = get_data(&address, &format!("/api/cases/{}", whole["id"].as_str().unwrap()));
        ["places", "times", "version", "allowed", "history"]
            .iter()
            .for_each(|name| drop(one.as_object_mut().unwrap().remove(*name)));
        assert_eq!(&one, whole, "the whole case is what replay wrote");
    }
    let newest = get_data(&address, "/api/cases?order=newest&limit=100");
    let opened: Vec<&str> =
        newest["records"].as_array().unwrap().iter().map(|case| case["opened_at"].as_str().unwrap()).collect();
    assert!(opened.is_sorted_by(|a, b| a >= b) && opened.len() == records.len(), "{opened:?}");
    assert_eq!(get(&address, "/api/cases?order=oldest").0, 400);
    let total = |query: &str| get_data(&address, &format!("/api/cases?{query}"))["total"].as_u64().unwrap();
    assert_eq!((total("hphm=00002"), total("cause=clone"), total("cause=clock")), (1, 3, 0));
    assert_eq!((total("kkmc=K05_Road") > 0, total("kkmc=K99_Road")), (true, 0));
    assert_eq!((total("probability=0.9"), total("end=2023-12-31"), total("start=2024-01-01")), (3, 0, 3));
    assert_eq!(get(&address, "/api/cases?probability=2").0, 400);

    let id = records[0]["id"].as_str().unwrap();
    let one = format!("/api/cases/{id}");
    let case = get_data(&address, &one);
    assert_eq!((&case["version"], &case["allowed"]), (&json!(0), &json!(["investigating"])));
    assert!(case["places"].as_array().unwrap().len() >= 2);
    let times = &case["times"];
    assert!(times["drives"].as_u64().unwrap() >= 30, "{times}");
    assert!(times["gap_seconds"].as_f64().unwrap() < times["fastest_seconds"].as_f64().unwrap(), "{times}");
    let shares: Vec<f64> = times["shares"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).collect();
    let sum = shares.iter().sum::<f64>() + times["longer_share"].as_f64().unwrap();
    assert!(shares.len() <= 40 && (sum - 1.0).abs() < 0.01, "{times}");
    assert!(times["quicker_share"].as_f64().unwrap() < 0.1, "{times}");
    let change = |body: Value| {
        let (status, text) = patch(&address, &one, &body);
        (status, serde_json::from_str::<Value>(&text).unwrap()["data"].take())
    };
    assert_eq!(change(json!({"status": "confirmed", "by": "王警官"})).0, 409);
    assert_eq!(change(json!({"status": "investigating", "by": "王警官"})).0, 200);
    let decided =
        json!({"status": "confirmed", "by": "王警官", "reason": "photos", "note": "两车颜色不同", "version": 1});
    let (status, decided) = change(decided);
    assert_eq!(
        (status, &decided["status"], &decided["history"][1]["reason"]),
        (200, &json!("confirmed"), &json!("photos"))
    );
    assert_eq!(change(json!({"note": "x", "reason": "luck", "by": "王"})).0, 400);
    assert_eq!(total("status=confirmed"), 1);
    let said = get_data(&address, "/api/cases/calibration");
    assert_eq!((&said["decided"], &said["bands"][9]["confirmed"]), (&json!(1), &json!(1)));
    running.signal("KILL");
    running.end();

    let (_running, address) = serve_nothing(&data);
    let after = get_data(&address, &one);
    assert_eq!(after, decided);
    assert_eq!(get_data(&address, "/api/cases?status=new")["total"], 2);
    assert_eq!(get(&address, "/api/cases/0000000000000001").0, 404);
    assert_eq!(get(&address, "/api/cases/1").0, 400);
}

/// Segments and their times depend on the records and their order alone; without evidence there are none.
#[test]
fn batches_kills_and_restarts_change_no_road() {
    let folder = folder();
    std::fs::write(folder.path().join("road.tsv"), road(12)).unwrap();
    let data = |name: &str| folder.path().join(name);
    let roads = |data: &Path, evidence: &str| {
        let (_running, address) =
            serve(&format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[detect]\nevidence = \"{evidence}\"\n"));
        let list = get_data(&address, "/api/roads");
        let hours = get(&address, "/api/roads/hours?from=K00_Road&to=K01_Road");
        (list, hours)
    };
    let kept = |name: &str, records: &str| {
        replay(folder.path(), "out", &["--batch-records", records, "--data-dir"]).args([data(name)]).results();
        roads(&data(name), "on")
    };
    let expected = kept("whole", "256");
    let (list, hours) = &expected;
    assert_eq!((&list["state"], hours.0), (&json!("ready"), 200), "{list} {hours:?}");
    // Neighbours of the catalogue, which are not on this road, are not learnt.
    let learnt = list["roads"].as_array().unwrap().iter().filter(|road| !road["free_flow_seconds"].is_null());
    let segments: Vec<&Value> = learnt.collect();
    // Both directions between neighbours; the last hour has no late cars any more.
    assert_eq!(segments.len(), 2 * (SITES - 1), "{list}");
    for segment in segments {
        let free = segment["free_flow_seconds"].as_f64().unwrap() / LEG as f64;
        assert!((0.85..1.05).contains(&free), "{segment}");
        assert_eq!(
            (segment["basis"].as_str(), segment["level"].as_str()),
            (Some("quarter"), Some("free")),
            "{segment}"
        );
        assert_eq!((&segment["link"], &segment["speed_kmh"]), (&json!("driven"), &Value::Null));
    }
    let today = serde_json::from_str::<Value>(&hours.1).unwrap()["data"]["today"].as_array().unwrap().len();
    assert!((5..=7).contains(&today), "{hours:?}");
    for records in ["1000", "100000"] {
        assert!(kept(records, records) == expected, "batches of {records}");
    }
    // Killed in the middle, and opened twice.
    let killed = data("killed");
    let (mut kills, mut rounds, mut millis) = (0, 0, 400.0);
    while kills < 3 {
        rounds += 1;
        assert!(rounds < 60, "only {kills} kills");
        let mut command =
            replay(folder.path(), "out", &["--batch-records", "64", "--data-dir"]).args([&killed]).command;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A random moment, not a wait for something: earlier where the program was done by then.
        std::thread::sleep(std::time::Duration::from_micros((millis * 1000.0) as u64));
        if child.try_wait().unwrap().is_some() {
            std::fs::remove_dir_all(&killed).unwrap();
            (kills, millis) = (0, millis * 0.8);
            continue;
        }
        child.kill().unwrap();
        kills += u32::from(child.wait().unwrap().code().is_none());
        millis *= 0.9;
    }
    replay(folder.path(), "out", &["--data-dir"]).args([&killed]).results();
    assert!(roads(&killed, "on") == expected, "after {kills} kills");
    assert!(roads(&killed, "on") == expected, "opened again");
    let (off, hours) = roads(&killed, "off");
    assert_eq!((&off["state"], &off["roads"], hours.0), (&json!("off"), &json!([]), 404));
    assert!(off["message"].as_str().unwrap().contains("detect.evidence"), "{off}");
}

/// What was learnt is forgotten where evidence is off; cases and the work on them stay.
#[test]
fn cases_stay_where_evidence_is_off() {
    let folder = folder();
    let data = folder.path().join("data");
    std::fs::write(folder.path().join("road.tsv"), road(9)).unwrap();
    let run = |evidence: &str| {
        let replay = replay(folder.path(), "out", &["--data-dir"]).args([&data]);
        replay.env("PLATEWATCH__DETECT__EVIDENCE", evidence).results()
    };
    let before = run("on");
    assert!(before.count("cases") >= 3, "{}", before.summary);
    let after = run("off");
    assert_eq!((after.cases == before.cases, after.count("cases")), (true, before.count("cases")));
    assert_eq!(run("on").cases, before.cases);
}
