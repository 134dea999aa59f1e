//! Where a partition resumes if its position is not known or outside of what the broker has. It does what
//! `auto.offset.reset` would do, and records the gap.

use rdkafka::error::KafkaResult;

use super::asked::Client;
use super::beginning::beginning;
use super::ledger::Ledger;
use super::position::Gap;
use super::settings::KafkaSettings;
use crate::clock::unix_now;

/// Moves a partition whose position is not known, or may be outside of what the broker has, to where it can resume.
pub(super) fn set_right(
    client: &impl Client,
    ledger: &Ledger,
    settings: &KafkaSettings,
    partition: i32,
    next: Option<i64>,
) -> KafkaResult<()> {
    let topic = settings.kafka.topic.as_str();
    if next.is_none() {
        let of_group = client.committed(&[partition])?.get(&partition).copied();
        let by_time = |next| client.offset_by_time(partition, next);
        if let Some(from) = ledger.begin_at(partition, of_group, by_time)? {
            return client.move_to(partition, from, &ledger.reads());
        }
    }
    let (low, stable) = client.watermarks(partition)?;
    if next.is_none() {
        let begin = beginning(client, ledger, settings, partition, low)?;
        tracing::info!(topic, partition, offset = begin, "a partition begins");
        ledger.start_at(partition, begin);
    }
    // Beyond an open transaction is not beyond the end.
    let high = if ledger.is_beyond(partition, stable) { client.end(partition)? } else { stable };
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
    client.move_to(partition, offset, &ledger.reads())
}
