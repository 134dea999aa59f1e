//! `ship` and `simulate --brokers` against a real Kafka broker.

#[path = "../kafka/broker.rs"]
mod broker;
mod follow;
mod harness;
#[path = "../kafka/topic.rs"]
mod topic;
mod traffic;
