//! What really happened: which passages of one plate were made by different vehicles.
//!
//! A *case* opens when a clone is planted and stays open while one of its two vehicles is still on the road. Within a
//! case, each arriving sighting is paired with the sighting just before it and the one just after it in event time, as
//! a perfect observer of that plate would do; a pair is truth if two different vehicles made it at different
//! checkpoints within [`LONGEST_GAP`]. It does not know which rule, if any, finds a pair.

use std::collections::HashMap;

use serde::Serialize;
use traffic::CivilTime;

use super::network::{Network, SiteId};

/// Two sightings of one plate by different vehicles, neighbours in event time when the later of them arrived. One line
/// of the truth file; fields as in an alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClonePair {
    /// The plate, as on both lines.
    pub hphm: String,
    /// GCXH of the sighting that is earlier in event time.
    pub prev_gcxh: String,
    /// GCXH of the later sighting.
    pub curr_gcxh: String,
    /// KKMC of the earlier sighting, as on its line.
    pub prev_kkmc: String,
    /// KKMC of the later sighting.
    pub curr_kkmc: String,
    /// Time of the earlier sighting, `YYYY-MM-DD HH:MM:SS`.
    pub prev_time: String,
    /// Time of the later sighting.
    pub curr_time: String,
    /// Seconds between the two.
    pub gap_seconds: i64,
    /// Great-circle distance in km, to 0.1 km.
    pub distance_km: f64,
    /// Distance over gap in km/h, to 0.1 km/h; none if the gap is 0.
    pub speed_kmh: Option<f64>,
}

/// Number of a case.
pub(super) type CaseId = u32;
/// The number of no case.
pub(super) const NO_CASE: CaseId = 0;

/// Pairs further apart in event time are not listed, in seconds.
pub(super) const LONGEST_GAP: i64 = 3600;

/// One passage of a plate under observation.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) gcxh: String,
    pub(super) site: SiteId,
    pub(super) passed_at: CivilTime,
    /// Whether the clone made it.
    pub(super) by_clone: bool,
}

/// All open cases, and the pairs found since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Truth {
    cases: HashMap<CaseId, Case>,
    last: CaseId,
    pairs: Vec<ClonePair>,
}

#[derive(Debug, Default)]
struct Case {
    /// By event time, equal ones by arrival.
    sightings: Vec<Sighting>,
    /// Vehicles and repeated reads of the case that are still to come.
    open: u32,
}

impl Truth {
    /// Opens a case and returns its number.
    pub(super) fn open(&mut self) -> CaseId {
        self.last = self.last.wrapping_add(1).max(1);
        self.cases.insert(self.last, Case::default());
        self.last
    }

    /// One more vehicle or repeated read of this case will come.
    pub(super) fn join(&mut self, case: CaseId) {
        if let Some(case) = self.cases.get_mut(&case) {
            case.open += 1;
        }
    }

    /// One of those that joined is done.
    pub(super) fn leave(&mut self, case: CaseId) {
        if let Some(open) = self.cases.get_mut(&case) {
            open.open = open.open.saturating_sub(1);
            if open.open == 0 {
                self.cases.remove(&case);
            }
        }
    }

    /// A sighting of the case's plate has arrived, and its line shows the plate as it is.
    pub(super) fn sighted(
        &mut self,
        case: CaseId,
        plate: &[u8],
        sighting: Sighting,
        network: &Network,
        kkmc: impl Fn(SiteId) -> String,
    ) {
        let Some(case) = self.cases.get_mut(&case) else { return };
        let at = case.sightings.partition_point(|other| other.passed_at <= sighting.passed_at);
        let before = at.checked_sub(1).and_then(|index| case.sightings.get(index));
        let pairs = [before.map(|other| (other, &sighting)), case.sightings.get(at).map(|other| (&sighting, other))];
        for (prev, curr) in pairs.into_iter().flatten() {
            let gap_seconds = curr.passed_at.0 - prev.passed_at.0;
            if prev.by_clone == curr.by_clone || prev.site == curr.site || gap_seconds > LONGEST_GAP {
                continue;
            }
            let kilometres = network.metres_between(prev.site, curr.site) as f64 / 1000.0;
            let speed = kilometres * 3600.0 / gap_seconds as f64;
            self.pairs.push(ClonePair {
                hphm: String::from_utf8_lossy(plate).into_owned(),
                prev_gcxh: prev.gcxh.clone(),
                curr_gcxh: curr.gcxh.clone(),
                prev_kkmc: kkmc(prev.site),
                curr_kkmc: kkmc(curr.site),
                prev_time: prev.passed_at.to_string(),
                curr_time: curr.passed_at.to_string(),
                gap_seconds,
                distance_km: to_tenth(kilometres),
                speed_kmh: (gap_seconds > 0).then(|| to_tenth(speed)),
            });
        }
        case.sightings.insert(at, sighting);
        // A minute is how late a sighting may still come.
        let newest = case.sightings.last().map_or(0, |sighting| sighting.passed_at.0);
        let expired = case.sightings.partition_point(|sighting| sighting.passed_at.0 < newest - LONGEST_GAP - 60);
        case.sightings.drain(..expired);
    }

    /// The pairs found since the last call.
    pub(super) fn take(&mut self) -> Vec<ClonePair> {
        std::mem::take(&mut self.pairs)
    }

    /// How many cases are open.
    #[cfg(test)]
    pub(super) fn open_cases(&self) -> usize {
        self.cases.len()
    }
}

fn to_tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
