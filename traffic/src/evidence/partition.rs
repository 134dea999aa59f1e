//! The evidence of one partition as the outside knows it: batches in, findings out, checkpoints and brands by the numbers
//! of the process. What is found depends on the partition's records and their order alone, whatever else a process reads.

use serde::{Deserialize, Serialize};

use super::assessor::{Assessor, EvidenceSettings};
use super::cases::Case;
use super::contradiction::Mark;
use super::faults::CameraState;
use super::last_seen::Spot;
use super::learnt::LearntTimes;
use super::numbering::Numbering;
use super::saved::{SavedEvidence, SavedSightings};
use super::segments::{SavedSegment, SegmentState};
use crate::{NameId, Places, PlateCode};

/// The evidence of one partition.
#[derive(Debug, Default)]
pub struct PartitionAssessor {
    /// It knows only the partition's own numbers.
    pub(super) assessor: Assessor,
    checkpoints: Numbering,
    brands: Numbering,
    /// Where the checkpoints are, by the partition's numbers.
    pub(super) places: Vec<Option<(f64, f64)>>,
}

/// The evidence of a partition as it is kept, but for the last sightings and the segments.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SavedPartition {
    evidence: SavedEvidence,
    /// Checkpoints and brands in the partition's order.
    checkpoints: Vec<NameId>,
    brands: Vec<NameId>,
}

impl SavedPartition {
    /// Forgets a plate: what is known of it, and where others name it. How many do either.
    pub fn forget(&mut self, plate: PlateCode) -> usize {
        self.evidence.forget(plate)
    }

    /// Whether all checkpoints have numbers below this one, and all brands below that one. Others belong to nothing, and would
    /// take memory by their size.
    pub fn names_are_below(&self, checkpoints: usize, brands: usize) -> bool {
        let below = |names: &[NameId], limit: usize| names.iter().all(|name| (*name as usize) < limit);
        below(&self.checkpoints, checkpoints) && below(&self.brands, brands)
    }
}

impl PartitionAssessor {
    /// Evidence that knows nothing yet.
    pub fn new(settings: EvidenceSettings) -> Self {
        Self { assessor: Assessor::new(settings), ..Self::default() }
    }

    /// Looks up where the known checkpoints are, as they may have been moved since the last batch.
    pub(super) fn place(&mut self, places: &Places) {
        self.places.clear();
        self.places.extend(self.checkpoints.names().iter().map(|name| place_of(places, *name)));
    }

    /// The partition's number of a checkpoint.
    #[inline]
    pub(super) fn checkpoint(&mut self, name: NameId, places: &Places) -> NameId {
        let own = self.checkpoints.own(name);
        if own as usize == self.places.len() {
            self.places.push(place_of(places, name));
        }
        own
    }

    /// A sighting by the partition's numbers.
    #[inline]
    pub(super) fn own(&mut self, spot: Spot, places: &Places) -> Spot {
        let checkpoint = self.checkpoint(spot.checkpoint, places);
        // No brand has the number 0, here and there.
        let brand = if spot.brand == 0 { 0 } else { self.brands.own(spot.brand) + 1 };
        Spot { checkpoint, brand, ..spot }
    }

    fn brand(&self, own: u32) -> u32 {
        own.checked_sub(1).map_or(0, |own| self.brands.name(own))
    }

    fn named(&self, mark: &mut Mark) {
        mark.spot.checkpoint = self.checkpoints.name(mark.spot.checkpoint);
        mark.spot.brand = self.brand(mark.spot.brand);
    }

    /// The case of a plate, if it is one.
    pub(super) fn case(&mut self, plate: PlateCode) -> Option<Case> {
        let mut case = self.assessor.case(plate, &self.places)?;
        for contradiction in &mut case.contradictions {
            self.named(&mut contradiction.from);
            self.named(&mut contradiction.to);
        }
        for car in &mut case.cars {
            car.sightings.iter_mut().for_each(|mark| self.named(mark));
            for next in &mut car.next {
                next.checkpoint = self.checkpoints.name(next.checkpoint);
            }
        }
        case.strangers.iter_mut().for_each(|mark| self.named(mark));
        for (brand, _) in &mut case.brands {
            *brand = self.brand(*brand);
        }
        Some(case)
    }

