//! Detectors, one for each partition, and each one's place in event time.

use std::collections::BTreeMap;
use std::time::Instant;

use shard::ZoneMap;
use traffic::evidence::Assessor;
use traffic::{Detector, DetectorSettings, Knowledge, PassageBatch};

use crate::store::disk::records::PartitionState;

/// The evidence of a partition, and what of it is saved.
#[derive(Debug)]
pub(in crate::store) struct PartitionEvidence {
    pub(in crate::store) assessor: Assessor,
    /// Passages with an arrival number from this on are not in what is saved.
    pub(in crate::store) saved_arrival: u64,
    /// Parts of sightings that are saved.
    pub(in crate::store) saved_parts: u32,
    /// None as long as nothing is saved.
    pub(in crate::store) saved_at: Option<Instant>,
}

/// A partition's detector and its place in event time.
#[derive(Debug)]
pub(in crate::store) struct Partition {
    pub(in crate::store) detector: Detector,
    /// None where evidence is off.
    pub(in crate::store) evidence: Option<PartitionEvidence>,
    pub(in crate::store) state: PartitionState,
    /// Its stored state is of a layout with too little information; only while the store is opened.
    pub(in crate::store) is_old: bool,
}

impl Partition {
    /// A partition without state; passages with an arrival number from `saved_arrival` on are to be replayed.
    pub(in crate::store) fn new(settings: DetectorSettings, saved_arrival: u64) -> Self {
        let state = PartitionState { saved_arrival, ..PartitionState::default() };
        Self { detector: Detector::new(settings), evidence: None, state, is_old: false }
    }

    /// Passages with an arrival number from this on are not in all that is saved.
    fn unsaved_from(&self) -> u64 {
        let evidence = self.evidence.as_ref().map_or(u64::MAX, |evidence| evidence.saved_arrival);
        self.state.saved_arrival.min(evidence)
    }

    /// Whether a passage with this arrival number and time must be replayed when the store is opened: for plate states
    /// or evidence that were saved before it, or for the duplicate guard.
    pub(in crate::store) fn needs(&self, arrival: u64, time: i64, state_ttl: i64) -> bool {
        arrival >= self.unsaved_from() || (!self.is_old && time >= self.state.guarded_from(state_ttl))
    }

    /// Whether detector and evidence, as they were saved, lack a passage with this arrival number.
    pub(in crate::store) fn lacking(&self, arrival: u64) -> [bool; 2] {
        let evidence = self.evidence.as_ref().is_some_and(|evidence| arrival >= evidence.saved_arrival);
        [arrival >= self.state.saved_arrival, evidence]
    }

    /// Gives passages that were accepted before to the detector (part 0) or to the evidence, without output.
    pub(in crate::store) fn recover(&mut self, part: usize, batch: &PassageBatch, knowledge: Knowledge<'_>) {
        match &mut self.evidence {
            _ if part == 0 => self.detector.recover(batch, knowledge),
            Some(evidence) => evidence.assessor.recover_batch(batch, knowledge),
            None => {}
        }
    }
}

/// Whether rows of a segment would be replayed at the next start: for plate states that were saved before them, or for
/// the duplicate guard.
pub(in crate::store) fn needed_for_recovery(partitions: &BTreeMap<u32, Partition>, ttl: i64, zone: &ZoneMap) -> bool {
    let known = zone.partitions.iter().filter_map(|(id, _)| partitions.get(id));
    known.into_iter().any(|partition| partition.needs(zone.max_arrival, zone.max_time.0, ttl))
}
