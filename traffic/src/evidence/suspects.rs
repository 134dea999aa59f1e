//! Plates with a contradiction: their sightings of the last day, what these say together, and the case that is opened
//! when two cars are likelier than not.
//!
//! **Bounds.** A suspect has at most [`MAX_MARKS`] sightings of 80 bytes and [`MAX_CONTRADICTIONS`] contradictions of
//! 168, so 30 KB at most and about 3 KB usually; there are at most [`MAX_SUSPECTS`]. A suspect without a contradiction
//! for a day is dropped; one with a case, after thirty days.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::chains::Car;
use super::contradiction::{Contradiction, Mark, Roads};
use super::posterior::{Rates, Verdict, weigh};
use crate::PlateCode;

/// The most sightings of one suspect.
pub(super) const MAX_MARKS: usize = 160;
/// The most contradictions that are kept of one suspect, the newest.
const MAX_CONTRADICTIONS: usize = 100;
/// The most suspects.
const MAX_SUSPECTS: usize = 1 << 14;
/// Sightings older than this many seconds are dropped.
const DAY: i64 = 86_400;
/// A case without a contradiction for this many seconds is closed.
const QUIET: i64 = 30 * DAY;
/// What runs of earlier days may carry over at most, as a logarithm of odds.
const MAX_CARRIED: f64 = 8.0;

/// A plate with a contradiction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The plate.
    pub plate: PlateCode,
    /// Sightings of the last day, by corrected time.
    pub marks: Vec<Mark>,
    /// The newest contradictions, in the order found.
    pub contradictions: Vec<Contradiction>,
    /// Contradictions found so far, in all.
    pub found: u32,
    /// Corrected time of the first contradiction.
    pub first: i64,
    /// Corrected time of the newest.
    pub newest: i64,
    /// What the sightings say together.
    pub verdict: Verdict,
    /// Gains of runs of earlier days.
    pub carried: f64,
    /// Event time at which its case was opened, if it was.
    pub opened_at: Option<i64>,
}

impl Suspect {
    fn new(plate: PlateCode) -> Self {
        Self {
            plate,
            marks: Vec::new(),
            contradictions: Vec::new(),
            found: 0,
            first: 0,
            newest: i64::MIN,
            verdict: Verdict::default(),
            carried: 0.0,
            opened_at: None,
        }
    }

    /// Forgets another plate that it names; whether it does.
    pub(super) fn forget(&mut self, plate: PlateCode) -> bool {
        let pairs = self.contradictions.iter_mut().flat_map(|pair| [&mut pair.from, &mut pair.to]);
        self.marks.iter_mut().chain(pairs).filter_map(|mark| mark.forget(plate).then_some(())).count() > 0
    }

    /// Puts a sighting in its place, which it returns.
    pub(super) fn insert(&mut self, mark: Mark) -> usize {
        let place = self.marks.partition_point(|other| other.at <= mark.at);
        self.marks.insert(place, mark);
        if self.marks.len() > MAX_MARKS {
            self.marks.remove(0);
            return place.saturating_sub(1);
        }
        place
    }

    /// Adds a contradiction.
    pub(super) fn add(&mut self, contradiction: Contradiction) {
        if self.found == 0 {
            self.first = contradiction.to.at;
        }
        self.found += 1;
        self.newest = self.newest.max(contradiction.to.at);
        if self.contradictions.len() == MAX_CONTRADICTIONS {
            self.contradictions.remove(0);
        }
        self.contradictions.push(contradiction);
    }

    /// Weighs its sightings again, and opens the case where two cars are likely enough.
    pub(super) fn judge(&mut self, roads: &mut Roads<'_>, rates: &Rates, now: i64, open_from: f64) {
        self.verdict = weigh(roads, rates, &self.marks, self.carried);
        if self.opened_at.is_none() && self.verdict.explanations.clone >= open_from {
            self.opened_at = Some(now);
        }
    }

    /// The sightings of one car.
    pub fn of_car(&self, car: Car) -> impl Iterator<Item = &Mark> {
        self.marks.iter().zip(&self.verdict.cars).filter(move |(_, own)| **own == car).map(|(mark, _)| mark)
    }

    /// Drops sightings older than a day; what the runs among them said is carried over.
    fn expire(&mut self, now: i64) {
        let oldest = now - DAY;
        if self.marks.first().is_none_or(|mark| mark.at >= oldest) {
            return;
        }
        let gone: f64 = self.verdict.runs.iter().filter(|run| run.last < oldest).map(|run| run.gain).sum();
        self.carried = (self.carried + gone).clamp(-MAX_CARRIED, MAX_CARRIED);
        self.verdict.runs.retain(|run| run.last >= oldest);
        let expired = self.marks.partition_point(|mark| mark.at < oldest);
        self.marks.drain(..expired);
        self.verdict.cars.drain(..expired.min(self.verdict.cars.len()));
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    all: FxHashMap<PlateCode, Suspect>,
    /// Whose case changed since they were last taken, with repetitions.
    changed: Vec<PlateCode>,
}

impl Suspects {
    #[inline]
    pub(super) fn contains(&self, plate: PlateCode) -> bool {
        !self.all.is_empty() && self.all.contains_key(&plate)
    }

    pub(super) fn get(&self, plate: PlateCode) -> Option<&Suspect> {
        self.all.get(&plate)
    }

    pub(super) fn get_mut(&mut self, plate: PlateCode) -> Option<&mut Suspect> {
        self.all.get_mut(&plate)
    }

    /// The suspect of this plate, which is new if it was none; none if there are too many.
    pub(super) fn open(&mut self, plate: PlateCode) -> Option<&mut Suspect> {
        let is_full = self.all.len() >= MAX_SUSPECTS && !self.all.contains_key(&plate);
        (!is_full).then(|| self.all.entry(plate).or_insert_with(|| Suspect::new(plate)))
    }

    /// Notes that a plate's case changed, if it has one.
    pub(super) fn note(&mut self, plate: PlateCode) {
        if self.all.get(&plate).is_some_and(|suspect| suspect.opened_at.is_some()) {
            self.changed.push(plate);
        }
    }

    #[inline]
    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Takes the plates whose cases changed, in the order of their codes.
    pub(super) fn take_changed(&mut self) -> Vec<PlateCode> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    pub(super) fn expire(&mut self, now: i64) {
        self.all.retain(|_, suspect| {
            suspect.expire(now);
            suspect.newest >= now - if suspect.opened_at.is_some() { QUIET } else { DAY }
        });
    }

    /// All of them in the order of their plates.
    pub(super) fn in_order(&self) -> Vec<&Suspect> {
        let mut all: Vec<&Suspect> = self.all.values().collect();
        all.sort_unstable_by_key(|suspect| suspect.plate);
        all
    }

    pub(super) fn restore(suspects: Vec<Suspect>) -> Self {
        let all = suspects.into_iter().map(|suspect| (suspect.plate, suspect)).collect();
        Self { all, changed: Vec::new() }
    }
}
