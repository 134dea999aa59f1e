//! The files of one range of a shard's rows: a file for each day that the range holds. It does not know cursors.
//!
//! The times are read first, then the rows of one day after another, a block of the log at a time: what is held is one block
//! and one row group, however many days there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use shard::ShardId;
use traffic::CivilTime;

use crate::lake::{LakeError, LakeFolder, PartName, PartWriter, Pending, day_of};
use crate::mirror::failure::Failure;
use crate::store::{LogBlock, StoreHandle};

/// Days of one range: one with more ends before the row that would exceed it, or before its block of the log.
const MOST_DAYS: usize = 256;

/// Where a range ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At the latest where it was said.
    Free,
    /// There: it was cut so before.
    Cut,
}

/// What was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// The row after the range.
    pub(super) next: u64,
    /// Rows that are in its files.
    pub(super) count: u64,
    /// Rows that were gone.
    pub(super) lost: u64,
    /// The newest time among them.
    pub(super) newest: Option<i64>,
}

/// The rows of a day.
#[derive(Debug, Default)]
struct Day {
    count: u64,
    /// Pieces of the range that have any: first rows, and the rows after the last.
    pieces: BTreeMap<u64, u64>,
}

/// Writes the files of a range and has readers see them.
///
/// # Errors
/// [`Failure`]; then nothing of it can be seen, or some whole files.
pub(super) fn write_range(
    store: &StoreHandle,
    folder: &LakeFolder,
    shard: ShardId,
    rows: Range<u64>,
    end: End,
    is_given_up: &AtomicBool,
) -> Result<Written, Failure> {
    folder.check(true)?;
    let go_on = || match is_given_up.load(Ordering::Relaxed) {
        true => Err(Failure::away("the lake was stopped")),
        false => Ok(()),
    };
    let (days, written) = find_days(store, shard, rows.clone(), end, &go_on)?;
    let name = PartName { shard: shard.number(), rows: rows.start..written.next };
    // What was written before retention dropped some of it has more than could be written now.
    let keeps = end == End::Cut && written.lost > 0;
    let mut block = None;
    let mut pending = Vec::with_capacity(days.len());
    for (number, day) in days.iter().filter(|(number, _)| !(keeps && folder.has(**number, &name))) {
        let (file, out) = folder.begin(*number, &name)?;
        let mut part = Part::new(file, out, &name, day.count)?;
        for (first_row, end) in &day.pieces {
            let mut next = *first_row;
            while next < *end {
                go_on()?;
                // Blocks may have been merged since.
                let block = block_from(store, shard, next, &mut block)?;
                let until = block.end_row().min(*end);
                // A row is made only for its day: a range of many days is walked for each of them.
                let of_day = |row: &u64| block.time(*row).is_some_and(|time| day_of(time) == *number);
                let mut rows = (next..until).filter(of_day).filter_map(|row| block.row(row));
                rows.try_for_each(|row| part.push(&row))?;
                next = until;
            }
        }
        pending.push(part.finish()?);
    }
    fail::fail_point!("lake::written");
    let kept = pending.iter().map(|file| file.path().to_owned()).collect();
    for file in pending {
        file.publish()?;
        fail::fail_point!("lake::published");
    }
    if end == End::Cut && !keeps {
        folder.remove_others(&name, &kept)?;
    }
    Ok(written)
}

