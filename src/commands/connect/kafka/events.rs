//! What librdkafka reports without being asked: the brokers that it has learnt of, and errors. It only keeps them.

use parking_lot::{Mutex, MutexGuard};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;

use super::super::reach::Address;

/// A broker by its `node.id`, and the address that it advertises.
pub(super) type Advertised = (i32, Address);

/// What librdkafka reports by itself.
#[derive(Debug, Default)]
pub(super) struct Events(Mutex<Heard>);

/// What was reported so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The errors that it reported, the newest last.
    pub(super) complaints: Vec<(RDKafkaErrorCode, String)>,
    /// The brokers that a first contact reported.
    pub(super) brokers: Vec<Advertised>,
}

/// Errors that are kept.
const MOST_COMPLAINTS: usize = 32;

impl Events {
    pub(super) fn lock(&self) -> MutexGuard<'_, Heard> {
        self.0.lock()
    }

    /// Whether it reported this error.
    pub(super) fn heard(&self, wanted: RDKafkaErrorCode) -> bool {
        self.lock().complaints.iter().any(|(code, _)| *code == wanted)
    }

    /// The last error that says more than that something failed.
    pub(super) fn last_complaint(&self) -> String {
        let heard = self.lock();
        let mut telling = heard.complaints.iter().rev().filter(|(code, _)| *code != RDKafkaErrorCode::AllBrokersDown);
        telling.next().map_or("no answer", |(_, reason)| reason).to_owned()
    }
}

impl ClientContext for Events {
    fn stats(&self, statistics: Statistics) {
        let learned = statistics.brokers.values().filter(|broker| broker.source == "learned" && broker.nodeid >= 0);
        self.lock().brokers =
            learned.filter_map(|broker| Some((broker.nodeid, Address::parse(&broker.nodename)?))).collect();
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        tracing::debug!(%error, reason, "Kafka");
        let complaints = &mut self.lock().complaints;
        if let Some(code) = error.rdkafka_error_code().filter(|_| complaints.len() < MOST_COMPLAINTS) {
            complaints.push((code, reason.to_owned()));
        }
    }
}

impl ConsumerContext for Events {}
