//! What is shown of a case: the probability and what else explains it, and the two cars apart.

use super::assessor::Assessor;
use super::cars::divide;
use super::chains::Car;
use super::contradiction::{Contradiction, Mark};
use super::posterior::Explanations;
use super::suspects::Suspect;
use crate::{NameId, Places, PlateCode, PlateType};
use serde::{Deserialize, Serialize};

/// Where a car is likely to pass next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NextPassage {
    /// KKMC.
    pub checkpoint: NameId,
    /// When half of the cars that go there have passed, in civil seconds.
    pub at: i64,
    /// The share of cars that go there, 0 to 1.
    pub share: f64,
}

/// One of the two cars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseCar {
    /// Its sightings of the last day, oldest first.
    pub sightings: Vec<Mark>,
    /// Where it is likely to pass next, the likeliest first, at most three; empty if it was last seen too long ago.
    pub next: Vec<NextPassage>,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The plate.
    pub plate: PlateCode,
    /// Whether two cars wear it, and what else explains it.
    pub explanations: Explanations,
    /// Contradictions in all.
    pub found: u32,
    /// The newest of them, at most 100.
    pub contradictions: Vec<Contradiction>,
    /// Corrected times of the first and the newest contradiction.
    pub first: i64,
    /// See `first`.
    pub newest: i64,
    /// Brands seen in the last day, plus one each, and how often, the most frequent first.
    pub brands: Vec<(u32, u32)>,
    /// Plate types seen in the last day, and how often.
    pub plate_types: Vec<(PlateType, u32)>,
    /// The two cars.
    pub cars: [CaseCar; 2],
    /// Sightings that neither made.
    pub strangers: Vec<Mark>,
    /// Event time at which it was opened.
    pub opened_at: i64,
    /// The hour since 1970 of the model in force.
    pub model: Option<i64>,
}

impl Case {
    /// Forgets another plate that it names; whether it does.
    pub fn forget(&mut self, plate: PlateCode) -> bool {
        let pairs = self.contradictions.iter_mut().flat_map(|pair| [&mut pair.from, &mut pair.to]);
        let of_cars = self.cars.iter_mut().flat_map(|car| &mut car.sightings).chain(&mut self.strangers);
        of_cars.chain(pairs).filter_map(|mark| mark.forget(plate).then_some(())).count() > 0
    }
}

/// A car that was last seen longer ago is not expected anywhere, in seconds.
const EXPECTED_WITHIN: i64 = 3600;
const NEXT: usize = 3;

impl Assessor {
    /// The case of a plate, if it has one.
    pub fn case(&mut self, plate: PlateCode, places: &Places) -> Option<Case> {
        let suspect = self.suspects.get(plate)?;
        let of_cars = suspect.marks.iter().zip(&suspect.verdict.cars).filter(|(_, car)| **car != Car::Neither);
        let of_cars: Vec<Mark> = of_cars.map(|(mark, _)| *mark).collect();
        let is_second = divide(&mut self.roads(places), &of_cars);
        let suspect = self.suspects.get(plate)?;
        let car = |second: bool| {
            let own = of_cars.iter().zip(&is_second).filter(|(_, own)| **own == second);
            let sightings: Vec<Mark> = own.map(|(mark, _)| *mark).collect();
            let next = sightings.last().map(|last| self.next(last)).unwrap_or_default();
            CaseCar { sightings, next }
        };
        Some(Case {
            plate,
            explanations: suspect.verdict.explanations,
            found: suspect.found,
            contradictions: suspect.contradictions.clone(),
            first: suspect.first,
            newest: suspect.newest,
            brands: counts(suspect.marks.iter().map(|mark| mark.spot.brand).filter(|brand| *brand != 0)),
            plate_types: plate_types(suspect),
            cars: [car(false), car(true)],
            strangers: suspect.of_car(Car::Neither).copied().collect(),
            opened_at: suspect.opened_at?,
            model: self.hour,
        })
    }

    /// Where a car that was seen there is likely to pass next.
    fn next(&self, last: &Mark) -> Vec<NextPassage> {
        if self.clock.now().is_some_and(|now| now - last.at > EXPECTED_WITHIN) {
            return Vec::new();
        }
        let roads = self.paths.from(last.spot.checkpoint).iter().filter_map(|road| {
            let median = self.times.between(last.spot.checkpoint, road.to)?.quantile(0.5, 1.0)?;
            Some(NextPassage { checkpoint: road.to, at: last.at + median as i64, share: f64::from(road.share) })
        });
        let mut next: Vec<NextPassage> = roads.collect();
        next.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.checkpoint.cmp(&b.checkpoint)));
        next.truncate(NEXT);
        next
    }
}

fn plate_types(suspect: &Suspect) -> Vec<(PlateType, u32)> {
    let numbers = suspect.marks.iter().map(|mark| u32::from(mark.spot.plate_type.number()));
    counts(numbers).into_iter().map(|(number, count)| (PlateType::from_number(number as u8), count)).collect()
}

/// How often each number comes, the most frequent first.
fn counts(numbers: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    let mut counts: Vec<(u32, u32)> =
        numbers.chunk_by(|a, b| a == b).filter_map(|equal| Some((*equal.first()?, equal.len() as u32))).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts
}
