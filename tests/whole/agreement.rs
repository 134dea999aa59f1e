//! Dirty captures: `replay` answers what the naive model answers, in every count, every reject and every alert.

use std::path::Path;

use base64::Engine as _;
use serde_json::Value;

use super::dirty::{Style, dirty};
use super::model::{self, Answer, Question};
use super::reading::{civil_seconds, civil_text};
use crate::harness::{Replay, Results, folder, simulated};

const TAB: Style = Style { separator: '\t', pieces: 1, spoilt: 12 };
const COMMA: Style = Style { separator: ',', pieces: 1, spoilt: 12 };
const SEMICOLON: Style = Style { separator: ';', pieces: 1, spoilt: 12 };
const PIPE: Style = Style { separator: '|', pieces: 1, spoilt: 12 };
/// As one real file was: 97 pieces end to end.
const PIECES: Style = Style { separator: '\t', pieces: 97, spoilt: 40 };

/// Names a folder that takes the captures.
const KEEP_CAPTURES: &str = "PLATEWATCH_TEST_CAPTURES";

/// Replays a capture in all four ways and compares each with the model; returns the alerts found.
pub(crate) fn check(capture: &[u8], what: &str) -> u64 {
    let folder = folder();
    let file = folder.path().join("capture.tsv");
    std::fs::write(&file, capture).unwrap();
    // For comparing the same captures with another implementation manually.
    if let Some(kept) = std::env::var_os(KEEP_CAPTURES) {
        std::fs::copy(&file, Path::new(&kept).join(what)).unwrap();
    }
    let mut alerts = 0;
    for (any_plate, by_time) in [(false, false), (true, false), (false, true), (true, true)] {
        let question = Question { any_plate, by_time };
        // The model knows section 2 of the contract, not what the traffic teaches.
        let mut replay = Replay::new(&file, &folder.path().join("out")).env("PLATEWATCH__DETECT__EVIDENCE", "off");
        if any_plate {
            replay = replay.args(["--detect-plates", "any"]);
        }
        if by_time {
            replay = replay.args(["--order", "time"]);
        }
        let results = replay.results();
        compare(&results, &model::answer(capture, question), &format!("{what}, {question:?}"));
        alerts += results.count("alerts");
    }
    alerts
}

#[track_caller]
pub(crate) fn compare(results: &Results, expected: &Answer, what: &str) {
    results.adds_up();
    let counts = |names: [&str; 7]| names.map(|name| results.count(name));
    let Answer { lines, headers, blank, duplicates, accepted, late, ahead, .. } = *expected;
    assert_eq!(
        counts(["lines", "headers", "blank", "duplicates", "accepted", "late", "ahead"]),
        [lines, headers, blank, duplicates, accepted, late, ahead],
        "{what}"
    );
    assert_eq!(results.by_kkmc(), expected.by_kkmc, "{what}");
    let span = expected.times.map(|(first, last)| (civil_text(first), civil_text(last)));
    let text = |name: &str| results.summary[name].as_str().map(str::to_owned);
    assert_eq!(text("first_time").zip(text("last_time")), span, "{what}");
    compare_rejects(&results.rejects(), expected, what);
    compare_alerts(&results.alerts(), expected, what);
}

#[track_caller]
fn compare_rejects(found: &[Value], expected: &Answer, what: &str) {
    assert_eq!(found.len(), expected.rejects.len(), "rejects, {what}");
    for (index, (reject, expected)) in found.iter().zip(&expected.rejects).enumerate() {
        let raw = match reject["raw_base64"].as_str() {
            Some(bytes) => base64::engine::general_purpose::STANDARD.decode(bytes).unwrap(),
            None => reject["raw"].as_str().unwrap().as_bytes().to_vec(),
        };
        let is = (reject["seq"].as_u64(), reject["line"].as_u64(), reject["reason"].as_str());
        assert_eq!(is, (Some(index as u64 + 1), Some(expected.line), Some(expected.reason)), "{what}: {reject}");
        assert!(raw == expected.raw, "raw of line {}, {what}", expected.line);
        assert!(reject["file"].as_str().is_some_and(|file| !file.is_empty()), "{reject}");
    }
}

