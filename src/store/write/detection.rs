//! The state of detection: passages that came ahead, ids that came again with another time, and the clocks of the
//! checkpoints. Counts are written with the commit that changed them; what is wrong with a clock is logged once.

use std::collections::BTreeMap;
use std::sync::Arc;
use storage::{Commit, Family, codec};
use traffic::{CivilTime, ClockCount, Dimension, NameId, NameTable, RejectReason};

use super::store::Store;
use crate::camera_clocks::{self, DetectionStatus};
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::records::DetectionTotals;
use crate::store::state::{Detection, LastMinute, Partition};

impl Store {
    /// Reads what was counted.
    pub(super) fn load_detection(&mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        if let Some(bytes) = database.get(Family::Meta, keys::DETECTION_KEY)? {
            let totals = DetectionTotals::decode(&bytes);
            self.detection = Detection::new(totals.map_err(|error| database.damaged("detection's totals", &error))?);
        }
        // A directory of an earlier version has none: the rows were counted instead.
        if let Some(bytes) = database.get(Family::Meta, keys::RECENT_MINUTE_KEY)? {
            let kept = codec::decode(keys::RECENT_MINUTE, &bytes);
            self.state.last_minute = LastMinute::of(kept.map_err(|error| database.damaged("the last minute", &error))?);
        }
        for (&id, partition) in &mut self.partitions {
            if let Some(bytes) = database.get(Family::Meta, &keys::clocks(id))? {
                let counts = codec::decode::<Vec<ClockCount>>(keys::CLOCKS, &bytes);
                partition
                    .detector
                    .restore_clocks(&counts.map_err(|error| database.damaged("a count of clocks", &error))?);
            }
            let from = keys::clock_samples(id, 0);
            let prefix = from.get(..from.len() - size_of::<NameId>()).unwrap_or_default();
            for item in database.scan(Family::Meta, &from) {
                let (key, value) = item?;
                let Some(checkpoint) = keys::last_u32(&key).filter(|_| key.starts_with(prefix)) else { break };
                let samples = codec::decode::<Vec<i32>>(keys::CLOCK_SAMPLES, &value);
                let samples = samples.map_err(|error| database.damaged("a sample of clocks", &error))?;
                partition.detector.restore_clock_samples(checkpoint, &samples);
            }
        }
        self.assess_clocks();
        Ok(())
    }

    /// Writes what a batch of `partition` changed.
    pub(super) fn write_detection(&mut self, partition: u32, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let minute = codec::encode(keys::RECENT_MINUTE, &self.state.last_minute.kept())?;
        commit.put(Family::Meta, keys::RECENT_MINUTE_KEY, &minute);
        if let Some(totals) = self.detection.take_changed() {
            commit.put(Family::Meta, keys::DETECTION_KEY, &codec::encode(keys::DETECTION, totals)?);
        }
        if let Some(state) = self.partitions.get_mut(&partition) {
            let counts: Vec<ClockCount> = state.detector.clocks().collect();
            if !counts.is_empty() {
                commit.put(Family::Meta, &keys::clocks(partition), &codec::encode(keys::CLOCKS, &counts)?);
            }
            let mut failed = None;
            state.detector.drain_clock_samples(|checkpoint, samples| {
                match codec::encode(keys::CLOCK_SAMPLES, &samples) {
                    Ok(value) => commit.put(Family::Meta, &keys::clock_samples(partition, checkpoint), &value),
                    Err(error) => failed = Some(error),
                }
            });
            if let Some(error) = failed {
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Updates the status of detection, and logs what is new in it if the log is read.
    pub(super) fn assess_clocks(&mut self) {
        let totals = &self.detection.totals;
        let rejected = self.state.totals.rejected.get(RejectReason::GcxhConflict as usize);
        let status = DetectionStatus {
            watermark: self.partitions.values().filter_map(|partition| partition.detector.watermark()).max(),
            late: self.state.totals.late,
            ahead: totals.ahead,
            forgotten: totals.forgotten,
            conflicts: rejected.copied().unwrap_or(0),
            conflict_sample: totals.conflict_sample.clone(),
            checkpoints: camera_clocks::assess(merged(&self.partitions, &self.state.names)),
        };
        self.detection.set_status(status, self.settings.publish);
    }

    /// Notes the newest GCSJ that is not far ahead of the watermark, which no single clock can have set.
    pub(super) fn note_newest(&mut self) {
        let watermark = self.partitions.values().filter_map(|partition| partition.state.watermark.time).max();
        let settings = &self.settings.detector;
        let limit = watermark.map(|watermark| watermark.saturating_add(settings.state_ttl - settings.window));
        let newest = self.state.last_minute.newest().or(self.state.totals.last_time);
        self.state.newest = newest.map(|newest| CivilTime(limit.map_or(newest, |limit| newest.min(limit))));
    }

    /// The newest event time that no single clock can have set: the newest watermark, or before it the newest GCSJ.
    pub(super) fn safe_newest(&self) -> CivilTime {
        let watermark = self.partitions.values().filter_map(|partition| partition.state.watermark.time).max();
        watermark.or(self.state.totals.last_time).map_or(CivilTime::default(), CivilTime)
    }
}

/// The counts of each checkpoint in all partitions; its lead is that of the partition with most of its records.
fn merged<'a>(
    partitions: &BTreeMap<u32, Partition>,
    names: &'a NameTable,
) -> impl Iterator<Item = (Arc<str>, ClockCount)> + use<'a> {
    let mut all: Vec<(ClockCount, u64)> = Vec::new();
    for partition in partitions.values() {
        for (number, count) in partition.detector.clocks().enumerate() {
            if number >= all.len() {
                all.push(Default::default());
            }
            let Some((sum, most)) = all.get_mut(number) else { break };
            sum.accepted += count.accepted;
            sum.late += count.late;
            sum.ahead += count.ahead;
            if count.lead.is_some() && count.accepted > *most {
                *most = count.accepted;
                sum.lead = count.lead;
            }
        }
    }
    (0u32..).zip(all).map(|(number, (count, _))| (names.shared(Dimension::Checkpoint, number), count))
}
