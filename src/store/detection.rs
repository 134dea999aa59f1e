//! What detection says of itself: passages that came ahead, ids that came again with another time, and the clocks of the
//! checkpoints. Counts are written with the commit that changed them; what is wrong with a clock is logged once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use storage::{Commit, Family, codec};
use traffic::{CivilTime, ClockCount, Dimension, NameTable, RejectReason};

use super::facts::RecentMinute;
use super::{Partition, Store, StoreError, keys};
use crate::clocks::{self, DetectionStatus};

/// Counts since the data directory was made, or since it was first opened by a program that counts them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DetectionTotals {
    /// Accepted passages that were far ahead of the watermark.
    pub(super) ahead: u64,
    /// Sightings that a plate had no room for.
    pub(super) forgotten: u64,
    /// The first GCXH that was rejected because it had been accepted with another GCSJ.
    pub(super) conflict_sample: Option<String>,
}

/// The same, and what was said of it already.
#[derive(Debug, Default)]
pub(super) struct Detection {
    pub(super) totals: DetectionTotals,
    written: DetectionTotals,
    told_conflict: bool,
    told_forgotten: bool,
    /// KKMCs of which something was logged.
    told: BTreeSet<Arc<str>>,
    status: DetectionStatus,
}

impl Detection {
    pub(super) fn new(totals: DetectionTotals) -> Self {
        Self { written: totals.clone(), totals, ..Self::default() }
    }

    /// Notes a GCXH that came again with another GCSJ.
    pub(super) fn conflict(&mut self, gcxh: String) {
        if !std::mem::replace(&mut self.told_conflict, true) {
            tracing::warn!(
                gcxh,
                "a passage id came again with another time and was rejected as gcxh_conflict: ids that a spreadsheet has \
                 ruined look like this, export them as text"
            );
        }
        self.totals.conflict_sample.get_or_insert(gcxh);
    }

    pub(super) fn status(&self) -> DetectionStatus {
        self.status.clone()
    }

    /// Logs what is new about clocks, once for each checkpoint.
    fn tell(&mut self) {
        for clock in &self.status.checkpoints {
            if let Some(advice) = clock.advice
                && !self.told.contains(&clock.kkmc)
            {
                self.told.insert(clock.kkmc.clone());
                tracing::warn!(
                    kkmc = &*clock.kkmc,
                    code = advice.code(),
                    offset_seconds = clock.offset_seconds,
                    ahead = clock.ahead,
                    late = clock.late,
                    accepted = clock.accepted,
                    "a checkpoint's times do not agree with the others: {}",
                    advice.text()
                );
            }
        }
        if self.totals.forgotten > 0 && !std::mem::replace(&mut self.told_forgotten, true) {
            tracing::warn!(
                forgotten = self.totals.forgotten,
                "a plate has more sightings within detect.state_ttl than are kept: some of them are not compared any more"
            );
        }
    }
}

impl Store {
    /// Reads what was counted.
    pub(super) fn load_detection(&mut self) -> Result<(), StoreError> {
        let database = self.shared.database.clone();
        if let Some(bytes) = database.get(Family::Meta, keys::DETECTION_KEY)? {
            let totals = codec::decode(keys::DETECTION, &bytes);
            self.detection = Detection::new(totals.map_err(|error| database.damaged("detection's totals", &error))?);
        }
        // A directory of an earlier version has none: the rows were counted instead.
        if let Some(bytes) = database.get(Family::Meta, keys::RECENT_MINUTE_KEY)? {
            let kept = codec::decode(keys::RECENT_MINUTE, &bytes);
            self.recent = RecentMinute::of(kept.map_err(|error| database.damaged("the last minute", &error))?);
        }
        for (&id, partition) in &mut self.partitions {
            if let Some(bytes) = database.get(Family::Meta, &keys::clocks(id))? {
                let counts = codec::decode::<Vec<ClockCount>>(keys::CLOCKS, &bytes);
                partition
                    .detector
                    .restore_clocks(&counts.map_err(|error| database.damaged("a count of clocks", &error))?);
            }
        }
        self.judge_clocks();
        Ok(())
    }

    /// Writes what a batch of `partition` changed.
    pub(super) fn write_detection(&mut self, partition: u32, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let minute = codec::encode(keys::RECENT_MINUTE, &self.recent.kept())?;
        commit.put(Family::Meta, keys::RECENT_MINUTE_KEY, &minute);
        if self.detection.totals != self.detection.written {
            self.detection.written = self.detection.totals.clone();
            commit.put(Family::Meta, keys::DETECTION_KEY, &codec::encode(keys::DETECTION, &self.detection.totals)?);
        }
        if let Some(state) = self.partitions.get(&partition) {
            let counts: Vec<ClockCount> = state.detector.clocks().collect();
            if !counts.is_empty() {
                commit.put(Family::Meta, &keys::clocks(partition), &codec::encode(keys::CLOCKS, &counts)?);
            }
        }
        Ok(())
    }

    /// Makes the status of detection anew, and logs what is new in it where somebody reads the log.
    pub(super) fn judge_clocks(&mut self) {
        let totals = &self.detection.totals;
        let rejected = self.totals.rejected.get(RejectReason::GcxhConflict as usize);
        self.detection.status = DetectionStatus {
            watermark: self.partitions.values().filter_map(|partition| partition.detector.watermark()).max(),
            late: self.totals.late,
            ahead: totals.ahead,
            forgotten: totals.forgotten,
            conflicts: rejected.copied().unwrap_or(0),
            conflict_sample: totals.conflict_sample.clone(),
            checkpoints: clocks::judge(merged(&self.partitions, &self.names)),
        };
        if self.settings.publish {
            self.detection.tell();
        }
    }

    /// The newest event time that no single clock can have made: the newest watermark, or the newest GCSJ before there is one.
    pub(super) fn safe_newest(&self) -> CivilTime {
        let watermark = self.partitions.values().filter_map(|partition| partition.state.watermark.time).max();
        watermark.or(self.totals.last_time).map_or(CivilTime::default(), CivilTime)
    }
}

/// What was counted of each checkpoint in all partitions; its lead is that of the partition with most of its records.
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
