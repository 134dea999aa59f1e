//! What the pair of sightings of an alert is worth: how likely two cars made it, what explains it if not, and why.

use super::assessor::Assessor;
use super::chains::Car;
use super::contradiction::{FAST_SHARE, Mark};
use super::last_seen::Spot;
use super::posterior::{Explanations, Verdict};
use crate::{Cause, Places, PlateCode, Severity};
use serde::{Deserialize, Serialize};

/// Why a pair is weighed so.
///
/// Stored alerts hold it: variants keep their order, and new ones come last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    /// The corrected gap in seconds, and the fastest credible time.
    Gap(i64, f64),
    /// By how many seconds the clocks changed the gap.
    ClockCorrection(i64),
    /// Contradictions of the plate so far.
    Contradictions(u32),
    /// Sightings of the second car in the last day, and in how many stretches of driving.
    SecondCar(u32, u32),
    /// Sightings of the second car with another brand.
    BrandDiffers(u32),
    /// A plate that differs in one character and was due at one of the two.
    NeighbourDue(PlateCode),
    /// Sightings of another plate type that the first car cannot have made.
    OtherPlateType(u32),
}

impl Reason {
    /// The code in the alert's JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gap(..) => "gap",
            Self::ClockCorrection(_) => "clock_correction",
            Self::Contradictions(_) => "contradictions",
            Self::SecondCar(..) => "second_car",
            Self::BrandDiffers(_) => "brand_differs",
            Self::NeighbourDue(_) => "neighbour_due",
            Self::OtherPlateType(_) => "other_plate_type",
        }
    }
}

/// What a pair is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairEvidence {
    /// That two cars made it, 0 to 1.
    pub probability: f64,
    /// The likeliest explanation.
    pub cause: Cause,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The hour since 1970 of the model in force.
    pub model: i64,
}

impl PairEvidence {
    /// As it is stored and shown: the probability to four decimals, times to 0.1 s.
    pub fn rounded(self) -> Self {
        let to = |number: f64, parts: f64| (number * parts).round() / parts;
        let reason = |reason| match reason {
            Reason::Gap(gap, fastest) => Reason::Gap(gap, to(fastest, 10.0)),
            other => other,
        };
        Self {
            probability: to(self.probability, 10_000.0),
            reasons: self.reasons.into_iter().map(reason).collect(),
            ..self
        }
    }

    /// How strong it is.
    pub fn severity(&self) -> Severity {
        Severity::of_probability(self.probability)
    }
}

/// How likely two cars made a pair that one car can have made, of a plate that is cloned.
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
            (if apart { clone } else { clone * 0.5 }, verdict.explanations.likeliest())
        } else {
            let raw = (to.spot.time - from.spot.time).abs() as f64;
            let cause = if raw < FAST_SHARE * fastest { Cause::Clock } else { Cause::Feasible };
            (if apart { clone * 0.5 } else { clone * FEASIBLE_OF_CLONE }, cause)
        };
        Some(PairEvidence { probability, cause, reasons, model })
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
