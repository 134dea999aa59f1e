//! Simulated traffic, distributed to partitions by plate, and what an offline replay of each partition finds in it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::Value;

use super::consuming::sorted_without_numbers;
use crate::harness::platewatch;

/// The lines of each partition, and all lines with their partitions in the order of production.
pub(crate) struct Traffic {
    pub(crate) partitions: usize,
    pub(crate) all: Vec<(i32, Vec<u8>)>,
}

impl Traffic {
    pub(crate) fn simulate(dir: &Path, count: usize, partitions: usize, seed: u64) -> Self {
        let file = dir.join(format!("simulated-{seed}.log"));
        run(platewatch()
            .args([
                "simulate",
                "--count",
                &count.to_string(),
                "--seed",
                &seed.to_string(),
                "--clone-every",
                "200",
                "--out",
            ])
            .arg(&file));
        let bytes = std::fs::read(&file).unwrap();
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let all: Vec<_> = lines.map(|line| (partition_of(line, partitions), line.to_vec())).collect();
        assert_eq!(all.len(), count);
        Self { partitions, all }
    }

    /// Produces the lines from `range`, spread over `time`.
    pub(crate) fn produce(&self, bootstrap: &str, topic: &str, range: std::ops::Range<usize>, time: Duration) {
        let producer: BaseProducer = rdkafka::ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("delivery.timeout.ms", "300000")
            .create()
            .unwrap();
        let lines = &self.all[range];
        let began = Instant::now();
        for (at, (partition, line)) in lines.iter().enumerate() {
            let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(*partition).payload(line);
            while let Err((_, back)) = producer.send(record) {
                producer.poll(Duration::from_millis(5));
                record = back;
            }
            if at % 256 == 0 {
                producer.poll(Duration::ZERO);
                let due = time.mul_f64(at as f64 / lines.len() as f64);
                std::thread::sleep(due.saturating_sub(began.elapsed()));
            }
        }
        producer.flush(Duration::from_secs(300)).unwrap();
    }

    /// What `replay` finds in each partition by itself, added up.
    pub(crate) fn replayed(&self, dir: &Path) -> Replayed {
        let mut found = Replayed::default();
        for partition in 0..self.partitions {
            let lines = self.all.iter().filter(|(at, _)| *at as usize == partition);
            let text: Vec<u8> = lines.flat_map(|(_, line)| line.iter().copied().chain([b'\n'])).collect();
            let (file, out) = (dir.join(format!("p{partition}.log")), dir.join(format!("p{partition}")));
            std::fs::write(&file, text).unwrap();
            run(platewatch().args(["replay", "--quiet", "--memory", "128MiB", "--out"]).arg(&out).arg(&file));
            let alerts = std::fs::read_to_string(out.join("alerts.jsonl")).unwrap();
            found.alerts.extend(alerts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            let cases = std::fs::read_to_string(out.join("cases.jsonl")).unwrap();
            found.cases.extend(cases.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            let summary: Value =
                serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
            for name in ["lines", "headers", "blank", "duplicates", "accepted", "late", "alerts"] {
                *found.totals.entry(name).or_default() += summary[name].as_u64().unwrap();
            }
            *found.totals.entry("rejected").or_default() += summary["rejected"]["total"].as_u64().unwrap();
            for (name, count) in summary["by_kkmc"].as_object().unwrap() {
                *found.counts.entry(name.clone()).or_default() += count.as_u64().unwrap();
            }
        }
        found.alerts = sorted_without_numbers(std::mem::take(&mut found.alerts));
        found
    }
}

#[derive(Default)]
pub(crate) struct Replayed {
    pub(crate) alerts: Vec<Value>,
    pub(crate) cases: Vec<Value>,
    pub(crate) totals: BTreeMap<&'static str, u64>,
    pub(crate) counts: BTreeMap<String, u64>,
}

fn partition_of(line: &[u8], partitions: usize) -> i32 {
    let plate = line.split(|byte| *byte == b'\t').nth(6).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    plate.hash(&mut hasher);
    (hasher.finish() % partitions as u64) as i32
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}
