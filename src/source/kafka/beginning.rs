//! Where consumption begins in a partition that neither the data directory nor the group knows.
//!
//! `kafka.start` is for a topic that is new to both: it says whether existing records are read. If any other
//! partition of the topic is known, this one was added since: all that it holds is new and it is read from its
//! beginning. So that the two cases can be distinguished after a kill, and by other appliances of the group, `start =
//! "latest"` commits the ends of all partitions to the group at once, before any of them is read.

use rdkafka::error::KafkaResult;

use super::asked::Client;
use super::ledger::Ledger;
use super::position::PartitionPosition;
use super::settings::KafkaSettings;
use crate::config::KafkaStart;

/// The offset at which consumption of `partition` begins; its oldest record is at `low`.
pub(super) fn beginning(
    client: &impl Client,
    ledger: &Ledger,
    settings: &KafkaSettings,
    partition: i32,
    low: i64,
) -> KafkaResult<i64> {
    if settings.kafka.start == KafkaStart::Earliest || ledger.knows_topic() || ledger.topic_was_absent() {
        return Ok(low);
    }
    let ids = client.partitions()?;
    if !client.committed(&ids)?.is_empty() {
        return Ok(low);
    }
    let mut ends = Vec::with_capacity(ids.len());
    for id in ids {
        ends.push((id, PartitionPosition::at(client.watermarks(id)?.1)));
    }
    client.commit(&ends, true)?;
    let topic = settings.kafka.topic.as_str();
    tracing::info!(topic, "a new group begins at the end of all partitions, as kafka.start says");
    Ok(ends.iter().find(|(id, _)| *id == partition).map_or(low, |(_, end)| end.next))
}
