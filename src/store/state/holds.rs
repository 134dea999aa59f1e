//! What retention must keep for mirrors. It does not know mirrors, only by name the first row and the first alert that
//! each still needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use shard::{PerShard, ShardCount, ShardId};

use crate::store::disk::segments::Entry;

/// What retention must keep for mirrors, by the mirror's name.
#[derive(Debug, Default)]
pub(in crate::store) struct Holds(Mutex<BTreeMap<String, Held>>);

/// What one mirror needs.
#[derive(Debug, Default)]
struct Held {
    /// A mirror of this process has the name.
    claimed: bool,
    /// By shard: the first row.
    rows: BTreeMap<ShardId, u64>,
    /// The first alert, and how many of the newest ones it keeps: it needs no older ones.
    alerts: Option<(u64, u64)>,
}

impl Holds {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.0.lock()
    }

    /// Reserves a name; false if it is taken.
    pub(in crate::store) fn claim(&self, name: &str) -> bool {
        !std::mem::replace(&mut self.held().entry(name.to_owned()).or_default().claimed, true)
    }

    /// The rows of `shard` from `row` on must stay for the mirror `name`.
    pub(in crate::store) fn hold_rows(&self, name: &str, shard: ShardId, row: u64) {
        self.held().entry(name.to_owned()).or_default().rows.insert(shard, row);
    }

    /// Of the alerts from `seq` on, the newest `count` must stay for the mirror `name`.
    pub(in crate::store) fn hold_alerts(&self, name: &str, seq: u64, count: u64) {
        self.held().entry(name.to_owned()).or_default().alerts = Some((seq, count));
    }

    /// The first row of `shard` that a mirror still needs; `u64::MAX` if none does.
    fn first_row(&self, shard: ShardId) -> u64 {
        self.held().values().filter_map(|held| held.rows.get(&shard)).copied().min().unwrap_or(u64::MAX)
    }

    /// The first alert that must stay, where the newest has number `newest`.
    pub(in crate::store) fn first_alert(&self, newest: u64) -> u64 {
        let first = |(seq, count): (u64, u64)| seq.max(newest.saturating_sub(count).saturating_add(1));
        self.held().values().filter_map(|held| held.alerts).map(first).min().unwrap_or(u64::MAX)
    }

    /// By shard: segments that end at this row or before may be dropped. Expired segments that mirrors still need add
    /// up to at most `limit` bytes; the oldest beyond that are dropped anyway. `expired` gets the first row that
    /// mirrors need of each shard, and returns the expired segments that hold it or later ones.
    pub(in crate::store) fn release(
        &self,
        shards: ShardCount,
        expired: impl FnOnce(&PerShard<u64>) -> Vec<Arc<Entry>>,
        limit: u64,
    ) -> PerShard<u64> {
        let mut release = PerShard::new(shards, |shard| self.first_row(shard));
        if release.values().all(|row| *row == u64::MAX) {
            return release;
        }
        let mut waiting = expired(&release);
        let mut excess = waiting.iter().map(|entry| entry.zone.bytes).sum::<u64>().saturating_sub(limit);
        waiting.sort_by_key(|entry| (entry.zone.max_time, entry.shard, entry.zone.first_row));
        for entry in waiting {
            if excess == 0 {
                break;
            }
            excess = excess.saturating_sub(entry.zone.bytes);
            if let Some(row) = release.get_mut(entry.shard) {
                *row = (*row).max(entry.zone.end_row());
            }
        }
        release
    }

    /// Rows of dropped segments that a mirror still needed.
    pub(in crate::store) fn lost(&self, gone: &[Arc<Entry>]) -> u64 {
        let lost = |entry: &Arc<Entry>| {
            entry.zone.end_row().saturating_sub(self.first_row(entry.shard).max(entry.zone.first_row))
        };
        gone.iter().map(lost).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_does_not_let_go_what_another_needs() {
        let holds = Holds::default();
        let [first, second] = [0, 1].map(|shard| ShardCount::default().id(shard).unwrap());
        assert_eq!((holds.first_row(first), holds.first_alert(100)), (u64::MAX, u64::MAX));
        holds.hold_alerts("redis", 40, 1_000);
        holds.hold_alerts("webhook", 20, 1_000);
        holds.hold_alerts("redis", 90, 1_000);
        assert_eq!(holds.first_alert(100), 20);
        holds.hold_alerts("webhook", 95, 1_000);
        assert_eq!((holds.first_alert(100), holds.first_alert(5_000)), (90, 4_001));
        holds.hold_rows("mysql/0", first, 7);
        holds.hold_rows("copy/0", first, 3);
        holds.hold_rows("mysql/0", first, 9);
        assert_eq!((holds.first_row(first), holds.first_row(second)), (3, u64::MAX));
    }
}
