//! The state of consumption as the status shows it: ends of partitions, the connection, the last error.

use std::time::Instant;

use rdkafka::error::RDKafkaErrorCode;

use super::account::Partition;
use super::accounts::Accounts;
use super::failure::{FetchFailure, QUIET};
use super::handle::Ledger;
use crate::clock::since;
use crate::source::kafka::position::GapCause;
use crate::status::{KafkaGap, KafkaPartition, KafkaStatus, KafkaStopped, MissingCause};

impl Ledger {
    /// Notes the end of a partition, and where the first transaction begins that is not decided yet.
    pub(in crate::source::kafka) fn set_end(&self, partition: i32, end: i64, stable: i64) {
        if let Some(account) = self.lock().partitions.get_mut(&partition) {
            account.end = Some(end);
            account.in_transaction = if (0..end).contains(&stable) { end - stable } else { 0 };
        }
    }

    /// Notes whether any broker can be reached; true if that is news.
    pub(in crate::source::kafka) fn set_connected(&self, connected: bool, now: i64) -> bool {
        let mut inner = self.lock();
        let news = inner.connected.replace(connected) != Some(connected);
        if !connected {
            inner.away_since.get_or_insert(now);
        } else if news {
            inner.away_since = None;
            inner.last_error = None;
        }
        news
    }

    /// Notes the client's last error; true if it is news.
    pub(in crate::source::kafka) fn set_error(&self, text: String) -> bool {
        let mut inner = self.lock();
        // While other partitions go on, one that cannot repeats the same error.
        let known = inner.fetch_failure.as_ref().is_some_and(|failure| failure.said() == text);
        let news = inner.last_error.as_ref() != Some(&text) && !known;
        inner.last_error = Some(text);
        news
    }

    /// Notes an error that may say less than the one before it; true if it is news.
    pub(in crate::source::kafka) fn set_vague_error(&self, text: String) -> bool {
        let mut inner = self.lock();
        let news = inner.last_error.is_none();
        inner.last_error.get_or_insert(text);
        news
    }

    /// Notes that records could not be fetched or read.
    pub(in crate::source::kafka) fn fetch_failed(&self, code: RDKafkaErrorCode, now: Instant) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        if matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) {
            inner.topic_was_absent = true;
            return;
        }
        if !inner.fetch_failure.as_mut().is_some_and(|failure| failure.repeated(code, now)) {
            let said = inner.last_error.clone().unwrap_or_default();
            inner.fetch_failure = Some(FetchFailure::new(code, now, said));
        }
    }

    /// The state of consumption.
    pub fn status(&self) -> KafkaStatus {
        let mut inner = self.lock();
        let stopped = stopped(&mut inner);
        let partitions = inner.partitions.iter().map(|(&id, account)| {
            let stored = account.stored.clone().unwrap_or_default();
            let position = account.stored.as_ref().map(|stored| stored.next);
            let lag = account.end.map(|end| (end - position.unwrap_or(0)).max(0)).filter(|_| account.assigned);
            let recent_gaps = stored.recent.iter().map(|gap| KafkaGap {
                first: gap.first,
                last: gap.last,
                found_unix: gap.found,
                cause: match gap.cause {
                    GapCause::Deleted => MissingCause::Deleted,
                    GapCause::Truncated => MissingCause::Truncated,
                },
            });
            KafkaPartition {
                partition: id.unsigned_abs(),
                assigned: account.assigned,
                position,
                end: account.end,
                lag,
                // Without isolation they may have been read already.
                in_transaction: account.in_transaction.min(lag.unwrap_or(0)),
                gaps: stored.gaps,
                missing: stored.missing,
                to_read_back: account.reading_back.as_ref().map_or(0, |back| (back.until - back.next).max(0)),
                nulls: stored.nulls,
                recent_gaps: recent_gaps.collect(),
            }
        });
        KafkaStatus {
            topic: self.topic.clone(),
            group: self.group.clone(),
            brokers: self.brokers.clone(),
            connected: inner.connected == Some(true),
            away_since_unix: inner.away_since,
            last_error: inner.last_error.clone(),
            stopped,
            rebalances: inner.rebalances,
            advice: inner.keying.advice().map(str::to_owned),
            partitions: partitions.collect(),
        }
    }
}

/// The partitions that cannot go on, if there are any.
fn stopped(inner: &mut Accounts) -> Option<KafkaStopped> {
    let failure = inner.fetch_failure.as_mut()?;
    if failure.is_over() {
        inner.fetch_failure = None;
        return None;
    }
    if since(failure.since()) < QUIET {
        return None;
    }
    let stands = |account: &Partition| {
        let has_records = account.end.is_none_or(|end| account.fetches().is_some_and(|next| next < end));
        account.assigned && has_records && account.heard.is_none_or(|heard| heard < failure.since())
    };
    let partitions: Vec<u32> =
        inner.partitions.iter().filter(|(_, account)| stands(account)).map(|(id, _)| id.unsigned_abs()).collect();
    if partitions.is_empty() {
        return None;
    }
    Some(failure.stopped(partitions))
}
