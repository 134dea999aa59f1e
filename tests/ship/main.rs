//! `ship` and `simulate --brokers` against a real Kafka broker.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../kafka/broker.rs"]
mod broker;
mod follow;
mod harness;
#[path = "../kafka/topic.rs"]
mod topic;
mod traffic;
