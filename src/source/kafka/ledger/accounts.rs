//! The accounts of all partitions together, as the ledger's lock protects them, and the small steps that change them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use traffic::Dimension;

use super::account::{Partition, Pending};
use super::failure::FetchFailure;
use crate::source::kafka::keying::Keying;

/// What the lock of the ledger holds.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    pub(super) partitions: BTreeMap<i32, Partition>,
    pub(super) names: Vec<(Dimension, Arc<str>)>,
    pub(super) lines: u64,
    pub(super) bytes: usize,
    pub(super) oldest: Option<Instant>,
    pub(super) connected: Option<bool>,
    pub(super) away_since: Option<i64>,
    pub(super) last_error: Option<String>,
    pub(super) fetch_failure: Option<FetchFailure>,
    /// The topic was not there when this process looked for it.
    pub(super) topic_was_absent: bool,
    pub(super) rebalances: u64,
    /// When the consuming thread last began a turn.
    pub(super) turned: Option<Instant>,
    pub(super) keying: Keying,
}

impl Accounts {
    /// Takes what leaves next.
    pub(super) fn take_pending(&mut self, partition: i32) -> Option<Pending> {
        let account = self.partitions.get_mut(&partition)?;
        let pending = match &mut account.reading_back {
            Some(back) => back.pending.take(),
            None => account.pending.take(),
        }?;
        self.subtract(&pending);
        Some(pending)
    }

    /// Drops whatever is pending of a partition.
    pub(super) fn take_hands(&mut self, partition: i32) {
        let Some(account) = self.partitions.get_mut(&partition) else { return };
        let pending = [account.reading_back.take().and_then(|back| back.pending), account.pending.take()];
        for pending in pending.iter().flatten() {
            self.subtract(pending);
        }
    }

    /// Whether all that was given of a partition is stored.
    pub(super) fn is_stored(&self, partition: i32) -> bool {
        self.partitions.get(&partition).is_none_or(|account| account.given == account.stored)
    }

    pub(super) fn subtract(&mut self, pending: &Pending) {
        self.lines -= pending.passages.lines;
        self.bytes -= pending.bytes;
        self.oldest = None;
        self.set_oldest();
    }

    pub(super) fn set_oldest(&mut self) {
        self.oldest = self.partitions.values().filter_map(Partition::front).map(|pending| pending.since).min();
    }

    /// Whatever of a partition is not stored is to be read again, and batches of the old epoch may not be stored.
    pub(super) fn forget_read(&mut self, partition: i32) {
        self.take_hands(partition);
        let Some(account) = self.partitions.get_mut(&partition) else { return };
        account.epoch += 1;
        account.doubt = None;
        account.heard = None;
        account.expected = None;
        account.remade = false;
        account.read = None;
        account.given.clone_from(&account.stored);
        account.given_bytes = None;
    }

    /// Changes what is read of a partition in such a way that a batch carries it to the store.
    pub(super) fn move_read(&mut self, partition: i32, change: impl FnOnce(&mut Partition)) {
        let Some(account) = self.partitions.get_mut(&partition) else { return };
        change(account);
        account.pending.get_or_insert_with(Pending::new);
        self.set_oldest();
    }
}
