//! The Kafka source against a real broker: `platewatch serve` as a process, killed, cut off and fed with bad records.

mod codecs;
mod consuming;
mod faults;
mod gaps;
mod group;
mod partitions;
mod pseudonyms;
pub(crate) mod traffic;
mod transactions;
mod visible;

use std::time::Duration;

use crate::harness::Appliance;
use crate::kafka::Broker;
use traffic::Replayed;

/// With it a restart takes the partitions back at once.
const STATIC_MEMBER: &str = "\"group.instance.id\" = \"one\"\n";
/// Without it, the group notices a killed member sooner than by default.
const SHORT_SESSION: &str = "\"session.timeout.ms\" = 6000\n";
/// So short that the group drops a paused member while a test waits.
const SHORTEST_SESSION: &str = "\"session.timeout.ms\" = 3000\n\"heartbeat.interval.ms\" = 500\n";
const LINE: &str = "G1\t铜山县\tS250_Pizhou_Sulu\t1\t2024-01-01 00:00:24\t02\t苏C12345\t大众牌-朗逸-2015";

/// Everything was stored once, and the alerts are those of an offline replay.
fn check_equal(appliance: &Appliance, expected: &Replayed) {
    let pipeline = &appliance.status()["pipeline"];
    for (name, count) in &expected.totals {
        let found = if *name == "rejected" { &pipeline["rejected"]["total"] } else { &pipeline[name] };
        assert_eq!(found, count, "{name}: {pipeline}");
    }
    assert_eq!(appliance.counts(), expected.counts);
    let alerts = appliance.alerts();
    assert!(!alerts.is_empty());
    assert!(alerts == expected.alerts, "{} alerts instead of {}", alerts.len(), expected.alerts.len());
    let newest: Vec<u64> =
        appliance.get("/api/warnings/realtime?limit=1").unwrap()[0]["seq"].as_u64().into_iter().collect();
    assert_eq!(newest, [alerts.len() as u64], "numbers of alerts have a gap");
}

fn committed(broker: &Broker, group: &str, partitions: i32) -> Vec<i64> {
    use rdkafka::consumer::{BaseConsumer, Consumer as _};
    let consumer: BaseConsumer = broker.client_config().set("group.id", group).create().unwrap();
    let mut asked = rdkafka::TopicPartitionList::new();
    asked.add_partition_range(group, 0, partitions - 1);
    let told = consumer.committed_offsets(asked, Duration::from_secs(20)).unwrap();
    told.elements().iter().map(|element| element.offset().to_raw().unwrap()).collect()
}
