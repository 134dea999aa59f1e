//! All matching rows in order, part by part, for an export. A cursor goes through windows of time, each within one hour
//! and expected to hold about a block of rows, and keeps the places of one block: so a long list costs about its own
//! rows and the memory of a block, even if a million of them are of one second.

use shard::Predicate;
use std::sync::Arc;
use traffic::{CivilTime, TimeRange};

use super::cache::Use;
use super::passages::predicate;
use super::rows::passage_row;
use super::select::{Located, select};
use super::view::{SECONDS_PER_HOUR, View, read_error};
use crate::reader::{Order, PassageCursor, PassageRow, QueryFilter, ReadError};
use crate::store::disk::segments::Entry;

/// Rows whose places are kept at a time; few in tests, so that they take every branch.
const BLOCK: usize = if cfg!(test) { 32 } else { 65_536 };

/// Where an export is among the rows of a view.
pub(in crate::store) struct RowCursor {
    view: Arc<View>,
    predicate: Predicate,
    order: Order,
    /// The first and the last second not looked at yet.
    left: (i64, i64),
    /// The window that may hold more rows, and the last row taken from it.
    window: Option<((i64, i64), Option<Located>)>,
    block: std::vec::IntoIter<Located>,
}

impl RowCursor {
    pub(in crate::store) fn new(view: Arc<View>, filter: &QueryFilter, order: Order) -> Self {
        let predicate = predicate(filter);
        let hours = &view.rollups.hours;
        let first = hours.first_key_value().map_or(i64::MAX, |(hour, _)| hour * SECONDS_PER_HOUR);
        let last = hours.last_key_value().map_or(i64::MIN, |(hour, _)| (hour + 1) * SECONDS_PER_HOUR - 1);
        let from = predicate.time.start.map_or(first, |from| from.0.max(first));
        let to = predicate.time.end.map_or(last, |to| to.0.min(last));
        Self { view, predicate, order, left: (from, to), window: None, block: Vec::new().into_iter() }
    }

    /// The places of the next rows; false after the last.
    fn fill(&mut self, entries: &[&Arc<Entry>]) -> Result<bool, ReadError> {
        while let Some(((from, to), after)) = self.window.take().or_else(|| Some((self.next_window()?, None))) {
            let time = TimeRange { start: Some(CivilTime(from)), end: Some(CivilTime(to)) };
            let predicate = Predicate { time, ..self.predicate.clone() };
            let block =
                select(&self.view, entries, &predicate, self.order, after.as_ref(), BLOCK).map_err(read_error)?;
            if block.len() == BLOCK {
                self.window = Some(((from, to), block.last().cloned()));
            }
            if !block.is_empty() {
                self.block = block.into_iter();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next window of time that may hold rows.
    fn next_window(&mut self) -> Option<(i64, i64)> {
        let (from, to) = self.left;
        if from > to {
            return None;
        }
        let mut hours =
            self.view.rollups.hours.range(from.div_euclid(SECONDS_PER_HOUR)..=to.div_euclid(SECONDS_PER_HOUR));
        let next = if self.order == Order::Newest { hours.next_back() } else { hours.next() };
        let (&hour, rollup) = next?;
        let seconds = (BLOCK as u64).saturating_mul(SECONDS_PER_HOUR as u64) / 2 / rollup.total.max(1);
        let seconds = seconds.clamp(1, SECONDS_PER_HOUR as u64) as i64;
        let start = from.max(hour * SECONDS_PER_HOUR);
        let end = to.min((hour + 1) * SECONDS_PER_HOUR - 1);
        let window = match self.order {
            Order::Newest => (start.max(end - seconds + 1), end),
            Order::Oldest => (start, end.min(start + seconds - 1)),
        };
        self.left = match self.order {
            Order::Newest => (from, window.0 - 1),
            Order::Oldest => (window.1 + 1, to),
        };
        Some(window)
    }
}

impl PassageCursor for RowCursor {
    fn next(&mut self, limit: usize) -> Result<Vec<PassageRow>, ReadError> {
        let view = self.view.clone();
        let entries: Vec<&Arc<Entry>> = view.entries().collect();
        let mut rows = Vec::new();
        while rows.len() < limit {
            match self.block.next() {
                Some(located) => {
                    if let Some(entry) = entries.get(located.entry as usize) {
                        rows.push(passage_row(&view.columns(entry, Use::Show), located.row).map_err(read_error)?);
                    }
                }
                None if self.fill(&entries)? => {}
                None => break,
            }
        }
        Ok(rows)
    }
}
