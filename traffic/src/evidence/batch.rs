//! A batch of passages through the evidence, and what it says about the alerts and the cases of that batch.
//!
//! A pair is weighed, and a case is described, right after the passage that made it: so both depend on the records and
//! their order alone, not on where a batch ends.

use rustc_hash::FxHashMap;

use super::assessor::Assessor;
use super::cases::Case;
use super::last_seen::Spot;
use super::pair::PairFinding;
use super::partition::PartitionAssessor;
use crate::{Dimension, Fate, Hit, Knowledge, PassageBatch, Places, PlateCode, Severity, Sighting};

/// Fewer passages are no traffic that a camera could be judged by.
const TRAFFIC: u64 = 64;
/// With so many gaps of two cameras too short for the great circle, of which one is this pair's, a clock is more likely
/// wrong than two cars met there again.
const TOO_MANY: u32 = 2;

/// Rows whose last sightings are read at once.
const TOUCHED: usize = 16;

/// What a batch gave.
#[derive(Debug, Default)]
pub struct Findings {
    /// One for each hit of the detector, in its order.
    pub pairs: Vec<PairFinding>,
    /// The cases that changed, each as it is after the batch's last passage that changed it, in the order in which they
    /// changed first.
    pub cases: Vec<Case>,
}

impl PartitionAssessor {
    /// Takes the accepted passages of a batch in order. `fates` and `hits` are the detector's verdict on it.
    pub fn observe_batch(
        &mut self,
        batch: &PassageBatch,
        fates: &[Fate],
        hits: &[Hit],
        knowledge: Knowledge<'_>,
    ) -> Findings {
        self.place(knowledge.places);
        let mut findings = Findings::default();
        findings.pairs.reserve(hits.len());
        let mut known: FxHashMap<PlateCode, usize> = FxHashMap::default();
        let mut hits = hits.iter().peekable();
        for (row, fate) in fates.iter().enumerate() {
            self.touch_next(batch, row);
            if is_repeated(*fate) {
                continue;
            }
            let seen = self.take(batch, row, knowledge);
            while let Some(hit) = hits.next_if(|hit| hit.row as usize <= row) {
                let seen = seen.as_ref().filter(|_| hit.row as usize == row);
                let finding = seen.map(|(plate, spot)| {
                    let other = self.own(Spot::of(&hit.other), knowledge.places);
                    self.assessor.weigh_hit(*plate, hit.severity, &other, spot, &self.places)
                });
                findings.pairs.push(finding.unwrap_or_default());
            }
            if self.assessor.has_changed_cases() {
                for plate in self.assessor.take_changed_cases() {
                    let Some(case) = self.case(plate) else { continue };
                    let place = *known.entry(plate).or_insert(findings.cases.len());
                    match findings.cases.get_mut(place) {
                        Some(known) => *known = case,
                        None => findings.cases.push(case),
                    }
                }
            }
        }
        findings.pairs.extend(hits.map(|_| PairFinding::Unknown));
        findings
    }

    /// Takes passages that were taken before, here or by another process, to reach the state that followed them: without
    /// findings. Without `fates` all of them were accepted.
    pub fn recover_batch(&mut self, batch: &PassageBatch, fates: &[Fate], knowledge: Knowledge<'_>) {
        self.place(knowledge.places);
        for row in 0..batch.len() {
            self.touch_next(batch, row);
            if !fates.get(row).copied().is_some_and(is_repeated) {
                let _ = self.take(batch, row, knowledge);
            }
        }
        let _ = self.assessor.take_changed_cases();
    }

    /// Takes a passage; its plate and sighting, if it is one to compare.
    #[inline]
    fn take(&mut self, batch: &PassageBatch, row: usize, knowledge: Knowledge<'_>) -> Option<(PlateCode, Spot)> {
        let Some((plate, spot)) = sighting(batch, row, knowledge) else {
            if let Some(checkpoint) = batch.columns[Dimension::Checkpoint].get(row) {
                let own = self.checkpoint(*checkpoint, knowledge.places);
                self.assessor.observe_unread(own);
            }
            return None;
        };
        let spot = self.own(spot, knowledge.places);
        self.assessor.observe(plate, &spot, &self.places);
        Some((plate, spot))
    }

    /// Reads what the next rows will ask for, once for so many.
    #[inline]
    fn touch_next(&self, batch: &PassageBatch, row: usize) {
        if row.is_multiple_of(TOUCHED) {
            let plates = batch.plates.get(row..).unwrap_or_default();
            self.assessor.seen.touch(plates.get(..TOUCHED).unwrap_or(plates));
        }
    }
}

fn is_repeated(fate: Fate) -> bool {
    matches!(fate, Fate::Duplicate | Fate::Conflict)
}

impl Assessor {
    fn weigh_hit(
        &mut self,
        plate: PlateCode,
        severity: Severity,
        other: &Spot,
        spot: &Spot,
        places: &Places,
    ) -> PairFinding {
        if let Some(pair) = self.weigh_pair(plate, other, spot, places) {
            return PairFinding::Weighed(pair);
        }
        if severity != Severity::High || self.clock.ordinal() < TRAFFIC {
            return PairFinding::Unknown;
        }
        let (from, to) = (spot.checkpoint, other.checkpoint);
        let fastest = self.roads(places).fastest(from, to).unwrap_or(0.0);
        let met_before = self.times.counted_below(from, to, fastest) >= TOO_MANY;
        if met_before || self.is_explained_by_clocks(other, spot, places) {
            return PairFinding::Doubtful;
        }
        PairFinding::Unknown
    }
}

impl Spot {
    /// A sighting that the detector holds; it does not know the brand.
    fn of(sighting: &Sighting) -> Self {
        Self {
            time: sighting.time().0,
            checkpoint: sighting.checkpoint,
            brand: 0,
            plate_type: sighting.plate_type(),
            resolution: sighting.resolution(),
            id: sighting.id(),
        }
    }
}

/// Plate and sighting of a row; none if the plate is not a complete one, or of a form that is too rare to be packed.
#[inline]
pub fn sighting(batch: &PassageBatch, row: usize, knowledge: Knowledge<'_>) -> Option<(PlateCode, Spot)> {
    let plate = *batch.plates.get(row)?;
    if plate.is_odd() || !batch.classes.get(row)?.is_valid() {
        return None;
    }
    let named = |dimension: Dimension| batch.columns[dimension].get(row).map(|name| *name as usize);
    let spot = Spot {
        time: batch.times.get(row)?.0,
        checkpoint: *batch.columns[Dimension::Checkpoint].get(row)?,
        brand: named(Dimension::Model).and_then(|name| knowledge.brands.get(name)).copied().unwrap_or(0),
        plate_type: named(Dimension::PlateType)
            .and_then(|name| knowledge.plate_types.get(name))
            .copied()
            .unwrap_or_default(),
        resolution: *batch.resolutions.get(row)?,
        id: *batch.ids.get(row)?,
    };
    Some((plate, spot))
}
