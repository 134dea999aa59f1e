//! The accounts of all partitions together, as the ledger's lock protects them, and the small steps that change them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use traffic::Dimension;

use super::account::{Hand, Partition};
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
    pub(super) keying: Keying,
}

impl Accounts {
    /// Takes the hand that leaves next.
    pub(super) fn take_hand(&mut self, partition: i32) -> Option<Hand> {
        let account = self.partitions.get_mut(&partition)?;
        let hand = match &mut account.reading_back {
            Some(back) => back.hand.take(),
            None => account.hand.take(),
        }?;
        self.put_down(&hand);
        Some(hand)
    }

    /// Drops whatever is in hand of a partition.
    pub(super) fn take_hands(&mut self, partition: i32) {
        let Some(account) = self.partitions.get_mut(&partition) else { return };
        let hands = [account.reading_back.take().and_then(|back| back.hand), account.hand.take()];
        for hand in hands.iter().flatten() {
            self.put_down(hand);
        }
    }

    pub(super) fn put_down(&mut self, hand: &Hand) {
        self.lines -= hand.passages.lines;
        self.bytes -= hand.bytes;
        self.oldest = None;
        self.set_oldest();
    }

    pub(super) fn set_oldest(&mut self) {
        self.oldest = self.partitions.values().filter_map(Partition::front).map(|hand| hand.since).min();
    }

    /// Whatever of a partition is not stored is to be read again, and batches of the old epoch may not be stored.
    pub(super) fn forget_read(&mut self, partition: i32) {
        self.take_hands(partition);
        let Some(account) = self.partitions.get_mut(&partition) else { return };
        account.epoch += 1;
        account.heard = None;
        account.expected = None;
        account.remade = false;
        account.read = None;
        account.given.clone_from(&account.stored);
    }

    /// Changes what is read of a partition in such a way that a batch carries it to the store.
    pub(super) fn move_read(&mut self, partition: i32, change: impl FnOnce(&mut Partition)) {
        let Some(account) = self.partitions.get_mut(&partition) else { return };
        change(account);
        account.hand.get_or_insert_with(Hand::new);
        self.set_oldest();
    }
}
