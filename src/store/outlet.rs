//! What mirrors need of the store: the rows of a shard's log in their order, a cursor that survives, and a say in what
//! retention may drop.
//!
//! A cursor is written beside the commits, not within them: a mirror moves it only when its target has acknowledged, so it
//! is never ahead of what was committed. It is not forced to the disk either. A power cut may take the newest cursor
//! back, and with it whatever was committed later; the mirror then sends again what its target has already, which
//! changes nothing there.
//!
//! Rows that a target refused are kept beside the rejects, with the target's words, in the same write as the cursor
//! behind them. It does not know what a target is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use shard::{Rows, SegmentReader};
use storage::{Commit, Database, Family, codec};
use traffic::{CivilTime, Dimension};

use super::log::{Entry, Log};
use super::{Shared, StoreError, View, keys, recover};
use crate::reader::PassageRow;

/// How far a mirror has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorCursor {
    /// The first row (or alert) that its target has not acknowledged.
    pub next: u64,
    /// The newest event time among those that it has.
    pub time: Option<i64>,
    /// Rows that the target refused.
    pub refused: u64,
    /// Rows that were gone before the target could take them.
    pub lost: u64,
    /// How often the target was found to lack what it had acknowledged, so that it was sent again.
    pub refilled: u64,
}

/// A row that a target refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// Shard.
    pub shard: u32,
    /// Row number in it.
    pub row: u64,
    /// GCXH.
    pub gcxh: String,
    /// Event time.
    pub gcsj: i64,
    /// The row as a line: its columns in their default order, TAB-separated.
    pub line: String,
    /// The target's words.
    pub error: String,
}

/// Rows of one shard that stand together in its log.
#[derive(Debug)]
pub struct LogBlock {
    first_row: u64,
    rows: Rows,
    names: [Vec<Arc<str>>; Dimension::ALL.len()],
}

impl LogBlock {
    pub(super) fn read(body: &[u8]) -> Result<Self, StoreError> {
        let reader = SegmentReader::open(body)?;
        let mut names: [Vec<Arc<str>>; Dimension::ALL.len()] = Default::default();
        let rows = reader.rows(|dimension, text| match names.get_mut(dimension as usize) {
            Some(names) => {
                names.push(text.clone());
                names.len() as u32 - 1
            }
            None => 0,
        })?;
        Ok(Self { first_row: reader.first_row(), rows, names })
    }

    /// Number of the first row.
    pub fn first_row(&self) -> u64 {
        self.first_row
    }

    /// Number of the row behind the last.
    pub fn end_row(&self) -> u64 {
        self.first_row + self.rows.len() as u64
    }

    /// A row by its number; none if it is not here.
    pub fn row(&self, number: u64) -> Option<PassageRow> {
        let row = usize::try_from(number.checked_sub(self.first_row)?).ok()?;
        let gcsj = *self.rows.times.get(row)?;
        let name = |dimension: Dimension| {
            let names = self.names.get(dimension as usize)?;
            names.get(*self.rows.names(dimension).get(row)? as usize).cloned()
        };
        Some(PassageRow {
            gcxh: self.rows.id_text(row),
            xzqhmc: name(Dimension::District)?,
            kkmc: name(Dimension::Checkpoint)?,
            fxlx: name(Dimension::Direction)?,
            gcsj,
            hpzl: name(Dimension::PlateType)?,
            hphm: self.rows.plate_text(row),
            clppxh: name(Dimension::Model)?,
        })
    }
}

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

/// What retention must leave to mirrors.
#[derive(Debug)]
pub(super) struct Holds {
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
    /// The first alert that must stay, where the newest has number `newest`.
    pub(super) fn first_alert(&self, newest: u64) -> u64 {
        let alert = self.alert.load(Ordering::Relaxed);
        alert.max(newest.saturating_sub(self.alerts.load(Ordering::Relaxed)).saturating_add(1))
    }

    /// By shard: segments that end at this row or before may go. Expired segments that mirrors still need add up to at
    /// most `limit` bytes; the oldest beyond go all the same.
    pub(super) fn release(&self, logs: &[Log; 2], expired: impl Fn(&Entry) -> bool, limit: u64) -> [u64; 2] {
        let mut release = self.rows.each_ref().map(|row| row.load(Ordering::Relaxed));
        if release == [u64::MAX; 2] {
            return release;
        }
        let mut waiting = Vec::new();
        for (log, first_needed) in logs.iter().zip(release) {
            let (sealed, tail) = log.entries();
            let needed =
                sealed.iter().chain(&tail).filter(|entry| entry.zone.end_row() > first_needed && expired(entry));
            waiting.extend(needed.cloned());
        }
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
    pub(super) fn lost(&self, gone: &[Arc<Entry>]) -> u64 {
        let lost = |entry: &Arc<Entry>| {
            let first_needed = self.rows.get(entry.shard).map_or(u64::MAX, |row| row.load(Ordering::Relaxed));
            entry.zone.end_row().saturating_sub(first_needed.max(entry.zone.first_row))
        };
        gone.iter().map(lost).sum()
    }
}

impl Shared {
    /// From now on retention leaves the rows of `shard` from `row` on to a mirror.
    pub fn hold_rows(&self, shard: usize, row: u64) {
        if let Some(held) = self.holds.rows.get(shard) {
            held.store(row, Ordering::Relaxed);
        }
    }

