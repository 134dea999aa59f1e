//! A topic of Apache Kafka as a source: consumed by a group, each record stored exactly once.
//!
//! **Exactly once.** The position of each partition is committed to the store in the same atomic write as everything
//! that its records led to. When the group assigns a partition, reading begins at the stored position; the offsets that
//! the group commits only follow. Before a partition is given up, what was given to the writer is stored and its offset
//! committed to the group, and what is pending is dropped whole.
//!
//! **Several appliances.** An offset of the group beyond the stored position means that another process has consumed
//! since: the records of the last state TTL before it are read back to restore plate states, without output
//! ([`Ledger`](ledger::Ledger)). The record before the stored position is read again too: if it differs, the topic is a new one.
//!
//! **Gaps.** `auto.offset.reset` is `error`: when the broker no longer has the offset that is to be read, the gap is
//! recorded in the position, shown in `/api/status` and `/metrics` and logged, and reading goes on at the oldest record.
//!
//! **Ends.** Some offsets hold nothing to read: the commit and abort markers of transactions, aborted records, what
//! compaction removed. Where a partition ends with these, the broker's end-of-partition event moves the position there.
//!
//! **Without a broker** the source waits; librdkafka connects again by itself.
//!
//! Nothing here knows the rule, the shards or the store; the writer reports to [`Ledger`](ledger::Ledger) what was committed.

mod asked;
mod beginning;
mod client;
mod consumer;
mod context;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod group;
mod keying;
mod ledger;
mod lookup;
mod position;
mod rdkafka_client;
mod rebalance;
mod reset;
mod settings;
#[cfg(test)]
pub(crate) mod simulated;

pub use consumer::Kafka;
pub use position::position_prefix;
pub use settings::KafkaSettings;
