//! Cameras whose clocks are wrong: one or two of them do not move the watermark, and the user is warned.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::agreement::check;
use super::demo::stop;
use super::dirty::{Style, dirty};
use super::model::{self, Question};
use super::reading::{civil_seconds, civil_text};
use crate::harness::{
    PATIENCE, Random, Replay, Results, folder, get, get_data, repository, serve_fed, serve_nothing, simulated,
};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// A small input whose right result is known.
fn case(name: &str) -> PathBuf {
    repository("tests/fixtures/cases").join(name)
}

fn replay_case(name: &str, more: &[&str]) -> Results {
    let folder = folder();
    let results = Replay::new(case(name), &folder.path().join("out")).args(more).results();
    results.adds_up();
    results
}

/// Clean simulated lines as cameras with wrong clocks would have written them: some are minutes off, one leaps hours ahead
/// now and then, and one uploads what it has every ten minutes. The same seed, the same bytes.
pub(crate) fn wrong_clocks(lines: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let text = std::str::from_utf8(lines).unwrap();
    let mut records: Vec<(i64, usize, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let true_time = civil_seconds(&fields[4]).unwrap();
        let (mut shown, mut arrives) = (true_time, true_time);
        match camera(&fields[2]) {
            0 => shown += 5 * MINUTE,
            1 => shown -= 4 * MINUTE,
            2 if random.one_in(250) => shown += HOUR + random.below(20 * HOUR as usize) as i64,
            3 => arrives = (true_time / 600 + 1) * 600,
            _ => {}
        }
        fields[4] = civil_text(shown);
        records.push((arrives, number, fields.join("\t")));
    }
    records.sort();
    records.into_iter().map(|(_, _, line)| line + "\n").collect::<String>().into_bytes()
}

/// The number of a checkpoint in the catalogue, or any for one that is not in it.
fn camera(kkmc: &str) -> usize {
    let known = include_str!("../../data/kkmc_dimension.csv").lines().skip(1);
    known.into_iter().position(|line| line.split(',').take(2).any(|name| name == kkmc)).unwrap_or(99)
}

#[test]
fn a_stamp_of_the_future_changes_nothing_but_its_own_count() {
    let [control, future] = ["control.tsv", "future_stamp.tsv"].map(|name| replay_case(name, &[]));
    assert_eq!(control.count("alerts"), 20);
    assert_eq!(future.alerts, control.alerts);
    // Before there is a watermark nothing shows that it is ahead.
    assert!(control.count("ahead") == 0 && future.count("ahead") <= 1);
    assert_eq!([control.count("late"), future.count("late")], [0, 0]);
}

#[test]
fn wrong_clocks_are_judged_as_the_model_says_and_hide_little() {
    for seed in 1..=3 {
        let clean = simulated(60_000, seed, &["--clean", "--rate", "20"]);
        let capture = wrong_clocks(&clean, seed);
        check(&capture, &format!("wrong clocks, seed {seed}"));
        let found = model::answer(&capture, Question::default());
        let all = model::answer(&clean, Question::default());
        assert!(found.late * 20 < found.accepted, "seed {seed}: {} of {} late", found.late, found.accepted);
        assert!(found.ahead > 3, "seed {seed}");
        assert!(found.alerts.len() * 10 > all.alerts.len() * 6, "seed {seed}: {} alerts", found.alerts.len());
    }
}

/// Killed anywhere, a replay of wrong clocks ends as if nothing had happened; see [`super::crash`] for the kills themselves.
#[test]
fn batches_make_no_difference_to_wrong_clocks() {
    let folder = folder();
    let file = folder.path().join("capture.tsv");
    let style = Style { separator: '\t', pieces: 1, spoilt: 50 };
    std::fs::write(&file, dirty(&wrong_clocks(&simulated(20_000, 5, &["--clean"]), 5), 5, style)).unwrap();
    let replay =
        |batch: &str| Replay::new(&file, &folder.path().join("out")).args(["--batch-records", batch]).results();
    let whole = replay("100000");
    for batch in ["16", "777"] {
        replay(batch).equals(&whole, batch);
    }
}

