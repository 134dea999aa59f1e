//! librdkafka as what [`asked`](super::asked) says: each question as calls of the library. It decides nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::asked::{Client, Event, Group};
use super::client::ASK;
use super::context::Context;
use super::ledger::Record;
use super::lookup;
use super::position::{Committed, PartitionPosition};
use super::settings::KafkaSettings;

/// librdkafka's consumer of the topic.
pub struct RdKafka {
    consumer: BaseConsumer<Context>,
    settings: KafkaSettings,
}

impl RdKafka {
    pub(super) fn new(consumer: BaseConsumer<Context>, settings: KafkaSettings) -> Self {
        Self { consumer, settings }
    }

    fn topic(&self) -> &str {
        &self.settings.kafka.topic
    }
}

/// Also within a change of the assignment, where librdkafka gives only this.
impl Group for BaseConsumer<Context> {
    fn committed(&self, partitions: &[i32]) -> KafkaResult<BTreeMap<i32, Committed>> {
        let mut asked = TopicPartitionList::new();
        partitions.iter().for_each(|partition| {
            asked.add_partition(self.context().topic(), *partition);
        });
        let answer = self.committed_offsets(asked, ASK)?;
        let mut committed = BTreeMap::new();
        for element in answer.elements() {
            element.error()?;
            if let Offset::Offset(next) = element.offset() {
                committed.insert(element.partition(), Committed::new(next, element.metadata()));
            }
        }
        Ok(committed)
    }

    fn commit(&self, positions: &[(i32, PartitionPosition)], wait: bool) -> KafkaResult<()> {
        let offsets = offsets(self.context().topic(), positions)?;
        rdkafka::consumer::Consumer::commit(self, &offsets, if wait { CommitMode::Sync } else { CommitMode::Async })
    }

    fn assignment_lost(&self) -> bool {
        rdkafka::consumer::Consumer::assignment_lost(self)
    }
}

/// Positions as the group keeps them, with what is needed to take the partitions over.
fn offsets(topic: &str, positions: &[(i32, PartitionPosition)]) -> KafkaResult<TopicPartitionList> {
    let mut offsets = TopicPartitionList::with_capacity(positions.len());
    for (partition, position) in positions {
        offsets.add_partition_offset(topic, *partition, Offset::Offset(position.next))?;
        if let Some(mut element) = offsets.find_partition(topic, *partition) {
            element.set_metadata(position.metadata());
        }
    }
    Ok(offsets)
}

impl Group for RdKafka {
    fn committed(&self, partitions: &[i32]) -> KafkaResult<BTreeMap<i32, Committed>> {
        Group::committed(&self.consumer, partitions)
    }

    fn commit(&self, positions: &[(i32, PartitionPosition)], wait: bool) -> KafkaResult<()> {
        Group::commit(&self.consumer, positions, wait)
    }

    fn assignment_lost(&self) -> bool {
        Group::assignment_lost(&self.consumer)
    }
}

impl Client for RdKafka {
    fn poll<T>(&self, wait: Duration, take: impl FnOnce(Event<'_>) -> T) -> Option<T> {
        let found = self.consumer.poll(wait)?;
        Some(take(match &found {
            Ok(message) => Event::Record(Record {
                partition: message.partition(),
                offset: message.offset(),
                timestamp: message.timestamp().to_millis().unwrap_or(0),
                value: message.payload(),
            }),
            Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange,
            )) => Event::OutOfRange,
            Err(KafkaError::PartitionEOF(partition)) => Event::End(*partition, self.consumer.context().take_end()),
            Err(KafkaError::MessageConsumptionFatal(code)) => Event::Fatal(*code),
            Err(KafkaError::MessageConsumption(code)) => Event::Failed(*code),
            Err(error) => Event::Other(error.clone()),
        }))
    }

    fn partitions(&self) -> KafkaResult<Vec<i32>> {
        let metadata = self.consumer.fetch_metadata(Some(self.topic()), ASK)?;
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        Ok(partitions.map(|partition| partition.id()).collect())
    }

    fn watermarks(&self, partition: i32) -> KafkaResult<(i64, i64)> {
        self.consumer.fetch_watermarks(self.topic(), partition, ASK)
    }

    fn end(&self, partition: i32) -> KafkaResult<i64> {
        lookup::end(&self.settings, partition)
    }

    fn offset_by_time(&self, partition: i32, next: i64) -> KafkaResult<i64> {
        lookup::offset_by_time(&self.settings, partition, next)
    }

    /// After an offset that the broker did not have, librdkafka does not fetch and refuses to seek; it does accept that the
    /// partition is assigned again.
    fn move_to(&self, partition: i32, offset: i64, reads: &[(i32, Option<i64>)]) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        if let RebalanceProtocol::Cooperative = self.consumer.rebalance_protocol() {
            list.add_partition_offset(self.topic(), partition, Offset::Offset(offset))?;
            self.consumer.incremental_unassign(&list)?;
            return self.consumer.incremental_assign(&list);
        }
        for (partition, next) in reads {
            let offset = next.map_or(Offset::Invalid, Offset::Offset);
            list.add_partition_offset(self.topic(), *partition, offset)?;
        }
        self.consumer.assign(&list)
    }

    fn fatal(&self) -> Option<String> {
        self.consumer.client().fatal_error().map(|(_, reason)| reason)
    }
}
