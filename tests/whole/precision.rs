//! How many of the planted clones are found, and how many alerts are clones: against the truth that the simulator writes.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::Value;

use crate::harness::{Replay, folder, platewatch, tell};

const WINDOW: i64 = 300;
const MAX_SPEED: f64 = 160.0;

/// The rules alone, without what the traffic teaches.
const OFF: (&str, &str) = ("PLATEWATCH__DETECT__EVIDENCE", "off");

type Pair = (String, String);

fn pair(value: &Value) -> Pair {
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    (text("prev_gcxh"), text("curr_gcxh"))
}

/// Alerts against truth.
fn measure(name: &str, found: &HashSet<Pair>, wanted: &HashSet<&Pair>, truth: &HashMap<Pair, Value>) -> (f64, f64) {
    let hits = wanted.iter().filter(|pair| found.contains(**pair)).count();
    let true_alerts = found.iter().filter(|pair| truth.contains_key(*pair)).count();
    let (recall, precision) = (hits as f64 / wanted.len() as f64, true_alerts as f64 / found.len() as f64);
    tell(&format!(
        "{name}: {} alerts, {true_alerts} of them clones, precision {:.2} %; {hits} of {} clone pairs found, recall {:.2} %",
        found.len(),
        precision * 100.0,
        wanted.len(),
        recall * 100.0
    ));
    (recall, precision)
}

fn alerts(capture: &Path, out: &Path, settings: &[(&str, &str)]) -> Vec<Value> {
    let replay = settings.iter().fold(Replay::new(capture, out), |replay, (name, value)| replay.env(name, value));
    replay.results().alerts()
}

#[test]
fn of_a_million_simulated_passages() {
    let folder = folder();
    let [capture, truth, out] = ["capture.tsv", "truth.jsonl", "out"].map(|name| folder.path().join(name));
    let mut command = platewatch();
    command.args(["simulate", "--count", "1000000", "--out"]).arg(&capture).arg("--truth").arg(&truth);
    assert!(command.status().unwrap().success());
    let truth: HashMap<Pair, Value> = std::fs::read_to_string(&truth)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .map(|value: Value| (pair(&value), value))
        .collect();
    let in_window: HashSet<&Pair> = truth
        .iter()
        .filter(|(_, value)| value["gap_seconds"].as_i64().unwrap() < WINDOW)
        .map(|(pair, _)| pair)
        .collect();
    // Faster than any car, or at once.
    let too_fast = |value: &Value| value["speed_kmh"].as_f64().is_none_or(|speed| speed > MAX_SPEED);
    let impossible: HashSet<&Pair> = truth.iter().filter(|(_, value)| too_fast(value)).map(|(pair, _)| pair).collect();
    assert!(in_window.len() > 200 && impossible.len() > in_window.len(), "{} {}", in_window.len(), impossible.len());

    let flat = alerts(&capture, &out, &[OFF]);
    let (recall, precision) = measure("flat rule", &flat.iter().map(pair).collect(), &in_window, &truth);
    assert!(recall >= 0.99 && precision >= 0.05, "recall {recall}, precision {precision}");

    let high: HashSet<Pair> = flat.iter().filter(|alert| alert["severity"] == "high").map(pair).collect();
    let near: HashSet<&Pair> = in_window.intersection(&impossible).copied().collect();
    let (recall, precision) = measure("severity high", &high, &near, &truth);
    assert!(recall >= 0.99 && precision >= 0.9, "recall {recall}, precision {precision}");

    let settings = [OFF, ("PLATEWATCH__DETECT__SPEED_WINDOW", "1h"), ("PLATEWATCH__DETECT__STATE_TTL", "2h")];
    let long = alerts(&capture, &out, &settings);
    let high: HashSet<Pair> = long.iter().filter(|alert| alert["severity"] == "high").map(pair).collect();
    let (recall, precision) = measure("severity high, speed window 1 h", &high, &impossible, &truth);
    assert!(recall >= 0.99 && precision >= 0.9, "recall {recall}, precision {precision}");
    assert!(long.iter().any(|alert| alert["rule"] == "speed"), "the speed rule found nothing of its own");

    // With it, one pair alone seldom proves two cars: precision rises, and plates with three pairs are cases.
    let results = Replay::new(&capture, &out).results();
    let high = results.alerts().into_iter().filter(|alert| alert["severity"] == "high");
    let (_, precision) =
        measure("severity high, with evidence", &high.map(|alert| pair(&alert)).collect(), &near, &truth);
    assert!(precision >= 0.95, "precision {precision}");
    let mut pairs: HashMap<&str, u32> = HashMap::new();
    for value in truth.values().filter(|value| too_fast(value)) {
        *pairs.entry(value["hphm"].as_str().unwrap()).or_default() += 1;
    }
    let cases = results.cases();
    let likely: HashSet<&str> = cases
        .iter()
        .filter(|case| case["probability"].as_f64().unwrap() >= 0.9)
        .map(|case| case["hphm"].as_str().unwrap())
        .collect();
    let right = likely.iter().filter(|plate| pairs.contains_key(*plate)).count();
    let clear: Vec<&&str> = pairs.iter().filter(|(_, count)| **count >= 3).map(|(plate, _)| plate).collect();
    let found = clear.iter().filter(|plate| likely.contains(**plate)).count();
    tell(&format!(
        "cases: {} of 0.9 or more, {right} of them clones; {found} of {} clear ones",
        likely.len(),
        clear.len()
    ));
    // These second cars are seen in two passages and no more, so three pairs alone do not always suffice.
    assert!(right as f64 >= 0.98 * likely.len() as f64 && found as f64 >= 0.7 * clear.len() as f64);
}
