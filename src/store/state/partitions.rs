//! Detectors, one for each partition, and each one's place in event time.

use std::collections::BTreeMap;

use shard::ZoneMap;
use traffic::{Detector, DetectorSettings};

use crate::store::disk::records::PartitionState;

/// A partition's detector and its place in event time.
#[derive(Debug)]
pub(in crate::store) struct Partition {
    pub(in crate::store) detector: Detector,
    pub(in crate::store) state: PartitionState,
    /// Its stored state is of a layout with too little information; only while the store is opened.
    pub(in crate::store) is_old: bool,
}

impl Partition {
    /// A partition without state; passages with an arrival number from `saved_arrival` on are to be replayed.
    pub(in crate::store) fn new(settings: DetectorSettings, saved_arrival: u64) -> Self {
        let state = PartitionState { saved_arrival, ..PartitionState::default() };
        Self { detector: Detector::new(settings), state, is_old: false }
    }

    /// Whether a passage with this arrival number and time must be replayed when the store is opened: for plate states
    /// that were saved before it, or for the duplicate guard.
    pub(in crate::store) fn needs(&self, arrival: u64, time: i64, state_ttl: i64) -> bool {
        arrival >= self.state.saved_arrival || (!self.is_old && time >= self.state.guarded_from(state_ttl))
    }
}

/// Whether rows of a segment would be replayed at the next start: for plate states that were saved before them, or for
/// the duplicate guard.
pub(in crate::store) fn needed_for_recovery(partitions: &BTreeMap<u32, Partition>, ttl: i64, zone: &ZoneMap) -> bool {
    let known = zone.partitions.iter().filter_map(|(id, _)| partitions.get(id));
    known.into_iter().any(|partition| partition.needs(zone.max_arrival, zone.max_time.0, ttl))
}
