//! Counts of passages: from the rollups where a range covers whole hours, from the segments at its ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use shard::{SegmentError, count_hours, count_names, count_pairs, count_vehicle_types};
use traffic::{CivilTime, Dimension, NameTable, VehicleType, brand_of};

use super::cache::Use;
use super::view::{Columns, SECONDS_PER_HOUR, View, read_error};
use crate::reader::{Group, HourCounts, ReadError, TimeRange, UnitCount};
use crate::store::disk::records::{Counts, Rollup};

impl View {
    /// Counts of the whole hours within `range`, and the ranges at its ends that cover hours in part.
    fn split(&self, range: TimeRange) -> (Option<(i64, i64)>, Vec<TimeRange>) {
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
        let part = |from: i64, to: i64| TimeRange { start: Some(CivilTime(from)), end: Some(CivilTime(to)) };
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
        part: TimeRange,
        mut visit: impl FnMut(usize, &Columns<'_>) -> Result<(), SegmentError>,
    ) -> Result<(), ReadError> {
        for entry in self.entries().filter(|entry| entry.zone.touches(part)) {
            visit(entry.zone.rows as usize, &self.columns(entry, Use::Search)).map_err(read_error)?;
        }
        Ok(())
    }

    fn name_counts(
        &self,
        dimension: Dimension,
        pick: impl Fn(&Rollup) -> &Counts,
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

    /// How many passages each name of a group has, busiest first.
    pub(super) fn counts_by(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
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

    /// How many passages each district has at each checkpoint. The rollups count both apart, so every segment of the range is
    /// read: two columns of it, and the times where the range has an end.
    pub(super) fn by_unit(&self, range: TimeRange) -> Result<Vec<UnitCount>, ReadError> {
        let mut counts: BTreeMap<[Arc<str>; 2], u64> = BTreeMap::new();
        self.each_segment(range, |rows, columns| {
            for (names, count) in count_pairs([Dimension::District, Dimension::Checkpoint], range, rows, columns)? {
                *counts.entry(names).or_default() += count;
            }
            Ok(())
        })?;
        let counts = counts.into_iter().map(|([district, kkmc], passages)| UnitCount { district, kkmc, passages });
        Ok(counts.collect())
    }

    /// How many passages each hour of the day has.
    pub(super) fn by_hour_of_day(&self, range: TimeRange) -> Result<[u64; 24], ReadError> {
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

    /// Counts of the hours from `from` to `to`, at most `limit` of them.
    pub(super) fn hours_between(&self, from: i64, to: i64, limit: usize) -> Result<Vec<HourCounts>, ReadError> {
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
}

/// Counts with their names, busiest first, ties by name.
pub(in crate::store) fn named(names: &NameTable, dimension: Dimension, counts: &Counts) -> Vec<(Arc<str>, u64)> {
    busiest_first(counts.iter().map(|(id, count)| (names.shared(dimension, id), count)).collect())
}

fn busiest_first(counts: BTreeMap<Arc<str>, u64>) -> Vec<(Arc<str>, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    // Stable: ties stay in the order of their names.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
