//! `verify-mirror`, `repair-mirror` and `import-checkpoints` against real servers.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::data::{Data, api_settings, local_settings};
use crate::harness::{Appliance, LONG, done, run, wait_until};
use crate::servers::mariadb::MariaDb;
use crate::servers::redis::Redis;

fn configuration(data: &Data, urls: &[String]) -> PathBuf {
    let file = data.folder("verify.toml");
    std::fs::write(&file, format!("{}[mycat]\nurls = {urls:?}\n", local_settings(&data.data_dir))).unwrap();
    file
}

fn check(command: &str, config: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    run([command, "--wait", "1s", "--config", config.to_str().unwrap()].into_iter().chain(more.iter().copied())).parts()
}

#[track_caller]
fn verified(config: &Path, data: &Data) {
    let (code, out, complaint) = check("verify-mirror", config, &[]);
    assert_eq!(code, Some(0), "{out}{complaint}");
    assert!(out.contains(&format!("the same: {} passages in ", data.rows.len())), "{out}");
    assert!(!out.contains("differs"), "{out}");
}

#[track_caller]
fn differs(config: &Path, parts: &[&str]) -> String {
    let (code, out, complaint) = check("verify-mirror", config, &[]);
    assert_eq!(code, Some(1), "{out}{complaint}");
    for part in parts {
        assert!(out.contains(part), "{part:?} is not in: {out}");
    }
    assert!(complaint.contains("repair-mirror"), "{complaint}");
    out
}

#[test]
fn what_differs_is_found_and_repaired() {
    let data = Data::make(9_000);
    let two = MariaDb::start_two();
    let urls = [two[0].url(), two[1].url()];
    let config = configuration(&data, &urls);
    differs(&config, &["wait for their mirror"]);
    let settings = format!("{}[mycat]\nurls = {urls:?}\n", local_settings(&data.data_dir));
    let mut appliance = Appliance::serving(&data.folder("mirroring"), &settings);
    wait_until(LONG, "all mirrors are level", || {
        let status = appliance.ask("/api/status");
        let mirrors = status.data()["mirrors"].as_array().unwrap().clone();
        mirrors.iter().filter(|mirror| mirror["state"] == "level" && mirror["lag_rows"] == 0).count() == 4
    });
    appliance.kill();
    verified(&config, &data);
    // Each passage on the instance that the ring names.
    let shards = super::data::shards(data.rows.iter().map(|row| row[2].as_str()));
    for (shard, server) in two.iter().enumerate() {
        let expected = data.rows.iter().filter(|row| shards[&row[2]] == shard).count();
        assert_eq!(server.count("traffic_data"), expected as u64);
    }

    let on = |shard: usize, statement: &str| two[shard].sql(&format!("USE traffic_db; {statement}"));
    let lost: u64 = two[0].count("traffic_data") / 3;
    on(0, &format!("DELETE FROM traffic_data ORDER BY id LIMIT {lost}"));
    differs(&config, &["missing in MySQL", &format!("127.0.0.1:{}", two[0].port())]);
    let (code, out, complaint) = check("repair-mirror", &config, &[]);
    assert_eq!(code, Some(0), "{out}{complaint}");
    assert!(out.contains("passages sent again"), "{out}");
    verified(&config, &data);

    // One other text, and one passage under another number.
    on(1, "UPDATE traffic_data SET clppxh = 'changed' ORDER BY id LIMIT 1");
    differs(&config, &["other contents"]);
    assert_eq!(check("repair-mirror", &config, &[]).0, Some(0));
    verified(&config, &data);
    on(1, "UPDATE traffic_data SET id = CONCAT(id, 'x') ORDER BY id DESC LIMIT 1");
    differs(&config, &["other passages"]);
    let (code, out, _) = check("repair-mirror", &config, &[]);
    assert_eq!(code, Some(1), "what only MySQL has is for its owner to remove: {out}");
    assert!(out.contains("only in MySQL: ") && out.contains("1 passages are in MySQL alone"), "{out}");
    on(1, "DELETE FROM traffic_data WHERE id LIKE '%x'");
    verified(&config, &data);

    // On the wrong instance, and on both.
    let columns = on(
        0,
        "SELECT QUOTE(id), QUOTE(xzqhmc), QUOTE(kkmc), QUOTE(fxlx), QUOTE(gcsj), QUOTE(hpzl), QUOTE(hphm), QUOTE(clppxh) FROM traffic_data WHERE id LIKE 'G%' LIMIT 1",
    );
    let values = columns.trim().replace('\t', ",").replace("\\\\", "\\");
    on(1, &format!("INSERT INTO traffic_data VALUES ({values})"));
    differs(&config, &["1 too many in MySQL", &format!("127.0.0.1:{}", two[1].port())]);
    let id = values.split(',').next().unwrap();
    on(0, &format!("DELETE FROM traffic_data WHERE id = {id}"));
    differs(&config, &["1 too many in MySQL", "1 missing in MySQL"]);
    on(1, &format!("DELETE FROM traffic_data WHERE id = {id}"));
    assert_eq!(check("repair-mirror", &config, &[]).0, Some(0));
    verified(&config, &data);

    // A range leaves the rest alone.
    on(0, "DELETE FROM traffic_data WHERE gcsj < '2024-01-01 01:00:00'");
    differs(&config, &["2024-01-01 00:00:00"]);
    let (code, out, complaint) = check("verify-mirror", &config, &["--since", "2024-01-01 01:00:00"]);
    assert_eq!(code, Some(0), "{out}{complaint}");

    // One server with all passages, which is how MyCat appears to a client.
    let one = MariaDb::start();
    data.fill_one(&one);
    verified(&configuration(&data, &[one.url()]), &data);

    let (code, _, complaint) =
        check("verify-mirror", &configuration(&data, &["mysql://127.0.0.1:1/x".to_owned()]), &[]);
    assert_eq!(code, Some(3), "{complaint}");
    let (code, _, complaint) = check("verify-mirror", &configuration(&data, &[]), &[]);
    assert_eq!(code, Some(2), "{complaint}");
    assert!(complaint.contains("set mycat.urls"), "{complaint}");
}

