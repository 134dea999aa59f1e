//! Rollups: how many passages each hour had, by checkpoint, district, model and vehicle type. The dashboard is answered
//! from them without touching a segment.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use traffic::{CivilTime, NameId};

/// Counts by number, sorted by number, without zeros.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts(Vec<(NameId, u64)>);

impl Counts {
    pub(super) fn add(&mut self, id: NameId, count: u64) {
        match self.0.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(at) => {
                if let Some((_, known)) = self.0.get_mut(at) {
                    *known += count;
                }
            }
            Err(at) => self.0.insert(at, (id, count)),
        }
    }

    fn subtract(&mut self, other: &Self) {
        for (id, count) in &other.0 {
            if let Ok(at) = self.0.binary_search_by_key(id, |(known, _)| *known)
                && let Some((_, known)) = self.0.get_mut(at)
            {
                *known = known.saturating_sub(*count);
            }
        }
        self.0.retain(|(_, count)| *count > 0);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (NameId, u64)> + '_ {
        self.0.iter().copied()
    }
}

/// Counts of one hour, or of all hours together. An hour with all names that `store.max_names` can allow is within what the
/// codec writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rollup {
    pub(super) total: u64,
    pub(super) checkpoints: Counts,
    pub(super) districts: Counts,
    pub(super) models: Counts,
    /// By [`traffic::VehicleType`], in the order of its numbers.
    pub(super) vehicle_types: [u64; 4],
}

impl Rollup {
    pub(super) fn add(&mut self, other: &Self) {
        self.total += other.total;
        for (mine, theirs) in self.parts_mut().into_iter().zip([&other.checkpoints, &other.districts, &other.models]) {
            for (id, count) in theirs.iter() {
                mine.add(id, count);
            }
        }
        for (mine, theirs) in self.vehicle_types.iter_mut().zip(&other.vehicle_types) {
            *mine += theirs;
        }
    }

    fn subtract(&mut self, other: &Self) {
        self.total = self.total.saturating_sub(other.total);
        for (mine, theirs) in self.parts_mut().into_iter().zip([&other.checkpoints, &other.districts, &other.models]) {
            mine.subtract(theirs);
        }
        for (mine, theirs) in self.vehicle_types.iter_mut().zip(&other.vehicle_types) {
            *mine = mine.saturating_sub(*theirs);
        }
    }

    fn parts_mut(&mut self) -> [&mut Counts; 3] {
        [&mut self.checkpoints, &mut self.districts, &mut self.models]
    }
}

/// All rollups: by hour since 1970, and their sum.
#[derive(Debug, Clone, Default)]
pub(super) struct Rollups {
    pub(super) hours: BTreeMap<i64, Arc<Rollup>>,
    pub(super) all: Arc<Rollup>,
    pub(super) by_hour_of_day: [u64; 24],
}

impl Rollups {
    pub(super) fn add(&mut self, hour: i64, rollup: &Rollup) {
        Arc::make_mut(self.hours.entry(hour).or_default()).add(rollup);
        Arc::make_mut(&mut self.all).add(rollup);
        if let Some(count) = self.by_hour_of_day.get_mut(hour.rem_euclid(24) as usize) {
            *count += rollup.total;
        }
    }

    pub(super) fn subtract(&mut self, hour: i64, rollup: &Rollup) {
        if let Some(known) = self.hours.get_mut(&hour) {
            Arc::make_mut(known).subtract(rollup);
            if known.total == 0 {
                self.hours.remove(&hour);
            }
        }
        Arc::make_mut(&mut self.all).subtract(rollup);
        if let Some(count) = self.by_hour_of_day.get_mut(hour.rem_euclid(24) as usize) {
            *count = count.saturating_sub(rollup.total);
        }
    }
}

/// Counts passages of one hour after another into plain arrays, and hands over a [`Rollup`] when the hour changes.
#[derive(Debug, Default)]
pub(super) struct HourCounter {
    hour: i64,
    total: u64,
    lanes: [Lane; 3],
    vehicle_types: [u64; 4],
}

#[derive(Debug, Default)]
struct Lane {
    counts: Vec<u64>,
    touched: Vec<NameId>,
}

impl Lane {
    #[inline]
    fn add(&mut self, id: NameId) {
        if id as usize >= self.counts.len() {
            self.counts.resize(id as usize + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(id as usize) {
            if *count == 0 {
                self.touched.push(id);
            }
            *count += 1;
        }
    }

    fn take(&mut self) -> Counts {
        self.touched.sort_unstable();
        let counts = self
            .touched
            .drain(..)
            .filter_map(|id| self.counts.get_mut(id as usize).map(|count| (id, std::mem::take(count))));
        Counts(counts.collect())
    }
}

impl HourCounter {
    /// Counts a passage; `done` takes the finished hour if this one is of another.
    #[inline]
    pub(super) fn add(
        &mut self,
        time: CivilTime,
        [checkpoint, district, model]: [NameId; 3],
        vehicle_type: u8,
        done: impl FnMut(i64, Rollup),
    ) {
        let hour = time.0.div_euclid(3600);
        if hour != self.hour {
            self.finish(done);
            self.hour = hour;
        }
        self.total += 1;
        for (lane, id) in self.lanes.iter_mut().zip([checkpoint, district, model]) {
            lane.add(id);
        }
        if let Some(count) = self.vehicle_types.get_mut(vehicle_type as usize) {
            *count += 1;
        }
    }

    /// Hands over what was counted since the hour began or the last call.
    pub(super) fn finish(&mut self, mut done: impl FnMut(i64, Rollup)) {
        if self.total == 0 {
            return;
        }
        let [checkpoints, districts, models] = &mut self.lanes;
        let rollup = Rollup {
            total: std::mem::take(&mut self.total),
            checkpoints: checkpoints.take(),
            districts: districts.take(),
            models: models.take(),
            vehicle_types: std::mem::take(&mut self.vehicle_types),
        };
        done(self.hour, rollup);
    }
}
