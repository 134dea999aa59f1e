//! What mirrors need of the store: the rows of a shard's log in their order, a cursor that survives a restart, and
//! holds on what retention may drop.
//!
//! A cursor is written apart from the commits: a mirror moves it only when its target has acknowledged, so it is never
//! ahead of what was committed. It is not forced to the disk either. A power cut may undo the newest cursor, and with
//! it whatever was committed later; the mirror then sends again what its target already has, which changes nothing
//! there.
//!
//! Rows that a target refused are kept with the rejects, with the target's error message, in the same write as the
//! cursor after them. It does not know what a target is.

use shard::{Rows, SegmentReader, ShardId};
use std::sync::Arc;
use storage::{Durability, Family, codec};
use tokio::sync::watch;
use traffic::{CivilTime, Dimension};

use super::disk::keys;
use super::disk::records::{MirrorCursor, RefusedRow};
use super::disk::segments::{Entry, LogBlock, body};
use super::error::StoreError;
use super::handle::StoreHandle;
use super::read::{ChangedCase, View};
use crate::reader::ReadError;

/// A row that a mirror's target should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Row number.
    pub row: u64,
    /// GCXH.
    pub gcxh: String,
    /// Event time.
    pub gcsj: CivilTime,
    /// KKMC.
    pub kkmc: String,
}

/// A case that a mirror's target should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSample {
    /// The number of its newest change.
    pub change: u64,
    /// What it is found by.
    pub id: String,
    /// Corrected time of its newest contradiction, in civil seconds.
    pub newest: i64,
}

/// How many cases a mirror's target has, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CasesBehind {
    /// Cases that are kept.
    pub kept: u64,
    /// Those of them that changed since.
    pub waiting: u64,
    /// Corrected time of the newest contradiction of all, in civil seconds.
    pub newest: Option<i64>,
}

/// Rows that each look at a target takes besides those at growing distances.
const SPREAD: u64 = 4;

