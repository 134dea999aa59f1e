//! `ship` and `simulate --brokers` against a real Kafka broker.

mod follow;
pub(crate) mod log;
mod simulated;
