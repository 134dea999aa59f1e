//! `simulate --brokers`: simulated traffic into a topic.

use crate::harness::{LONG, Program, done, platewatch, run, wait_until};
use crate::kafka::{Broker, topic};

fn simulate(dir: &std::path::Path, kafka: &Broker, more: &str) -> Program {
    let mut args = vec!["simulate", "--brokers", kafka.bootstrap()];
    args.extend(more.split(' '));
    Program::start(platewatch().args(args), &dir.join("log.txt"))
}

#[test]
fn a_count_arrives_as_it_would_be_written_to_a_file() {
    let kafka = Broker::shared();
    kafka.create_topic("bulk", 5);
    let dir = tempfile::tempdir().unwrap();
    assert!(simulate(dir.path(), kafka, "--topic bulk --count 300000 --seed 7").wait().success());
    let file = dir.path().join("lines");
    let args = ["simulate", "--count", "300000", "--seed", "7", "--out", file.to_str().unwrap()];
    done(args);

    let records = topic::read_all(kafka, "bulk");
    let mut partitions = std::collections::HashMap::new();
    let mut used = [0u32; 5];
    for record in &records {
        let field = record.text().split('\t').nth(6).unwrap();
        // The key is the normalised plate; the simulator's plates differ from it in nothing else.
        assert_eq!(record.key_text(), field.to_uppercase().replace(['·', ' '], ""), "{}", record.text());
        let partition = *partitions.entry(record.key_text()).or_insert(record.partition);
        assert_eq!(partition, record.partition, "{} is in two partitions", record.key_text());
        used[record.partition as usize] += 1;
    }
    assert!(used.iter().all(|&lines| lines > 30_000), "{used:?}");
    let mut sent: Vec<&str> = records.iter().map(|record| record.text()).collect();
    let text = std::fs::read_to_string(file).unwrap();
    let mut written: Vec<&str> = text.lines().collect();
    sent.sort_unstable();
    written.sort_unstable();
    assert!(sent == written, "{} sent, {} written", sent.len(), written.len());
}

#[test]
fn a_rate_flows_until_it_is_stopped() {
    let kafka = Broker::shared();
    kafka.create_topic("live", 2);
    let dir = tempfile::tempdir().unwrap();
    let program = simulate(dir.path(), kafka, "--topic live --rate 200");
    wait_until(LONG, "a hundred lines", || topic::count(kafka, "live") > 100);
    drop(program);
}

#[test]
fn a_topic_needs_brokers() {
    let ended = run(["simulate", "--count", "1", "--topic", "t"]);
    assert!(ended.stderr.contains("--brokers"), "{ended:?}");
    assert_eq!(ended.code, Some(2));
}
