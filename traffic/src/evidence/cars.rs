//! The two cars of a case, each as consistent as it can be: of all ways to divide the sightings between two cars the one
//! with the least cost, where a gap that no car makes costs most, a change of brand some, and a long way round little.
//!
//! [`super::chains`] finds how many sightings one car cannot have made, which is what is weighed; its chains may change
//! cars where both were feasible. This is what is shown.

use super::contradiction::{FAST_SHARE, Mark, Roads, TOGETHER};

/// A gap that no car makes.
const IMPOSSIBLE: f64 = 50.0;
/// Another brand than before.
const OTHER_BRAND: f64 = 2.0;
/// A gap with a stop, or so long that nothing is known of it.
const STOP: f64 = 1.0;
const LONG: f64 = 0.5;
/// That there is a second car at all.
const SECOND: f64 = 1.0;

/// Divides sightings, which are in the order of time, between two cars: whether each is the second's. The first has at
/// least as many.
pub(super) fn divide(roads: &mut Roads<'_>, marks: &[Mark]) -> Vec<bool> {
    // costs[j]: all up to the newest are divided, and the other car's last is sighting j − 1; 0 if it has none.
    let mut costs = vec![0.0];
    // Of each sighting: the last one before it of its own car if that is not the one just before.
    let mut switched_from = vec![0];
    for (place, pair) in marks.windows(2).enumerate() {
        let [before, mark] = pair else { continue };
        let best = costs.iter().enumerate().map(|(own, cost)| {
            let last = own.checked_sub(1).and_then(|own| marks.get(own));
            (own, cost + last.map_or(SECOND, |last| step(roads, last, mark)))
        });
        let (from, cost) = best.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
        let same = step(roads, before, mark);
        costs.iter_mut().for_each(|cost| *cost += same);
        // The car of the sighting before is now the other.
        debug_assert_eq!(costs.len(), place + 1);
        costs.push(cost);
        switched_from.push(from);
    }
    let best = costs.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(other, _)| other);
    let mut is_second = trace(marks.len(), best, &switched_from);
    if is_second.iter().filter(|second| **second).count() * 2 > marks.len() {
        is_second.iter_mut().for_each(|second| *second = !*second);
    }
    is_second
}

/// Goes back from the newest sighting, whose car is the first here; `other` is one more than the other car's last.
fn trace(marks: usize, mut other: usize, switched_from: &[usize]) -> Vec<bool> {
    let mut is_second = vec![false; marks];
    let mut second = false;
    for at in (0..marks).rev() {
        if let Some(place) = is_second.get_mut(at) {
            *place = second;
        }
        // The one before is of the other car: this one followed an older one of its own.
        if other == at {
            other = switched_from.get(at).copied().unwrap_or(0);
            second = !second;
        }
    }
    is_second
}

/// What it costs that a car made both, one after the other.
fn step(roads: &mut Roads<'_>, from: &Mark, to: &Mark) -> f64 {
    let gap = to.at - from.at;
    let way = if gap > TOGETHER {
        LONG
    } else if roads.share(from, to) < FAST_SHARE {
        IMPOSSIBLE
    } else {
        let fastest = roads.fastest(from.spot.checkpoint, to.spot.checkpoint).unwrap_or(0.0);
        if gap as f64 > 3.0 * fastest + 300.0 { STOP } else { 0.0 }
    };
    let differs = from.spot.brand != to.spot.brand && from.spot.brand != 0 && to.spot.brand != 0;
    way + if differs { OTHER_BRAND } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Spot;
    use crate::evidence::paths::Paths;
    use crate::{PassageId, PlateType, Resolution};
    use proptest::prelude::*;

    /// Places a degree of a meridian apart: 3127 s at least between neighbours, of which four fifths are 2502.
    const PLACES: [Option<(f64, f64)>; 3] = [Some((117.0, 34.0)), Some((117.0, 35.0)), Some((117.0, 36.0))];

    fn mark(at: i64, checkpoint: u32, brand: u32) -> Mark {
        let (id, resolution) = (PassageId { number: at as u64, tag: 18 }, Resolution::Second);
        let spot = Spot { time: at, checkpoint, brand, plate_type: PlateType::default(), resolution, id };
        Mark { spot, at, error: 0.0, due: None, doubt: 1.0 }
    }

    fn cost(roads: &mut Roads<'_>, marks: &[Mark], is_second: &[bool]) -> f64 {
        let both = is_second.contains(&true) && is_second.contains(&false);
        let of_car = |car: bool| {
            let own = marks.iter().zip(is_second).filter(move |(_, second)| **second == car);
            own.map(|(mark, _)| mark).collect::<Vec<_>>()
        };
        let own = [of_car(false), of_car(true)];
        let steps = own.iter().flat_map(|own| own.windows(2)).map(|pair| step(roads, pair[0], pair[1]));
        steps.sum::<f64>() + if both { SECOND } else { 0.0 }
    }

    #[test]
    fn each_car_keeps_its_brand() {
        let mut roads = Roads { paths: &mut Paths::default(), places: &PLACES, max_speed_kmh: 160.0 };
        let marks = [
            mark(0, 0, 1),
            mark(10, 2, 2),
            mark(2600, 1, 1),
            mark(2700, 1, 2),
            mark(5400, 2, 1),
            mark(5410, 0, 2),
            mark(5500, 2, 1),
        ];
        assert_eq!(divide(&mut roads, &marks), [false, true, false, true, false, true, false]);
        assert_eq!(divide(&mut roads, &[]), []);
        assert_eq!(divide(&mut roads, &[mark(0, 0, 1), mark(9000, 1, 1)]), [false, false]);
    }

    proptest! {
        /// No way to divide them costs less.
        #[test]
        fn it_costs_least(steps in prop::collection::vec((1i64..4000, 0u32..3, 0u32..3), 0..9)) {
            let mut now = 0;
            let marks: Vec<Mark> = steps.iter().map(|(gap, checkpoint, brand)| { now += gap; mark(now, *checkpoint, *brand) }).collect();
            let mut roads = Roads { paths: &mut Paths::default(), places: &PLACES, max_speed_kmh: 160.0 };
            let found = divide(&mut roads, &marks);
            let least = (0u32..1 << marks.len())
                .map(|choice| (0..marks.len()).map(|at| choice >> at & 1 == 1).collect::<Vec<_>>())
                .map(|choice| cost(&mut roads, &marks, &choice))
                .fold(f64::INFINITY, f64::min);
            prop_assert!(cost(&mut roads, &marks, &found) <= least + 1e-9);
        }
    }
}
