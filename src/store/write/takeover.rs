//! Takeover of a partition: its newest passages, stored by another process, come once more and bring the
//! detector to the state in which that process left it.
//!
//! Nothing of them is stored but their names, which are numbered with all others. The partition's watermark and the
//! source's position are written with the last part, so a process killed before that begins the takeover again. The log
//! does not hold these passages: after a restart soon after the source repeats the takeover.

use std::time::Instant;
use storage::{Durability, Family};
use traffic::evidence::PartitionAssessor;
use traffic::{Detector, NameId, WatermarkState};

use super::evidence::write_evidence;
use super::store::Store;
use crate::batch::{Batch, Takeover};
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::state::{Partition, PartitionEvidence, assessors};

impl Store {
    /// Applies a part of the takeover.
    pub(super) fn take_over(&mut self, source: &str, batch: &Batch, takeover: &Takeover) -> Result<(), StoreError> {
        let started = Instant::now();
        self.begin()?;
        let mut new_names = Vec::new();
        self.learn(&batch.passages, &mut new_names);
        let (settings, evidence) = (self.settings.detector, self.settings.evidence.clone());
        let accepted = self.state.totals.accepted;
        let known = takeover.begins.as_ref().filter(|begins| begins.time.is_some());
        let known = known.and_then(|_| self.known_roads(batch.partition));
        let partition = self
            .partitions
            .entry(batch.partition)
            .or_insert_with(|| Partition::new(settings, evidence.clone(), accepted));
        if let Some(watermark) = &takeover.begins {
            // What the other process had learnt is learnt again from what is read back. If that does not begin where the
            // other began, it helps that roads and cameras are the same for all partitions.
            let saved_parts = partition.evidence.as_ref().map_or(0, |evidence| evidence.saved_parts);
            partition.evidence = evidence.map(|settings| {
                let new = PartitionEvidence { saved_parts, ..PartitionEvidence::new(settings, accepted) };
                match known {
                    Some(known) => PartitionEvidence { assessor: known, ..new },
                    None => new,
                }
            });
            partition.detector = Detector::new(settings);
            partition.detector.restore_watermark(watermark);
        }
        let mut fates = Vec::with_capacity(batch.passages.len());
        partition.detector.read_back(&batch.passages, self.facts.knowledge(), &mut fates);
        if let Some(evidence) = &mut partition.evidence {
            evidence.assessor.recover_batch(&batch.passages, &fates, self.facts.knowledge());
        }
        let database = self.shared.reading.database.clone();
        let mut commit = database.begin();
        for (key, name) in &new_names {
            commit.put(Family::Meta, key, name.as_bytes());
        }
        if takeover.begins.is_some() {
            // They were counted by the detector that is no more.
            commit.delete(Family::Meta, &keys::clocks(batch.partition));
            let [from, to] = [0, NameId::MAX].map(|checkpoint| keys::clock_samples(batch.partition, checkpoint));
            commit.delete_range(Family::Meta, &from, &to);
        }
        if let Some(least) = takeover.ends {
            let state = partition.detector.watermark_state();
            partition.detector.restore_watermark(&WatermarkState { time: state.time.max(least), ..state });
            partition.state.watermark = partition.detector.watermark_state();
            let source = batch.position_name.as_deref().unwrap_or(source);
            commit.put(Family::Meta, &keys::position(source), &batch.position);
            if let Some(evidence) = &mut partition.evidence {
                write_evidence(batch.partition, evidence, accepted, &mut commit)?;
            }
        }
        self.write_state(&mut commit)?;
        fail::fail_point!("takeover::before-write");
        database.commit(commit, Durability::AsConfigured)?;
        fail::fail_point!("takeover::after-write");
        self.broken = false;
        self.after_commit(started);
        Ok(())
    }

    /// Evidence that knows the roads and cameras of the partition that has learnt most, but no plate.
    fn known_roads(&self, but: u32) -> Option<PartitionAssessor> {
        let others = assessors(&self.partitions).filter(|(id, assessor)| *id != but && assessor.hours() > 0);
        others
            .map(|(_, assessor)| assessor)
            .max_by_key(|assessor| assessor.hours())
            .map(PartitionAssessor::without_plates)
    }
}
