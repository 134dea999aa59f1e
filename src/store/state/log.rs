//! The log of one shard: sealed segments and, after them, the tail of small blocks that live commits append.
//!
//! Rows keep their numbers forever. Neighbouring tail blocks are merged as they accumulate (eight of a size make one of
//! the next size), and sealed once there are enough rows or an hour has closed; a commit writes only what is left after
//! merging. Blocks of the tail stay in memory, encoded for readers and in columns for the next merge. The log does not
//! know plates' states or counters.

use shard::{Compression, Rows, Segment, SegmentError, ShardId, ZoneMap, encode};
use std::sync::Arc;
use storage::{Commit, Database, Family};
use traffic::{CivilTime, NameTable};

use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::segments::Entry;

/// When rows are merged and sealed.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Sizes {
    /// A tail is sealed when it has this many rows.
    pub(in crate::store) seal_rows: usize,
    /// A batch of at least this many rows is sealed at once, if there is no tail.
    pub(in crate::store) seal_at_once_rows: usize,
    /// A segment has at most this many rows.
    pub(in crate::store) max_segment_rows: usize,
    /// An hour's tail is sealed when the hour closes, unless it has fewer rows than this.
    pub(in crate::store) seal_hour_rows: usize,
    /// A tail is sealed when its rows have this many bytes of odd texts, and a segment of several rows has no more.
    pub(in crate::store) seal_text_bytes: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            seal_rows: 65_536,
            seal_at_once_rows: 32_768,
            max_segment_rows: 131_072,
            seal_hour_rows: 1024,
            seal_text_bytes: 16 << 20,
        }
    }
}

/// How many blocks of one size are merged.
const FAN_IN: usize = 8;

#[derive(Debug)]
struct TailBlock {
    entry: Arc<Entry>,
    rows: Rows,
}

/// The segments of one shard.
#[derive(Debug)]
pub(in crate::store) struct Log {
    shard: ShardId,
    pub(in crate::store) sizes: Sizes,
    sealed: Arc<Vec<Arc<Entry>>>,
    tail: Vec<TailBlock>,
    /// Dropped segments whose bodies stay until no reader holds them.
    dropped: Vec<Arc<Entry>>,
}

impl Log {
    pub(in crate::store) fn new(shard: ShardId) -> Self {
        Self { shard, sizes: Sizes::default(), sealed: Arc::default(), tail: Vec::new(), dropped: Vec::new() }
    }

    fn family(&self) -> Family {
        Family::Rows(self.shard.number())
    }

    /// Adds a sealed segment found when the store was opened.
    pub(in crate::store) fn restore_sealed(&mut self, zone: ZoneMap) {
        Arc::make_mut(&mut self.sealed).push(Arc::new(Entry { shard: self.shard, zone, body: None }));
    }

    /// Adds a tail block found when the store was opened.
    pub(in crate::store) fn restore_tail(&mut self, entry: Entry, rows: Rows) {
        self.tail.push(TailBlock { entry: Arc::new(entry), rows });
    }

    /// The sealed segments, oldest first.
    pub(in crate::store) fn sealed(&self) -> Arc<Vec<Arc<Entry>>> {
        self.sealed.clone()
    }

    /// The blocks of the tail, oldest first.
    pub(in crate::store) fn tail(&self) -> impl Iterator<Item = Arc<Entry>> {
        self.tail.iter().map(|block| block.entry.clone())
    }