/// The days of a range, and where it ends.
fn find_days(
    store: &StoreHandle,
    shard: ShardId,
    rows: Range<u64>,
    end: End,
    go_on: &impl Fn() -> Result<(), Failure>,
) -> Result<(BTreeMap<i64, Day>, Written), Failure> {
    let mut days: BTreeMap<i64, Day> = BTreeMap::new();
    let mut written = Written { next: rows.start, ..Written::default() };
    while written.next < rows.end {
        go_on()?;
        let found = store.log_times(shard, written.next)?.filter(|(first_row, _)| *first_row < rows.end);
        let Some((first_row, times)) = found else {
            written.lost += rows.end - written.next;
            written.next = rows.end;
            break;
        };
        let mut piece = first_row.max(written.next)..(first_row + times.len() as u64).min(rows.end);
        if end == End::Free && days.is_empty() {
            piece.end = end_of_days(first_row, &times, piece.clone());
        }
        let wanted = (first_row..).zip(&times).filter(|(row, _)| piece.contains(row)).map(|(_, time)| *time);
        let mut here: BTreeMap<i64, u64> = BTreeMap::new();
        wanted.clone().for_each(|time| *here.entry(day_of(time)).or_default() += 1);
        let fresh = here.keys().filter(|day| !days.contains_key(day)).count();
        if end == End::Free && !days.is_empty() && days.len() + fresh > MOST_DAYS {
            break;
        }
        for (day, count) in here {
            let day = days.entry(day).or_default();
            day.count += count;
            day.pieces.insert(piece.start, piece.end);
        }
        written.newest = written.newest.max(wanted.map(|time| time.0).max());
        written.count += piece.end - piece.start;
        written.lost += piece.start - written.next;
        written.next = piece.end;
    }
    Ok((days, written))
}

/// Where a piece of a block ends that is to have no more than [`MOST_DAYS`].
fn end_of_days(first_row: u64, times: &[CivilTime], piece: Range<u64>) -> u64 {
    let mut days = BTreeSet::new();
    let mut here = (first_row..).zip(times).filter(|(row, _)| piece.contains(row));
    let beyond = here.find(|(_, time)| {
        days.insert(day_of(**time));
        days.len() > MOST_DAYS
    });
    beyond.map_or(piece.end, |(row, _)| row)
}

/// The block that holds a row, which the last call may have read already.
fn block_from<'a>(
    store: &StoreHandle,
    shard: ShardId,
    row: u64,
    last: &'a mut Option<LogBlock>,
) -> Result<&'a LogBlock, Failure> {
    let is_here = |block: &LogBlock| (block.first_row()..block.end_row()).contains(&row);
    if !last.as_ref().is_some_and(is_here) {
        *last = store.log_block(shard, row)?.filter(is_here);
    }
    last.as_ref().ok_or_else(|| Failure::away(format!("row {row} of shard {shard} was dropped while it was written")))
}

/// A file that is being written.
struct Part {
    pending: Pending,
    writer: PartWriter<BufWriter<File>>,
}

impl Part {
    fn new(pending: Pending, out: File, name: &PartName, count: u64) -> Result<Self, LakeError> {
        let writer = PartWriter::new(BufWriter::with_capacity(1 << 18, out), name, count);
        let writer = writer.map_err(|error| LakeError::parquet(pending.path(), error))?;
        Ok(Self { pending, writer })
    }

    fn push(&mut self, row: &crate::reader::PassageRow) -> Result<(), LakeError> {
        self.writer.push(row).map_err(|error| LakeError::parquet(self.pending.path(), error))
    }

    /// All of it is on the disk, and nobody sees it.
    fn finish(self) -> Result<Pending, LakeError> {
        let Self { pending, writer } = self;
        let out = writer.finish().map_err(|error| LakeError::parquet(pending.path(), error))?;
        let file = out.into_inner().map_err(|error| LakeError::io(pending.path())(error.into_error()))?;
        file.sync_all().map_err(LakeError::io(pending.path()))?;
        Ok(pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_more_days_than_a_range_may_have_is_cut_within() {
        let times: Vec<CivilTime> = (0..600).map(|number| CivilTime(number / 2 * 86_400)).collect();
        assert_eq!(end_of_days(100, &times, 100..700), 100 + 2 * MOST_DAYS as u64);
        assert_eq!(end_of_days(100, &times, 600..700), 700, "the rest has fewer");
        assert_eq!(end_of_days(100, &times, 100..150), 150);
    }
}
