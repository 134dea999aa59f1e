//! Requests to the group: read and commit offsets, and whether this process is still a member. It decides nothing.

use std::collections::BTreeMap;
use std::sync::Weak;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::client::ASK;
use super::ledger::Ledger;
use super::position::{Committed, PartitionPosition};

/// The group's committed offsets, for those partitions that have any.
pub(super) fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: TopicPartitionList,
) -> KafkaResult<BTreeMap<i32, Committed>> {
    let answer = consumer.committed_offsets(partitions, ASK)?;
    let mut committed = BTreeMap::new();
    for element in answer.elements() {
        element.error()?;
        if let Offset::Offset(next) = element.offset() {
            committed.insert(element.partition(), Committed::new(next, element.metadata()));
        }
    }
    Ok(committed)
}

/// Commits to the group the stored positions that it does not have yet. It may refuse them later.
pub(super) fn commit_hints<C: ConsumerContext>(consumer: &BaseConsumer<C>, ledger: &Ledger) -> KafkaResult<()> {
    let hints = ledger.hints();
    if hints.is_empty() {
        return Ok(());
    }
    consumer.commit(&offsets(ledger.topic(), &hints)?, CommitMode::Async)
}

/// Commits the stored positions of revoked partitions, and waits until the group has them.
pub(super) fn commit_last<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    ledger: &Ledger,
    partitions: &[i32],
) -> KafkaResult<()> {
    let last = ledger.last(partitions);
    if last.is_empty() {
        return Ok(());
    }
    consumer.commit(&offsets(ledger.topic(), &last)?, CommitMode::Sync)
}

/// Positions as the group keeps them, with what is needed to take the partitions over.
pub(super) fn offsets(topic: &str, positions: &[(i32, PartitionPosition)]) -> KafkaResult<TopicPartitionList> {
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
pub(super) fn is_member<C: ConsumerContext>(
    consumer: &Weak<BaseConsumer<C>>,
    topic: &str,
    partition: i32,
    stored: &PartitionPosition,
) -> bool {
    let Some(consumer) = consumer.upgrade() else { return false };
    let commit = |offsets| consumer.commit(&offsets, CommitMode::Sync);
    offsets(topic, &[(partition, stored.clone())]).and_then(commit).is_ok()
}
