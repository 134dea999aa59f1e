//! A view: one immutable, consistent state of the store, from which every question of a request is answered.
//!
//! Counts come from the rollups; only an hour that a range covers in part is counted in its segments. A view holds no
//! lock, and the writer never waits for one.

use shard::{Column, ColumnKind, ColumnLoader, PerShard, SegmentError, SegmentReader, ShardCount, ShardId};
use std::sync::Arc;
use storage::Database;
use traffic::{CivilTime, NameTable};

use super::cache::{ColumnCache, Use};
use crate::reader::ReadError;
use crate::store::disk::records::Totals;
use crate::store::disk::segments::{Entry, body};
use crate::store::state::{AlertIndex, CaseIndex, Learnt, Log, Rollups, State, Work};

/// What views share: where they read what is not in memory.
#[derive(Debug, Clone)]
pub(in crate::store) struct Reading {
    pub(in crate::store) database: Arc<Database>,
    pub(in crate::store) shards: ShardCount,
    pub(in crate::store) cache: Arc<ColumnCache>,
    pub(in crate::store) work: Arc<Work>,
}

/// A consistent state of the store.
#[derive(Debug)]
pub struct View {
    pub(super) reading: Reading,
    /// Sealed and tail segments of each shard, in the order of their rows.
    sealed: PerShard<Arc<Vec<Arc<Entry>>>>,
    tail: Vec<Arc<Entry>>,
    pub(super) rollups: Rollups,
    pub(super) alerts: AlertIndex,
    pub(super) cases: CaseIndex,
    pub(super) learnt: Learnt,
    pub(super) names: NameTable,
    pub(super) totals: Totals,
    pub(super) newest: Option<CivilTime>,
    pub(super) last_minute: u64,
}

pub(super) const SECONDS_PER_HOUR: i64 = 3600;

impl View {
    /// The state as it is now.
    pub(in crate::store) fn of(reading: &Reading, state: &State) -> Self {
        Self {
            reading: reading.clone(),
            sealed: state.logs.map_ref(Log::sealed),
            tail: state.logs.values().flat_map(Log::tail).collect(),
            rollups: state.rollups.clone(),
            alerts: state.alerts.clone(),
            cases: state.cases.clone(),
            learnt: state.learnt.clone(),
            names: state.names.clone(),
            totals: state.totals.clone(),
            newest: state.newest,
            last_minute: state.last_minute.total(),
        }
    }

    /// All segments.
    pub(in crate::store) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.sealed.values().flat_map(|sealed| sealed.iter()).chain(&self.tail)
    }

    /// How many local shards there are.
    pub fn shards(&self) -> ShardCount {
        self.reading.shards
    }

    /// Number of the next row of `shard`.
    pub fn next_row(&self, shard: ShardId) -> u64 {
        self.totals.by_shard.get(shard).copied().unwrap_or(0)
    }

    /// Earliest GCSJ that is retained.
    pub fn oldest(&self) -> Option<CivilTime> {
        self.entries().map(|entry| entry.zone.min_time).min()
    }

    /// The columns of a segment, through the cache.
    pub(in crate::store) fn columns<'a>(&'a self, entry: &'a Entry, wanted: Use) -> Columns<'a> {
        // A tail block is another one after the next commit: its columns would fill the cache and never be asked for again.
        let wanted = if entry.body.is_some() { Use::Show } else { wanted };
        Columns { view: self, entry, wanted, body: std::cell::OnceCell::new() }
    }
}

/// A segment's columns: from the cache, or decoded from its body, which is read at most once.
pub(in crate::store) struct Columns<'a> {
    view: &'a View,
    entry: &'a Entry,
    wanted: Use,
    body: std::cell::OnceCell<Arc<[u8]>>,
}

impl Columns<'_> {
    /// Takes the times of the segment.
    pub(super) fn with_times(&self, take: impl FnOnce(&[CivilTime])) -> Result<(), SegmentError> {
        match &*self.load(ColumnKind::Times)? {
            Column::Times(times) => take(times),
            _ => return Err(SegmentError::WrongColumn("times")),
        }
        Ok(())
    }
}

impl ColumnLoader for Columns<'_> {
    fn load(&self, kind: ColumnKind) -> Result<Arc<Column>, SegmentError> {
        let zone = &self.entry.zone;
        let key = (self.entry.shard, zone.first_row, zone.rows, kind);
        if let Some(column) = self.view.reading.cache.get(&key) {
            return Ok(column);
        }
        let body = match self.body.get() {
            Some(body) => body,
            None => {
                let body = body(&self.view.reading.database, self.entry)
                    .map_err(|error| SegmentError::Load(Box::new(error)))?;
                self.body.get_or_init(|| body)
            }
        };
        let column = SegmentReader::open(body)?.load(kind)?;
        self.view.reading.cache.put(key, column.clone(), self.wanted);
        Ok(column)
    }
}

pub(in crate::store) fn read_error(error: impl std::fmt::Display) -> ReadError {
    ReadError::Storage(error.to_string())
}
