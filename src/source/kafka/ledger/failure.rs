//! Partitions whose records cannot be read: a codec that this program does not have, damage, a missing right.
//!
//! librdkafka tries again for ever and says which error it was, not of which partition. It is one that has records, and of
//! which none came since the error did.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use super::{Inner, Ledger, QUIET};
use crate::status::KafkaStopped;

/// An error that was not repeated for so long is over. librdkafka waits half a second between attempts.
const REPEATED: Duration = Duration::from_secs(30);

/// The last error of fetching.
#[derive(Debug)]
pub(super) struct FetchFailure {
    code: RDKafkaErrorCode,
    since: Instant,
    last: Instant,
    /// librdkafka's words.
    pub(super) said: String,
    told: bool,
}

impl Ledger {
    /// Notes that records could not be fetched or read.
    pub(in crate::source::kafka) fn fetch_failed(&self, code: RDKafkaErrorCode, now: Instant) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        if matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) {
            inner.topic_was_absent = true;
            return;
        }
        match &mut inner.fetch_failure {
            Some(failure) if failure.code == code => failure.last = now,
            failure => {
                let said = inner.last_error.clone().unwrap_or_default();
                *failure = Some(FetchFailure { code, since: now, last: now, said, told: false });
            }
        }
    }

    /// Whether the topic came while this process was waiting for it.
    pub(in crate::source::kafka) fn topic_was_absent(&self) -> bool {
        self.lock().topic_was_absent
    }

    /// Whether any partition of the topic has a position here.
    pub(in crate::source::kafka) fn knows_topic(&self) -> bool {
        self.lock().partitions.values().any(|account| account.stored.is_some())
    }
}

impl Inner {
    /// The partitions that cannot go on, if there are any.
    pub(super) fn stopped(&mut self) -> Option<KafkaStopped> {
        let failure = self.fetch_failure.as_mut()?;
        // A missing right is said once.
        let repeats = failure.code != RDKafkaErrorCode::TopicAuthorizationFailed;
        if repeats && failure.last.elapsed() > REPEATED {
            self.fetch_failure = None;
            return None;
        }
        if failure.since.elapsed() < QUIET {
            return None;
        }
        let stands = |account: &super::Partition| {
            let has_records = account.end.is_none_or(|end| account.fetches().is_some_and(|next| next < end));
            account.assigned && has_records && account.heard.is_none_or(|heard| heard < failure.since)
        };
        let partitions: Vec<u32> =
            self.partitions.iter().filter(|(_, account)| stands(account)).map(|(id, _)| id.unsigned_abs()).collect();
        if partitions.is_empty() {
            return None;
        }
        let (code, words) = words(failure.code);
        let numbers = partitions.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let text = format!("partitions {numbers} of the topic cannot be read on: {words} ({})", failure.said);
        if !std::mem::replace(&mut failure.told, true) {
            tracing::error!(partitions = numbers, code, "{text}");
        }
        Some(KafkaStopped { code, partitions, text })
    }
}

/// What it is, and what to do.
fn words(code: RDKafkaErrorCode) -> (&'static str, &'static str) {
    match code {
        RDKafkaErrorCode::NotImplemented | RDKafkaErrorCode::UnsupportedCompressionType => (
            "codec",
            "records there are compressed with a codec that this program does not have: let the producers use gzip, snappy, \
             lz4 or zstd, and delete the records that are in the way (kafka-delete-records.sh), which are then shown as a gap",
        ),
        RDKafkaErrorCode::BadCompression
        | RDKafkaErrorCode::BadMessage
        | RDKafkaErrorCode::InvalidMessage
        | RDKafkaErrorCode::InvalidMessageSize => (
            "damaged",
            "records there are damaged: see to the broker's disk, and delete the records that are in the way \
             (kafka-delete-records.sh), which are then shown as a gap",
        ),
        RDKafkaErrorCode::MessageSizeTooLarge => (
            "too_large",
            "a record there is larger than what is taken: in [kafka.properties] raise \"receive.message.max.bytes\" and \
             \"fetch.message.max.bytes\"",
        ),
        RDKafkaErrorCode::TopicAuthorizationFailed => (
            "rights",
            "this user may not read the topic: grant Read on it (kafka-acls.sh --add --allow-principal User:NAME)",
        ),
        _ => ("fetch", "the broker gives no records: see to its log"),
    }
}
