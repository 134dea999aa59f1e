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
    /// Seconds of event time that plate states reach back.
    pub state_ttl: i64,
}