    /// All segments, oldest first, where they need not outlive the log.
    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.sealed.iter().chain(self.tail.iter().map(|block| &block.entry))
    }

    /// How many segments there are.
    pub(in crate::store) fn len(&self) -> usize {
        self.sealed.len() + self.tail.len()
    }

    /// Number of the first row after the sealed segments.
    pub(in crate::store) fn sealed_rows(&self, next_row: u64) -> u64 {
        self.tail.first().map_or(next_row, |block| block.entry.zone.first_row)
    }

    /// Appends rows, the first of which gets number `first_row`. `newest` is the newest event time of the store.
    pub(in crate::store) fn append(
        &mut self,
        mut rows: Rows,
        first_row: u64,
        newest: CivilTime,
        names: &NameTable,
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        if self.tail.is_empty() && rows.len() >= self.sizes.seal_at_once_rows {
            return self.seal(rows, first_row, names, commit);
        }
        let tail_rows: usize = self.tail.iter().map(|block| block.rows.len()).sum::<usize>() + rows.len();
        let tail_start = self.tail.iter().map(|block| block.entry.zone.min_time).min();
        let hour_closed =
            tail_start.is_some_and(|start| start.hour() < newest.hour()) && tail_rows >= self.sizes.seal_hour_rows;
        let tail_text = self.tail.iter().map(|block| text_bytes(&block.rows)).sum::<usize>() + text_bytes(&rows);
        if tail_rows >= self.sizes.seal_rows || hour_closed || tail_text >= self.sizes.seal_text_bytes {
            let (all, start) = self.take_tail(0, rows, first_row, commit);
            return self.seal(all, start, names, commit);
        }
        let mut start = first_row;
        loop {
            let size = tier(rows.len());
            let alike = self.tail.iter().rev().take_while(|block| tier(block.rows.len()) <= size).count();
            if alike + 1 < FAN_IN {
                break;
            }
            (rows, start) = self.take_tail(self.tail.len() - alike, rows, start, commit);
            fail::fail_point!("segment::merged");
        }
        let segment = encode(&rows, names, start, Compression::Fast)?;
        self.write(&segment, commit)?;
        let entry = Arc::new(Entry { shard: self.shard, zone: segment.zone, body: Some(segment.bytes.into()) });
        self.tail.push(TailBlock { entry, rows });
        Ok(())
    }

    /// Removes the tail's blocks from the `from`-th on and puts `rows` after theirs.
    fn take_tail(&mut self, from: usize, mut rows: Rows, first_row: u64, commit: &mut Commit<'_>) -> (Rows, u64) {
        let mut merged = Rows::default();
        let mut start = first_row;
        let family = self.family();
        for (position, mut block) in self.tail.drain(from..).enumerate() {
            let row = block.entry.zone.first_row;
            if position == 0 {
                start = row;
            }
            commit.delete(family, &row.to_be_bytes());
            commit.delete(Family::Zones, &keys::zone(self.shard, row));
            merged.append(&mut block.rows);
        }
        merged.append(&mut rows);
        (merged, start)
    }

    fn seal(
        &mut self,
        rows: Rows,
        first_row: u64,
        names: &NameTable,
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        let mut rest = rows;
        let mut start = first_row;
        while !rest.is_empty() {
            let split = rest.len() > self.sizes.max_segment_rows;
            let behind = if split { rest.split_off(self.sizes.seal_rows) } else { Rows::default() };
            let count = rest.len() as u64;
            self.seal_within_limits(rest, start, names, commit)?;
            start += count;
            rest = behind;
        }
        Ok(())
    }

    /// Seals rows as one segment, or in halves if one could not be written or read back.
    fn seal_within_limits(
        &mut self,
        mut rows: Rows,
        start: u64,
        names: &NameTable,
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        let half = rows.len() / 2;
        let encoded = if half > 0 && text_bytes(&rows) > self.sizes.seal_text_bytes {
            None
        } else {
            match encode(&rows, names, start, Compression::Dense) {
                Err(SegmentError::Rows(_)) if half > 0 => None,
                encoded => Some(encoded?),
            }
        };
        let Some(segment) = encoded else {
            let behind = rows.split_off(half);
            self.seal_within_limits(rows, start, names, commit)?;
            return self.seal_within_limits(behind, start + half as u64, names, commit);
        };
        self.write(&segment, commit)?;
        Arc::make_mut(&mut self.sealed).push(Arc::new(Entry { shard: self.shard, zone: segment.zone, body: None }));
        fail::fail_point!("segment::sealed");
        Ok(())
    }

    fn write(&self, segment: &Segment, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let first_row = segment.zone.first_row;
        commit.put(self.family(), &first_row.to_be_bytes(), &segment.bytes);
        commit.put(Family::Zones, &keys::zone(self.shard, first_row), &segment.zone.encode()?);
        Ok(())
    }

    /// Drops up to `limit` segments that are `expired`, and returns them. The bodies of sealed ones stay until no
    /// reader holds them. Of the tail only its oldest blocks can be dropped: the rest must have no gap in its numbers.
    ///
    /// IMPORTANT: call it before [`Log::append`] within a commit: it must only find what earlier commits have written.
    pub(in crate::store) fn expire(
        &mut self,
        expired: impl Fn(&ZoneMap) -> bool,
        limit: usize,
        commit: &mut Commit<'_>,
    ) -> Vec<Arc<Entry>> {
        let mut gone = Vec::new();
        if self.sealed.iter().any(|entry| expired(&entry.zone)) {
            let mut kept = Vec::with_capacity(self.sealed.len());
            for entry in self.sealed.iter() {
                let drop = gone.len() < limit && expired(&entry.zone);
                (if drop { &mut gone } else { &mut kept }).push(entry.clone());
            }
            self.sealed = Arc::new(kept);
            self.dropped.extend(gone.iter().cloned());
        }
        let old = self.tail.iter().take(limit - gone.len()).take_while(|block| expired(&block.entry.zone)).count();
        let family = self.family();
        for block in self.tail.drain(..old) {
            // Readers hold the body of a tail block in memory.
            commit.delete(family, &block.entry.zone.first_row.to_be_bytes());
            gone.push(block.entry);
        }
        for entry in &gone {
            commit.delete(Family::Zones, &keys::zone(self.shard, entry.zone.first_row));
        }
        gone
    }

    /// Removes the bodies of dropped segments that no reader holds any more.
    pub(in crate::store) fn delete_bodies(&mut self, commit: &mut Commit<'_>) {
        let family = self.family();
        self.dropped.retain(|entry| {
            if Arc::strong_count(entry) > 1 {
                return true;
            }
            commit.delete(family, &entry.zone.first_row.to_be_bytes());
            fail::fail_point!("retention::body-removed");
            false
        });
    }

    /// Removes the bodies of segments that were dropped before a restart while a reader held them: everything between
    /// the known segments.
    pub(in crate::store) fn delete_stray_bodies(
        &self,
        database: &Database,
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        let family = self.family();
        let mut behind = 0;
        let known = self.iter().map(|entry| (entry.zone.first_row, entry.zone.end_row()));
        for (first_row, end_row) in known.chain([(u64::MAX, u64::MAX)]) {
            if behind < first_row {
                for item in database.scan(family, &u64::to_be_bytes(behind)) {
                    let (key, _) = item?;
                    if keys::last_u64(&key).is_none_or(|row| row >= first_row) {
                        break;
                    }
                    commit.delete(family, &key);
                }
            }
            behind = end_row;
        }
        Ok(())
    }
}

/// Bytes of the odd texts of rows.
fn text_bytes(rows: &Rows) -> usize {
    rows.odd_ids.iter().chain(&rows.odd_plates).map(|(_, text)| text.len()).sum()
}

/// Blocks of the same tier are of about the same size.
fn tier(rows: usize) -> u32 {
    rows.max(1).ilog(FAN_IN)
}