    /// From now on retention leaves the alerts from `seq` on to a mirror, of which it needs the newest `count`.
    pub fn hold_alerts(&self, seq: u64, count: u64) {
        self.holds.alerts.store(count, Ordering::Relaxed);
        self.holds.alert.store(seq, Ordering::Relaxed);
    }

    /// The rows of `shard` that stand together with row `from` or, if that is gone, with the first one behind it; none if
    /// there is none yet. Reads the disk.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn log_block(&self, shard: usize, from: u64) -> Result<Option<LogBlock>, StoreError> {
        let view = self.view();
        let Some(entry) = view.entries_of(shard).find(|entry| entry.zone.end_row() > from) else { return Ok(None) };
        Ok(Some(LogBlock::read(&recover::body(&self.database, entry)?)?))
    }

    /// The oldest row of `shard` that is kept, or else the number of the next one to come.
    pub fn oldest_row(&self, shard: usize) -> u64 {
        let view = self.view();
        let first = view.entries_of(shard).next().map(|entry| entry.zone.first_row);
        first.unwrap_or_else(|| view.next_row(shard))
    }

    /// Some of the rows of `shard` before row `before`, newest first: the last one, and others ever farther apart back to
    /// the oldest that is kept. Rows that a target refused are not among them. Reads the disk.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn sample(&self, shard: usize, before: u64) -> Result<Vec<Sample>, StoreError> {
        let view = self.view();
        let mut wanted: Vec<u64> =
            (0..32).map(|power| 1u64 << (2 * power)).take_while(|back| *back <= before).collect();
        wanted.iter_mut().for_each(|back| *back = before - *back);
        wanted
            .extend(view.entries_of(shard).next().map(|entry| entry.zone.first_row).filter(|oldest| *oldest < before));
        let mut samples: Vec<Sample> = Vec::new();
        for entry in view.entries_of(shard) {
            let here = |row: &&u64| (entry.zone.first_row..entry.zone.end_row()).contains(row);
            if !wanted.iter().any(|row| here(&row)) {
                continue;
            }
            let body = recover::body(&self.database, entry)?;
            let reader = SegmentReader::open(&body)?;
            let (times, ids, odd_ids) = (reader.times()?, reader.ids()?, reader.odd_ids()?);
            let checkpoints = reader.names(Dimension::Checkpoint)?;
            let ids = Rows { ids, odd_ids, ..Rows::default() };
            for row in wanted.iter().filter(here) {
                let at = (row - entry.zone.first_row) as usize;
                let refused = self.database.get(Family::Rejects, &keys::refused(shard, *row))?.is_some();
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
        let Some(bytes) = self.database.get(Family::Meta, &keys::mirror(name))? else { return Ok(None) };
        let cursor = codec::decode(keys::MIRROR, &bytes);
        Ok(Some(cursor.map_err(|error| self.database.damaged("a mirror's cursor", &error))?))
    }

    /// Notes where the mirror `name` is, and what its target refused on the way.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn move_mirror(&self, name: &str, cursor: &MirrorCursor, refused: &[RefusedRow]) -> Result<(), StoreError> {
        let mut commit = self.database.begin();
        commit.put(Family::Meta, &keys::mirror(name), &codec::encode(keys::MIRROR, cursor)?);
        for row in refused {
            commit.put(
                Family::Rejects,
                &keys::refused(row.shard as usize, row.row),
                &codec::encode(keys::REFUSED, row)?,
            );
        }
        Ok(self.database.note(commit)?)
    }

    /// The newest rows that targets refused, newest last, at most `limit` of each shard.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn refused_rows(&self, limit: usize) -> Result<Vec<RefusedRow>, StoreError> {
        let mut found = Vec::new();
        for shard in 0..2 {
            let (from, to) = (keys::refused(shard, 0), keys::refused(shard, u64::MAX));
            for item in self.database.scan_back(Family::Rejects, &to).take(limit) {
                let (key, value) = item?;
                if *key < from[..] {
                    break;
                }
                let row = codec::decode(keys::REFUSED, &value);
                found.push(row.map_err(|error| self.database.damaged("a refused row", &error))?);
            }
        }
        found.reverse();
        Ok(found)
    }
}

impl View {
    /// The segments of a shard in the order of their rows.
    fn entries_of(&self, shard: usize) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries().filter(move |entry| entry.shard == shard)
    }
}

/// Removes refused rows that are older than `oldest`, up to a bound.
pub(super) fn drop_refused(
    database: &Database,
    oldest: i64,
    at_once: usize,
    commit: &mut Commit<'_>,
) -> Result<(), StoreError> {
    for shard in 0..2 {
        let to = keys::refused(shard, u64::MAX);
        for item in database.scan(Family::Rejects, &keys::refused(shard, 0)).take(at_once) {
            let (key, value) = item?;
            let expired = codec::decode::<RefusedRow>(keys::REFUSED, &value).is_ok_and(|row| row.gcsj < oldest);
            if *key > to[..] || !expired {
                break;
            }
            commit.delete(Family::Rejects, &key);
        }
    }
    Ok(())
}
