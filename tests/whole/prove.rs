//! `prove` over a small capture whose truth is known, against `replay` of a capture in which the test itself has merged
//! the pairs that `prove` names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Ended, Random, Replay, done, folder, get, get_data, platewatch, run, serve_nothing};

const SITES: usize = 6;
const PAIRS: &str = "8";
/// A plate that two cars really wear.
const CLONED: &str = "苏C90001";

/// A capture and its checkpoints.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// 130 cars that drive to and fro over six checkpoints for ten hours, and a clone.
    fn new() -> Self {
        let folder = folder();
        let mut random = Random(11);
        let mut passages = Vec::new();
        for car in 0..130 {
            drive(&mut random, &format!("苏C{:05}", 10_000 + car * 137), &mut passages);
        }
        drive(&mut random, CLONED, &mut passages);
        drive(&mut random, CLONED, &mut passages);
        passages.sort();
        let mut text = String::new();
        for (number, (time, site, plate)) in passages.iter().enumerate() {
            let clock = format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
            writeln!(text, "G{number:08}\t沛县\tK{site}\t1\t2024-01-01 {clock}\t02\t{plate}\t大众牌-朗逸-2015")
                .unwrap();
        }
        std::fs::write(folder.path().join("capture.log"), text).unwrap();
        let sites = (0..SITES)
            .map(|site| format!("K{site},卡口{site},{site},沛县,G1,{:.2},34.5\n", 117.0 + 0.05 * site as f64));
        let csv = format!("code,kkmc,label,xzqhmc,road,lon,lat\n{}", sites.collect::<String>());
        std::fs::write(folder.path().join("checkpoints.csv"), csv).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn prove(&self, more: &[&str]) -> Ended {
        let mut command = platewatch();
        command.arg("prove").arg(self.path("capture.log")).arg("--checkpoints").arg(self.path("checkpoints.csv"));
        command
            .args(["--json", "-"])
            .args(if more.contains(&"--pairs") { &[][..] } else { &["--pairs", PAIRS] })
            .args(more)
            .output()
            .unwrap()
            .into()
    }

    fn replay(&self, capture: &str, out: &str) -> Replay {
        let sites = self.path("checkpoints.csv");
        Replay::new(self.path(capture), &self.path(out)).args(["--checkpoints"]).args([&sites])
    }
}

fn drive(random: &mut Random, plate: &str, passages: &mut Vec<(usize, usize, String)>) {
    let (mut now, mut site, mut up) = (6 * 3600 + random.below(900), random.below(SITES), random.one_in(2));
    while now < 16 * 3600 {
        passages.push((now, site, plate.to_owned()));
        if (site == 0 && !up) || (site == SITES - 1 && up) {
            up = !up;
            now += 400 + random.below(2400);
            continue;
        }
        site = if up { site + 1 } else { site - 1 };
        now += 6 * (90 + random.below(40));
    }
}