#[track_caller]
fn compare_alerts(found: &[Value], expected: &Answer, what: &str) {
    assert_eq!(found.len(), expected.alerts.len(), "alerts, {what}");
    for (index, (alert, expected)) in found.iter().zip(&expected.alerts).enumerate() {
        let texts = ["hphm", "prev_gcxh", "curr_gcxh", "prev_kkmc", "curr_kkmc", "severity", "rule"];
        let (earlier, later) = (&expected.earlier, &expected.later);
        let wanted =
            [&expected.plate, &earlier.gcxh, &later.gcxh, &earlier.kkmc, &later.kkmc, expected.severity, "window"];
        assert_eq!(texts.map(|name| alert[name].as_str().unwrap()), wanted, "{what}: {alert}");
        assert_eq!(alert["cause"].as_str(), expected.cause, "{what}: {alert}");
        let times = ["prev_time", "curr_time"].map(|name| civil_seconds(alert[name].as_str().unwrap()));
        assert_eq!(times, [Some(earlier.time), Some(later.time)], "{what}: {alert}");
        let gap = later.time - earlier.time;
        assert_eq!((alert["seq"].as_u64(), alert["gap_seconds"].as_i64()), (Some(index as u64 + 1), Some(gap)));
        let speed = expected.distance_km.filter(|_| gap > 0).map(|km| km * 3600.0 / gap as f64);
        for (name, wanted) in [("distance_km", expected.distance_km), ("speed_kmh", speed)] {
            let close = match (alert[name].as_f64(), wanted) {
                (Some(is), Some(wanted)) => (is - wanted).abs() < 0.051,
                (is, wanted) => is.is_none() && wanted.is_none(),
            };
            assert!(close, "{name} should be {wanted:?}, {what}: {alert}");
        }
    }
}

fn check_made(seed: u64, style: Style) -> u64 {
    let separator = match style.separator {
        '\t' => "tab",
        ',' => "comma",
        ';' => "semicolon",
        _ => "pipe",
    };
    check(&dirty(&simulated(25_000, seed, &[]), seed, style), &format!("{separator}-{seed}"))
}

#[test]
fn dirty_captures_with_tabs() {
    let alerts: u64 = (1..=3).map(|seed| check_made(seed, TAB)).sum();
    assert!(alerts > 500, "only {alerts} alerts: the captures prove little");
}

#[test]
fn dirty_captures_with_commas() {
    let alerts: u64 = (4..=6).map(|seed| check_made(seed, COMMA)).sum();
    assert!(alerts > 500, "only {alerts} alerts: the captures prove little");
}

#[test]
fn dirty_captures_with_other_separators() {
    let alerts = check_made(8, SEMICOLON) + check_made(9, PIPE);
    assert!(alerts > 300, "only {alerts} alerts: the captures prove little");
}

#[test]
fn ninety_seven_pieces_end_to_end() {
    let capture = dirty(&simulated(60_000, 7, &["--full-names"]), 7, PIECES);
    let answer = model::answer(&capture, Question::default());
    assert!(answer.late * 10 > answer.accepted * 8, "{} of {} late", answer.late, answer.accepted);
    check(&capture, "pieces");
}

#[test]
fn every_kind_of_broken_line_is_met() {
    let mut reasons = std::collections::BTreeSet::new();
    for seed in 1..=3 {
        let answer = model::answer(&dirty(&simulated(25_000, seed, &[]), seed, TAB), Question::default());
        assert!(answer.headers > 5 && answer.blank > 5 && answer.duplicates > 100, "seed {seed}");
        reasons.extend(answer.rejects.iter().map(|reject| reject.reason));
    }
    let all = ["empty_gcxh", "empty_kkmc", "field_too_long", "gcsj_in_future", "gcsj_too_old", "gcxh_conflict"];
    let more = ["invalid_encoding", "invalid_gcsj", "kkmc_unroutable", "line_too_long", "wrong_column_count"];
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), [&all[..], &more[..]].concat());
}
