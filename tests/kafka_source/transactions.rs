//! Topics that are written in transactions: their markers, and aborted records, have offsets and are never read.

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};

use super::traffic::Traffic;
use super::{STATIC_MEMBER, check_equal, committed};
use crate::harness::{Appliance, LONG, wait_until};
use crate::kafka::topic::Transactions;
use crate::kafka::{Broker, topic};

fn line(id: &str, site: &str, second: u32) -> String {
    format!("{id}\t铜山县\t{site}\t1\t2024-01-01 00:01:{second:02}\t02\t苏C12345\t大众牌-朗逸-2015")
}

/// The one partition of the topic in the status.
fn partition(appliance: &Appliance) -> serde_json::Value {
    appliance.status()["source"]["kafka"]["partitions"][0].clone()
}

fn end(broker: &Broker, name: &str) -> i64 {
    topic::end_offsets(broker, name)[0]
}

/// Nothing is left to read, up to the last marker; the group has the offset; no error was reported.
fn wait_until_level(appliance: &Appliance, broker: &Broker, name: &str) {
    let end = end(broker, name);
    wait_until(LONG, "the position is behind the last marker", || {
        let partition = partition(appliance);
        partition["position"] == end && partition["lag"] == 0 && partition["in_transaction"] == 0
    });
    wait_until(LONG, "the group was told", || committed(broker, name, 1) == [end]);
    let kafka = &appliance.status()["source"]["kafka"];
    assert!(kafka["gaps"] == 0 && kafka["missing_records"] == 0 && kafka["last_error"].is_null(), "{kafka}");
    let log = appliance.log();
    for unwanted in ["Client stats", "complains", "records were gone", "cannot tell which records"] {
        assert!(!log.contains(unwanted), "{log}");
    }
}

#[test]
fn what_a_java_producer_commits_and_aborts_is_read_once_and_leaves_no_lag_and_no_gap() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let (name, plain) = ("transactions", "transactions-plain");
    broker.create_topic(name, 1);
    broker.create_topic(plain, 1);
    let count = 4_000;
    let traffic = Traffic::simulate(dir.path(), count, 1, 31);
    let expected = traffic.replayed(dir.path());
    traffic.produce(broker.bootstrap(), plain, 0..count, std::time::Duration::ZERO);
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    broker.copy_in_transactions(plain, name, 100);
    topic::wait_until_decided(&broker.client_config(), name);
    // 40 transactions are committed, each with a marker; what is beyond was aborted.
    assert!(end(broker, name) > count as i64 + 40 + 50, "nothing was aborted: the end is {}", end(broker, name));
    appliance.wait_for_lines(count as u64);
    check_equal(&appliance, &expected);
    wait_until_level(&appliance, broker, name);

    // An open transaction counts as lag and is reported; aborted, it does not count, though no record comes.
    let producer = Transactions::new(broker, "by-hand");
    producer.begin(name, &[line("X1", "S250_Pizhou_Sulu", 1), line("X2", "S250_Pizhou_Sulu", 2)]);
    wait_until(LONG, "the open transaction is seen", || {
        let partition = partition(&appliance);
        partition["lag"] == 2 && partition["in_transaction"] == 2
    });
    producer.abort();
    wait_until_level(&appliance, broker, name);
    appliance.kill();
    // Retention passes the marker while it is away, and while it runs.
    broker.delete_before(name, 0, end(broker, name));
    appliance.start();
    wait_until_level(&appliance, broker, name);
    producer.begin(name, &[line("X3", "S250_Pizhou_Sulu", 3)]);
    producer.commit();
    wait_until_level(&appliance, broker, name);
    assert_eq!(appliance.lines(), count as u64 + 1);
    broker.delete_before(name, 0, end(broker, name));
    appliance.stop();
    appliance.start();
    wait_until_level(&appliance, broker, name);
    assert_eq!(appliance.lines(), count as u64 + 1);
}

#[test]
fn a_group_offset_behind_a_marker_or_an_aborted_transaction_resolves_at_once() {
    let broker = Broker::shared();
    for (name, aborted) in [("behind-commit", 0), ("behind-abort", 30)] {
        let dir = tempfile::tempdir().unwrap();
        broker.create_topic(name, 1);
        let producer = Transactions::new(broker, name);
        producer.begin(name, &[line("G1", "S250_Pizhou_Sulu", 1)]);
        producer.commit();
        if aborted > 0 {
            let lines: Vec<String> = (0..aborted).map(|at| line(&format!("A{at}"), "G3_Sulu", 2)).collect();
            producer.begin(name, &lines);
            producer.abort();
        }
        // Another program has consumed all of it, and committed a bare offset.
        let other: BaseConsumer = broker.client_config().set("group.id", name).create().unwrap();
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(name, 0, Offset::Offset(end(broker, name))).unwrap();
        other.commit(&offsets, CommitMode::Sync).unwrap();
        drop(other);

        let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
        appliance.start();
        wait_until_level(&appliance, broker, name);
        assert_eq!(appliance.lines(), 0, "{}", appliance.log());
        // The plate was read back: its second sighting is an alert.
        producer.begin(name, &[line("G2", "G3_Sulu", 40)]);
        producer.commit();
        appliance.wait_for_lines(1);
        wait_until_level(&appliance, broker, name);
        assert_eq!(appliance.status()["pipeline"]["alerts"], 1);
        appliance.kill();
        appliance.start();
        wait_until_level(&appliance, broker, name);
        assert_eq!(appliance.lines(), 1);
    }
}

#[test]
fn plates_are_read_back_where_a_group_offset_is_beyond_an_open_transaction() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "beyond-open";
    broker.create_topic(name, 1);
    let producer = Transactions::new(broker, name);
    producer.begin(name, &[line("G1", "S250_Pizhou_Sulu", 1)]);
    producer.commit();
    let slow = Transactions::new(broker, "slow");
    slow.begin(name, &[line("X1", "S250_Pizhou_Sulu", 2).replace("苏C12345", "苏C54321")]);
    // Another program, which reads uncommitted records as Kafka's Java consumers do, has consumed that too.
    let other: BaseConsumer = broker.client_config().set("group.id", name).create().unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(name, 0, Offset::Offset(3)).unwrap();
    other.commit(&offsets, CommitMode::Sync).unwrap();

    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.start();
    wait_until(LONG, "all that is decided is read back", || partition(&appliance)["to_read_back"] == 1);
    slow.commit();
    wait_until_level(&appliance, broker, name);
    assert_eq!(appliance.lines(), 0, "{}", appliance.log());
    producer.begin(name, &[line("G2", "G3_Sulu", 40)]);
    producer.commit();
    appliance.wait_for_lines(1);
    assert_eq!(appliance.status()["pipeline"]["alerts"], 1, "{}", appliance.log());
}

#[test]
fn without_isolation_aborted_records_are_read_and_markers_are_no_lag() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "uncommitted";
    broker.create_topic(name, 1);
    let properties = format!("{STATIC_MEMBER}\"isolation.level\" = \"read_uncommitted\"\n");
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, &properties);
    appliance.start();
    let producer = Transactions::new(broker, name);
    producer.begin(name, &[line("U1", "S250_Pizhou_Sulu", 1)]);
    wait_until(LONG, "it is read before it is decided", || appliance.lines() == 1);
    producer.abort();
    wait_until_level(&appliance, broker, name);
    assert_eq!(appliance.lines(), 1);
}
