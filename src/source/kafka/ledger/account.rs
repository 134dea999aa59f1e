//! One partition's account, and what all of them together hold in hand: small steps that the ledger is made of.

use std::time::Instant;

use traffic::{PassageBatch, Watermark, WatermarkState};

use super::{Hand, Inner, Partition, Position};

impl Hand {
    pub(super) fn new() -> Self {
        Self {
            passages: PassageBatch::default(),
            origins: Vec::new(),
            row_offsets: Vec::new(),
            bytes: 0,
            since: Instant::now(),
        }
    }
}

impl Partition {
    /// The hand that leaves next.
    pub(super) fn front(&self) -> Option<&Hand> {
        match &self.reading_back {
            Some(back) => back.hand.as_ref(),
            None => self.hand.as_ref(),
        }
    }

    /// What is stored, where the group may be told: before it is decided where the partition goes on it may know more.
    pub(super) fn for_group(&self) -> Option<Position> {
        let is_decided = self.assigned && self.read.is_some() && self.intact;
        self.stored.clone().filter(|_| is_decided)
    }

    /// The offset that is to be fetched next, if it is known.
    pub(super) fn fetches(&self) -> Option<i64> {
        let back = self.reading_back.as_ref().filter(|back| back.ends.is_none()).map(|back| back.next);
        back.or(self.read.as_ref().map(|read| read.next))
    }

    /// All that was to be read back is in hand, or gone.
    pub(super) fn end_reading_back(&mut self) {
        let (Some(back), Some(read)) = (&mut self.reading_back, &mut self.read) else { return };
        if back.watermark > read.watermark.time() {
            read.watermark = Watermark::of(&WatermarkState { time: back.watermark, ..read.watermark.state() });
        }
        if back.foreign {
            // Before there is a watermark, the newest that was read back: a restart must read it back again.
            let above = read.watermark.state().above.iter().map(|reached| reached.newest).max();
            read.taken_over = read.watermark.time().max(above).or(Some(i64::MIN));
        }
        back.ends = Some(read.clone());
        back.hand.get_or_insert_with(Hand::new);
    }
}

impl Inner {
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

    /// Whatever of a partition is not stored is to be read again, and nothing of it stored under what it was read under.
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
