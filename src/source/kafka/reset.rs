//! Where a partition resumes if its position is not known or outside of what the broker has. It does what
//! `auto.offset.reset` would do, and records the gap.

use rdkafka::consumer::{BaseConsumer, Consumer as _, RebalanceProtocol};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::beginning::beginning;
use super::client::ASK;
use super::context::Context;
use super::group::committed;
use super::ledger::Ledger;
use super::lookup::{end, offset_by_time};
use super::position::Gap;
use super::settings::KafkaSettings;
use crate::clock::unix_now;

/// Moves a partition whose position is not known, or may be outside of what the broker has, to where it can resume.
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
        ledger.start_at(partition, begin);
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

/// Continues a partition at `offset`. After an offset that the broker did not have, librdkafka does not fetch and
/// refuses to seek; it does accept that the partition is assigned again.
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
