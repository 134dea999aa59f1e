//! What is asked of the group and its brokers, and what they are told: committed offsets, where a partition goes on, whether
//! this process is still a member.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, RebalanceProtocol};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::KafkaSettings;
use super::beginning::beginning;
use super::context::Context;
use super::ledger::Ledger;
use super::lookup::{end, offset_by_time};
use super::position::{Committed, Gap, Position};
use crate::clock::unix_now;

/// How long a question to the broker may take.
pub(super) const ASK: Duration = Duration::from_secs(5);

/// Puts a partition that does not know its position, or whose position may be outside of what the broker has, where it can
/// go on.
pub(super) fn set_right(
    consumer: &BaseConsumer<Context>,
    ledger: &Ledger,
    settings: &KafkaSettings,
    partition: i32,
    next: Option<i64>,
) -> KafkaResult<()> {
    let topic = settings.kafka.topic.as_str();
    if next.is_none() {
        let mut asked = TopicPartitionList::new();
        asked.add_partition(topic, partition);
        let of_group = committed(consumer, asked)?.get(&partition).copied();
        let by_time = |next| offset_by_time(settings, partition, next);
        if let Some(from) = ledger.begin_at(partition, of_group, by_time)? {
            return move_to(consumer, ledger, partition, from);
        }
    }
    let (low, stable) = consumer.fetch_watermarks(topic, partition, ASK)?;
    if next.is_none() {
        let begin = beginning(consumer, ledger, settings, partition, low)?;
        tracing::info!(topic, partition, offset = begin, "a partition begins");
        ledger.begin_anew(partition, begin);
    }
    // Beyond an open transaction is not beyond the end.
    let high = if ledger.is_beyond(partition, stable) { end(settings, partition)? } else { stable };
    let Some((offset, gap)) = ledger.reconcile(partition, low, high, unix_now()) else { return Ok(()) };
    if let Some(gap) = gap {
        let Gap { first, last, cause, .. } = gap;
        tracing::error!(
            topic,
            partition,
            first,
            last,
            cause = cause.as_str(),
            "records were gone from Kafka before they could be read, going on at {offset}: keep records longer than the \
             longest pause (retention.ms of the topic)"
        );
    }
    move_to(consumer, ledger, partition, offset)
}

/// Reads a partition on at `offset`. After an offset that the broker did not have, librdkafka does not fetch and refuses
/// to seek; what it does take is the partition assigned anew.
fn move_to(consumer: &BaseConsumer<Context>, ledger: &Ledger, partition: i32, offset: i64) -> KafkaResult<()> {
    let mut list = TopicPartitionList::new();
    if let RebalanceProtocol::Cooperative = consumer.rebalance_protocol() {
        list.add_partition_offset(ledger.topic(), partition, Offset::Offset(offset))?;
        consumer.incremental_unassign(&list)?;
        return consumer.incremental_assign(&list);
    }
    for (partition, next) in ledger.reads() {
        let offset = next.map_or(Offset::Invalid, Offset::Offset);
        list.add_partition_offset(ledger.topic(), partition, offset)?;
    }
    consumer.assign(&list)
}

/// What the group has committed of those partitions of which it has committed anything.
pub(super) fn committed(
    consumer: &BaseConsumer<Context>,
    partitions: TopicPartitionList,
) -> KafkaResult<BTreeMap<i32, Committed>> {
    let told = consumer.committed_offsets(partitions, ASK)?;
    let mut committed = BTreeMap::new();
    for element in told.elements() {
        element.error()?;
        if let Offset::Offset(next) = element.offset() {
            committed.insert(element.partition(), Committed::new(next, element.metadata()));
        }
    }
    Ok(committed)
}

/// Commits stored positions to the group, those that it was not told yet. It may refuse them later.
pub(super) fn commit_hints(consumer: &BaseConsumer<Context>, ledger: &Ledger) -> KafkaResult<()> {
    let hints = ledger.hints();
    if hints.is_empty() {
        return Ok(());
    }
    consumer.commit(&offsets(ledger.topic(), &hints)?, CommitMode::Async)
}

/// Commits the stored positions of partitions that go, and waits until the group has them.
pub(super) fn commit_last(consumer: &BaseConsumer<Context>, ledger: &Ledger, partitions: &[i32]) -> KafkaResult<()> {
    let last = ledger.last(partitions);
    if last.is_empty() {
        return Ok(());
    }
    consumer.commit(&offsets(ledger.topic(), &last)?, CommitMode::Sync)
}

/// Positions as the group keeps them, with what is needed to take the partitions over.
pub(super) fn offsets(topic: &str, positions: &[(i32, Position)]) -> KafkaResult<TopicPartitionList> {
    let mut offsets = TopicPartitionList::with_capacity(positions.len());
    for (partition, position) in positions {
        offsets.add_partition_offset(topic, *partition, Offset::Offset(position.next))?;
        if let Some(mut element) = offsets.find_partition(topic, *partition) {
            element.set_metadata(position.metadata());
        }
    }
    Ok(offsets)
}

/// Whether the group takes a commit from this member, so that its partitions are its own.
pub(super) fn is_member(
    consumer: &Weak<BaseConsumer<Context>>,
    topic: &str,
    partition: i32,
    stored: &Position,
) -> bool {
    let Some(consumer) = consumer.upgrade() else { return false };
    let commit = |offsets| consumer.commit(&offsets, CommitMode::Sync);
    offsets(topic, &[(partition, stored.clone())]).and_then(commit).is_ok()
}
