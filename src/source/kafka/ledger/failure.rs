//! Partitions whose records cannot be read: a codec that this program does not have, damage, a missing right.
//!
//! librdkafka retries without end and reports the error, but not the partition. It is one that has records and has
//! delivered none since the error.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use crate::clock::since;
use crate::status::{KafkaStopped, StopReason};

/// A partition whose last record is older than this may be the one that fails.
pub(in crate::source::kafka) const QUIET: Duration = Duration::from_secs(3);
/// An error that was not repeated for this long is over. librdkafka waits half a second between attempts.
const REPEATED: Duration = Duration::from_secs(30);

/// The last error of fetching.
#[derive(Debug)]
pub(super) struct FetchFailure {
    code: RDKafkaErrorCode,
    since: Instant,
    last: Instant,
    /// librdkafka's message.
    said: String,
    logged: bool,
}

impl FetchFailure {
    pub(super) fn new(code: RDKafkaErrorCode, now: Instant, said: String) -> Self {
        Self { code, since: now, last: now, said, logged: false }
    }

    /// Notes that the same error came again; false if this is another.
    pub(super) fn repeated(&mut self, code: RDKafkaErrorCode, now: Instant) -> bool {
        let is_same = self.code == code;
        if is_same {
            self.last = now;
        }
        is_same
    }

    /// librdkafka's message.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    /// When it came first.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Whether it has not been repeated for so long that it is over.
    pub(super) fn is_over(&self) -> bool {
        // A missing right is reported only once.
        let repeats = self.code != RDKafkaErrorCode::TopicAuthorizationFailed;
        repeats && since(self.last) > REPEATED
    }

    /// What it means for the partitions that it stopped; logged once.
    pub(super) fn stopped(&mut self, partitions: Vec<u32>) -> KafkaStopped {
        let (reason, words) = words(self.code);
        let numbers = partitions.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let text = format!("partitions {numbers} of the topic cannot be read on: {words} ({})", self.said);
        if !std::mem::replace(&mut self.logged, true) {
            tracing::error!(partitions = numbers, code = reason.as_str(), "{text}");
        }
        KafkaStopped { reason, partitions, text }
    }
}

/// What it is, and what to do.
fn words(code: RDKafkaErrorCode) -> (StopReason, &'static str) {
    match code {
        RDKafkaErrorCode::NotImplemented | RDKafkaErrorCode::UnsupportedCompressionType => (
            StopReason::Codec,
            "records there are compressed with a codec that this program does not have: let the producers use gzip, snappy, \
             lz4 or zstd, and delete the records that are in the way (kafka-delete-records.sh), which are then shown as a gap",
        ),
        RDKafkaErrorCode::BadCompression
        | RDKafkaErrorCode::BadMessage
        | RDKafkaErrorCode::InvalidMessage
        | RDKafkaErrorCode::InvalidMessageSize => (
            StopReason::Damaged,
            "records there are damaged: see to the broker's disk, and delete the records that are in the way \
             (kafka-delete-records.sh), which are then shown as a gap",
        ),
        RDKafkaErrorCode::MessageSizeTooLarge => (
            StopReason::TooLarge,
            "a record there is larger than what is taken: in [kafka.properties] raise \"receive.message.max.bytes\" and \
             \"fetch.message.max.bytes\"",
        ),
        RDKafkaErrorCode::TopicAuthorizationFailed => (
            StopReason::Rights,
            "this user may not read the topic: grant Read on it (kafka-acls.sh --add --allow-principal User:NAME)",
        ),
        _ => (StopReason::Fetch, "the broker gives no records: see to its log"),
    }
}
