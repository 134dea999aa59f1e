//! Assigned and revoked partitions: where one resumes, what is dropped when it is revoked, and whether a batch of it
//! may still be committed.
//!
//! **Taking over.** What another process has consumed since this one stored anything of a partition is in its plate states,
//! not in ours. The group's committed offset says where that process ended, and its metadata where the records of the
//! last state TTL begin ([`PartitionPosition::metadata`]): those are read again and given to the writer as parts of a
//! [`Takeover`](crate::batch::Takeover), and only then does the partition take the group's position.
//!
//! **Leases.** A process that was asleep longer than its session may find batches in its queue that belong to another by
//! now, or give one of what it had read before. A batch that waited long, or was read before a long sleep, is committed only after
//! the group has taken a commit from this member ([`Ledger::permit`]); else all that was given of the partition is read
//! again by its owner. Makes no call to Kafka.

use std::time::{Duration, Instant};

use traffic::{Watermark, WatermarkState};

use super::account::ReadingBack;
use super::handle::Ledger;
use crate::batch::Batch;
use crate::clock::{moment, since};
use crate::source::kafka::position::{Committed, Mark, PartitionPosition};

/// How long a revocation waits for the writer.
const REVOKE_DEADLINE: Duration = Duration::from_secs(30);

impl Ledger {
    /// The group has reassigned its partitions.
    pub(in crate::source::kafka) fn rebalanced(&self) {
        self.lock().rebalances += 1;
    }

    /// The partition comes to this process. It is not consumed before [`Ledger::begin_at`] or [`Ledger::start_at`].
    pub(in crate::source::kafka) fn assign(&self, partition: i32) {
        let mut inner = self.lock();
        let account = inner.partitions.entry(partition).or_default();
        (account.assigned, account.leads, account.begun) = (true, false, None);
        inner.forget_read(partition);
    }

    /// Whether it is still undecided for an assigned partition where it resumes.
    pub(in crate::source::kafka) fn is_undecided(&self) -> bool {
        self.lock().partitions.values().any(|account| account.assigned && account.read.is_none())
    }

    /// Whether the topic was created while this process was waiting for it.
    pub(in crate::source::kafka) fn topic_was_absent(&self) -> bool {
        self.lock().topic_was_absent
    }

    /// Whether any partition of the topic has a position here.
    pub(in crate::source::kafka) fn knows_topic(&self) -> bool {
        self.lock().partitions.values().any(|account| account.stored.is_some())
    }

    /// Decides where a partition resumes, given what its group has committed; returns the offset to fetch from. None:
    /// the partition has no past anywhere, and [`Ledger::start_at`] is to be called.
    ///
    /// A group offset of another program does not say from where to read back: `by_time` looks that up, and if it
    /// fails, this fails with its error and is to be tried again.
    pub(in crate::source::kafka) fn begin_at<E>(
        &self,
        partition: i32,
        committed: Option<Committed>,
        by_time: impl FnOnce(i64) -> Result<i64, E>,
    ) -> Result<Option<i64>, E> {
        let (stored, intact) = match self.lock().partitions.get(&partition) {
            Some(account) if account.assigned => (account.stored.clone(), account.intact),
            _ => return Ok(None),
        };
        let ours = stored.as_ref().map(|stored| stored.next);
        let (base, from, until, watermark, foreign) = match (committed, stored) {
            // Another process went further: it has stored the records up to there.
            (Some(theirs), stored) if ours.is_none_or(|ours| theirs.next > ours) => {
                let (from, watermark) = match theirs.state {
                    Some(state) => state,
                    None => (Mark { offset: by_time(theirs.next)?, before: None }, None),
                };
                (stored.unwrap_or_default(), from, theirs.next, watermark, true)
            }
            (_, Some(stored)) if !intact => {
                let (from, until, watermark) = (stored.read_back_from(), stored.next, stored.watermark.time());
                (stored, from, until, watermark, false)
            }
            (_, Some(stored)) => {
                let mut inner = self.lock();
                let Some(account) = inner.partitions.get_mut(&partition) else { return Ok(None) };
                account.leads = true;
                account.expected = stored.last.filter(|_| stored.next > 0);
                let from = stored.next - i64::from(account.expected.is_some());
                account.read = Some(stored);
                return Ok(Some(from));
            }
            (_, None) => return Ok(None),
        };
        if from.offset < until {
            tracing::info!(
                topic = self.topic,
                partition,
                from = from.offset,
                until,
                "reading back what another process has stored, to know the plates of the last minutes"
            );
        }
        let mut inner = self.lock();
        let Some(account) = inner.partitions.get_mut(&partition) else { return Ok(None) };
        (account.intact, account.leads) = (false, !foreign);
        if foreign {
            let theirs = WatermarkState { time: watermark, ..WatermarkState::default() };
            let (watermark, trail) = (Watermark::of(&theirs), vec![from]);
            account.begun = Some(PartitionPosition { watermark, trail, ..PartitionPosition::at(until) });
        }
        // Its ordinals start again: they matter only where fewer than three checkpoints send.
        let begins = WatermarkState { time: from.before, ..WatermarkState::default() };
        let read =
            PartitionPosition { next: until, watermark: Watermark::of(&begins), last: None, trail: vec![from], ..base };
        account.read = Some(read);
        let back = ReadingBack {
            next: from.offset,
            until,
            begins: Some(begins),
            watermark,
            foreign,
            ends: None,
            pending: None,
        };
        account.reading_back = Some(back);
        if from.offset >= until {
            account.end_reading_back();
            inner.set_oldest();
        }
        Ok(Some(from.offset))
    }

