//! The configuration of librdkafka's clients, and what it refuses, in words.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use crate::config::KafkaConfig;
use crate::source::SourceError;

/// How long a request to the broker may take.
pub(super) const ASK: Duration = Duration::from_secs(5);

/// The configuration of the client: our defaults, the user's properties, and what must not be changed.
pub(super) fn client_config(kafka: &KafkaConfig) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set_log_level(RDKafkaLogLevel::Warning);
    for (name, value) in [
        ("client.id", "platewatch"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("queued.min.messages", "100000"),
        ("fetch.queue.backoff.ms", "10"),
        ("topic.metadata.refresh.interval.ms", "10000"),
        ("reconnect.backoff.max.ms", "3000"),
        ("socket.keepalive.enable", "true"),
    ] {
        config.set(name, value);
    }
    for (name, value) in kafka.properties.iter() {
        config.set(name, value);
    }
    for (name, value) in [
        ("bootstrap.servers", kafka.brokers.as_str()),
        ("group.id", kafka.group.as_str()),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "error"),
        // The end of a partition is reported even where only control records of transactions precede it.
        ("enable.partition.eof", "true"),
        ("statistics.interval.ms", "1000"),
    ] {
        config.set(name, value);
    }
    config
}

/// The property's value stays out of the text: it may be a secret.
pub(super) fn refused(error: KafkaError) -> SourceError {
    SourceError::Refused(match error {
        KafkaError::ClientConfig(_, _, property, _) => format!(
            "[kafka.properties]: librdkafka refuses {property}: there is no such property, or its value cannot be used; see \
             its CONFIGURATION.md"
        ),
        other => format!("Kafka's client cannot be made: {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn kafka(text: &str) -> KafkaConfig {
        Config::from_toml(text, []).unwrap().kafka
    }

    #[test]
    fn what_keeps_the_count_cannot_be_overridden_and_the_rest_can() {
        let config = client_config(&kafka("[kafka.properties]\nfetch.queue.backoff.ms = 77\nsasl.username = \"u\"\n"));
        assert_eq!(config.get("enable.auto.commit"), Some("false"));
        assert_eq!(config.get("auto.offset.reset"), Some("error"));
        assert_eq!(config.get("fetch.queue.backoff.ms"), Some("77"));
        assert_eq!(config.get("sasl.username"), Some("u"));
        config.create_native_config().unwrap();
    }

    /// A codec that is missing stops a partition as soon as one producer uses it.
    #[test]
    fn every_codec_of_kafka_is_built_in() {
        let features = client_config(&kafka("")).create_native_config().unwrap().get("builtin.features").unwrap();
        for codec in ["gzip", "snappy", "lz4", "zstd"] {
            assert!(features.split(',').any(|feature| feature == codec), "{codec} is not in {features}");
        }
    }

    #[test]
    fn a_refused_property_is_named_without_its_value() {
        for (property, value) in [("no.such.property", "hush"), ("security.protocol", "hush")] {
            let config = kafka(&format!("[kafka.properties]\n\"{property}\" = \"{value}\"\n"));
            let error = refused(client_config(&config).create_native_config().map(|_| ()).unwrap_err()).to_string();
            assert!(error.contains(property) && !error.contains(value), "{error}");
        }
    }
}