#[test]
fn it_verifies_beside_the_running_appliance() {
    let two = MariaDb::start_two();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let settings = format!(
        "data_dir = {data:?}\n[source]\nkind = \"simulator\"\nrate = 500.0\n[store]\nmemory = \"64MiB\"\n\
         [mycat]\nurls = {:?}\n",
        [two[0].url(), two[1].url()]
    );
    let mut appliance = Appliance::serving(folder.path(), &settings);
    let sent = || {
        let status = appliance.ask("/api/status");
        let mirrors = status.data()["mirrors"].as_array().unwrap().clone();
        let of_passages =
            mirrors.iter().filter(|mirror| ["mysql/0", "mysql/1"].contains(&mirror["name"].as_str().unwrap()));
        of_passages.filter(|mirror| mirror["sent"].as_u64().unwrap_or(0) > 300).count() == 2
    };
    wait_until(LONG, "both mirrors have sent", sent);
    let config = appliance.config().to_owned();
    for _ in 0..3 {
        let (code, out, complaint) = check("verify-mirror", &config, &[]);
        assert_eq!(code, Some(0), "{out}{complaint}");
    }
    // Changed without the mirror, once no more passages come.
    appliance.kill();
    let (code, out, complaint) = check("verify-mirror", &config, &[]);
    // What was committed and not acknowledged by then is reported, and the mirror sends it after a restart.
    assert!(code == Some(0) || out.contains("wait for their mirror"), "{out}{complaint}");
    two[0].sql("DELETE FROM traffic_db.traffic_data ORDER BY gcsj LIMIT 1");
    assert_eq!(check("verify-mirror", &config, &[]).0, Some(1));
    let (code, out, complaint) = check("repair-mirror", &config, &[]);
    assert_eq!(code, Some(0), "{out}{complaint}");
    assert_eq!(check("verify-mirror", &config, &[]).0, Some(0));
}

