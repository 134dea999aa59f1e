//! The next matching rows in order, a bounded number at a time: those of one second may be millions, and a page or a
//! part of an export needs few of them. At most twice the requested number is kept, never all that match; each match is
//! looked at once.

use shard::{Column, ColumnKind, ColumnLoader, Predicate, SegmentError, scan_segment};
use std::sync::Arc;
use traffic::{CivilTime, PassageId};

use super::cache::Use;
use super::rows::odd_text;
use super::view::{Columns, View};
use crate::reader::Order;
use crate::store::disk::segments::Entry;

/// Bytes of a GCXH that are compared without a pointer: one that is packed has 21 at most.
const HEAD_BYTES: usize = 24;
/// At least this many rows are gathered before the first ones are chosen.
const LEAST_BUFFER: usize = 1024;

/// A matching row at its place in an order: a lesser one comes first. No two rows of a view are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Located {
    /// GCSJ, negated where the newest come first.
    rank: i64,
    id: IdKey,
    /// Number of the segment in the view, and of the row in it. They distinguish rows that several partitions wrote
    /// with the same second and the same GCXH.
    pub(in crate::store) entry: u32,
    pub(in crate::store) row: u32,
}

/// A GCXH, ordered as its text is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct IdKey {
    head: [u8; HEAD_BYTES],
    /// What follows the head.
    rest: Option<Box<[u8]>>,
}

impl IdKey {
    fn new(text: &[u8]) -> Self {
        let (first, rest) = text.split_at(text.len().min(HEAD_BYTES));
        let mut head = [0; HEAD_BYTES];
        head.iter_mut().zip(first).for_each(|(to, from)| *to = *from);
        Self { head, rest: (!rest.is_empty()).then(|| rest.into()) }
    }
}

/// The first `limit` matches in `order` after `after`, in order. `entries` are the segments of the view.
pub(in crate::store) fn select(
    view: &View,
    entries: &[&Arc<Entry>],
    predicate: &Predicate,
    order: Order,
    after: Option<&Located>,
    limit: usize,
) -> Result<Vec<Located>, SegmentError> {
    let mut first = First::new(limit);
    for (number, entry) in (0u32..).zip(entries) {
        if !predicate.may_match(&entry.zone) {
            continue;
        }
        let columns = view.columns(entry, Use::Show);
        let matches = scan_segment(predicate, &entry.zone, &columns)?;
        if matches.is_empty() {
            continue;
        }
        let loaded = columns.load(ColumnKind::Times)?;
        let Column::Times(times) = &*loaded else { return Err(SegmentError::WrongColumn("times")) };
        let mut ids = None;
        for row in matches.iter() {
            let rank = times.get(row as usize).map_or(0, |time| rank(order, *time));
            // Most rows are ruled out by their second alone.
            if after.is_some_and(|after| rank < after.rank) || first.is_behind(rank) {
                continue;
            }
            let id = id_key(&columns, &mut ids, row)?;
            let located = Located { rank, id, entry: number, row };
            if after.is_none_or(|after| located > *after) {
                first.take(located);
            }
        }
    }
    Ok(first.in_order())
}

fn rank(order: Order, time: CivilTime) -> i64 {
    match order {
        Order::Newest => -time.0,
        Order::Oldest => time.0,
    }
}

fn id_key(columns: &Columns<'_>, ids: &mut Option<Arc<Column>>, row: u32) -> Result<IdKey, SegmentError> {
    let column = match ids {
        Some(column) => column,
        None => ids.insert(columns.load(ColumnKind::Ids)?),
    };
    let Column::Ids(ids) = &**column else { return Err(SegmentError::WrongColumn("ids")) };
    match ids.get(row as usize) {
        Some(id) if PassageId::is_odd(*id) => Ok(IdKey::new(odd_text(columns, ColumnKind::OddIds, row)?.as_bytes())),
        Some(id) => Ok(packed_key(*id)),
        None => Ok(IdKey::new(b"")),
    }
}

/// The same as that of the id's text, without making the text.
fn packed_key(id: PassageId) -> IdKey {
    let mut text = [0; HEAD_BYTES];
    let mut length = 0;
    for letter in [24, 16, 8].map(|shift| (id.tag >> shift) as u8).into_iter().filter(|letter| *letter != 0) {
        if let Some(place) = text.get_mut(length) {
            *place = letter;
            length += 1;
        }
    }
    let mut number = id.number;
    let digits = text.iter_mut().skip(length).take((id.tag & 0xff) as usize);
    for digit in digits.rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    IdKey { head: text, rest: None }
}

/// The first rows, in order, of those that are taken.
struct First {
    limit: usize,
    kept: Vec<Located>,
    /// The last of the first rows so far, once there are `limit`.
    bound: Option<Located>,
}

impl First {
    fn new(limit: usize) -> Self {
        Self { limit, kept: Vec::new(), bound: None }
    }

    /// Whether no row of this rank can be among the first.
    fn is_behind(&self, rank: i64) -> bool {
        self.limit == 0 || self.bound.as_ref().is_some_and(|bound| rank > bound.rank)
    }

    fn take(&mut self, located: Located) {
        if self.bound.as_ref().is_some_and(|bound| located > *bound) {
            return;
        }
        self.kept.push(located);
        if self.kept.len() >= self.limit.saturating_mul(2).max(LEAST_BUFFER) {
            self.choose();
        }
    }

    /// Drops all but the first.
    fn choose(&mut self) {
        let Some(last) = self.limit.checked_sub(1).filter(|last| *last < self.kept.len()) else { return };
        let (_, bound, _) = self.kept.select_nth_unstable(last);
        self.bound = Some(bound.clone());
        self.kept.truncate(self.limit);
    }

    fn in_order(mut self) -> Vec<Located> {
        self.choose();
        self.kept.sort_unstable();
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_as_their_texts() {
        let texts = [
            "G1",
            "G10",
            "G9",
            "1",
            "10",
            "09",
            "ABC000000000000000001",
            "ABC1",
            "ab",
            "苏",
            "G320300109027253771",
            "320300108860652979",
            "x",
            "xy-1",
            "long-long-long-long-long-1",
            "long-long-long-long-long-",
            "Z123456789012345678",
            "Z1234567890123456789",
            "999999999999999999",
            "a-very-long-id-that-does-not-fit-into-the-head-b",
            "a-very-long-id-that-does-not-fit-into-the-head-a",
        ];
        let key = |text: &str| {
            let packed = PassageId::pack(text);
            if packed.is_odd() { IdKey::new(text.as_bytes()) } else { packed_key(packed) }
        };
        for a in texts {
            for b in texts {
                assert_eq!(key(a).cmp(&key(b)), a.cmp(b), "{a} {b}");
            }
        }
    }

    #[test]
    fn the_least_are_kept_in_bounded_memory() {
        let id = IdKey::new(b"");
        let located = |row: u32| Located { rank: 0, id: id.clone(), entry: 0, row };
        for limit in [0usize, 1, 7, 600, 5000, 20_000] {
            let mut first = First::new(limit);
            // Every number below 10,007 once, shuffled.
            for step in 0..10_007u64 {
                let next = located((step * 7_919 % 10_007) as u32);
                if !first.is_behind(next.rank) {
                    first.take(next);
                }
                assert!(first.kept.len() <= (2 * limit).max(LEAST_BUFFER), "{limit}");
            }
            let rows: Vec<u32> = first.in_order().iter().map(|located| located.row).collect();
            assert_eq!(rows, (0..10_007.min(limit as u32)).collect::<Vec<_>>(), "{limit}");
        }
    }
}