fn lines(file: &Path) -> Vec<Value> {
    std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many alerts of each plate satisfy this.
fn alerts_by_plate(alerts: &[Value], satisfies: impl Fn(&Value) -> bool) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for alert in alerts.iter().filter(|alert| satisfies(alert)) {
        *counts.entry(alert["hphm"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn what_it_says_of_merged_plates_is_what_a_replay_of_merged_plates_says() {
    let scene = Scene::new();
    let ended = scene.prove(&[]);
    ended.done();
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let pairs = report["pairs"].as_array().unwrap();
    assert_eq!((pairs.len(), &report["tracks"], &report["plates"]), (8, &130.into(), &131.into()));

    let mut text = std::fs::read_to_string(scene.path("capture.log")).unwrap();
    let unmerged = scene.replay("capture.log", "unmerged").results();
    for pair in pairs {
        text = text.replace(pair["merged_hphm"].as_str().unwrap(), pair["hphm"].as_str().unwrap());
    }
    std::fs::write(scene.path("merged.log"), text).unwrap();
    scene.replay("merged.log", "merged").results();
    let rules = scene.replay("merged.log", "rules").env("PLATEWATCH__DETECT__EVIDENCE", "off").results();

    // Cases: the same plates with the same probabilities and contradictions.
    let merged_plates: BTreeSet<&str> = pairs.iter().map(|pair| pair["hphm"].as_str().unwrap()).collect();
    let cases: BTreeMap<String, Value> = lines(&scene.path("merged/cases.jsonl"))
        .into_iter()
        .map(|case| (case["hphm"].as_str().unwrap().to_owned(), case))
        .collect();
    for pair in pairs {
        let case = cases.get(pair["hphm"].as_str().unwrap());
        match case {
            Some(case) => {
                assert_eq!(case["contradictions"], pair["contradictions"], "{pair}");
                let [own, other] = [&case["probability"], &pair["probability"]].map(|number| number.as_f64().unwrap());
                assert!((own - other).abs() < 1e-3, "{case} {pair}");
            }
            None => assert!(pair["probability"].as_f64().is_none_or(|probability| probability < 0.5), "{pair}"),
        }
    }
    let found = cases.keys().filter(|plate| merged_plates.contains(plate.as_str())).count() as u64;
    assert!((4..=8).contains(&found), "{found}");
    assert_eq!(report["cases"][0]["found"], found);
    assert_eq!(report["cases"][0]["others"]["plates"], (cases.len() as u64 - found));
    assert!(cases.contains_key(CLONED) && !merged_plates.contains(CLONED));
    // Without the merges there is only the real clone.
    assert_eq!(unmerged.count("cases"), 1);

    // Rules: the same alerts of each plate.
    let window = alerts_by_plate(&rules.alerts(), |alert| alert["rule"] == "window");
    let high = alerts_by_plate(&rules.alerts(), |alert| alert["severity"] == "high");
    assert!(high.values().sum::<u64>() > 20 && high != window);
    for pair in pairs {
        let of = |counts: &BTreeMap<String, u64>| counts.get(pair["hphm"].as_str().unwrap()).copied().unwrap_or(0);
        assert_eq!((&pair["window_alerts"], &pair["great_circle_alerts"]), (&of(&window).into(), &of(&high).into()));
    }
    let own =
        |counts: &BTreeMap<String, u64>| counts.keys().filter(|plate| merged_plates.contains(plate.as_str())).count();
    for (rule, counts) in [&window, &high].into_iter().enumerate() {
        assert_eq!(report["rules"][rule]["found"], own(counts));
        assert_eq!(report["rules"][rule]["others"]["plates"], counts.len() - own(counts));
    }
}

#[test]
fn the_seed_decides_and_the_input_may_be_a_data_directory() {
    let scene = Scene::new();
    let report = scene.prove(&[]).stdout;
    assert_eq!(scene.prove(&["--seed", "1", "--quiet"]).stdout, report);
    assert_ne!(scene.prove(&["--seed", "2"]).stdout, report);
    assert_eq!(scene.prove(&["--order", "time"]).stdout, report, "it is in the order of time already");
    // A data directory with several shards, read in the order of arrival.
    scene.replay("capture.log", "out").args(["--shards", "3", "--data-dir"]).args([scene.path("data")]).results();
    let (data, sites, file) = (scene.path("data"), scene.path("checkpoints.csv"), scene.path("report.json"));
    let [data, sites, file] = [&data, &sites, &file].map(|path| path.to_str().unwrap());
    let table = done(["prove", "--data-dir", data, "--checkpoints", sites, "--pairs", PAIRS, "--json", file]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), report);
    for part in
        ["8 pairs of real tracks of one brand merged, seed 1", "case, P >= 0.9", "great-circle speed", "0.9 to 1.0"]
    {
        assert!(table.contains(part), "{table}");
    }
}

/// The appliance serves what `prove` left beside it, made with the checkpoints that were imported into the data directory.
#[test]
fn the_report_stays_in_the_data_directory_and_is_served() {
    let scene = Scene::new();
    let data = scene.path("data");
    scene.replay("capture.log", "out").args(["--data-dir"]).args([&data]).results();
    let data_text = data.to_str().unwrap();
    let sites = scene.path("checkpoints.csv");
    done(["import-checkpoints", sites.to_str().unwrap(), "--data-dir", data_text]);
    let (_running, address) = serve_nothing(&data);
    assert_eq!(get(&address, "/api/prove").0, 404);
    let report = done(["prove", "--data-dir", data_text, "--pairs", PAIRS, "--json", "-"]);
    assert_eq!(report, scene.prove(&[]).stdout, "as with --checkpoints");
    let mut proof = get_data(&address, "/api/prove");
    assert!(proof["made_at"].as_str().unwrap().len() == 19, "{proof}");
    let mut report: Value = serde_json::from_str(&report).unwrap();
    proof.as_object_mut().unwrap().remove("made_at");
    report.as_object_mut().unwrap().remove("pairs");
    assert_eq!(proof, report);
}

#[test]
fn what_cannot_be_proved_is_refused_in_words() {
    let scene = Scene::new();
    scene
        .prove(&["--pairs", "66"])
        .failed(2, &["66 pairs need 132 tracks", "131 plates", "130 are tracks", "--pairs 65"]);
    run(["prove", "-"]).failed(2, &["read twice"]);
    run(["prove", "/nowhere/at/all.log"]).failed(2, &["/nowhere/at/all.log"]);
    assert_eq!(run(["prove"]).code, Some(2));
    let data = scene.path("data");
    run(["prove", "--data-dir", data.to_str().unwrap(), "--order", "time"]).failed(2, &["--order", "files"]);
    let mut command = platewatch();
    command.arg("prove").arg(scene.path("capture.log")).env("PLATEWATCH__DETECT__EVIDENCE", "off");
    Ended::from(command.output().unwrap()).failed(2, &["detect.evidence"]);
}
