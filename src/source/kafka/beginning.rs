//! Where consumption begins in a partition that neither the data directory nor the group knows.
//!
//! `kafka.start` is for a topic that is new to both: it says whether existing records are read. If any other
//! partition of the topic is known, this one was added since: all that it holds is new and it is read from its
//! beginning. So that the two cases can be distinguished after a kill, and by other appliances of the group, `start =
//! "latest"` commits the ends of all partitions to the group at once, before any of them is read.

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaResult;

use super::client::ASK;
use super::context::Context;
use super::group::{committed, offsets};
use super::ledger::Ledger;
use super::position::PartitionPosition;
use super::settings::KafkaSettings;
use crate::config::KafkaStart;

/// The offset at which consumption of `partition` begins; its oldest record is at `low`.
pub(super) fn beginning(
    consumer: &BaseConsumer<Context>,
    ledger: &Ledger,
    settings: &KafkaSettings,
    partition: i32,
    low: i64,
) -> KafkaResult<i64> {
    if settings.kafka.start == KafkaStart::Earliest || ledger.knows_topic() || ledger.topic_was_absent() {
        return Ok(low);
    }
    let topic = settings.kafka.topic.as_str();
    let metadata = consumer.fetch_metadata(Some(topic), ASK)?;
    let ids: Vec<i32> =
        metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect();
    let mut asked = TopicPartitionList::new();
    ids.iter().for_each(|id| {
        asked.add_partition(topic, *id);
    });
    if !committed(consumer, asked)?.is_empty() {
        return Ok(low);
    }
    let mut ends = Vec::with_capacity(ids.len());
    for id in ids {
        ends.push((id, PartitionPosition::at(consumer.fetch_watermarks(topic, id, ASK)?.1)));
    }
    consumer.commit(&offsets(topic, &ends)?, CommitMode::Sync)?;
    tracing::info!(topic, "a new group begins at the end of all partitions, as kafka.start says");
    Ok(ends.iter().find(|(id, _)| *id == partition).map_or(low, |(_, end)| end.next))
}