#[test]
fn checkpoints_go_into_the_catalogue_and_the_table() {
    let two = MariaDb::start_two();
    let redis = Redis::start();
    let data = Data::make(3_000);
    let urls = [two[0].url(), two[1].url()];
    let config = configuration(&data, &urls);
    let csv = data.folder("checkpoints.csv");
    let mut text = "code,kkmc,label,xzqhmc,road,lon,lat\n".to_owned();
    for number in 0..450 {
        text.push_str(&format!("C{number},全名'{number},标签{number},\"县,区\",S{number},118.{number:06},34.641634\n"));
    }
    text.push_str("Z,z,,,,,\nA,a,,,,,\n");
    std::fs::write(&csv, text).unwrap();
    let import = || done(["import-checkpoints", csv.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    for _ in 0..2 {
        let told = import();
        assert_eq!(told.matches("452 checkpoints imported into kkmc_info at mysql://").count(), 2, "{told}");
        assert!(!told.contains("s3cret"), "{told}");
        for server in &two {
            assert_eq!(server.count("kkmc_info"), 452);
        }
    }
    let local = Appliance::serving(&data.folder("local"), &local_settings(&data.data_dir));
    let remote = Appliance::serving(&data.folder("remote"), &api_settings(&urls, &redis.url()));
    wait_until(LONG, "the checkpoints are read", || {
        remote.ask("/api/checkpoints").data().as_array().unwrap().len() == 452
    });
    assert_eq!(remote.ask("/api/checkpoints"), local.ask("/api/checkpoints"));
    assert_eq!(local.ask("/api/checkpoints").data()[451]["code"], json!("A"));

    // The reader may not write.
    let reading = configuration(&data, &[two[0].reader_url(), two[1].reader_url()]);
    drop(local);
    let (code, _, complaint) =
        run(["import-checkpoints", csv.to_str().unwrap(), "--config", reading.to_str().unwrap()]).parts();
    assert_eq!(code, Some(3), "{complaint}");
    assert!(complaint.contains("kkmc_info") && !complaint.contains("der's3cret"), "{complaint}");
}

#[test]
fn a_repair_names_no_row_that_it_restores_and_a_repeated_gcxh_is_no_difference() {
    let two = MariaDb::start_two();
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("capture.tsv");
    let (key, line) = ("S250_Pizhou_Sulu", |id: &str, time: &str, model: &str| {
        format!("{id}\t铜山县\tS250_Pizhou_Sulu\t1\t2024-01-01 {time}\t02\t苏C12345\t{model}\n")
    });
    // TWICE comes again an hour later, when its TTL is over; three other checkpoints advance the clock meanwhile.
    let mut text =
        line("MOVED", "05:10:00", "m") + &line("TWICE", "05:20:00", "first") + &line("LOST", "05:30:00", "m");
    for (number, kkmc) in ["A", "B", "C", "D"].into_iter().enumerate() {
        text += &format!("CLOCK{number}\td\t{kkmc}\t1\t2024-01-01 06:10:00\t02\t-\tm\n");
    }
    text += &line("TWICE", "06:20:00", "second");
    std::fs::write(&capture, text).unwrap();
    let data = folder.path().join("data");
    let sections = format!(
        "data_dir = {data:?}\n[store]\nretention = \"forever\"\nmemory = \"64MiB\"\n[mycat]\nurls = {:?}\nretention = \"forever\"\n",
        [two[0].url(), two[1].url()]
    );
    let config = folder.path().join("verify.toml");
    std::fs::write(&config, &sections).unwrap();
    let mut appliance =
        Appliance::serving(folder.path(), &format!("{sections}[source]\nkind = \"capture\"\nfiles = [{capture:?}]\n"));
    wait_until(LONG, "both mirrors are level", || {
        let status = appliance.ask("/api/status").data().clone();
        let mirrors = status["mirrors"].as_array().unwrap().clone();
        status["pipeline"]["accepted"] == json!(8)
            && mirrors.iter().all(|mirror| mirror["state"] == "level" && mirror["lag_rows"] == 0)
    });
    appliance.kill();
    let shard = super::data::shards(std::iter::once(key))[key];
    let on = |statement: &str| two[shard].sql(&format!("USE traffic_db; {statement}"));
    assert_eq!(on("SELECT clppxh FROM traffic_data WHERE id = 'TWICE'"), "first\n");
    let (code, out, complaint) = check("verify-mirror", &config, &[]);
    assert_eq!(code, Some(0), "{out}{complaint}");
    assert!(out.contains("the same: 7 passages"), "{out}");

    // A row in an earlier hour, one that is gone, and the first of the repeated ones changed.
    on(
        "UPDATE traffic_data SET gcsj = '2024-01-01 03:10:00' WHERE id = 'MOVED'; DELETE FROM traffic_data WHERE id = 'LOST'; \
        UPDATE traffic_data SET clppxh = 'changed' WHERE id = 'TWICE'",
    );
    let (code, out, complaint) = check("repair-mirror", &config, &[]);
    assert_eq!(code, Some(0), "{out}{complaint}");
    assert!(!out.contains("only in MySQL") && !out.contains("in MySQL alone"), "{out}");
    assert_eq!(
        on("SELECT id, gcsj, clppxh FROM traffic_data WHERE id IN ('MOVED', 'TWICE', 'LOST') ORDER BY id"),
        "LOST\t2024-01-01 05:30:00\tm\nMOVED\t2024-01-01 05:10:00\tm\nTWICE\t2024-01-01 05:20:00\tfirst\n"
    );
    // What is really only in MySQL is reported, and stays.
    on(
        "INSERT INTO traffic_data SELECT 'STRANGER', xzqhmc, kkmc, fxlx, gcsj, hpzl, hphm, clppxh FROM traffic_data WHERE id = 'LOST'",
    );
    let (code, out, _) = check("repair-mirror", &config, &[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("only in MySQL: STRANGER") && out.contains("1 passages are in MySQL alone"), "{out}");
    assert_eq!(out.matches("only in MySQL").count(), 1, "{out}");
}
