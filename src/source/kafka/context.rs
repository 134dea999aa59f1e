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

use super::group::{commit_last, committed};
use super::ledger::Ledger;
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

    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &mut TopicPartitionList) -> KafkaResult<()> {
        partitions.elements().iter().for_each(|element| self.ledger.assign(element.partition()));
        // If it is not decided here, the consuming thread asks again, and reads nothing before.
        match committed(consumer, partitions.clone()) {
            Ok(committed) => {
                for mut element in partitions.elements() {
                    let of_group = committed.get(&element.partition()).copied();
                    if let Ok(Some(next)) = self.ledger.begin_at(element.partition(), of_group, |_| Err(())) {
                        element.set_offset(Offset::Offset(next))?;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the group does not tell how far it was consumed, asking again"),
        }
        tracing::info!(partitions = numbers(partitions), topic = self.ledger.topic(), "partitions come");
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
            _ => consumer.assign(partitions),
        }
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) -> KafkaResult<()> {
        let ids: Vec<i32> = partitions.elements().iter().map(|element| element.partition()).collect();
        ids.iter().for_each(|id| self.ledger.drop_hand(*id));
        for id in &ids {
            if !self.ledger.wait_until_stored(*id) {
                tracing::error!(
                    partition = id,
                    "a partition goes before its last batch is stored: the disk is too slow"
                );
            }
        }
        // The next owner begins at the group's offset, so that must be where this one ended.
        if !consumer.assignment_lost()
            && let Err(error) = commit_last(consumer, &self.ledger, &ids)
        {
            tracing::warn!(%error, "offsets of partitions that move away were not committed to the group");
        }
        ids.iter().for_each(|id| self.ledger.revoked(*id));
        tracing::info!(partitions = numbers(partitions), topic = self.ledger.topic(), "partitions go");
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
            _ => consumer.unassign(),
        }
    }
}

fn numbers(partitions: &TopicPartitionList) -> String {
    let numbers: Vec<String> = partitions.elements().iter().map(|element| element.partition().to_string()).collect();
    numbers.join(",")
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
        self.ledger.rebalanced();
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
