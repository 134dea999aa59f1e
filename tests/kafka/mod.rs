//! A real Apache Kafka for tests, and what its topics hold.

mod broker;
pub(crate) mod topic;

pub(crate) use broker::{Broker, Door};