    /// Whether a plate has a contradiction.
    pub fn is_suspect(&self, plate: PlateCode) -> bool {
        self.assessor.suspect_of(plate).is_some()
    }

    /// What is known of each camera.
    pub fn cameras(&self) -> impl Iterator<Item = (NameId, CameraState)> {
        self.checkpoints.names().iter().copied().zip(self.assessor.cameras())
    }

    /// How long a camera has been silent, if that is no chance: see [`Assessor::silence`].
    pub fn silence(&self, checkpoint: NameId) -> Option<(i64, f64)> {
        self.assessor.silence(self.checkpoints.find(checkpoint)?)
    }

    /// What is known of each segment, in an order that depends on the records alone.
    pub fn segments(&self) -> impl Iterator<Item = SegmentState> {
        self.assessor.segments().map(|segment| SegmentState {
            from: self.checkpoints.name(segment.from),
            to: self.checkpoints.name(segment.to),
            ..segment
        })
    }

    /// What was learnt of travel times at the last whole hour.
    pub fn learnt_times(&self) -> LearntTimes {
        LearntTimes::of(&self.assessor, |own| self.checkpoints.name(own))
    }

    /// Where the stream is in corrected event time, in civil seconds.
    pub fn now(&self) -> Option<i64> {
        self.assessor.now()
    }

    /// How many hours were learnt.
    pub fn hours(&self) -> u64 {
        self.assessor.hours()
    }

    /// The hour since 1970 that was learnt last; none before the first hour was.
    pub fn learnt_hour(&self) -> Option<i64> {
        self.assessor.learnt_hour()
    }

    /// Evidence for other plates on the same roads: see [`Assessor::without_plates`].
    pub fn without_plates(&self) -> Self {
        Self {
            assessor: self.assessor.without_plates(),
            checkpoints: self.checkpoints.clone(),
            brands: self.brands.clone(),
            places: Vec::new(),
        }
    }

    /// The whole state, but for the segments.
    pub fn save(&self) -> (SavedPartition, SavedSightings) {
        let (evidence, sightings) = self.assessor.save();
        let [checkpoints, brands] = [&self.checkpoints, &self.brands].map(|numbers| numbers.names().to_vec());
        (SavedPartition { evidence, checkpoints, brands }, sightings)
    }

    /// The segments, by the partition's numbers.
    pub fn save_segments(&self) -> Vec<SavedSegment> {
        self.assessor.save_segments()
    }

    /// The state as it was saved, but for the segments.
    pub fn restore(
        settings: EvidenceSettings,
        saved: SavedPartition,
        sightings: impl IntoIterator<Item = (PlateCode, Spot)>,
    ) -> Self {
        Self {
            assessor: Assessor::restore(settings, saved.evidence, sightings),
            checkpoints: Numbering::restore(&saved.checkpoints),
            brands: Numbering::restore(&saved.brands),
            places: Vec::new(),
        }
    }

    /// Takes the segments as they were saved.
    pub fn restore_segments(&mut self, saved: &[SavedSegment]) {
        self.assessor.restore_segments(saved);
    }
}

fn place_of(places: &Places, name: NameId) -> Option<(f64, f64)> {
    places.get(name as usize).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_has_is_noticed_before_it_takes_memory() {
        let saved = SavedPartition { checkpoints: vec![0, 7], brands: vec![3], ..SavedPartition::default() };
        assert!(saved.names_are_below(8, 4));
        assert!(!saved.names_are_below(7, 4) && !saved.names_are_below(8, 3));
        assert!(SavedPartition::default().names_are_below(0, 0));
    }
}
