//! A broker with TLS, logins, rights and wrong addresses: what `check-config --connect` says about it, and consuming and
//! shipping through it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../kafka_source/appliance.rs"]
#[allow(dead_code, reason = "another test binary uses the rest")]
mod appliance;
#[path = "../kafka/broker.rs"]
mod broker;
mod check;
mod guarded;
mod through;
#[path = "../kafka/topic.rs"]
mod topic;
#[path = "../kafka_source/traffic.rs"]
#[allow(dead_code, reason = "another test binary uses the rest")]
mod traffic;
