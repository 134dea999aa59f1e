//! Two cars apart: the longest chain of sightings that one car can have made is the first car's; the longest among the
//! rest the second's; what is left fits neither.

use super::contradiction::{FAST_SHARE, Mark, Roads, TOGETHER};

/// What another brand takes off a chain: so that of two equal cars' sightings each chain keeps to one brand.
const OTHER_BRAND: f64 = 0.3;

/// Which car made a sighting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Car {
    /// The one with more sightings.
    First,
    /// The other.
    Second,
    /// Neither: a false reading, or a lawful twin of another plate type.
    Neither,
}

/// Assigns each of the sightings, which are in the order of time, that are `wanted`.
pub(super) fn assign(roads: &mut Roads<'_>, marks: &[Mark], wanted: &[bool]) -> Vec<Car> {
    let first = longest(roads, marks, wanted);
    let rest: Vec<bool> = wanted.iter().zip(&first).map(|(wanted, first)| *wanted && !*first).collect();
    let second = longest(roads, marks, &rest);
    let car = |(first, second): (&bool, &bool)| match (first, second) {
        (true, _) => Car::First,
        (_, true) => Car::Second,
        _ => Car::Neither,
    };
    first.iter().zip(&second).map(car).collect()
}

/// A sighting as the end of the longest chain to it, and the place of the one before.
#[derive(Debug, Clone, Copy)]
struct Link {
    length: f64,
    before: Option<usize>,
}

/// The longest chain in which each sighting is feasible after the one before.
fn longest(roads: &mut Roads<'_>, marks: &[Mark], wanted: &[bool]) -> Vec<bool> {
    let wanted = marks.iter().zip(wanted).enumerate().filter(|(_, (_, wanted))| **wanted);
    let marks_of: Vec<(usize, &Mark)> = wanted.map(|(at, (mark, _))| (at, mark)).collect();
    let mut links: Vec<Link> = Vec::with_capacity(marks_of.len());
    for (place, (_, mark)) in marks_of.iter().enumerate() {
        let mut link = Link { length: 1.0, before: None };
        for (before, ((_, other), earlier)) in marks_of.iter().zip(&links).enumerate().take(place).rev() {
            let differs = other.spot.brand != mark.spot.brand && other.spot.brand != 0 && mark.spot.brand != 0;
            let length = earlier.length + if differs { 1.0 - OTHER_BRAND } else { 1.0 };
            if length > link.length && (mark.at - other.at > TOGETHER || roads.share(other, mark) >= FAST_SHARE) {
                link = Link { length, before: Some(before) };
            }
        }
        links.push(link);
    }
    let mut chosen = vec![false; marks.len()];
    let longest = links.iter().enumerate().max_by(|a, b| a.1.length.total_cmp(&b.1.length).then(b.0.cmp(&a.0)));
    let mut next = longest.map(|(place, _)| place);
    while let Some((place, link)) = next.and_then(|place| Some((place, links.get(place)?))) {
        if let Some(chosen) = marks_of.get(place).and_then(|(at, _)| chosen.get_mut(*at)) {
            *chosen = true;
        }
        next = link.before;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Spot;
    use crate::evidence::paths::Paths;
    use crate::{PassageId, PlateType, Resolution};
    use proptest::prelude::*;

    fn mark(at: i64, checkpoint: u32) -> Mark {
        let id = PassageId { number: at as u64, tag: 18 };
        let spot = Spot {
            time: at,
            checkpoint,
            brand: 0,
            plate_type: PlateType::default(),
            resolution: Resolution::Second,
            id,
        };
        Mark { spot, at, error: 0.0, due: None, doubt: 1.0 }
    }

    /// Places a degree of a meridian apart: 3127 s at least between neighbours, of which four fifths are 2502.
    const PLACES: [Option<(f64, f64)>; 4] =
        [Some((117.0, 34.0)), Some((117.0, 35.0)), Some((117.0, 36.0)), Some((117.0, 37.0))];

    fn cars(marks: &[Mark]) -> Vec<Car> {
        let mut roads = Roads { paths: &mut Paths::default(), places: &PLACES, max_speed_kmh: 160.0 };
        assign(&mut roads, marks, &vec![true; marks.len()])
    }

    #[test]
    fn a_reading_elsewhere_stands_alone_and_a_second_car_is_a_chain() {
        use Car::{First, Neither, Second};
        assert_eq!(cars(&[mark(0, 0), mark(600, 1), mark(1200, 0)]), [First, Second, First]);
        let two = [mark(0, 0), mark(100, 2), mark(2600, 1), mark(2700, 3), mark(5200, 0), mark(5300, 0)];
        assert_eq!(cars(&two), [First, Second, First, Second, First, First]);
        let three = [mark(0, 0), mark(100, 0), mark(200, 0), mark(210, 1), mark(211, 1), mark(212, 2), mark(300, 0)];
        assert_eq!(cars(&three), [First, First, First, Second, Second, Neither, First]);
        assert_eq!(cars(&[]), []);
    }

    proptest! {
        /// No larger choice of sightings is feasible for one car.
        #[test]
        fn the_first_car_has_the_most_it_can(steps in prop::collection::vec((1i64..3000, 0u32..4), 0..10)) {
            let mut now = 0;
            let marks: Vec<Mark> = steps.iter().map(|(gap, checkpoint)| { now += gap; mark(now, *checkpoint) }).collect();
            let mut roads = Roads { paths: &mut Paths::default(), places: &PLACES, max_speed_kmh: 160.0 };
            let mut feasible = |chosen: &[Mark]| chosen.windows(2).all(|pair| match pair {
                [one, other] => other.at - one.at > TOGETHER || roads.share(one, other) >= FAST_SHARE,
                _ => true,
            });
            let mut most = 0;
            for choice in 0u32..1 << marks.len() {
                let chosen: Vec<Mark> = (0..marks.len()).filter(|at| choice >> at & 1 == 1).map(|at| marks[at]).collect();
                if chosen.len() > most && feasible(&chosen) {
                    most = chosen.len();
                }
            }
            let cars = cars(&marks);
            let of = |car: Car| marks.iter().zip(&cars).filter(|(_, own)| **own == car).map(|(mark, _)| *mark).collect::<Vec<_>>();
            prop_assert_eq!(of(Car::First).len(), most);
            prop_assert!(feasible(&of(Car::First)) && feasible(&of(Car::Second)));
        }
    }
}
