//! Where reading back begins if another program has committed a bare offset, and where a partition ends.
//!
//! Under `read_committed` the watermarks of a client end at the first transaction that is not decided. A group offset can be
//! beyond that: Kafka's Java consumers read uncommitted records by default.

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::statistics::Statistics;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::client::{ASK, client_config};
use super::settings::KafkaSettings;

/// A reader that logs nothing by itself.
struct Quiet;

impl ClientContext for Quiet {
    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "Kafka");
    }
}

impl ConsumerContext for Quiet {}

/// How much further back each attempt looks for a record.
const FURTHER: i64 = 8;

/// From where to read back before `next`, which another program committed: `settings.read_back` before the time at which
/// the last record before it was produced.
pub(super) fn offset_by_time(settings: &KafkaSettings, partition: i32, next: i64) -> KafkaResult<i64> {
    let topic = settings.kafka.topic.as_str();
    let reader: BaseConsumer<Quiet> = client(settings).create_with_context(Quiet)?;
    let (low, stable) = reader.fetch_watermarks(topic, partition, ASK)?;
    if next <= low || next > stable && next > end(settings, partition)? {
        return Ok(next);
    }
    // What is not decided yet is read back once it is, so reading back begins there at the latest.
    let next = next.min(stable);
    let Some(produced) = newest_before(&reader, topic, partition, low, next)? else { return Ok(next) };
    let mut asked = TopicPartitionList::new();
    asked.add_partition_offset(topic, partition, Offset::Offset((produced - settings.read_back * 1000).max(0)))?;
    let found = reader.offsets_for_times(asked, ASK)?;
    let from = found.elements().first().map(|element| element.offset());
    Ok(match from {
        Some(Offset::Offset(from)) => from.clamp(low, next),
        _ => next,
    })
}

/// The offset after the last record of `partition`, whether its transaction is decided or not.
pub(super) fn end(settings: &KafkaSettings, partition: i32) -> KafkaResult<i64> {
    let reader: BaseConsumer<Quiet> =
        client(settings).set("isolation.level", "read_uncommitted").create_with_context(Quiet)?;
    Ok(reader.fetch_watermarks(&settings.kafka.topic, partition, ASK)?.1)
}

/// A client outside the group, and without its callbacks.
fn client(settings: &KafkaSettings) -> ClientConfig {
    let mut config = client_config(&settings.kafka);
    config.set("statistics.interval.ms", "0").remove("group.instance.id");
    config
}

/// When the last record before `next` was produced. The offsets right before it may hold none: markers of transactions, and
/// records of aborted ones.
fn newest_before(
    reader: &BaseConsumer<Quiet>,
    topic: &str,
    partition: i32,
    low: i64,
    next: i64,
) -> KafkaResult<Option<i64>> {
    let mut span = 1;
    loop {
        let from = low.max(next - span);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(from))?;
        reader.assign(&list)?;
        if let Some(produced) = last_of(reader, next)? {
            return Ok(Some(produced));
        }
        if from == low {
            return Ok(None);
        }
        span = span.saturating_mul(FURTHER);
    }
}

/// When the last record was produced that comes before the offset `next`.
fn last_of(reader: &BaseConsumer<Quiet>, next: i64) -> KafkaResult<Option<i64>> {
    let mut produced = None;
    loop {
        match reader.poll(ASK) {
            Some(Ok(message)) if message.offset() < next => {
                produced = Some(message.timestamp().to_millis().unwrap_or(0));
                if message.offset() + 1 == next {
                    return Ok(produced);
                }
            }
            Some(Ok(_)) | Some(Err(KafkaError::PartitionEOF(_))) => return Ok(produced),
            Some(Err(error)) => return Err(error),
            None => return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)),
        }
    }
}
