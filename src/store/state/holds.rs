//! What retention must leave to mirrors. It does not know mirrors: only the first row and the first alert that one of them
//! still needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::disk::segments::Entry;

/// What retention must leave to mirrors.
#[derive(Debug)]
pub(in crate::store) struct Holds {
    /// By shard: the first row that a mirror still needs; `u64::MAX` where there is no mirror.
    rows: [AtomicU64; 2],
    /// The first alert that a mirror still needs.
    alert: AtomicU64,
    /// How many of the newest alerts a mirror keeps: it needs no older ones.
    alerts: AtomicU64,
}

impl Default for Holds {
    fn default() -> Self {
        let none = || AtomicU64::new(u64::MAX);
        Self { rows: [none(), none()], alert: none(), alerts: AtomicU64::new(0) }
    }
}

impl Holds {
    /// The rows of `shard` from `row` on must stay.
    pub(in crate::store) fn hold_rows(&self, shard: usize, row: u64) {
        if let Some(held) = self.rows.get(shard) {
            held.store(row, Ordering::Relaxed);
        }
    }

    /// Of the alerts from `seq` on the newest `count` must stay.
    pub(in crate::store) fn hold_alerts(&self, seq: u64, count: u64) {
        self.alerts.store(count, Ordering::Relaxed);
        self.alert.store(seq, Ordering::Relaxed);
    }

    /// The first alert that must stay, where the newest has number `newest`.
    pub(in crate::store) fn first_alert(&self, newest: u64) -> u64 {
        let alert = self.alert.load(Ordering::Relaxed);
        alert.max(newest.saturating_sub(self.alerts.load(Ordering::Relaxed)).saturating_add(1))
    }

    /// By shard: segments that end at this row or before may go. Expired segments that mirrors still need add up to at
    /// most `limit` bytes; the oldest beyond go all the same. `expired` is given the first row that mirrors need of each
    /// shard, and gives the expired segments that hold it or later ones.
    pub(in crate::store) fn release(&self, expired: impl FnOnce(&[u64; 2]) -> Vec<Arc<Entry>>, limit: u64) -> [u64; 2] {
        let mut release = self.rows.each_ref().map(|row| row.load(Ordering::Relaxed));
        if release == [u64::MAX; 2] {
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
            let first_needed = self.rows.get(entry.shard).map_or(u64::MAX, |row| row.load(Ordering::Relaxed));
            entry.zone.end_row().saturating_sub(first_needed.max(entry.zone.first_row))
        };
        gone.iter().map(lost).sum()
    }
}
