//! Segments of the log as they are in the database: where a body is, and its rows with the current name numbers.

use std::sync::Arc;

use shard::{Rows, SegmentReader, ShardId, ZoneMap};
use storage::{Database, Family};
use traffic::{CivilTime, Dimension, Interner, NameId, NameTable, Resolution};

use crate::reader::PassageRow;
use crate::store::StoreError;

/// One segment, as readers see it.
#[derive(Debug)]
pub(in crate::store) struct Entry {
    pub(in crate::store) shard: ShardId,
    pub(in crate::store) zone: ZoneMap,
    /// The body of a tail block; a sealed segment's is read from the database.
    pub(in crate::store) body: Option<Arc<[u8]>>,
}

/// The body of a segment.
pub(in crate::store) fn body(database: &Database, entry: &Entry) -> Result<Arc<[u8]>, StoreError> {
    if let Some(body) = &entry.body {
        return Ok(body.clone());
    }
    let bytes = database.get(Family::Rows(entry.shard.number()), &entry.zone.first_row.to_be_bytes())?;
    let bytes = bytes.ok_or_else(|| database.damaged("the log", &"a segment is missing"))?;
    Ok(Arc::from(&*bytes))
}

/// Numbers of names by text.
pub(in crate::store) struct Numbers(Interner);

impl Numbers {
    pub(in crate::store) fn of(names: &NameTable) -> Self {
        Self(Interner::new(names, usize::MAX))
    }

    pub(in crate::store) fn number(&self, dimension: Dimension, text: &str) -> Option<NameId> {
        self.0.number(dimension, text)
    }
}

/// The rows of a segment.
pub(in crate::store) fn rows_of(database: &Database, entry: &Entry, numbers: &Numbers) -> Result<Rows, StoreError> {
    let mut unknown = None;
    let rows = SegmentReader::open(&body(database, entry)?)?.rows(|dimension, text| {
        numbers.number(dimension, text).unwrap_or_else(|| {
            unknown = Some(text.clone());
            0
        })
    })?;
    match unknown {
        Some(text) => Err(database.damaged("the log", &format!("{text:?} is not among the names")).into()),
        None => Ok(rows),
    }
}

/// Rows of one shard that are together in its log.
#[derive(Debug)]
pub struct LogBlock {
    first_row: u64,
    rows: Rows,
    names: [Vec<Arc<str>>; Dimension::ALL.len()],
}

impl LogBlock {
    pub(in crate::store) fn read(body: &[u8]) -> Result<Self, StoreError> {
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

    /// Number of the row after the last.
    pub fn end_row(&self) -> u64 {
        self.first_row + self.rows.len() as u64
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first_row)?).ok().filter(|row| *row < self.rows.len())
    }

    /// The arrival number of a row; none if it is not here.
    pub(in crate::store) fn arrival(&self, number: u64) -> Option<u64> {
        self.rows.arrivals.get(self.index(number)?).copied()
    }

    /// The resolution of a row's time; none if it is not here.
    pub(in crate::store) fn resolution(&self, number: u64) -> Option<Resolution> {
        self.index(number).map(|row| self.rows.resolution(row))
    }

    /// The time of a row; none if it is not here.
    pub fn time(&self, number: u64) -> Option<CivilTime> {
        self.rows.times.get(self.index(number)?).copied()
    }

    /// A row by its number; none if it is not here.
    pub fn row(&self, number: u64) -> Option<PassageRow> {
        let row = self.index(number)?;
        let gcsj = *self.rows.times.get(row)?;
        let name = |dimension: Dimension| {
            let names = self.names.get(dimension as usize)?;
            names.get(*self.rows.names(dimension).get(row)? as usize).cloned()
        };
        let (gcxh, hphm) = (self.rows.id_text(row), self.rows.plate_text(row));
        PassageRow::of(gcxh, gcsj, hphm, |dimension| name(dimension).ok_or(())).ok()
    }
}
