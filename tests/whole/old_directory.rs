//! A data directory that the first version wrote opens, and its watermark is not used any more.
//!
//! `tests/fixtures/data_v1` is what version 1 of the layout made of [`capture`]: one record 20 hours ahead had made
//! everything after it late, so that no plate state of the last five minutes was kept.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::reading::{civil_seconds, civil_text};
use crate::harness::{Replay, Running, folder, get_data, platewatch, repository, run, serve, serve_nothing};

const SITES: [&str; 4] = ["S250_Pizhou_Sulu", "G3_Sulu", "S253_Peixian_Sulu", "G104_Suining_Suwan"];

fn line(number: usize, site: usize, seconds: i64, plate: usize) -> String {
    let time = civil_text(civil_seconds("2024-01-01 08:00:00").unwrap() + seconds);
    format!("G3203{number:014}\t邳州市\t{}\t1\t{time}\t02\t苏C{plate}\t大众牌-朗逸-2015\n", SITES[site])
}

/// Four checkpoints, each with a car every two seconds for ten minutes, all of them different.
fn capture() -> String {
    let mut text = String::new();
    let mut number = 0;
    let mut add = |site, seconds, plate| {
        number += 1;
        text += &line(number, site, seconds, plate);
    };
    for second in (0..600).step_by(2) {
        (0..4).for_each(|site| add(site, second, 10_000 + second as usize * 4 + site));
        if second == 300 {
            add(3, second + 20 * 3600, 55_555);
        }
    }
    text
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn its_watermark_is_computed_again_from_its_rows() {
    let folder = folder();
    let data = folder.path().join("data");
    copy(&repository("tests/fixtures/data_v1"), &data);
    let (running, address) = serve_nothing(&data);
    let status = get_data(&address, "/api/status");
    assert_eq!(status["detection"]["watermark"], "2024-01-01 08:09:58", "not 2024-01-02 04:05:00");
    assert_eq!(status["pipeline"]["late"], 596, "what was counted stays");
    assert_eq!(get_data(&address, "/api/overview")["total"], 1201);
    drop(running);

    // The plates of the last minutes are known again, though their states were not stored.
    let [first, more] = ["capture.tsv", "more.tsv"].map(|name| folder.path().join(name));
    std::fs::write(&first, capture()).unwrap();
    let late_again = [(1, 602, 12_392), (2, 603, 10_800), (0, 604, 11_601)];
    let lines =
        late_again.iter().zip(5000..).map(|((site, seconds, plate), number)| line(number, *site, *seconds, *plate));
    // And a passage that was stored before is still a duplicate.
    let lines: String = lines.chain([line(1201, 3, 598, 10_000 + 598 * 4 + 3)]).collect();
    std::fs::write(&more, lines).unwrap();
    for _ in 0..2 {
        let replay = Replay::new(&first, &folder.path().join("out")).args([&more]).args(["--data-dir"]).args([&data]);
        let results = replay.results();
        results.adds_up();
        let found: Vec<_> = results.alerts().iter().map(|alert| alert["hphm"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, ["苏C12392", "苏C11601"]);
        assert_eq!((results.count("accepted"), results.count("late"), results.count("duplicates")), (1204, 596, 1));
    }
}

/// Format version 1, with work on an alert and the cursor of a mirror, which had other codecs then.
fn format_1(to: &Path) -> std::path::PathBuf {
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--file", "tests/fixtures/data-dir-format-1.tar.gz", "--directory"]).arg(to);
    assert!(tar.status().unwrap().success());
    to.join("data")
}

#[test]
fn format_1_is_brought_to_format_2_when_it_is_opened() {
    let folder = folder();
    let data = format_1(folder.path());
    // Reading alone changes nothing, so it asks for the appliance.
    run(["export".as_ref(), "--data-dir".as_ref(), data.as_os_str()]).failed(3, &["older version", "platewatch serve"]);
    // Nothing listens there, which changes nothing about the cursor.
    let config = format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[redis]\nurl = \"redis://127.0.0.1:1\"\n");
    for start in 0..2 {
        let (running, address) = serve(&config);
        let status = get_data(&address, "/api/status");
        assert_eq!(status["mirrors"][0]["cursor"], 13, "start {start}");
        assert_eq!(status["pipeline"]["by_shard"], json!([1778, 1220]));
        assert_eq!((&status["pipeline"]["rejected"]["total"], &status["pipeline"]["alerts"]), (&json!(1), &json!(13)));
        assert_eq!(get_data(&address, "/api/overview")["total"], 2998);
        let worked = get_data(&address, "/api/warnings/5c6ba83ad8f49b86");
        assert_eq!((&worked["status"], &worked["history"][0]["by"]), (&json!("investigating"), &json!("王")));
        drop(running);
    }
    let exported = run(["export".as_ref(), "--data-dir".as_ref(), data.as_os_str()]);
    exported.done();
    assert_eq!(exported.stdout.lines().count(), 2999);
}

#[test]
fn a_migration_that_is_killed_is_done_again() {
    let folder = folder();
    let data = format_1(folder.path());
    for pause in [0, 1, 3, 10, 30, 100] {
        let config = data.with_extension("toml");
        std::fs::write(
            &config,
            format!("data_dir = {data:?}\n[source]\nkind = \"none\"\n[api]\nlisten = \"127.0.0.1:0\"\n"),
        )
        .unwrap();
        let mut command = platewatch();
        command.args(["serve", "--config"]).arg(&config);
        let running = Running::start(command);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        running.signal("KILL");
        drop(running);
    }
    let (_running, address) = serve_nothing(&data);
    assert_eq!(get_data(&address, "/api/warnings/5c6ba83ad8f49b86")["status"], "investigating");
    assert_eq!(get_data(&address, "/api/status")["pipeline"]["alerts"], 13);
}
