//! What librdkafka calls: the group assigns partitions, statistics arrive, errors are reported.
//!
//! All of it is called by the consuming thread from within its poll. The account decides where a partition resumes,
//! from what is stored and what the group has committed.

use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::ledger::Ledger;
use super::rebalance::{come, go};
use crate::clock::unix_now;

/// The context of the consumer.
pub(super) struct Context {
    ledger: Arc<Ledger>,
    /// The end of a partition that was just reached. It is reported here, and the next poll says for which partition.
    end: Mutex<Option<i64>>,
}

/// The offset in librdkafka's message "… reached end of partition at offset 11 (HighwaterMark 11)".
fn end_in(reason: &str) -> Option<i64> {
    let (_, behind) = reason.split_once("end of partition at offset ")?;
    behind.split(' ').next()?.parse().ok()
}

impl Context {
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger, end: Mutex::default() }
    }

    /// Takes the end that was reached, for the partition that the poll has just reported.
    pub(super) fn take_end(&self) -> Option<i64> {
        self.end.lock().take()
    }

    /// The topic that is consumed.
    pub(super) fn topic(&self) -> &str {
        self.ledger.topic()
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &mut TopicPartitionList) -> KafkaResult<()> {
        let resumed = come(consumer, &self.ledger, &ids(partitions));
        for mut element in partitions.elements() {
            if let Some(next) = resumed.get(&element.partition()) {
                element.set_offset(Offset::Offset(*next))?;
            }
        }
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
            _ => consumer.assign(partitions),
        }
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) -> KafkaResult<()> {
        go(consumer, &self.ledger, &ids(partitions));
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
            _ => consumer.unassign(),
        }
    }
}

fn ids(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(|element| element.partition()).collect()
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        let up = statistics.brokers.values().any(|broker| matches!(broker.state.as_str(), "UP" | "UPDATE"));
        if self.ledger.set_connected(up, unix_now()) {
            if up {
                tracing::info!("connected to Kafka");
            } else {
                tracing::warn!("Kafka cannot be reached: what is stored is served, and connecting goes on by itself");
            }
        }
        let topic = statistics.topics.get(self.ledger.topic());
        for partition in topic.iter().flat_map(|topic| topic.partitions.values()) {
            if partition.partition >= 0 && partition.hi_offset >= 0 {
                self.ledger.set_end(partition.partition, partition.hi_offset, partition.ls_offset);
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // Each connection that fails comes here: the status shows the last, the log each new one.
        let news = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::PartitionEOF) => {
                *self.end.lock() = end_in(reason);
                return;
            }
            // Reported between an assignment and our own position for it.
            Some(RDKafkaErrorCode::AutoOffsetReset) if reason.contains("no previously committed offset") => {
                tracing::debug!(%error, reason, "the group knows no offset yet");
                return;
            }
            // It follows the reason why the last broker is down.
            Some(RDKafkaErrorCode::AllBrokersDown) => self.ledger.set_vague_error(reason.to_owned()),
            _ => self.ledger.set_error(reason.to_owned()),
        };
        if news {
            tracing::warn!(%error, reason, "Kafka's client complains");
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, cause: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let done = match cause {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(consumer, partitions),
            _ => self.revoke(consumer, partitions),
        };
        if let Err(error) = done {
            tracing::error!(%error, "the group's change could not be followed");
            self.ledger.set_error(format!("the group's change could not be followed: {error}"));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!(%error, "the offset was not committed to the group");
            self.ledger.forget_hints();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_partition_is_read_from_librdkafkas_words() {
        let words = "Fetch from broker 1 reached end of partition at offset 11 (HighwaterMark 12)";
        assert_eq!(end_in(words), Some(11));
        for words in ["", "Fetch from broker 1 failed", "end of partition at offset x"] {
            assert_eq!(end_in(words), None, "{words:?}");
        }
    }
}
