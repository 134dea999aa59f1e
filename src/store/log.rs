//! The log of one shard: sealed segments and, behind them, the tail of small blocks that live commits append.
//!
//! Rows keep their numbers for ever. A tail block is merged with its neighbours as they pile up (eight of a size make one
//! of the next size), and sealed once there are enough rows or an hour has closed; a commit writes only what is left
//! after merging. Blocks of the tail stay in memory, encoded for readers and in columns for the next merge. The log
//! does not know plates' states or counters.

use std::sync::Arc;

use shard::{Compression, Rows, Segment, ZoneMap, encode};
use storage::{Commit, Family};
use traffic::{CivilTime, NameTable};

use super::{StoreError, keys};

/// A tail is sealed when it has this many rows.
pub(super) const SEAL_ROWS: usize = 65_536;
/// A batch of at least this many rows is sealed at once, if there is no tail.
const SEAL_AT_ONCE_ROWS: usize = 32_768;
/// A segment has at most this many rows.
const MAX_SEGMENT_ROWS: usize = 131_072;
/// An hour's tail is sealed when the hour closes, unless it has fewer rows than this.
const SEAL_HOUR_ROWS: usize = 1024;
/// So many blocks of one size are merged.
const FAN_IN: usize = 8;

/// One segment, as readers see it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) shard: usize,
    pub(super) zone: ZoneMap,
    /// The body of a tail block; a sealed segment's is read from the database.
    pub(super) body: Option<Arc<[u8]>>,
}

#[derive(Debug)]
struct TailBlock {
    entry: Arc<Entry>,
    rows: Rows,
}

/// The segments of one shard.
#[derive(Debug, Default)]
pub(super) struct Log {
    shard: usize,
    sealed: Arc<Vec<Arc<Entry>>>,
    tail: Vec<TailBlock>,
    /// Dropped segments whose bodies wait until no reader holds them.
    dropped: Vec<Arc<Entry>>,
}

impl Log {
    pub(super) fn new(shard: usize) -> Self {
        Self { shard, ..Self::default() }
    }

    /// Adds a sealed segment found when the store was opened.
    pub(super) fn restore_sealed(&mut self, zone: ZoneMap) {
        Arc::make_mut(&mut self.sealed).push(Arc::new(Entry { shard: self.shard, zone, body: None }));
    }

    /// Adds a tail block found when the store was opened.
    pub(super) fn restore_tail(&mut self, zone: ZoneMap, body: &[u8], rows: Rows) {
        let entry = Arc::new(Entry { shard: self.shard, zone, body: Some(body.into()) });
        self.tail.push(TailBlock { entry, rows });
    }

    /// All segments, oldest first.
    pub(super) fn entries(&self) -> (Arc<Vec<Arc<Entry>>>, Vec<Arc<Entry>>) {
        (self.sealed.clone(), self.tail.iter().map(|block| block.entry.clone()).collect())
    }

    /// How many segments there are.
    pub(super) fn len(&self) -> usize {
        self.sealed.len() + self.tail.len()
    }

    /// Number of the first row behind the sealed segments.
    pub(super) fn sealed_rows(&self, next_row: u64) -> u64 {
        self.tail.first().map_or(next_row, |block| block.entry.zone.first_row)
    }

    /// Appends rows, the first of which gets number `first_row`. `newest` is the newest event time of the store.
    pub(super) fn append(
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
        if self.tail.is_empty() && rows.len() >= SEAL_AT_ONCE_ROWS {
            return self.seal(rows, first_row, names, commit);
        }
        let tail_rows: usize = self.tail.iter().map(|block| block.rows.len()).sum::<usize>() + rows.len();
        let tail_start = self.tail.iter().map(|block| block.entry.zone.min_time).min();
        let hour_closed = tail_start.is_some_and(|start| start.hour() < newest.hour()) && tail_rows >= SEAL_HOUR_ROWS;
        if tail_rows >= SEAL_ROWS || hour_closed {
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
        }
        let segment = encode(&rows, names, start, Compression::Fast)?;
        self.write(&segment, commit)?;
        let entry = Arc::new(Entry { shard: self.shard, zone: segment.zone, body: Some(segment.bytes.into()) });
        self.tail.push(TailBlock { entry, rows });
        Ok(())
    }

    /// Takes the tail's blocks from the `from`-th on and puts `rows` behind theirs.
    fn take_tail(&mut self, from: usize, mut rows: Rows, first_row: u64, commit: &mut Commit<'_>) -> (Rows, u64) {
        let mut merged = Rows::default();
        let mut start = first_row;
        for (position, mut block) in self.tail.drain(from..).enumerate() {
            let row = block.entry.zone.first_row;
            if position == 0 {
                start = row;
            }
            commit.delete(Family::of_shard(self.shard), &row.to_be_bytes());
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
            let behind = if rest.len() > MAX_SEGMENT_ROWS { rest.split_off(SEAL_ROWS) } else { Rows::default() };
            let segment = encode(&rest, names, start, Compression::Dense)?;
            self.write(&segment, commit)?;
            start += rest.len() as u64;
            Arc::make_mut(&mut self.sealed).push(Arc::new(Entry { shard: self.shard, zone: segment.zone, body: None }));
            rest = behind;
        }
        Ok(())
    }

    fn write(&self, segment: &Segment, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let first_row = segment.zone.first_row;
        commit.put(Family::of_shard(self.shard), &first_row.to_be_bytes(), &segment.bytes);
        commit.put(Family::Zones, &keys::zone(self.shard, first_row), &segment.zone.encode()?);
        Ok(())
    }

    /// Drops sealed segments whose newest row is older than `oldest`; returns them. Their bodies stay until no reader
    /// holds them.
    pub(super) fn expire(&mut self, oldest: CivilTime, commit: &mut Commit<'_>) -> Vec<Arc<Entry>> {
        if self.sealed.iter().all(|entry| entry.zone.max_time >= oldest) {
            return Vec::new();
        }
        let (expired, kept) = self.sealed.iter().cloned().partition::<Vec<_>, _>(|entry| entry.zone.max_time < oldest);
        for entry in &expired {
            commit.delete(Family::Zones, &keys::zone(self.shard, entry.zone.first_row));
        }
        self.sealed = Arc::new(kept);
        self.dropped.extend(expired.iter().cloned());
        expired
    }

    /// Removes the bodies of dropped segments that no reader holds any more; whether there were any.
    pub(super) fn bury(&mut self, commit: &mut Commit<'_>) -> bool {
        let before = self.dropped.len();
        self.dropped.retain(|entry| {
            if Arc::strong_count(entry) > 1 {
                return true;
            }
            commit.delete(Family::of_shard(self.shard), &entry.zone.first_row.to_be_bytes());
            false
        });
        self.dropped.len() < before
    }
}

/// Blocks of the same tier are of about the same size.
fn tier(rows: usize) -> u32 {
    rows.max(1).ilog(FAN_IN)
}
