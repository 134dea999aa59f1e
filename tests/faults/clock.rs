//! The machine's clock a day forward and a day back, by libfaketime, while passages of now come in: what is stored is what a run
//! with a quiet clock stores, no watermark is blinded, and retention drops nothing early.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::dump::{Dump, Extent};
use super::workload::{address, serving};
use crate::harness::{LONG, Running, get_data, run, simulated, wait_until};

/// How far the clock is off in each quarter of the lines.
const LEAPS: [&str; 4] = ["+0", "+1d", "-1d", "+0"];

/// Where Debian's package `faketime` has its library for programs with threads.
fn library() -> PathBuf {
    let found = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
    let mut all = found.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).filter(|path| path.exists());
    all.next().expect("libfaketime is not there: install the package faketime, as scripts/test does")
}

/// The time so many hours ago, civil and to the second.
fn hours_ago(hours: u64) -> String {
    let output = std::process::Command::new("date")
        .args(["--date", &format!("{hours} hours ago"), "+%Y-%m-%d %H:%M:%S"])
        .env("TZ", "Asia/Shanghai")
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}

/// Passages of the last hours, all before now: nearly three hours by day, and up to ten by night, when roads are empty. They begin with
/// an hour, as segments do: what is dropped does not hang on the minute.
fn of_the_last_hours() -> Vec<u8> {
    let now = hours_ago(0);
    let newest = |lines: &[u8]| {
        let text = std::str::from_utf8(lines).unwrap();
        text.lines().filter_map(|line| line.split('\t').nth(4)).max().unwrap().to_owned()
    };
    let starting = |hours| {
        let start = format!("{}:00:00", &hours_ago(hours)[.."0000-00-00 00".len()]);
        simulated(30_000, 81, &["--clean", "--rate", "3", "--start", &start])
    };
    (3..24).map(starting).find(|lines| newest(lines) < now).expect("30,000 passages at 3 a second take less than a day")
}

/// Serves lines on standard input, a quarter with each of these clocks; what the directory holds after a stop.
fn served(data: &Path, retention: &str, lines: &[u8], leaps: [&str; 4]) -> Dump {
    let settings = format!(
        "[source]\nkind = \"capture\"\nfiles = [\"-\"]\n[store]\nretention = \"{retention}\"\nalerts_retention = \"forever\"\n\
         rejects_retention = \"forever\"\n"
    );
    let clock = data.with_extension("clock");
    let set = |offset: &str| std::fs::write(&clock, offset).unwrap();
    set(leaps[0]);
    let mut command = serving(data, &settings);
    command.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", &clock).env("FAKETIME_NO_CACHE", "1");
    // A clock that is set does not move the time since the start.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    let mut running = Running::start_with(command, Stdio::piped());
    let mut input = running.child.stdin.take().unwrap();
    let at = address(&mut running);
    let all: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
    let mut written = 0;
    let mut watermark = String::new();
    for (part, leap) in leaps.into_iter().flat_map(|leap| [leap; 8]).enumerate() {
        set(leap);
        // A few minutes of traffic: a segment ends with the first commit after a full hour, and only whole segments are dropped.
        let lines = &all[all.len() * part / 32..all.len() * (part + 1) / 32];
        input.write_all(&lines.concat()).unwrap();
        written += lines.len();
        wait_until(LONG, "the lines are stored", || get_data(&at, "/api/status")["pipeline"]["lines"] == written);
        let status = get_data(&at, "/api/status");
        let now = status["detection"]["watermark"].as_str().unwrap().to_owned();
        assert!(now > watermark, "{leap}: the watermark stands at {now}");
        watermark = now;
        assert_eq!(status["pipeline"]["rejected"]["total"], 0, "{leap}: {}", status["pipeline"]);
        // The log of who saw what goes on.
        assert!(get_data(&at, "/api/warnings?limit=3")["records"].is_array());
    }
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    let verified = run(["verify-audit".as_ref(), "--data-dir".as_ref(), data.as_os_str()]);
    assert!(verified.code == Some(0), "{verified:?}");
    Dump::of(data, Extent::WhateverTheBatches)
}

#[test]
fn a_clock_that_leaps_a_day_forward_and_back_changes_nothing() {
    let folder = crate::harness::folder();
    let lines = of_the_last_hours();
    let path = |name: &str| folder.path().join(name);
    let quiet = served(&path("quiet"), "forever", &lines, ["+0"; 4]);
    assert!(quiet.count("row") > 29_000 && quiet.count("alerts") > 20, "{}", quiet.count("alerts"));
    served(&path("leaping"), "forever", &lines, LEAPS).equals(&quiet, "the clock leapt");
    served(&path("ahead"), "forever", &lines, ["+1d"; 4]).equals(&quiet, "the clock was a day ahead");

    let dropping = served(&path("dropping"), "1h", &lines, LEAPS);
    let (all, kept) = (quiet.rows(), dropping.rows());
    let newest = all.values().max().unwrap().clone();
    let dropped: Vec<_> = all.iter().filter(|(row, _)| !kept.contains_key(*row)).collect();
    assert!(kept.keys().all(|row| all.contains_key(row)) && dropped.len() > 5_000, "{} were dropped", dropped.len());
    let last = dropped.iter().map(|(_, time)| (*time).clone()).max().unwrap();
    // An hour before the newest, with a few seconds between that and the watermark.
    let limit = crate::whole::reading::civil_seconds(&newest).unwrap() - 3600;
    assert!(crate::whole::reading::civil_seconds(&last).unwrap() < limit, "{last} was dropped at {newest}");
}
