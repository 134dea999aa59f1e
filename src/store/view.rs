//! A view: one immutable, consistent state of the store, from which every question of a request is answered.
//!
//! Counts come from the rollups; only an hour that a range covers in part is counted in its segments. A view holds no
//! lock, and the writer never waits for one.

use std::collections::BTreeMap;
use std::sync::Arc;

use shard::{
    Column, ColumnKind, ColumnLoader, SegmentError, SegmentReader, count_hours, count_names, count_vehicle_types,
};
use storage::{Database, Family};
use traffic::{Alert, CivilTime, Dimension, NameTable, RejectReason, VehicleType, brand_of};

use super::alerts::AlertIndex;
use super::cache::ColumnCache;
use super::cursor::RowCursor;
use super::log::{Entry, Log};
use super::rollup::{Counts, Rollups};
use super::work::Work;
use super::{Totals, recover, stored_alert};
use crate::reader::{
    self, AlertFilter, Group, HourCounts, Order, Page, PassageCursor, PassageRow, QueryFilter, ReadError, RejectPiece,
    Snapshot, TimeRange,
};
use crate::work::{AlertWork, WorkedAlert};

/// A consistent state of the store.
#[derive(Debug)]
pub struct View {
    pub(super) database: Arc<Database>,
    cache: Arc<ColumnCache>,
    /// Sealed and tail segments of each shard, in the order of their rows.
    sealed: [Arc<Vec<Arc<Entry>>>; 2],
    tail: Vec<Arc<Entry>>,
    pub(super) rollups: Rollups,
    pub(super) alerts: AlertIndex,
    pub(super) work: Arc<Work>,
    pub(super) names: NameTable,
    pub(super) totals: Totals,
    last_minute: u64,
}

pub(super) const SECONDS_PER_HOUR: i64 = 3600;

impl View {
    #[expect(clippy::too_many_arguments, reason = "the parts of a state, handed over by the one who has them")]
    pub(super) fn new(
        database: Arc<Database>,
        cache: Arc<ColumnCache>,
        logs: &[Log; 2],
        rollups: Rollups,
        alerts: AlertIndex,
        work: Arc<Work>,
        names: NameTable,
        totals: Totals,
        last_minute: u64,
    ) -> Self {
        let [(first, mut tail), (second, more)] = logs.each_ref().map(Log::entries);
        tail.extend(more);
        Self { database, cache, sealed: [first, second], tail, rollups, alerts, work, names, totals, last_minute }
    }

    pub(super) fn empty(database: Arc<Database>, cache: Arc<ColumnCache>, work: Arc<Work>) -> Self {
        Self {
            database,
            cache,
            sealed: Default::default(),
            tail: Vec::new(),
            rollups: Rollups::default(),
            alerts: AlertIndex::new(0),
            work,
            names: NameTable::default(),
            totals: Totals::default(),
            last_minute: 0,
        }
    }

