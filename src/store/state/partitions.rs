//! Detectors, one for each partition, and each one's place in event time.

use std::collections::BTreeMap;
use std::time::Instant;

use shard::ZoneMap;
use traffic::evidence::{EvidenceSettings, PartitionAssessor};
use traffic::{Detector, DetectorSettings, Knowledge, PassageBatch};

use crate::store::disk::records::PartitionState;

/// The evidence of a partition, and what of it is saved.
#[derive(Debug)]
pub(in crate::store) struct PartitionEvidence {
    pub(in crate::store) assessor: PartitionAssessor,
    /// Passages with an arrival number from this on are not in what is saved.
    pub(in crate::store) saved_arrival: u64,
    /// Parts of sightings that are saved.
    pub(in crate::store) saved_parts: u32,
    /// None as long as nothing is saved.
    pub(in crate::store) saved_at: Option<Instant>,
}

impl PartitionEvidence {
    /// Evidence that knows nothing; passages with an arrival number from `arrival` on teach it.
    pub(in crate::store) fn new(settings: EvidenceSettings, arrival: u64) -> Self {
        Self { assessor: PartitionAssessor::new(settings), saved_arrival: arrival, saved_parts: 0, saved_at: None }
    }
}

/// What of a partition is saved, each at its own times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) enum SavedPart {
    /// The states of the plates.
    Detector,
    /// What the traffic has taught.
    Evidence,
}

impl SavedPart {
    pub(in crate::store) const ALL: [Self; 2] = [Self::Detector, Self::Evidence];
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
    pub(in crate::store) fn new(
        detector: DetectorSettings,
        evidence: Option<EvidenceSettings>,
        saved_arrival: u64,
    ) -> Self {
        Self {
            detector: Detector::new(detector),
            evidence: evidence.map(|settings| PartitionEvidence::new(settings, saved_arrival)),
            state: PartitionState { saved_arrival, ..PartitionState::default() },
            is_old: false,
        }
    }

    /// Whether a part, as it was saved, lacks a passage with this arrival number.
    pub(in crate::store) fn lacks(&self, part: SavedPart, arrival: u64) -> bool {
        match part {
            SavedPart::Detector => arrival >= self.state.saved_arrival,
            SavedPart::Evidence => self.evidence.as_ref().is_some_and(|evidence| arrival >= evidence.saved_arrival),
        }
    }

    /// Whether a passage with this arrival number and time must be replayed when the store is opened: for plate states
    /// or evidence that were saved before it, or for the duplicate guard.
    pub(in crate::store) fn needs(&self, arrival: u64, time: i64, state_ttl: i64) -> bool {
        SavedPart::ALL.into_iter().any(|part| self.lacks(part, arrival))
            || (!self.is_old && time >= self.state.guarded_from(state_ttl))
    }

    /// Gives passages that were accepted before to a part, without output.
    pub(in crate::store) fn recover(&mut self, part: SavedPart, batch: &PassageBatch, knowledge: Knowledge<'_>) {
        match (part, &mut self.evidence) {
            (SavedPart::Detector, _) => self.detector.recover(batch, knowledge),
            (SavedPart::Evidence, Some(evidence)) => evidence.assessor.recover_batch(batch, &[], knowledge),
            (SavedPart::Evidence, None) => {}
        }
    }
}

/// What each partition has learnt, by its number.
pub(in crate::store) fn assessors(
    partitions: &BTreeMap<u32, Partition>,
) -> impl Iterator<Item = (u32, &PartitionAssessor)> {
    partitions.iter().filter_map(|(id, partition)| Some((*id, &partition.evidence.as_ref()?.assessor)))
}

/// Whether rows of a segment would be replayed at the next start: for plate states that were saved before them, or for
/// the duplicate guard.
pub(in crate::store) fn needed_for_recovery(partitions: &BTreeMap<u32, Partition>, ttl: i64, zone: &ZoneMap) -> bool {
    let known = zone.partitions.iter().filter_map(|(id, _)| partitions.get(id));
    known.into_iter().any(|partition| partition.needs(zone.max_arrival, zone.max_time.0, ttl))
}
