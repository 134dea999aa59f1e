//! The state of the evidence as it is kept: plain columns, all of it at one place in the stream. A restored assessor
//! that takes the records after that place is in the same state as one that never stopped.

use serde::{Deserialize, Serialize};

use super::assessor::{Assessor, Checks, EvidenceSettings};
use super::buckets::BUCKETS;
use super::cameras::Cameras;
use super::last_seen::Spot;
use super::paths::Paths;
use super::posterior::Rates;
use super::segments::SavedSegment;
use super::stream_clock::StreamClock;
use super::suspects::{Suspect, Suspects};
use super::travel_times::{Histogram, PairTimes};
use crate::{NameId, PlateCode};

/// A pair's counts that are not 0: bucket and count.
type Counts = Vec<(u8, u16)>;

/// What is kept of a pair of checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedPair {
    low: NameId,
    high: NameId,
    /// The hour's gaps from low to high and back, then the travel times.
    counts: [Counts; 4],
}

/// The last sightings of plates, in the order of the plates: the part of [`SavedEvidence`] that grows with the traffic.
pub type SavedSightings = Vec<(PlateCode, Spot)>;

/// The evidence of a partition but for the last sightings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SavedEvidence {
    clock: StreamClock,
    cameras: Cameras,
    pairs: Vec<SavedPair>,
    /// The pairs of which roads were made at the last whole hour: travel times change only then, so they are the same.
    suspects: Vec<Suspect>,
    rates: Rates,
    checks: Checks,
    hour: Option<i64>,
    hours: u64,
    sightings: Vec<u64>,
    lead_error: Option<f64>,
}

impl SavedEvidence {
    /// Forgets a plate: what is known of it, and where others name it. How many do either.
    pub(super) fn forget(&mut self, plate: PlateCode) -> usize {
        let before = self.suspects.len();
        self.suspects.retain(|suspect| suspect.plate != plate);
        let own = before - self.suspects.len();
        own + self.suspects.iter_mut().map(|suspect| usize::from(suspect.forget(plate))).sum::<usize>()
    }
}

impl Assessor {
    /// All of the state.
    pub fn save(&self) -> (SavedEvidence, SavedSightings) {
        let horizon = self.clock.now().map_or(i64::MIN, |now| now - self.settings.reach);
        let saved = SavedEvidence {
            clock: self.clock.clone(),
            cameras: self.cameras.clone(),
            pairs: self.times.pairs.iter().map(SavedPair::of).collect(),
            suspects: self.suspects.in_order().into_iter().cloned().collect(),
            rates: self.rates,
            checks: self.checks,
            hour: self.hour,
            hours: self.hours,
            sightings: self.sightings.clone(),
            lead_error: self.lead_error,
        };
        (saved, self.seen.live(horizon))
    }

    /// The segments, which are kept beside the rest: without them it learns and finds the same.
    pub fn save_segments(&self) -> Vec<SavedSegment> {
        let segments = self.times.directions().filter_map(|(from, to, _, segment)| Some(segment?.save(from, to)));
        segments.collect()
    }

    /// Takes segments back that were saved with the rest.
    pub fn restore_segments(&mut self, saved: &[SavedSegment]) {
        self.times.restore_segments(saved);
    }

    /// An assessor in a saved state.
    pub fn restore(
        settings: EvidenceSettings,
        saved: SavedEvidence,
        sightings: impl IntoIterator<Item = (PlateCode, Spot)>,
    ) -> Self {
        let mut restored = Self::new(settings);
        restored.times.restore(saved.pairs.iter().map(SavedPair::times).collect());
        restored.paths = Paths::of(&restored.times);
        for (plate, spot) in sightings {
            let _ = restored.seen.put(plate, &spot, i64::MIN, |_| false);
        }
        Self {
            clock: saved.clock,
            cameras: saved.cameras,
            suspects: Suspects::restore(saved.suspects),
            rates: saved.rates,
            checks: saved.checks,
            hour: saved.hour,
            hours: saved.hours,
            sightings: saved.sightings,
            lead_error: saved.lead_error,
            ..restored
        }
    }
}

impl SavedPair {
    fn of(pair: &PairTimes) -> Self {
        let all = [&pair.hour_up, &pair.hour_down, &pair.up.counts, &pair.down.counts];
        let counts = all.map(|counts| {
            let counted = (0..).zip(counts).filter(|(_, count)| **count > 0);
            counted.map(|(bucket, count)| (bucket, *count)).collect()
        });
        Self { low: pair.low, high: pair.high, counts }
    }

    fn times(&self) -> PairTimes {
        let [hour_up, hour_down, up, down] = self.counts.each_ref().map(|counts| {
            let mut all = [0; BUCKETS];
            for (bucket, count) in counts {
                if let Some(place) = all.get_mut(usize::from(*bucket)) {
                    *place = *count;
                }
            }
            all
        });
        PairTimes::of(self.low, self.high, [hour_up, hour_down], [up, down].map(Histogram::of))
    }
}
