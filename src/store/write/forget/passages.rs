//! The passages of a plate leave the log. A segment is written again in one commit, together with the counts without them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use shard::{Compression, Rows, SegmentReader, encode};
use storage::{Database, Durability, Family, codec};

use super::found::Forgotten;
use crate::mentions::Mentions;
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::segments::{Entry, Numbers, body, rows_of};
use crate::store::state::Log;
use crate::store::write::retention::count_rows;
use crate::store::write::store::Store;

impl Store {
    /// Finds the passages of a plate, and removes them from the database where one is given.
    ///
    /// What is in memory of the log stays as it was: the store is dropped afterwards.
    pub(super) fn forget_passages(
        &mut self,
        plate: &Mentions,
        found: &mut Forgotten,
        removing: Option<&Database>,
    ) -> Result<(), StoreError> {
        let numbers = Numbers::of(&self.state.names);
        let entries: Vec<Arc<Entry>> = self.state.logs.values().flat_map(Log::iter).cloned().collect();
        for entry in entries {
            if !self.may_hold(plate, &entry)? {
                continue;
            }
            let rows = rows_of(&self.shared.reading.database, &entry, &numbers)?;
            let is_gone =
                |row: &usize| rows.plates.get(*row).is_some_and(|code| plate.is(*code, || rows.plate_text(*row)));
            let gone: Vec<usize> = (0..rows.len()).filter(is_gone).collect();
            found.passages += gone.len() as u64;
            found.ids.extend(gone.iter().map(|row| rows.id_text(*row)));
            if let Some(database) = removing.filter(|_| !gone.is_empty()) {
                self.cut_out(database, &entry, &rows, &gone)?;
            }
        }
        Ok(())
    }

    /// Whether a segment may hold a plate: by its filter, or else by its plates alone.
    fn may_hold(&self, plate: &Mentions, entry: &Entry) -> Result<bool, StoreError> {
        match &entry.zone.plates {
            Some(filter) => Ok(filter.may_contain(plate.code())),
            None => {
                let codes = SegmentReader::open(&body(&self.shared.reading.database, entry)?)?.plates()?;
                Ok(codes.contains(&plate.code().as_u64()))
            }
        }
    }

    /// Writes a segment again without the rows `gone`, as pieces in which all other rows keep their numbers.
    fn cut_out(&mut self, database: &Database, entry: &Entry, rows: &Rows, gone: &[usize]) -> Result<(), StoreError> {
        let (shard, first_row) = (entry.shard, entry.zone.first_row);
        let family = Family::Rows(shard.number());
        let mut commit = database.begin();
        commit.delete(family, &first_row.to_be_bytes());
        commit.delete(Family::Zones, &keys::zone(shard, first_row));
        for piece in between(gone, rows.len()) {
            let start = first_row + piece.start as u64;
            let mut kept = Rows::default();
            piece.for_each(|row| kept.push_row(rows, row));
            let segment = encode(&kept, &self.state.names, start, Compression::Dense)?;
            commit.put(family, &start.to_be_bytes(), &segment.bytes);
            commit.put(Family::Zones, &keys::zone(shard, start), &segment.zone.encode()?);
        }
        // The tail is merged as if it had no gaps, so none of it is tail any more.
        let next_row = self.state.totals.by_shard.get(shard).copied().unwrap_or_default();
        if let Some(sealed) = self.state.totals.sealed.get_mut(shard).filter(|sealed| entry.zone.end_row() > **sealed) {
            *sealed = next_row;
            commit.put(Family::Meta, keys::TOTALS_KEY, &codec::encode(keys::TOTALS, &self.state.totals)?);
        }
        if let Some(dropped) = self.lifetimes.dropped_rows.get_mut(shard) {
            *dropped += gone.len() as u64;
        }
        self.lifetimes.write(&mut commit)?;
        let mut without = Rows::default();
        gone.iter().for_each(|row| without.push_row(rows, *row));
        let mut touched = BTreeSet::new();
        count_rows(&without, &mut self.facts, &self.state.names, |hour, rollup| {
            self.state.rollups.subtract(hour, &rollup);
            touched.insert(hour);
        });
        self.write_hours(touched, &mut commit)?;
        Ok(database.commit(commit, Durability::AsConfigured)?)
    }
}

/// The ranges of `0..count` that lie between rows which are gone, in order.
fn between(gone: &[usize], count: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let starts = std::iter::once(0).chain(gone.iter().map(|row| row + 1));
    let ends = gone.iter().copied().chain([count]);
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_lie_between_what_is_gone() {
        let pieces = |gone: &[usize], count| between(gone, count).collect::<Vec<_>>();
        assert_eq!(pieces(&[0, 3, 4, 9], 10), [1..3, 5..9]);
        assert_eq!(pieces(&[1], 2), std::iter::once(0..1).collect::<Vec<_>>());
        assert!(pieces(&[0, 1], 2).is_empty());
    }
}