    /// Begins a partition without a past at `next`, which is to be stored even if no record follows.
    pub(in crate::source::kafka) fn start_at(&self, partition: i32, next: i64) {
        self.lock().move_read(partition, |account| {
            account.read = Some(PartitionPosition::at(next));
            account.begun.clone_from(&account.read);
            (account.intact, account.leads) = (true, true);
        });
    }

    /// The partition is revoked: what is pending is dropped. Call [`Ledger::wait_until_stored`] before giving it up.
    pub(in crate::source::kafka) fn drop_hand(&self, partition: i32) {
        let mut inner = self.lock();
        inner.take_hands(partition);
        if let Some(account) = inner.partitions.get_mut(&partition).filter(|account| account.read.is_some()) {
            account.read.clone_from(&account.given);
        }
    }

    /// Waits until all that was given of the partition is stored, so that its next owner finds it in the group's offset.
    /// False if that took too long.
    pub(in crate::source::kafka) fn wait_until_stored(&self, partition: i32) -> bool {
        let deadline = moment() + REVOKE_DEADLINE;
        let mut inner = self.lock();
        loop {
            let open = !inner.is_stored(partition);
            let left = deadline.saturating_duration_since(moment());
            if !open || left.is_zero() {
                return !open;
            }
            self.stored.wait_for(&mut inner, left);
        }
    }

    /// Whether all that was given of the partition is stored.
    #[cfg(test)]
    pub(in crate::source::kafka) fn is_stored(&self, partition: i32) -> bool {
        self.lock().is_stored(partition)
    }

    /// The partition is gone; what was given of it and is not stored may not be any more.
    pub(in crate::source::kafka) fn revoked(&self, partition: i32) {
        let mut inner = self.lock();
        inner.forget_read(partition);
        if let Some(account) = inner.partitions.get_mut(&partition) {
            (account.assigned, account.leads) = (false, false);
            account.end = None;
            account.in_transaction = 0;
            account.hinted = None;
        }
    }

    /// A turn of the consuming thread begins. If the one before began more than `lease` ago, the process may have slept, and what
    /// it had read may be another's by now, without librdkafka having learned of it.
    pub(in crate::source::kafka) fn turn_begins(&self, now: Instant, lease: Duration) {
        let mut inner = self.lock();
        let Some(before) = inner.turned.replace(now) else { return };
        if now.saturating_duration_since(before) >= lease {
            for account in inner.partitions.values_mut().filter(|account| account.assigned) {
                account.doubt = Some(before);
            }
        }
    }

    /// Whether `batch` may be committed. One that left the source more than `lease` ago, or was read before a sleep as long, may
    /// be only if `is_member` says that the group still counts this process in; else all that was given of the partition is
    /// forgotten.
    pub(in crate::source::kafka) fn permit(
        &self,
        batch: &Batch,
        lease: Duration,
        is_member: impl FnOnce(i32, &PartitionPosition) -> bool,
    ) -> bool {
        let (Some(under), Ok(partition)) = (batch.lease, i32::try_from(batch.partition)) else { return true };
        let (known, doubt) = match self.lock().partitions.get(&partition) {
            Some(account) if account.epoch == under.epoch => (account.to_ask_with(), account.doubt),
            _ => return false,
        };
        if since(under.since) < lease {
            return true;
        }
        if known.is_some_and(|known| is_member(partition, &known)) {
            if let Some(account) = self.lock().partitions.get_mut(&partition).filter(|account| account.doubt == doubt) {
                account.doubt = None;
            }
            return true;
        }
        tracing::warn!(
            topic = self.topic,
            partition,
            "records waited longer than the group's session: they are left to whoever owns the partition now"
        );
        self.lock().forget_read(partition);
        self.stored.notify_all();
        false
    }
}
