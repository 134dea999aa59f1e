//! Which stored positions are to be committed to the group. It does not commit them.

use super::handle::Ledger;
use crate::source::kafka::position::PartitionPosition;

impl Ledger {
    /// Stored positions that the group does not have yet; from now on it is assumed to have them.
    pub(in crate::source::kafka) fn hints(&self) -> Vec<(i32, PartitionPosition)> {
        let mut inner = self.lock();
        let mut hints = Vec::new();
        for (id, account) in &mut inner.partitions {
            if let Some(stored) = account.for_group().filter(|stored| account.hinted != Some(stored.next)) {
                account.hinted = Some(stored.next);
                hints.push((*id, stored));
            }
        }
        hints
    }

    /// Stored positions of these partitions, including those already sent to the group: it may have refused them, as it
    /// does during a rebalance, and its answer may not have come yet.
    pub(in crate::source::kafka) fn last(&self, partitions: &[i32]) -> Vec<(i32, PartitionPosition)> {
        let inner = self.lock();
        let stored = |id: &i32| Some((*id, inner.partitions.get(id)?.for_group()?));
        partitions.iter().filter_map(stored).collect()
    }

    /// The commit failed: all positions are hints again.
    pub(in crate::source::kafka) fn forget_hints(&self) {
        self.lock().partitions.values_mut().for_each(|account| account.hinted = None);
    }
}