/// The rows of `rows` that look number `look` takes: those of all looks together lie evenly, so that a hole is met sooner or
/// later wherever it is, and one of a hundredth of the rows within 70 looks.
fn spread(rows: std::ops::Range<u64>, look: u64) -> impl Iterator<Item = u64> {
    let count = rows.end.saturating_sub(rows.start);
    (0..SPREAD).map(move |number| {
        // Multiples of the golden ratio, without their whole part.
        let part = look.wrapping_mul(SPREAD).wrapping_add(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        rows.start + ((u128::from(part) * u128::from(count)) >> 64) as u64
    })
}

/// Distances at which a target is asked for what it should have, counted back from the newest: 1, 4, 16, …
pub fn distances(most: u64) -> impl Iterator<Item = u64> {
    (0..32).map(|power| 1u64 << (2 * power)).take_while(move |back| *back <= most)
}

impl StoreHandle {
    /// The newest number of a change of a case up to which all are seen by readers, and word of each new one.
    pub fn case_changes(&self) -> watch::Receiver<u64> {
        self.case_changes.settled()
    }

    /// No number up to `number` is given to a change of a case any more: a mirror is there already.
    pub fn pass_case_changes(&self, number: u64) {
        self.case_changes.pass(number);
    }

    /// The first `limit` cases whose newest change has a number from `from` on, in the order of those. Reads the disk.
    ///
    /// # Errors
    /// [`ReadError`] if they cannot be read.
    pub fn changed_cases(&self, from: u64, limit: usize) -> Result<Vec<ChangedCase>, ReadError> {
        // The view is taken after the number: it has all changes up to it.
        let settled = *self.case_changes().borrow();
        self.view().cases_changed_in(from..settled.saturating_add(1).max(from), limit)
    }

    /// Some of the cases whose newest change has a number below `before`, the newest first, with growing distances back to
    /// the oldest. Touches no disk.
    pub fn sample_cases(&self, before: u64) -> Vec<CaseSample> {
        let view = self.view();
        let rows = view.case_rows_changed(..before);
        let wanted = distances(rows.len() as u64).chain((!rows.is_empty()).then_some(rows.len() as u64));
        let rows = wanted.filter_map(|back| rows.get(rows.len().checked_sub(back as usize)?));
        let mut samples: Vec<CaseSample> = rows
            .map(|(change, row)| CaseSample { change: *change, id: format!("{:016x}", row.id), newest: row.newest })
            .collect();
        samples.dedup();
        samples
    }

    /// How far a target is whose next change has the number `next`. Touches no disk.
    pub fn cases_behind(&self, next: u64) -> CasesBehind {
        let view = self.view();
        let rows = view.case_rows_changed(..);
        CasesBehind {
            kept: rows.len() as u64,
            waiting: rows.iter().filter(|(change, _)| *change >= next).count() as u64,
            newest: rows.iter().map(|(_, row)| row.newest).max(),
        }
    }

    /// Reserves the mirror name `name` for this process: cursors and holds go by it.
    ///
    /// # Errors
    /// [`StoreError::Contradiction`] if another mirror has it: the two would move one cursor, and retention would drop
    /// what the slower one lacks.
    pub fn claim_mirror(&self, name: &str) -> Result<(), StoreError> {
        match self.holds.claim(name) {
            true => Ok(()),
            false => Err(StoreError::Contradiction(format!("two mirrors are called {name}"))),
        }
    }

    /// From now on retention keeps the rows of `shard` from `row` on for the mirror `name`.
    pub fn hold_rows(&self, name: &str, shard: ShardId, row: u64) {
        self.holds.hold_rows(name, shard, row);
    }

    /// From now on retention keeps alerts from `seq` on for the mirror `name`, which needs the newest `count`.
    pub fn hold_alerts(&self, name: &str, seq: u64, count: u64) {
        self.holds.hold_alerts(name, seq, count);
    }

    /// The first alert that retention must keep for mirrors, where the newest has number `newest`.
    #[cfg(test)]
    pub(crate) fn first_held_alert(&self, newest: u64) -> u64 {
        self.holds.first_alert(newest)
    }

    /// The block of rows of `shard` that contains row `from` or, if that is gone, the first one after it; none if there
    /// is none yet. Reads the disk.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn log_block(&self, shard: ShardId, from: u64) -> Result<Option<LogBlock>, StoreError> {
        let view = self.view();
        let Some(entry) = view.entries_of(shard).find(|entry| entry.zone.end_row() > from) else { return Ok(None) };
        Ok(Some(LogBlock::read(&body(&self.reading.database, entry)?)?))
    }

    /// The times in the block that [`StoreHandle::log_block`] gives, and the number of its first row. Reads the disk.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn log_times(&self, shard: ShardId, from: u64) -> Result<Option<(u64, Vec<CivilTime>)>, StoreError> {
        let view = self.view();
        let Some(entry) = view.entries_of(shard).find(|entry| entry.zone.end_row() > from) else { return Ok(None) };
        Ok(Some((entry.zone.first_row, SegmentReader::open(&body(&self.reading.database, entry)?)?.times()?)))
    }

    /// The number by which a folder is known as that of the mirror `name`: `fresh` at first, and the same from then on. It
    /// survives a power cut once this has returned.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read or written.
    pub fn folder_number(&self, name: &str, fresh: u64) -> Result<u64, StoreError> {
        if let Some(known) = self.mirror_cursor(name)? {
            return Ok(known.next);
        }
        let mut commit = self.reading.database.begin();
        let number = MirrorCursor { next: fresh, ..MirrorCursor::default() };
        commit.put(Family::Meta, &keys::mirror(name), &codec::encode(keys::MIRROR, &number)?);
        self.reading.database.commit(commit, Durability::Forced)?;
        Ok(fresh)
    }

    /// The oldest row of `shard` that is kept, or else the number of the next one to come.
    pub fn oldest_row(&self, shard: ShardId) -> u64 {
        let view = self.view();
        let first = view.entries_of(shard).next().map(|entry| entry.zone.first_row);
        first.unwrap_or_else(|| view.next_row(shard))
    }

    /// Some of the rows of `shard` before row `before`, newest first: the last one, and others with growing distances
    /// back to the oldest that is kept; and a few that are others in each `look`. Rows that a target refused are not among
    /// them. Reads the disk.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn sample(&self, shard: ShardId, before: u64, look: u64) -> Result<Vec<Sample>, StoreError> {
        let view = self.view();
        let mut wanted: Vec<u64> = distances(before).map(|back| before - back).collect();
        let oldest = view.entries_of(shard).next().map(|entry| entry.zone.first_row);
        if let Some(oldest) = oldest.filter(|oldest| *oldest < before) {
            wanted.push(oldest);
            wanted.extend(spread(oldest..before, look));
        }
        let mut samples: Vec<Sample> = Vec::new();
        for entry in view.entries_of(shard) {
            let here = |row: &&u64| (entry.zone.first_row..entry.zone.end_row()).contains(row);
            if !wanted.iter().any(|row| here(&row)) {
                continue;
            }
            let body = body(&self.reading.database, entry)?;
            let reader = SegmentReader::open(&body)?;
            let (times, ids, odd_ids) = (reader.times()?, reader.ids()?, reader.odd_ids()?);
            let checkpoints = reader.names(Dimension::Checkpoint)?;
            let ids = Rows { ids, odd_ids, ..Rows::default() };
            for row in wanted.iter().filter(here) {
                let at = (row - entry.zone.first_row) as usize;
                let refused = self.reading.database.get(Family::Rejects, &keys::refused(shard, *row))?.is_some();
                if let Some(gcsj) = times.get(at).filter(|_| !refused) {
                    let kkmc = checkpoints.text(at).to_owned();
                    samples.push(Sample { row: *row, gcxh: ids.id_text(at), gcsj: *gcsj, kkmc });
                }
            }
        }
        samples.sort_by_key(|sample| std::cmp::Reverse(sample.row));
        samples.dedup_by_key(|sample| sample.row);
        Ok(samples)
    }

    /// Where the mirror `name` was; none if there was none of this name.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn mirror_cursor(&self, name: &str) -> Result<Option<MirrorCursor>, StoreError> {
        MirrorCursor::load(&self.reading.database, name)
    }

    /// Records where the mirror `name` is, and what its target refused since.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn move_mirror(&self, name: &str, cursor: &MirrorCursor, refused: &[RefusedRow]) -> Result<(), StoreError> {
        let mut commit = self.reading.database.begin();
        commit.put(Family::Meta, &keys::mirror(name), &codec::encode(keys::MIRROR, cursor)?);
        let shards = self.reading.shards;
        for row in refused {
            let Some(shard) = shards.id(row.shard as usize) else {
                return Err(StoreError::Contradiction(format!("a refused row is of shard {}", row.shard)));
            };
            commit.put(Family::Rejects, &keys::refused(shard, row.row), &codec::encode(keys::REFUSED, row)?);
        }
        Ok(self.reading.database.commit(commit, Durability::Deferred)?)
    }

    /// The newest rows that targets refused, newest last, at most `limit` of each shard.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn refused_rows(&self, limit: usize) -> Result<Vec<RefusedRow>, StoreError> {
        let mut found = Vec::new();
        for shard in self.reading.shards.ids() {
            let (from, to) = (keys::refused(shard, 0), keys::refused(shard, u64::MAX));
            for item in self.reading.database.scan_back(Family::Rejects, &to).take(limit) {
                let (key, value) = item?;
                if *key < from[..] {
                    break;
                }
                let row = codec::decode(keys::REFUSED, &value);
                found.push(row.map_err(|error| self.reading.database.damaged("a refused row", &error))?);
            }
        }
        found.reverse();
        Ok(found)
    }
}

impl View {
    /// The segments of a shard in the order of their rows.
    fn entries_of(&self, shard: ShardId) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries().filter(move |entry| entry.shard == shard)
    }
}
