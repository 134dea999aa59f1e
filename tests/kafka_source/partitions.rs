//! `kafka.start`, and partitions that are added later.

use super::{LINE, STATIC_MEMBER, committed};
use crate::harness::{Appliance, LONG, wait_until};
use crate::kafka::{Broker, topic};

/// New partitions are noticed soon.
const NOTICES: &str = "\"topic.metadata.refresh.interval.ms\" = 500\n";

fn line(number: u32) -> [String; 1] {
    [LINE.replace("G1\t", &format!("G{number}\t"))]
}

/// An appliance with `kafka.start = "latest"`.
fn latest(dir: &std::path::Path, broker: &Broker, name: &str, properties: &str) -> Appliance {
    let appliance = Appliance::consuming(dir, broker.bootstrap(), name, properties);
    let config = std::fs::read_to_string(appliance.config()).unwrap();
    std::fs::write(appliance.config(), config.replace("[kafka]", "[kafka]\nstart = \"latest\"")).unwrap();
    appliance
}

fn position(appliance: &Appliance, partition: usize) -> serde_json::Value {
    appliance.status()["source"]["kafka"]["partitions"][partition]["position"].clone()
}

#[test]
fn start_latest_passes_over_what_is_there_and_a_restart_does_not() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "latest";
    broker.create_topic(name, 1);
    topic::produce_to(broker, name, 0, &[], &line(1));
    let mut appliance = latest(dir.path(), broker, name, STATIC_MEMBER);
    appliance.start();
    wait_until(LONG, "a position is stored", || position(&appliance, 0) == 1);
    appliance.kill();
    topic::produce_to(broker, name, 0, &[], &line(2));
    appliance.start();
    appliance.wait_for_lines(1);
    assert_eq!(appliance.status()["pipeline"]["accepted"], 1);
}

#[test]
fn a_partition_that_comes_later_is_read_from_its_beginning_whatever_start_says() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "growing";
    broker.create_topic(name, 2);
    topic::produce_to(broker, name, 0, &[], &line(1));
    topic::produce_to(broker, name, 1, &[], &line(2));
    let mut appliance = latest(dir.path(), broker, name, NOTICES);
    appliance.start();
    wait_until(LONG, "both begin at their ends", || position(&appliance, 0) == 1 && position(&appliance, 1) == 1);
    // The group knows all of them, so that the next appliance can see which partitions are new.
    wait_until(LONG, "the group knows", || committed(broker, name, 2) == [1, 1]);

    // While it runs: the first record is there before it can have noticed.
    broker.set_partitions(name, 3);
    topic::produce_to(broker, name, 2, &[], &line(3));
    appliance.wait_for_lines(1);
    // While it is stopped.
    appliance.stop();
    broker.set_partitions(name, 4);
    topic::produce_to(broker, name, 3, &[], &line(4));
    appliance.start();
    appliance.wait_for_lines(2);
    wait_until(LONG, "all positions are stored", || (0..4).all(|partition| position(&appliance, partition) == 1));
    // Another data directory in the same group, while the first one is away.
    appliance.stop();
    broker.set_partitions(name, 5);
    topic::produce_to(broker, name, 4, &[], &line(5));
    let elsewhere = tempfile::tempdir().unwrap();
    let mut other = latest(elsewhere.path(), broker, name, NOTICES);
    other.start();
    other.wait_for_lines(1);
}

#[test]
fn a_topic_that_is_made_later_is_read_from_its_beginning() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "later";
    let mut appliance = latest(dir.path(), broker, name, NOTICES);
    appliance.start();
    wait_until(LONG, "the topic is missed", || {
        appliance.status()["source"]["kafka"]["last_error"].to_string().contains("not available")
    });
    broker.create_topic(name, 1);
    topic::produce_to(broker, name, 0, &[], &line(1));
    appliance.wait_for_lines(1);
}
