//! What the pair of sightings of an alert is worth: how likely two cars made it, what explains it if not, and why.

use super::assessor::Assessor;
use super::calibration::of_contradiction;
use super::chains::Car;
use super::contradiction::{FAST_SHARE, Mark};
use super::last_seen::Spot;
use super::pair::{PairEvidence, Reason};
use super::posterior::{Explanations, Verdict};
use crate::{Cause, Places, PlateCode};

/// Clocks of cameras that nobody looks after are often minutes wrong, in seconds; more is rare.
const UNLEARNT_ERROR: f64 = 300.0;
/// How likely two cars made a pair that one car can have made, of a plate that is cloned: if the chains gave its two
/// sightings to different cars, and if not.
const FEASIBLE_APART: f64 = 0.55;
const FEASIBLE_OF_CLONE: f64 = 0.05;

impl Assessor {
    /// Weighs the pair of an alert after the later to arrive was observed. None where nothing is learnt of the two
    /// checkpoints.
    pub fn weigh_pair(&mut self, plate: PlateCode, one: &Spot, other: &Spot, places: &Places) -> Option<PairEvidence> {
        let model = self.hour.filter(|_| self.hours > 0)?;
        let [one, other] = [one, other].map(|spot| self.known_mark(plate, spot));
        let (from, to) = if one.at <= other.at { (one, other) } else { (other, one) };
        let learnt = self.paths.fastest(from.spot.checkpoint, to.spot.checkpoint);
        learnt?;
        let mut roads = self.roads(places);
        let fastest = roads.fastest(from.spot.checkpoint, to.spot.checkpoint)?;
        let share = roads.share(&from, &to);
        let gap = to.at - from.at;
        let mut reasons = vec![Reason::Gap(gap, fastest)];
        let correction = gap - (to.spot.time - from.spot.time);
        if correction != 0 {
            reasons.push(Reason::ClockCorrection(correction));
        }
        let suspect = self.suspects.get(plate);
        let nothing = Verdict::default();
        let verdict = suspect.map_or(&nothing, |suspect| &suspect.verdict);
        if let Some(suspect) = suspect {
            reasons.extend(why(suspect.found, verdict, &[from, to]));
        }
        let car = |mark: &Mark| {
            suspect.and_then(|suspect| {
                let of = suspect.marks.iter().zip(&verdict.cars);
                of.filter(|(own, _)| own.spot.id == mark.spot.id).map(|(_, car)| *car).next()
            })
        };
        let apart = matches!(
            (car(&from), car(&to)),
            (Some(Car::First), Some(Car::Second)) | (Some(Car::Second), Some(Car::First))
        );
        let is_twins = from.spot.plate_type.are_twins(to.spot.plate_type);
        let clone = verdict.explanations.clone;
        let (probability, cause) = if is_twins {
            (0.0, Cause::PlateTypes)
        } else if share < FAST_SHARE {
            let likeliest = verdict.explanations.likeliest();
            let probability = match likeliest {
                // Readings of the wrong type make many such pairs of plates whose number is lawful twice.
                Cause::PlateTypes => clone,
                _ => of_contradiction(clone, likeliest == Cause::Misread),
            };
            (probability, likeliest)
        } else {
            let raw = (to.spot.time - from.spot.time).abs() as f64;
            let cause = if raw < FAST_SHARE * fastest { Cause::Clock } else { Cause::Feasible };
            (if apart { of_contradiction(clone, false) * FEASIBLE_APART } else { clone * FEASIBLE_OF_CLONE }, cause)
        };
        Some(PairEvidence { probability, cause, reasons, model })
    }

    /// Whether one car can have made a pair, by the great circle, once its clocks are corrected. A clock that is not
    /// learnt may be [`UNLEARNT_ERROR`] wrong.
    pub(super) fn is_explained_by_clocks(&mut self, one: &Spot, other: &Spot, places: &Places) -> bool {
        let error = |spot: &Spot| self.cameras.get(spot.checkpoint).map_or(UNLEARNT_ERROR, |camera| camera.error);
        let errors: f64 = [one, other].map(|spot| error(spot).min(UNLEARNT_ERROR)).iter().sum();
        let gap = (self.cameras.correct(one) - self.cameras.correct(other)).abs() as f64 + errors;
        let fastest = self.roads(places).fastest(one.checkpoint, other.checkpoint);
        fastest.is_some_and(|fastest| gap >= FAST_SHARE * fastest)
    }

    /// The sighting as it was marked, or as it would be now.
    fn known_mark(&self, plate: PlateCode, spot: &Spot) -> Mark {
        let marks = self.suspects.get(plate).map(|suspect| suspect.marks.as_slice()).unwrap_or_default();
        let known = marks.iter().rev().find(|mark| mark.spot.id == spot.id).copied();
        known.unwrap_or_else(|| self.mark(plate, spot, None))
    }
}

fn why(found: u32, verdict: &Verdict, pair: &[Mark]) -> Vec<Reason> {
    let mut reasons = vec![Reason::Contradictions(found)];
    let sum = |of: fn(&super::posterior::Run) -> u32| verdict.runs.iter().map(of).sum::<u32>();
    if !verdict.runs.is_empty() {
        reasons.push(Reason::SecondCar(sum(|run| run.sightings), verdict.runs.len() as u32));
    }
    if sum(|run| run.brand_differs) > 0 {
        reasons.push(Reason::BrandDiffers(sum(|run| run.brand_differs)));
    }
    reasons.extend(pair.iter().find_map(|mark| mark.due).map(Reason::NeighbourDue));
    if verdict.twins > 0 {
        reasons.push(Reason::OtherPlateType(verdict.twins));
    }
    reasons
}

impl Explanations {
    /// The likeliest explanation.
    pub fn likeliest(&self) -> Cause {
        let Self { clone, misread, clock, plate_types, fast } = *self;
        let all = [
            (clone, Cause::Clone),
            (misread, Cause::Misread),
            (clock, Cause::Clock),
            (plate_types, Cause::PlateTypes),
            (fast, Cause::Fast),
        ];
        all.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Cause::Fast, |(_, cause)| cause)
    }
}
