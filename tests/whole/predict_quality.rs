//! Whether `seasonal` is good: four weeks of simulated traffic, on three seeds.

use std::collections::BTreeMap;
use std::io::Write as _;

use platewatch::internals::{Simulator, SimulatorSettings};
use serde_json::Value;

use crate::harness::{folder, run, tell};

const DAYS: i64 = 28;
/// Passages per second at the 19 checkpoints: about 190 an hour at each, so that chance matters.
const RATE: f64 = 1.0;

/// Hourly counts of four weeks with everything the simulator does to make records hard, as a table.
fn table(seed: u64) -> Vec<u8> {
    let settings = SimulatorSettings { seed, rate: RATE, ..SimulatorSettings::default() };
    let first = settings.start.hour();
    let mut simulator = Simulator::new(settings).unwrap();
    let mut counts: BTreeMap<(String, i64), u64> =
        simulator.checkpoints().iter().map(|checkpoint| ((checkpoint.code.clone(), first), 0)).collect();
    let mut line = Vec::new();
    loop {
        line.clear();
        let event = simulator.next_passage(&mut line);
        let hour = event.passed_at.hour();
        if hour >= first + DAYS * 24 {
            break;
        }
        let kkmc = line.split(|byte| *byte == b'\t').nth(2).unwrap();
        *counts.entry((String::from_utf8(kkmc.to_owned()).unwrap(), hour)).or_default() += 1;
    }
    let sites: Vec<String> = simulator.checkpoints().iter().map(|checkpoint| checkpoint.code.clone()).collect();
    let mut table = b"date,KKMC,hour,is_weekend,traffic_count\n".to_vec();
    for hour in first..first + DAYS * 24 {
        let date = platewatch::internals::date_text(hour.div_euclid(24));
        let weekend = u8::from(platewatch::internals::is_weekend(hour.div_euclid(24)));
        for site in &sites {
            let count = counts.get(&(site.clone(), hour)).copied().unwrap_or_default();
            writeln!(table, "{date},{site},{},{weekend},{count}", hour.rem_euclid(24)).unwrap();
        }
    }
    table
}

#[test]
fn seasonal_beats_every_baseline_and_spark_on_three_seeds() {
    for seed in [11, 12, 13] {
        let folder = folder();
        let [file, model] = ["table.csv", "model"].map(|name| folder.path().join(name));
        std::fs::write(&file, table(seed)).unwrap();
        let ended =
            run(["train".as_ref(), "--input".as_ref(), file.as_os_str(), "--model-dir".as_ref(), model.as_os_str()]);
        ended.done();
        tell(&format!("seed {seed}\n{}", ended.stdout));
        let metadata: Value = serde_json::from_slice(&std::fs::read(model.join("metadata.json")).unwrap()).unwrap();
        assert_eq!(metadata["kind"], "seasonal");
        let tested = metadata["evaluation"]["tested"].as_array().unwrap();
        let wape = |one: &Value| one["checkpoints"]["wape"].as_f64().unwrap();
        let seasonal = tested.iter().find(|one| one["name"] == "seasonal").unwrap();
        let others: Vec<&Value> = tested.iter().filter(|one| one["name"] != "seasonal").collect();
        let names: Vec<&str> = others.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "spark-linear",
                "recent-weeks",
                "blend",
                "constant",
                "last-day",
                "last-week",
                "site-hour-mean",
                "week-hour-mean",
            ]
        );
        for other in others {
            assert!(wape(seasonal) < wape(other), "seed {seed}: {} is better: {}", other["name"], ended.stdout);
        }
        let nominal = metadata["interval"].as_f64().unwrap();
        let coverage = seasonal["checkpoints"]["coverage"].as_f64().unwrap();
        assert!((coverage - nominal).abs() <= 0.05, "seed {seed}: {coverage}, not {nominal}");
    }
}
