//! The numbers of changes of cases: of a case itself, and of the work on it. Mirrors follow them.
//!
//! A number is the clock's microseconds since 1970, or one more than the last one where the clock stands still or went
//! back. So a later change has a larger number in one data directory for ever, and in two directories whose clocks agree: a
//! directory that was restored or made anew does not lose against what it wrote before.
//!
//! Two threads change cases: the writer, and whoever changes work. A number is *settled* when readers see its change and all
//! before it, so that nobody who follows the settled ones passes over a change that is still being written. It does not
//! know what changed.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tokio::sync::watch;

/// Gives numbers to changes, and says which are settled.
#[derive(Debug)]
pub(in crate::store) struct CaseChanges {
    numbers: Mutex<Numbers>,
    settled: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Numbers {
    /// The newest number that was given.
    last: u64,
    /// The first numbers of what is still being written.
    open: BTreeSet<u64>,
}

impl Default for CaseChanges {
    fn default() -> Self {
        Self { numbers: Mutex::default(), settled: watch::Sender::new(0) }
    }
}

impl CaseChanges {
    /// The first of `count` consecutive numbers for what is about to be written; `now` in microseconds since 1970. It is
    /// settled by this number, whether it was written or not.
    pub(in crate::store) fn begin(&self, now: u64, count: u64) -> u64 {
        let mut numbers = self.numbers.lock();
        let first = now.max(numbers.last + 1);
        numbers.last = first + count.max(1) - 1;
        numbers.open.insert(first);
        first
    }

    /// What began with `first` is seen by readers, or will never be.
    pub(in crate::store) fn settle(&self, first: u64) {
        let mut numbers = self.numbers.lock();
        numbers.open.remove(&first);
        self.settled.send_replace(numbers.settled());
    }

    /// No number up to `number` is given any more.
    pub(in crate::store) fn pass(&self, number: u64) {
        let mut numbers = self.numbers.lock();
        numbers.last = numbers.last.max(number);
        self.settled.send_replace(numbers.settled());
    }

    /// The newest number below which all is settled, and word of each new one.
    pub(in crate::store) fn settled(&self) -> watch::Receiver<u64> {
        self.settled.subscribe()
    }
}

impl Numbers {
    fn settled(&self) -> u64 {
        self.open.first().map_or(self.last, |first| first - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_whatever_the_clock_does_and_settle_in_order() {
        let changes = CaseChanges::default();
        let settled = changes.settled();
        changes.pass(50);
        assert_eq!((*settled.borrow(), changes.begin(10, 3)), (50, 51));
        assert_eq!((changes.begin(1_000, 1), changes.begin(900, 1)), (1_000, 1_001));
        changes.settle(1_000);
        assert_eq!(*settled.borrow(), 50, "an older one is still being written");
        changes.settle(51);
        assert_eq!(*settled.borrow(), 1_000);
        changes.settle(1_001);
        assert_eq!((*settled.borrow(), changes.begin(2_000, 0)), (1_001, 2_000));
    }
}
