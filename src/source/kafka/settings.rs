//! What is consumed, and how it is read. It does not say how librdkafka's client is configured.

use std::time::Duration;

use traffic::ParserSettings;

use crate::config::KafkaConfig;

/// What is consumed, and how it is read.
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    /// Topic, group and connection.
    pub kafka: KafkaConfig,
    /// How lines are parsed.
    pub parser: ParserSettings,
    /// Whether values are GB18030 instead of UTF-8.
    pub gb18030: bool,
    /// Pending lines that make a batch.
    pub batch_records: u64,
    /// The longest that a record waits for its commit.
    pub batch_interval: Duration,
    /// Seconds of event time before a position that are read back to bring plate states and evidence to it. A passage that
    /// was not ahead when it came is at most a state TTL newer than the watermark then, and matters until the watermark is
    /// a state TTL further than it, so these are at least two state TTLs.
    pub read_back: i64,
    /// Seconds of event time after a takeover in which a start reads back again: as long, plate states come from records
    /// that this data directory's log does not hold.
    pub lacking: i64,
}
