//! Rollups: how many passages each hour had, by checkpoint, district, model and vehicle type. The dashboard is answered
//! from them without reading a segment.

use std::collections::BTreeMap;
use std::sync::Arc;
use traffic::{CivilTime, NameId};

use crate::store::disk::records::{Counts, Rollup};

/// All rollups: by hour since 1970, and their sum.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Rollups {
    pub(in crate::store) hours: BTreeMap<i64, Arc<Rollup>>,
    pub(in crate::store) all: Arc<Rollup>,
    pub(in crate::store) by_hour_of_day: [u64; 24],
}

impl Rollups {
    pub(in crate::store) fn add(&mut self, hour: i64, rollup: &Rollup) {
        Arc::make_mut(self.hours.entry(hour).or_default()).add(rollup);
        Arc::make_mut(&mut self.all).add(rollup);
        if let Some(count) = self.by_hour_of_day.get_mut(hour.rem_euclid(24) as usize) {
            *count += rollup.total;
        }
    }

    pub(in crate::store) fn subtract(&mut self, hour: i64, rollup: &Rollup) {
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

/// Counts passages hour by hour in plain arrays, and passes on a [`Rollup`] when the hour changes.
#[derive(Debug, Default)]
pub(in crate::store) struct HourCounter {
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
        Counts::sorted(counts)
    }
}

impl HourCounter {
    /// Counts a passage; `done` gets the finished hour if this passage is in another.
    #[inline]
    pub(in crate::store) fn add(
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

    /// Passes on what was counted since the hour began or the last call.
    pub(in crate::store) fn finish(&mut self, mut done: impl FnMut(i64, Rollup)) {
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
