//! `ship` and `simulate --brokers` against a real Kafka broker.

#[path = "../kafka/broker.rs"]
mod broker;
#[path = "../kafka/topic.rs"]
mod topic;

use broker::Broker;

#[test]
fn a_broker_keeps_its_data_over_a_restart() {
    let mut kafka = Broker::start();
    kafka.create_topic("t", 2);
    topic::produce(&kafka, "t", [(Some(&b"k"[..]), Some(&b"v"[..])), (None, None)]);
    kafka.stop();
    kafka.start_again();
    let records = topic::read_all(&kafka, "t");
    assert_eq!(records.len(), 2, "{records:?}");
    kafka.kill();
    kafka.start_again();
    assert_eq!(topic::read_all(&kafka, "t"), records);
}

#[test]
fn three_brokers_move_a_leader() {
    let mut kafka = Broker::start_nodes(3);
    kafka.create_topic("t", 1);
    topic::produce(&kafka, "t", [(None, Some(&b"1"[..]))]);
    let first = kafka.leader("t", 0).unwrap();
    kafka.stop_node(first);
    broker::wait_until(std::time::Duration::from_secs(30), "another leader", || {
        kafka.leader("t", 0).is_some_and(|leader| leader != first)
    });
    topic::produce(&kafka, "t", [(None, Some(&b"2"[..]))]);
    kafka.start_node(first);
    assert_eq!(topic::count(&kafka, "t"), 2);
}
