//! Records that disappear while the topic is consumed: real retention, and a topic that was created again.

use super::STATIC_MEMBER;
use super::group::id_of;
use super::traffic::Traffic;
use crate::harness::{Appliance, LONG, wait_until};
use crate::kafka::{Broker, topic};
use std::time::Duration;

#[test]
fn retention_that_overtakes_a_running_consumer_is_a_gap() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "overtaken";
    broker.create_topic(name, 2);
    let (read, lost, rest) = (0..2_000, 2_000..5_000, 5_000..8_000);
    let traffic = Traffic::simulate(dir.path(), rest.end, 2, 17);
    traffic.produce(broker.bootstrap(), name, read.clone(), Duration::ZERO);
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    appliance.wait_for_lines(read.end as u64);
    let stood = topic::end_offsets(broker, name);

    // It is slow for a while, shorter than its session, and the broker keeps records for no more than a moment.
    appliance.signal("-STOP");
    traffic.produce(broker.bootstrap(), name, lost, Duration::ZERO);
    let ends = topic::end_offsets(broker, name);
    broker.set_topic(name, &[("retention.ms", "500")]);
    wait_until(LONG, "retention has taken all", || topic::begin_offsets(broker, name) == ends);
    broker.set_topic(name, &[("retention.ms", "-1")]);
    traffic.produce(broker.bootstrap(), name, rest.clone(), Duration::ZERO);
    appliance.signal("-CONT");

    appliance.wait_for_lines((read.len() + rest.len()) as u64);
    let kafka = appliance.status()["source"]["kafka"].clone();
    assert!(kafka["gaps"] == 2 && kafka["missing_records"] == 3_000, "{kafka}");
    for gap in kafka["recent_gaps"].as_array().unwrap() {
        let id = gap["partition"].as_u64().unwrap() as usize;
        assert!(gap["cause"] == "deleted" && gap["first"] == stood[id] && gap["last"] == ends[id] - 1, "{gap}");
    }
    let metrics = appliance.text("/metrics").unwrap();
    for partition in 0..2 {
        let missing = ends[partition] - stood[partition];
        let line =
            format!("platewatch_kafka_missing_records_total{{topic=\"{name}\",partition=\"{partition}\"}} {missing}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    assert_eq!(appliance.log().matches("records were gone from Kafka").count(), 2, "{}", appliance.log());
    // It was never stopped, and a restart reports the same.
    appliance.stop();
    appliance.start();
    appliance.wait_for_lines((read.len() + rest.len()) as u64);
    assert_eq!(appliance.status()["source"]["kafka"]["missing_records"], 3_000);
}

#[test]
fn a_topic_that_ends_before_the_position_is_a_gap_and_read_from_its_beginning() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "cut-off";
    broker.create_topic(name, 2);
    let traffic = Traffic::simulate(dir.path(), 3_000, 2, 18);
    traffic.produce(broker.bootstrap(), name, 0..2_000, Duration::ZERO);
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    appliance.wait_for_lines(2_000);
    let stood = topic::end_offsets(broker, name);
    appliance.stop();
    broker.delete_topic(name);
    wait_until(LONG, "the topic can be created again", || broker.try_create_topic(name, 2));
    traffic.produce(broker.bootstrap(), name, 2_000..2_500, Duration::ZERO);
    let ends = topic::end_offsets(broker, name);
    appliance.start();
    appliance.wait_for_lines(2_500);
    let status = appliance.status();
    let kafka = &status["source"]["kafka"];
    // What was read is not missing, and nothing is stored twice.
    assert!(kafka["gaps"] == 2 && kafka["missing_records"] == 0, "{kafka}");
    for gap in kafka["recent_gaps"].as_array().unwrap() {
        let id = gap["partition"].as_u64().unwrap() as usize;
        let place = (gap["first"].as_i64().unwrap(), gap["last"].as_i64().unwrap());
        assert!(gap["cause"] == "truncated" && place == (ends[id], stood[id] - 1), "{gap} {ends:?} {stood:?}");
    }
    let mut ids: Vec<String> = traffic.all[..2_500].iter().map(|(_, line)| id_of(line)).collect();
    ids.sort_unstable();
    // The simulator sends some records twice.
    ids.dedup();
    let mut stored = appliance.ids();
    stored.sort_unstable();
    assert!(stored == ids, "{} rows instead of {}: {status}", stored.len(), ids.len());
    traffic.produce(broker.bootstrap(), name, 2_500..3_000, Duration::ZERO);
    appliance.wait_for_lines(3_000);
    assert_eq!(appliance.status()["source"]["kafka"]["gaps"], 2);
}