    /// All segments.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.sealed.iter().flat_map(|sealed| sealed.iter()).chain(&self.tail)
    }

    /// Number of the row that comes next to `shard`.
    pub fn next_row(&self, shard: usize) -> u64 {
        self.totals.by_shard.get(shard).copied().unwrap_or(0)
    }

    /// Earliest GCSJ that is retained.
    pub fn oldest(&self) -> Option<CivilTime> {
        self.entries().map(|entry| entry.zone.min_time).min()
    }

    /// The columns of a segment, through the cache.
    pub(super) fn columns<'a>(&'a self, entry: &'a Entry) -> Columns<'a> {
        Columns { view: self, entry, body: std::cell::OnceCell::new() }
    }

    /// Counts of the whole hours within `range`, and the ranges at its ends that cover hours in part.
    fn split(&self, range: TimeRange) -> (Option<(i64, i64)>, Vec<shard::TimeRange>) {
        let (Some(first), Some(last)) = (
            self.rollups.hours.first_key_value().map(|(hour, _)| *hour),
            self.rollups.hours.last_key_value().map(|(hour, _)| *hour),
        ) else {
            return (None, Vec::new());
        };
        let start = range.start.map_or(first * SECONDS_PER_HOUR, |start| start.0.max(first * SECONDS_PER_HOUR));
        let end = (last + 1) * SECONDS_PER_HOUR - 1;
        let end = range.end.map_or(end, |given| given.0.min(end));
        if start > end {
            return (None, Vec::new());
        }
        let whole_from = start.div_euclid(SECONDS_PER_HOUR) + i64::from(start.rem_euclid(SECONDS_PER_HOUR) != 0);
        let whole_to = (end + 1).div_euclid(SECONDS_PER_HOUR) - 1;
        let part = |from: i64, to: i64| shard::TimeRange { from: Some(CivilTime(from)), to: Some(CivilTime(to)) };
        if whole_from > whole_to {
            // Within one hour, or around the boundary of two.
            return (None, vec![part(start, end)]);
        }
        let mut parts = Vec::new();
        if start < whole_from * SECONDS_PER_HOUR {
            parts.push(part(start, whole_from * SECONDS_PER_HOUR - 1));
        }
        if end >= (whole_to + 1) * SECONDS_PER_HOUR {
            parts.push(part((whole_to + 1) * SECONDS_PER_HOUR, end));
        }
        (Some((whole_from, whole_to)), parts)
    }

    /// Visits the segments that touch `part`.
    fn each_segment(
        &self,
        part: shard::TimeRange,
        mut visit: impl FnMut(usize, &Columns<'_>) -> Result<(), SegmentError>,
    ) -> Result<(), ReadError> {
        for entry in self.entries().filter(|entry| part.touches(&entry.zone)) {
            visit(entry.zone.rows as usize, &self.columns(entry)).map_err(read_error)?;
        }
        Ok(())
    }

    fn name_counts(
        &self,
        dimension: Dimension,
        pick: impl Fn(&super::rollup::Rollup) -> &Counts,
        range: TimeRange,
    ) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        if range == TimeRange::default() {
            return Ok(named(&self.names, dimension, pick(&self.rollups.all)));
        }
        let (whole, parts) = self.split(range);
        let mut by_id = vec![0; self.names.all(dimension).len()];
        if let Some((from, to)) = whole {
            for (_, rollup) in self.rollups.hours.range(from..=to) {
                for (id, count) in pick(rollup).iter() {
                    if let Some(sum) = by_id.get_mut(id as usize) {
                        *sum += count;
                    }
                }
            }
        }
        let whole = self.names.all(dimension).iter().cloned().zip(by_id).filter(|(_, count)| *count > 0);
        let mut counts: BTreeMap<Arc<str>, u64> = whole.collect();
        for part in parts {
            self.each_segment(part, |rows, columns| {
                for (name, count) in count_names(dimension, part, rows, columns)? {
                    *counts.entry(name).or_default() += count;
                }
                Ok(())
            })?;
        }
        Ok(busiest_first(counts))
    }

    fn vehicle_type_counts(&self, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        let mut counts = [0u64; 4];
        let mut add = |more: &[u64]| counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        if range == TimeRange::default() {
            add(&self.rollups.all.vehicle_types);
        } else {
            let (whole, parts) = self.split(range);
            if let Some((from, to)) = whole {
                self.rollups.hours.range(from..=to).for_each(|(_, rollup)| add(&rollup.vehicle_types));
            }
            for part in parts {
                self.each_segment(part, |rows, columns| {
                    add(&count_vehicle_types(part, rows, columns)?);
                    Ok(())
                })?;
            }
        }
        let counts = VehicleType::ALL.iter().zip(counts).filter(|(_, count)| *count > 0);
        Ok(busiest_first(counts.map(|(kind, count)| (Arc::from(kind.as_str()), count)).collect()))
    }
}

impl Snapshot for View {
    fn totals(&self) -> reader::Totals {
        reader::Totals {
            passages: self.rollups.all.total,
            accepted: self.totals.accepted,
            alerts: self.totals.alerts,
            newest: self.totals.newest(),
            last_minute: self.last_minute,
        }
    }

    fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        match group {
            Group::Checkpoint => self.name_counts(Dimension::Checkpoint, |rollup| &rollup.checkpoints, range),
            Group::District => self.name_counts(Dimension::District, |rollup| &rollup.districts, range),
            Group::VehicleType => self.vehicle_type_counts(range),
            Group::Brand => {
                let models = self.name_counts(Dimension::Model, |rollup| &rollup.models, range)?;
                let mut brands: BTreeMap<Arc<str>, u64> = BTreeMap::new();
                for (model, count) in models {
                    let brand = brand_of(&model);
                    match brands.get_mut(brand) {
                        Some(known) => *known += count,
                        None => {
                            brands.insert(Arc::from(brand), count);
                        }
                    }
                }
                Ok(busiest_first(brands))
            }
        }
    }

    fn counts_by_hour_of_day(&self, range: TimeRange) -> Result<[u64; 24], ReadError> {
        if range == TimeRange::default() {
            return Ok(self.rollups.by_hour_of_day);
        }
        let mut counts = [0u64; 24];
        let (whole, parts) = self.split(range);
        if let Some((from, to)) = whole {
            for (hour, rollup) in self.rollups.hours.range(from..=to) {
                if let Some(count) = counts.get_mut(hour.rem_euclid(24) as usize) {
                    *count += rollup.total;
                }
            }
        }
        for part in parts {
            self.each_segment(part, |rows, columns| {
                let more = count_hours(part, rows, columns)?;
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                Ok(())
            })?;
        }
        Ok(counts)
    }

    fn hours(&self, from: i64, to: i64, limit: usize) -> Result<Vec<HourCounts>, ReadError> {
        let ends = [self.rollups.hours.first_key_value(), self.rollups.hours.last_key_value()];
        let ends = ends.map(|end| end.map(|(hour, _)| *hour));
        let names = self.names.all(Dimension::Checkpoint);
        if from > to {
            return Ok(Vec::new());
        }
        let hours = self.rollups.hours.range(from..=to).take(limit).map(|(hour, rollup)| {
            let counts = rollup.checkpoints.iter();
            HourCounts {
                hour: *hour,
                is_whole: !ends.contains(&Some(*hour)),
                checkpoints: counts.filter_map(|(id, count)| Some((names.get(id as usize)?.clone(), count))).collect(),
            }
        });
        Ok(hours.collect())
    }

    fn has_hours_at_hand(&self) -> bool {
        true
    }

    fn count(&self, range: TimeRange) -> Result<u64, ReadError> {
        if range == TimeRange::default() {
            return Ok(self.rollups.all.total);
        }
        Ok(self.counts_by_hour_of_day(range)?.iter().sum())
    }

    fn query(
        &self,
        filter: &QueryFilter,
        order: Order,
        page: u64,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        super::query::query(self, filter, order, page, limit)
    }

    fn track(&self, hphm: &str, range: TimeRange, limit: usize) -> Result<Page<PassageRow>, ReadError> {
        super::query::track(self, hphm, range, limit)
    }

    fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>, ReadError> {
        self.alerts_back(self.totals.alerts).take(limit).collect()
    }

    fn alerts(&self, filter: &AlertFilter, page: u64, limit: usize) -> Result<Page<Alert>, ReadError> {
        self.search_alerts(filter, page, limit)
    }

    fn alert(&self, id: &str) -> Result<Option<WorkedAlert>, ReadError> {
        self.alert_by_id(id)
    }

    fn work(&self, seqs: &[u64]) -> Result<Vec<AlertWork>, ReadError> {
        self.work_on(seqs)
    }

    fn cursor(self: Arc<Self>, filter: &QueryFilter, order: Order) -> Option<Box<dyn PassageCursor>> {
        Some(Box::new(RowCursor::new(self, filter, order)))
    }

    fn rejects(
        &self,
        reason: Option<RejectReason>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<RejectPiece, ReadError> {
        self.rejects_before(reason, before, limit)
    }

    fn alerts_after(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError> {
        let newest = self.totals.alerts;
        self.database
            .scan(Family::Alerts, &seq.saturating_add(1).to_be_bytes())
            .map(|item| {
                let (_, value) = item.map_err(read_error)?;
                stored_alert::decode(&value).map_err(read_error)
            })
            .take_while(|alert| alert.as_ref().map_or(true, |alert| alert.seq <= newest))
            .take(limit)
            .collect()
    }
}

/// A segment's columns: from the cache, or decoded from its body, which is read at most once.
pub(super) struct Columns<'a> {
    view: &'a View,
    entry: &'a Entry,
    body: std::cell::OnceCell<Arc<[u8]>>,
}

impl ColumnLoader for Columns<'_> {
    fn load(&self, kind: ColumnKind) -> Result<Arc<Column>, SegmentError> {
        let zone = &self.entry.zone;
        let key = (self.entry.shard, zone.first_row, zone.rows, kind);
        if let Some(column) = self.view.cache.get(&key) {
            return Ok(column);
        }
        let body = match self.body.get() {
            Some(body) => body,
            None => {
                let body = recover::body(&self.view.database, self.entry)
                    .map_err(|error| SegmentError::Load(Box::new(error)))?;
                self.body.get_or_init(|| body)
            }
        };
        let column = SegmentReader::open(body)?.load(kind)?;
        self.view.cache.put(key, column.clone());
        Ok(column)
    }
}

pub(super) fn read_error(error: impl std::fmt::Display) -> ReadError {
    ReadError::Storage(error.to_string())
}

/// Counts with their names, busiest first, ties by name.
pub(super) fn named(names: &NameTable, dimension: Dimension, counts: &Counts) -> Vec<(Arc<str>, u64)> {
    busiest_first(counts.iter().map(|(id, count)| (names.shared(dimension, id), count)).collect())
}

fn busiest_first(counts: BTreeMap<Arc<str>, u64>) -> Vec<(Arc<str>, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    // Stable: ties stay in the order of their names.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
