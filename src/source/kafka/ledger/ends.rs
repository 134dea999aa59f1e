//! Partitions that end without a record: control records of transactions, aborted records and what compaction removed
//! have offsets and are never delivered.

use std::time::Instant;

use super::account::Partition;
use super::handle::Ledger;

impl Ledger {
    /// Everything of the partition before `end` has come, as far as it ever will. The position moves there, to be stored
    /// even if no record follows, and what was to be read back up to there has been.
    pub(in crate::source::kafka) fn reached_end(&self, partition: i32, end: i64, now: Instant) {
        let mut inner = self.lock();
        let known = |account: &&mut Partition| account.assigned && !account.remade && account.read.is_some();
        let Some(account) = inner.partitions.get_mut(&partition).filter(known) else { return };
        account.heard = Some(now);
        if let Some(back) = account.reading_back.as_mut().filter(|back| back.ends.is_none()) {
            back.next = back.next.max(end.min(back.until));
            if back.next >= back.until {
                account.end_reading_back();
            }
        }
        let is_read_back = account.reading_back.as_ref().is_none_or(|back| back.ends.is_some());
        let moves = is_read_back && account.read.as_ref().is_some_and(|read| read.next < end);
        if moves {
            inner.move_read(partition, |account| {
                if let Some(read) = &mut account.read {
                    read.next = end;
                    // There is no record right before the position that could be read again.
                    read.last = None;
                }
                account.expected = None;
            });
        }
        inner.set_oldest();
        inner.last_error = None;
    }
}
