//! Partitions whose position may be outside of what the broker has, and what is recorded if it is. It asks no broker.

use std::time::Instant;

use super::account::Partition;
use super::failure::QUIET;
use super::handle::Ledger;
use crate::clock;
use crate::source::kafka::position::Gap;

/// A partition whose position may be where the broker has nothing, and the offset that it reads next, if it knows one.
pub(in crate::source::kafka) type SuspectedGap = (i32, Option<i64>);

impl Ledger {
    /// Partitions that have not begun, and those that have been quiet since before `since`.
    pub(in crate::source::kafka) fn suspected_gaps(&self, since: Instant) -> Vec<SuspectedGap> {
        let inner = self.lock();
        let assigned = inner.partitions.iter().filter(|(_, account)| account.assigned);
        let quiet = |account: &Partition| {
            clock::since(since) >= QUIET && account.heard.is_none_or(|heard| clock::since(heard) >= QUIET)
        };
        let doubtful = assigned.filter(|(_, account)| account.read.is_none() || account.remade || quiet(account));
        doubtful.map(|(id, account)| (*id, account.fetches())).collect()
    }

    /// The partitions that are assigned, and the offset that each reads next, if it knows one.
    pub(in crate::source::kafka) fn reads(&self) -> Vec<SuspectedGap> {
        let inner = self.lock();
        let assigned = inner.partitions.iter().filter(|(_, account)| account.assigned);
        assigned.map(|(id, account)| (*id, account.fetches())).collect()
    }

    /// Whether the partition's position is beyond `offset`, or what is read back ends there.
    pub(in crate::source::kafka) fn is_beyond(&self, partition: i32, offset: i64) -> bool {
        let inner = self.lock();
        inner
            .partitions
            .get(&partition)
            .and_then(|account| account.read.as_ref())
            .is_some_and(|read| read.next > offset)
    }

    /// Compares the partition's position with what the broker has. A gap is recorded, to be stored even if no record
    /// follows. Returns the offset to fetch from, and the gap.
    pub(in crate::source::kafka) fn reconcile(
        &self,
        partition: i32,
        low: i64,
        high: i64,
        now: i64,
    ) -> Option<(i64, Option<Gap>)> {
        let mut inner = self.lock();
        let account = inner.partitions.get_mut(&partition).filter(|account| account.assigned)?;
        if let Some(back) = account.reading_back.as_mut().filter(|back| back.ends.is_none()) {
            let lost = low.min(back.until) - back.next;
            if lost > 0 {
                tracing::warn!(
                    topic = self.topic,
                    partition,
                    lost,
                    "records to read back are gone from Kafka: clones that they would have shown are missed"
                );
                back.next += lost;
            }
            if back.next < back.until && back.next <= high {
                return Some((back.next, None));
            }
            account.end_reading_back();
            inner.set_oldest();
        }
        let account = inner.partitions.get_mut(&partition)?;
        let read = account.read.as_mut()?;
        let gap = if std::mem::take(&mut account.remade) {
            Some(read.begin_again(low, high, now))
        } else {
            read.skip_to(low, high, now)
        };
        let next = read.next;
        if gap.is_some() {
            account.expected = None;
            inner.move_read(partition, |_| {});
        }
        Some((next, gap))
    }
}