#[test]
fn status_metrics_and_summary_name_the_clocks() {
    let folder = folder();
    let (capture, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    std::fs::write(&capture, wrong_clocks(&simulated(60_000, 9, &["--clean", "--rate", "20"]), 9)).unwrap();
    let replay = Replay::new(&capture, &folder.path().join("out")).args(["--data-dir"]).args([&data]);
    let ended = replay.run();
    ended.done();
    assert!(ended.stderr.contains("clocks that do not agree"), "{}", ended.stderr);
    let results = Results::read(&folder.path().join("out"));
    let (running, address) = serve_nothing(&data);
    let detection = get_data(&address, "/api/status")["detection"].clone();
    assert_eq!(detection["ahead"].as_u64(), Some(results.count("ahead")));
    assert_eq!(detection["late"].as_u64(), Some(results.count("late")));
    let clocks = detection["checkpoints"].as_array().unwrap();
    let sum = |name: &str| clocks.iter().map(|clock| clock[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(["accepted", "late", "ahead"].map(sum), ["accepted", "late", "ahead"].map(|name| results.count(name)));
    let by_kkmc = results.by_kkmc();
    for clock in clocks {
        let kkmc = clock["kkmc"].as_str().unwrap();
        assert_eq!(clock["accepted"].as_u64(), by_kkmc.get(kkmc).copied(), "{clock}");
        let (code, seconds) = (clock["advice"]["code"].as_str(), clock["advice"]["seconds"].as_i64());
        match camera(kkmc) {
            0 => assert!(code == Some("clock_ahead") && (270..330).contains(&seconds.unwrap()), "{clock}"),
            1 => assert!(code == Some("clock_behind") && (210..270).contains(&seconds.unwrap()), "{clock}"),
            2 => assert_eq!(code, Some("clock_leaps"), "{clock}"),
            3 => assert!(matches!(code, Some("sends_late" | "clock_behind")), "{clock}"),
            _ => assert_eq!(code, None, "{clock}"),
        }
    }
    let ahead = clocks.iter().find(|clock| clock["advice"]["code"] == "clock_ahead").unwrap();
    let metrics = get(&address, "/metrics").1;
    let kkmc = ahead["kkmc"].as_str().unwrap();
    for line in [
        format!("platewatch_ahead_total {}", results.count("ahead")),
        format!("platewatch_checkpoint_passages_total{{kkmc=\"{kkmc}\"}} {}", ahead["accepted"]),
        format!("platewatch_checkpoint_offset_seconds{{kkmc=\"{kkmc}\"}} {}", ahead["offset_seconds"]),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}");
    }
    drop(running);
}

/// One record that is 23 hours ahead, live: the clones after it are found, and its checkpoint is named.
#[test]
fn one_record_far_ahead_silences_nothing_live() {
    let folder = folder();
    let data = folder.path().join("data");
    let (mut running, address) =
        serve_fed(&format!("data_dir = {data:?}\n[source]\nkind = \"capture\"\nfiles = [\"-\"]\n"));
    let mut input = running.child.stdin.take().unwrap();
    let start = civil_seconds("2024-01-01 08:00:00").unwrap();
    let mut number = 0;
    let mut line = |kkmc: &str, time: i64, plate: &str| {
        number += 1;
        format!("LIVE{number:06}\t邳州市\t{kkmc}\t1\t{}\t02\t{plate}\t-\n", civil_text(time))
    };
    let mut text = String::new();
    for second in 0..60 {
        for kkmc in ["S250_Pizhou_Sulu", "G3_Sulu", "S253_Peixian_Sulu", "G104_Suining_Suwan"] {
            text += &line(kkmc, start + second, "-");
        }
        if second == 20 {
            text += &line("G104_Suining_Suwan", start + second + 23 * HOUR, "苏C99999");
        }
        if second >= 30 {
            text += &line("S250_Pizhou_Sulu", start + second, &format!("苏C100{second}"));
            text += &line("G3_Sulu", start + second, &format!("苏C100{second}"));
        }
    }
    input.write_all(text.as_bytes()).unwrap();
    input.flush().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while get_data(&address, "/api/overview")["alerts"] != 30 {
        assert!(Instant::now() < deadline, "{}", get_data(&address, "/api/overview"));
        std::thread::sleep(Duration::from_millis(20));
    }
    let detection = get_data(&address, "/api/status")["detection"].clone();
    assert_eq!((&detection["ahead"], &detection["late"]), (&1.into(), &0.into()));
    assert_eq!(detection["watermark"], "2024-01-01 08:00:59");
    let wrong: Vec<&Value> =
        detection["checkpoints"].as_array().unwrap().iter().filter(|clock| !clock["advice"].is_null()).collect();
    assert_eq!(wrong.len(), 1, "{detection}");
    assert_eq!((&wrong[0]["kkmc"], &wrong[0]["advice"]["code"]), (&"G104_Suining_Suwan".into(), &"clock_leaps".into()));
    drop(input);
    let log = stop(running, Duration::from_secs(20));
    let told: Vec<&str> = log.lines().filter(|line| line.contains("do not agree with the others")).collect();
    assert_eq!(told.len(), 1, "{log}");
    assert!(told[0].contains("G104_Suining_Suwan"), "{log}");
}

#[test]
fn ids_that_a_spreadsheet_ruined_are_rejected_with_their_lines() {
    let folder = folder();
    let lines = std::fs::read_to_string(case("excel_scientific_ids.csv")).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    for order in ["arrival", "time"] {
        let out = folder.path().join("out");
        let ended = Replay::new(case("excel_scientific_ids.csv"), &out).args(["--order", order]).run();
        ended.done();
        ended.one_sentence(&["11 records have a GCXH", "\"3.203E+17\"", "spreadsheet"]);
        let results = Results::read(&out);
        results.adds_up();
        assert_eq!((results.count("accepted"), results.rejected()), (1, 11));
        assert_eq!(results.summary["rejected"]["by_reason"]["gcxh_conflict"], 11);
        for (number, reject) in (3..).zip(results.rejects()) {
            assert_eq!(reject["line"].as_u64(), Some(number));
            assert_eq!(
                (&reject["raw"], &reject["reason"]),
                (&lines[number as usize - 1].into(), &"gcxh_conflict".into())
            );
            assert_eq!(reject["file"], "excel_scientific_ids.csv");
        }
    }
}

/// Gap, severity and cause of each alert.
fn evidence(results: &Results) -> Vec<(i64, String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let alerts = results.alerts();
    let told = alerts.iter().map(|alert| {
        (alert["gap_seconds"].as_i64().unwrap(), text(&alert["severity"]).unwrap(), text(&alert["cause"]))
    });
    told.collect()
}

#[test]
fn two_plate_types_are_lawful_twins() {
    let twins = || Some("plate_types".to_owned());
    let found = evidence(&replay_case("plate_types.tsv", &[]));
    assert_eq!(
        found,
        [(30, "low".to_owned(), twins()), (30, "low".to_owned(), twins()), (30, "high".to_owned(), None)]
    );
}

/// 6.5 km in two minutes that may be four, and 63 or 79 km within a day: only the nominal speed is too high.
#[test]
fn times_without_seconds_or_a_time_of_day_prove_nothing() {
    for (name, gap) in [("minutes_only_high.csv", 120), ("date_only.tsv", 0)] {
        let medium = |gap: i64| (gap, "medium".to_owned(), None);
        assert_eq!(evidence(&replay_case(name, &[])), [medium(gap), medium(0)], "{name}");
    }
}

/// What is stored of a plate keeps how finely its times were written, and its plate types.
#[test]
fn a_restart_keeps_resolutions_and_plate_types() {
    for (name, severities) in [("minutes_only_high.csv", ["medium", "medium"]), ("plate_types.tsv", ["low", "low"])] {
        let folder = folder();
        let text = std::fs::read_to_string(case(name)).unwrap();
        // The first sighting of each pair, and then the second.
        let lines: Vec<&str> = text.lines().collect();
        let half = |from: usize| {
            lines.iter().skip(from).step_by(2).take(2).map(|line| format!("{line}\n")).collect::<String>()
        };
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        std::fs::write(&first, half(1)).unwrap();
        std::fs::write(&second, half(2)).unwrap();
        let (out, data) = (folder.path().join("out"), folder.path().join("data"));
        let replay = || Replay::new(&first, &out).args(["--data-dir"]).args([&data]);
        assert_eq!(replay().results().count("alerts"), 0, "{name}");
        let found = replay().args([&second]).results();
        let found: Vec<_> = evidence(&found).into_iter().map(|(_, severity, _)| severity).collect();
        assert_eq!(found, severities, "{name}");
    }
}

#[test]
fn null_island_is_no_place() {
    let checkpoints = case("null_island.checkpoints.csv");
    let results = replay_case("null_island.tsv", &["--checkpoints", checkpoints.to_str().unwrap()]);
    let severities: Vec<_> = evidence(&results).into_iter().map(|(gap, severity, _)| (gap, severity)).collect();
    assert_eq!(severities, [(270, "medium".to_owned()), (270, "low".to_owned()), (60, "medium".to_owned())]);
    let distances: Vec<_> = results.alerts().iter().map(|alert| alert["distance_km"].as_f64()).collect();
    assert!(
        distances[0].is_none() && distances[1].is_some_and(|km| km < 6.0) && distances[2].is_none(),
        "{distances:?}"
    );
}

/// One plate everywhere, `rate` times a second, its times going backwards.
fn backwards(count: i64, rate: i64) -> String {
    let start = civil_seconds("2024-01-01 08:00:00").unwrap();
    let line = |number: i64| {
        let (kkmc, time) = (["K1", "K2", "K3", "K4"][number as usize % 4], start - number / rate % 290);
        format!("X{number:08}-\t铜山县\t{kkmc}\t1\t{}\t02\t苏C12345\t-\n", civil_text(time))
    };
    (0..count).map(line).collect()
}

#[test]
fn one_plate_whose_times_go_backwards_is_judged_as_the_model_says() {
    check(backwards(6_000, 12).as_bytes(), "one plate, backwards");
}

/// Many sightings of one plate within the TTL: bounded in memory and on disk, and readable again.
#[test]
fn one_plate_seen_all_the_time_is_bounded_and_readable() {
    let folder = folder();
    let (capture, data) = (folder.path().join("capture.tsv"), folder.path().join("data"));
    std::fs::write(&capture, backwards(200_000, 400)).unwrap();
    let started = Instant::now();
    let replay = Replay::new(&capture, &folder.path().join("out")).args(["--batch-records", "500", "--data-dir"]);
    let results = replay.args([&data]).results();
    results.adds_up();
    assert_eq!((results.count("accepted"), results.count("late")), (200_000, 0));
    assert!(results.count("alerts") > 100_000);
    // It took minutes when each commit wrote all of them, and each sighting moved all the others.
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    let (running, address) = serve_nothing(&data);
    assert_eq!(get_data(&address, "/api/overview")["total"], 200_000);
    assert_eq!(get_data(&address, "/api/status")["detection"]["forgotten"], 0);
    drop(running);
}
