//! How likely two cars wear a plate: the explanations compete over the sightings that the first car cannot have made.
//!
//! These sightings come in *runs*: stretches that one second car drove. Each run multiplies the odds by
//! P(run | two cars) / P(run | one car), where one car and a run are explained by
//! - a **misread**: how often a sighting is false (learnt), times the camera's doubt, whether a one-edit neighbour was due
//!   (learnt from false sightings and, by chance, from others), the brand, and less with every further sighting of the run;
//! - a **jump**: the car took a way that no known road is (learnt); it explains a run that contradicts sightings on one
//!   side of it only, both sides only if it jumped back, and sightings in turn only if it jumped each time;
//! - a **fast** car: likely just below the fastest credible time, e-fold less for each 6 % of it;
//! - a **twin**: plates of two types share the number, and one reading in a hundred has the wrong type.
//!
//! Several false readings of one plate are not independent: the k-th is likelier than the first, as with the
//! Pólya urn, (rate + k/50) / (k + 1). The sum of the alternatives is never below [`FLOOR`], so no run decides alone.

use serde::{Deserialize, Serialize};

use super::chains::{Car, assign};
use super::contradiction::{FAST_SHARE, Mark, Roads, TOGETHER};
use crate::{NameId, PlateType};

/// How many plates of a thousand are cloned, before anything is seen: three.
const PRIOR: f64 = 3e-3;
/// No run's alternatives together are less likely than this.
const FLOOR: f64 = 3e-6;
/// The same if most of its sightings are explained by a neighbour that was due, as with a dirty plate that is read
/// wrongly again and again.
const FLOOR_DUE: f64 = 1e-3;
/// How much of the second car is seen if there is one: a run on both sides of which the first car contradicts it, the
/// same of one sighting, and one with a contradiction on one side.
const SHOWN: [f64; 3] = [0.2, 0.015, 0.03];
/// The same of a second car that was seen before.
const SHOWN_AGAIN: [f64; 3] = [0.3, 0.3, 0.1];
/// How likely a further sighting of a run is false too: e^−3.5, of the third e^−1.75 of that, and so on.
const FURTHER: f64 = 3.5;
const MAX_FURTHER: f64 = 8.0;
/// How likely a car that jumped twice within a run jumps once more.
const JUMPED_BEFORE: f64 = 0.08;
/// How likely a car that took a road which is not known comes back on it.
const SAME_ROAD: f64 = 0.3;
/// The most that contradictions add which one road explains that is not known.
const ONE_ROAD: f64 = 2.0;
/// What each contradiction beyond the third adds by itself, and the most that they do.
const MANY: f64 = 0.75;
const MOST: f64 = 4.0;
/// The least that a run adds to the logarithm of the odds.
const MIN_GAIN: f64 = -2.5;
/// A reading's plate type is wrong this often.
const WRONG_TYPE: f64 = 0.01;

/// What is learnt of false readings, all as shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Sightings that are false, contradicted before and after.
    pub outliers: f64,
    /// False ones for which a one-edit neighbour was due.
    pub due_if_false: f64,
    /// All sightings for which one is due by chance.
    pub due_by_chance: f64,
    /// Sightings that begin a stretch to which no known road leads.
    pub jumps: f64,
    /// Readings whose brand is wrong.
    pub brand_error: f64,
}

impl Default for Rates {
    fn default() -> Self {
        Self { outliers: 3e-5, due_if_false: 0.8, due_by_chance: 0.01, jumps: 2e-4, brand_error: 0.05 }
    }
}

/// A stretch that the second car drove.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Corrected time of its last sighting.
    pub last: i64,
    /// How many sightings it has.
    pub sightings: u32,
    /// How many of them have a one-edit neighbour that was due.
    pub due: u32,
    /// How many of them have another brand than the first car.
    pub brand_differs: u32,
    /// Whether the first car contradicts it before and after.
    pub is_two_sided: bool,
    /// The natural logarithm of what it multiplies the odds by.
    pub gain: f64,
}

/// The explanations, as probabilities that add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Explanations {
    /// Two cars wear the plate.
    pub clone: f64,
    /// Another plate was read as this one.
    pub misread: f64,
    /// A camera's clock is wrong.
    pub clock: f64,
    /// Two vehicles carry the number lawfully, under two plate types.
    pub plate_types: f64,
    /// One car was quicker than cars are, or took a way that is not known.
    pub fast: f64,
}

/// What a plate's sightings say together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Verdict {
    /// What explains them.
    pub explanations: Explanations,
    /// The second car's runs.
    pub runs: Vec<Run>,
    /// Sightings of another plate type that the first car cannot have made.
    pub twins: u32,
    /// Which car made each of the sightings.
    pub cars: Vec<Car>,
}

/// Sums of what explains the runs if two cars do not.
#[derive(Debug, Clone, Copy, Default)]
struct Others {
    misread: f64,
    clock: f64,
    fast: f64,
    twin: f64,
}

/// Weighs a suspect's sightings, which are in the order of time. `carried` is the sum of the gains of runs that are
/// no longer among them.
pub(super) fn weigh(roads: &mut Roads<'_>, rates: &Rates, marks: &[Mark], carried: f64) -> Verdict {
    let main = main_type(marks);
    let same_type: Vec<bool> = marks.iter().map(|mark| !mark.spot.plate_type.are_twins(main)).collect();
    let cars = assign(roads, marks, &same_type);
    let of = |car: Car| marks.iter().zip(&cars).filter(move |(_, own)| **own == car).map(|(mark, _)| mark);
    let first: Vec<&Mark> = of(Car::First).collect();
    let contradicts =
        |roads: &mut Roads<'_>, mark: &Mark| first.iter().any(|other| roads.share_between(other, mark) < FAST_SHARE);
    let others = marks.iter().zip(&same_type).filter(|(_, same)| !**same).map(|(mark, _)| mark);
    let twins = others.filter(|mark| contradicts(roads, mark)).count() as u32;
    let mut weigher = Weigher {
        roads,
        rates,
        first: &first,
        brand: main_brand(&first),
        sightings: marks.len().max(20) as f64,
        // More than wrong readings of the type would give.
        twin: if twins >= 3 && twins as usize * 15 > marks.len() { WRONG_TYPE * f64::from(twins) } else { 0.0 },
        outliers: 0.0,
        jumps: 0.0,
        seen_at: Vec::new(),
        others: Others::default(),
    };
    let second: Vec<&Mark> = of(Car::Second).collect();
    let runs: Vec<Run> = split(weigher.roads, &second).iter().map(|run| weigher.weigh(run)).collect();
    let ways = Ways::of(weigher.roads, marks, &cars);
    let strangers = same_type.iter().filter(|same| **same).count() - first.len() - second.len();
    // Readings that fit neither car speak for a source that reads wrongly.
    let gains = runs.iter().map(|run| run.gain);
    let many = (MANY * (ways.0.len() as f64 - 3.0)).clamp(0.0, MOST);
    let gain =
        if ways.are_one_road() { gains.fold(MIN_GAIN, f64::max).min(ONE_ROAD) } else { gains.sum::<f64>() + many };
    let evidence = gain - 0.5 * strangers as f64 + carried;
    let clone = if runs.is_empty() && carried == 0.0 { 0.0 } else { 1.0 / (1.0 + (-(PRIOR.ln() + evidence)).exp()) };
    let has_twin = weigher.twin > 0.0 || (twins >= 2 && runs.is_empty());
    let explanations = explanations(clone, has_twin, &weigher.others);
    Verdict { explanations, runs, twins, cars }
}

fn explanations(clone: f64, has_twin: bool, others: &Others) -> Explanations {
    let sum = others.misread + others.clock + others.fast + others.twin;
    let rest = 1.0 - clone;
    if has_twin || sum <= 0.0 {
        return if has_twin {
            Explanations { clone, plate_types: rest, ..Explanations::default() }
        } else {
            Explanations { clone, misread: rest, ..Explanations::default() }
        };
    }
    let share = |of: f64| rest * of / sum;
    Explanations {
        clone,
        misread: share(others.misread),
        clock: share(others.clock),
        fast: share(others.fast),
        plate_types: share(others.twin),
    }
}

/// What a run is weighed with; counts what was explained so far.
struct Weigher<'a, 'b> {
    roads: &'a mut Roads<'b>,
    rates: &'a Rates,
    first: &'a [&'a Mark],
    brand: u32,
    sightings: f64,
    twin: f64,
    outliers: f64,
    jumps: f64,
    seen_at: Vec<NameId>,
    others: Others,
}

impl Weigher<'_, '_> {
    fn weigh(&mut self, run: &[&Mark]) -> Run {
        let Hardest { share, is_two_sided, is_way_back } = self.hardest(run);
        let jumps = self.switches(run);
        let length = run.len() as f64;
        let due = run.iter().filter(|mark| mark.due.is_some()).count();
        let known = run.iter().filter(|mark| mark.spot.brand != 0 && self.brand != 0).count();
        let equal = run.iter().filter(|mark| mark.spot.brand != 0 && mark.spot.brand == self.brand).count();
        let differ = known - equal;
        let brands = Brands::of(self.rates.brand_error.max(0.005), differ as i32, equal as i32);

        let doubt = run.iter().map(|mark| f64::from(mark.doubt)).fold(f64::INFINITY, f64::min).max(1.0);
        let further = if due == run.len() { 0.0 } else { (1..run.len()).map(|step| FURTHER / step as f64).sum() };
        let again = |rate: f64, before: f64| (rate * self.sightings + 0.02 * before) / (before + 1.0);
        let wrong = again(self.rates.outliers, self.outliers)
            * self.due_factor(due == run.len())
            * brands.misread
            * (-MAX_FURTHER.min(further)).exp();
        let jump = again(self.rates.jumps, self.jumps) * brands.same;
        let jump = match (is_two_sided, is_way_back) {
            (false, _) => jump,
            (true, false) => jump * self.rates.jumps * (length + 1.0),
            (true, true) => jump * SAME_ROAD,
        };
        let further_jumps = jumps.saturating_sub(if is_two_sided { 2 } else { 1 });
        let jump = jump * JUMPED_BEFORE.powi(further_jumps as i32);
        let fast = 0.05 * (-(FAST_SHARE - share).max(0.0) / 0.06).exp() * brands.same;
        let floor = if due * 2 >= run.len() && run.len() > 1 { FLOOR_DUE } else { FLOOR };
        let others = wrong * doubt + fast + jump + self.twin + floor;

        let [both, single, one_side] = if self.outliers + self.jumps > 0.0 { SHOWN_AGAIN } else { SHOWN };
        let shown = if !is_two_sided {
            one_side
        } else if run.len() == 1 {
            single
        } else {
            both
        };
        let mut gain = (shown * brands.clone).ln() - others.min(1.0).ln();
        // A run that one car explains well says little against the others.
        gain = gain.max(MIN_GAIN);
        // One sighting where the second car was seen before may be that camera's own error again.
        if run.len() == 1 && run.iter().all(|mark| self.seen_at.contains(&mark.spot.checkpoint)) {
            gain = gain.min(0.5);
        }
        self.others.misread += (wrong + floor) / others;
        self.others.clock += wrong * (doubt - 1.0) / others;
        self.others.fast += (fast + jump) / others;
        self.others.twin += self.twin / others;
        if is_two_sided {
            self.outliers += 1.0
        } else {
            self.jumps += 1.0
        }
        self.seen_at.extend(run.iter().map(|mark| mark.spot.checkpoint));
        let last = run.last().map_or(0, |mark| mark.at);
        let [sightings, due, brand_differs] = [run.len(), due, differ].map(|count| count as u32);
        Run { last, sightings, due, brand_differs, is_two_sided, gain }
    }

    /// The hardest contradiction of a run with the first car, as a share of the fastest credible time; and whether
    /// there are contradictions with sightings before and after.
    fn hardest(&mut self, run: &[&Mark]) -> Hardest {
        let (mut before, mut after) = (f64::INFINITY, f64::INFINITY);
        let (mut way_in, mut way_out) = (None, None);
        for mark in run {
            for other in self.first {
                let share = self.roads.share_between(other, mark);
                let is_before = other.at <= mark.at;
                let (side, way) = if is_before { (&mut before, &mut way_in) } else { (&mut after, &mut way_out) };
                if share < *side {
                    *side = share;
                    *way = Some((other.spot.checkpoint, mark.spot.checkpoint));
                }
            }
        }
        let is_two_sided = before < FAST_SHARE && after < FAST_SHARE;
        let is_way_back = is_two_sided && way_in == way_out;
        Hardest { share: before.min(after).max(0.0), is_two_sided, is_way_back }
    }

    /// How often the sightings of a run and those of the first car follow each other as no single car can drive: so often
    /// one car would have jumped.
    fn switches(&mut self, run: &[&Mark]) -> usize {
        let (Some(begin), Some(end)) = (run.first(), run.last()) else { return 0 };
        let near = |mark: &&&Mark| mark.at >= begin.at - TOGETHER && mark.at <= end.at + TOGETHER;
        let first = self.first.iter().filter(near).map(|mark| (*mark, Car::First));
        let mut all: Vec<(&Mark, Car)> = first.chain(run.iter().map(|mark| (*mark, Car::Second))).collect();
        all.sort_by_key(|(mark, _)| mark.at);
        let pairs = all.iter().zip(all.iter().skip(1));
        pairs.filter(|((one, car), (other, next))| car != next && self.roads.share(one, other) < FAST_SHARE).count()
    }

    /// How much likelier a misread is with a one-edit neighbour due, or less without.
    fn due_factor(&self, is_due: bool) -> f64 {
        let Rates { due_if_false, due_by_chance, .. } = *self.rates;
        if is_due {
            due_if_false / due_by_chance.max(due_if_false * 0.02)
        } else {
            (1.0 - due_if_false) / (1.0 - due_by_chance)
        }
    }
}

/// A run's contradictions with the first car.
struct Hardest {
    /// The gap of the hardest as a share of the fastest credible time.
    share: f64,
    /// Whether there are some with sightings before and after.
    is_two_sided: bool,
    /// Whether the hardest before and after lie between the same two places.
    is_way_back: bool,
}

/// How likely the brands of a run are: of its sightings this many differ from the first car's, and this many do not.
struct Brands {
    /// If one car made all of them.
    same: f64,
    /// If another car wears the plate: four in five clones look the same, as far as a camera can tell.
    clone: f64,
    /// If other plates were read as this one.
    misread: f64,
}

impl Brands {
    fn of(error: f64, differ: i32, equal: i32) -> Self {
        let same = error.powi(differ) * (1.0 - error).powi(equal);
        let other = (1.0 - error).powi(differ) * error.powi(equal);
        // One plate of another brand was read wrongly, or several, or rarely one of the same brand.
        let several = 0.9f64.powi(differ) * 0.1f64.powi(equal);
        let misread = 0.05 * same + 0.65 * other + 0.3 * several;
        // The chains may have taken some sightings of either car.
        let mixed = 0.5f64.powi(differ + equal);
        Self { same, clone: 0.7 * same + 0.2 * other + 0.1 * mixed, misread }
    }
}

/// The contradictions between sightings that follow each other, as places.
struct Ways(Vec<(NameId, NameId)>);

impl Ways {
    /// Those of the sightings that one of the two cars made.
    fn of(roads: &mut Roads<'_>, marks: &[Mark], cars: &[Car]) -> Self {
        let seen = marks.iter().zip(cars).filter(|(_, car)| **car != Car::Neither);
        let seen: Vec<&Mark> = seen.map(|(mark, _)| mark).collect();
        let pairs = seen.iter().zip(seen.iter().skip(1));
        let pairs = pairs.filter(|(one, other)| roads.share_between(one, other) < FAST_SHARE);
        Self(pairs.map(|(one, other)| (one.spot.checkpoint, other.spot.checkpoint)).collect())
    }

    /// Whether all lead to one place, or all away from one: then one road that is not known explains them.
    fn are_one_road(&self) -> bool {
        let [(from, to), _, ..] = self.0.as_slice() else { return false };
        self.0.iter().all(|(_, end)| end == to) || self.0.iter().all(|(begin, _)| begin == from)
    }
}

/// The second car's sightings in runs: each follows the one before as a driving car does.
fn split<'a>(roads: &mut Roads<'_>, second: &[&'a Mark]) -> Vec<Vec<&'a Mark>> {
    let mut runs: Vec<Vec<&Mark>> = Vec::new();
    for mark in second {
        let follows = runs.last().and_then(|run| run.last()).is_some_and(|last| {
            let gap = (mark.at - last.at) as f64;
            gap <= TOGETHER as f64
                && last.spot.checkpoint != mark.spot.checkpoint
                && roads
                    .fastest(last.spot.checkpoint, mark.spot.checkpoint)
                    .is_some_and(|fast| gap < 3.0 * fast + 300.0)
        });
        match runs.last_mut().filter(|_| follows) {
            Some(run) => run.push(mark),
            None => runs.push(vec![mark]),
        }
    }
    runs
}

/// The plate type that most sightings have, of those that are known.
fn main_type(marks: &[Mark]) -> PlateType {
    let types = marks.iter().map(|mark| u32::from(mark.spot.plate_type.number()));
    PlateType::from_number(most_frequent(types) as u8)
}

/// The brand that most sightings have; 0 if none is known.
fn main_brand(marks: &[&Mark]) -> u32 {
    most_frequent(marks.iter().map(|mark| mark.spot.brand))
}

/// The number that is most frequent, without 0; of equally frequent ones the greatest.
fn most_frequent(numbers: impl Iterator<Item = u32>) -> u32 {
    let mut counts: Vec<(u32, u32)> = Vec::new();
    for number in numbers.filter(|number| *number != 0) {
        match counts.iter_mut().find(|(own, _)| *own == number) {
            Some((_, count)) => *count += 1,
            None => counts.push((number, 1)),
        }
    }
    counts.into_iter().max_by_key(|(own, count)| (*count, *own)).map_or(0, |(own, _)| own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Spot;
    use crate::evidence::paths::Paths;
    use crate::{PassageId, PlateCode, Resolution};

    /// Places a degree of a meridian apart: 3127.4 s at least. The last is beside the first.
    const PLACES: [Option<(f64, f64)>; 4] =
        [Some((117.0, 34.0)), Some((117.0, 35.0)), Some((117.0, 36.0)), Some((117.0, 34.0))];
    const RATES: Rates =
        Rates { outliers: 1e-4, due_if_false: 0.8, due_by_chance: 0.05, jumps: 1e-3, brand_error: 0.06 };

    fn mark(at: i64, checkpoint: u32, brand: u32, hpzl: &str) -> Mark {
        let (id, plate_type) = (PassageId { number: at as u64, tag: 18 }, PlateType::of(hpzl));
        let spot = Spot { time: at, checkpoint, brand, plate_type, resolution: Resolution::Second, id };
        Mark { spot, at, error: 0.0, due: None, doubt: 1.0 }
    }

    fn weighed(marks: &[Mark]) -> Verdict {
        let mut roads = Roads { paths: &mut Paths::default(), places: &PLACES, max_speed_kmh: 160.0 };
        weigh(&mut roads, &RATES, marks, 0.0)
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-3 * expected.abs(), "{found} instead of {expected}");
    }

    /// One sighting 600 s after and 600 s before others at places 3127.4 s away, without brands. By hand:
    /// - rate: 20 sightings count at least, so 20 × 1e-4 = 2e-3 false ones are expected; no neighbour was due, which is
    ///   (1 − 0.8) / (1 − 0.05) = 0.210526 as likely if it is false: 4.21053e-4
    /// - fast: it is 600 / 3127.4 = 0.19185 of the fastest time, so 0.05 · e^(−(0.8 − 0.19185) / 0.06) = 1.98e-6
    /// - jump there and back: 20 × 1e-3 × 1e-3 × 2 = 4e-5
    /// - with the floor of 3e-6: 4.66033e-4
    /// - gain: ln(0.015 / 4.66033e-4) = 3.4715; with the prior ln(3e-3) = −5.8091: odds e^−2.3376, P = 0.08806
    #[test]
    fn one_sighting_by_hand() {
        let verdict = weighed(&[mark(0, 0, 0, "02"), mark(600, 1, 0, "02"), mark(1200, 3, 0, "02")]);
        let [run] = verdict.runs.as_slice() else { panic!("{verdict:?}") };
        assert!(run.is_two_sided && run.sightings == 1);
        close(run.gain, 3.4715);
        close(verdict.explanations.clone, 0.08806);
        // A share of what is left as large as that of the sum: (4.21053e-4 + 3e-6) / 4.66033e-4 of 0.91194.
        close(verdict.explanations.misread, 0.82979);
        close(verdict.explanations.fast, 0.91194 - 0.82979);
    }

    /// The same from a place and back to it: a jump there is 20 × 1e-3, and back on the same road 0.3 of that, 6e-3, so
    /// that all are 6.42603e-3. Gain: ln(0.015 / 6.42603e-3) = 0.84769.
    #[test]
    fn there_and_back_by_hand() {
        let verdict = weighed(&[mark(0, 0, 0, "02"), mark(600, 1, 0, "02"), mark(1200, 0, 0, "02")]);
        close(verdict.runs[0].gain, 0.84769);
        assert!(verdict.explanations.fast > 0.9, "{:?}", verdict.explanations);
    }

    /// A due neighbour is 0.8 / 0.05 = 16 times as likely if the reading is false: 20 × 1e-4 × 16 = 3.2e-2, and the
    /// others as above: 3.2045e-2. Gain: ln(0.015 / 3.2045e-2) = −0.75909.
    #[test]
    fn a_due_neighbour_by_hand() {
        let due = Some(PlateCode::pack("苏C12346"));
        let stranger = Mark { due, ..mark(600, 1, 0, "02") };
        let verdict = weighed(&[mark(0, 0, 0, "02"), stranger, mark(1200, 3, 0, "02")]);
        close(verdict.runs[0].gain, -0.75909);
        assert!(verdict.explanations.clone < 0.02 && verdict.explanations.misread > 0.97);
    }

    /// A sighting with a contradiction before it only may be a jump: 20 × 1e-3 = 2e-2, with the misread 4.21053e-4 and
    /// fast 1.98e-6 and the floor 3e-6: 2.04260e-2. Gain: ln(0.03 / 2.0426e-2) = 0.38439.
    #[test]
    fn a_jump_by_hand() {
        let verdict = weighed(&[mark(-600, 0, 0, "02"), mark(0, 0, 0, "02"), mark(600, 1, 0, "02")]);
        let [run] = verdict.runs.as_slice() else { panic!("{verdict:?}") };
        assert!(!run.is_two_sided);
        close(run.gain, 0.38439);
        assert!(verdict.explanations.fast > verdict.explanations.misread);
    }

    /// Two cars, the second seen twice and each time between two sightings of the first: one car would have jumped four
    /// times. By hand:
    /// - jump: 20 × 1e-3 × 1e-3 × 3 for there and back, and 0.08² for twice more: 3.84e-7
    /// - misread: 4.21053e-4 for one sighting as above, e^−3.5 for the other: 1.27147e-5
    /// - fast: 650 s are 0.10392 of the fastest time to the third place: 0.05 · e^(−(0.8 − 0.10392) / 0.06) = 4.58e-7
    /// - gain, with the floor of 3e-6: ln(0.2 / 1.65567e-5) = 9.3993
    #[test]
    fn cars_in_turn_by_hand() {
        let seen = [(0, 0), (650, 1), (1300, 3), (2600, 0), (3250, 2), (3900, 3)];
        let verdict = weighed(&seen.map(|(at, checkpoint)| mark(at, checkpoint, 0, "02")));
        let [run] = verdict.runs.as_slice() else { panic!("{verdict:?}") };
        assert_eq!((run.sightings, run.is_two_sided), (2, true));
        close(run.gain, 9.3993);
    }

    /// A car that takes the same quick road each time, from the third place to the second.
    #[test]
    fn one_road_that_is_not_known_makes_no_case() {
        let turn = |begin: i64, from: u32, to: u32| {
            [(0, 0), (7000, from), (7600, to)].map(|(after, checkpoint)| mark(begin + after, checkpoint, 0, "02"))
        };
        let same: Vec<Mark> = (0..4).flat_map(|number| turn(number * 12_000, 2, 1)).collect();
        let same = weighed(&same).explanations;
        assert!(same.clone < 0.05 && same.fast > 0.9, "{same:?}");
        // The same, and from the second to the first in turn.
        let others = (0..4).flat_map(|number| turn(number * 12_000, 2 - number as u32 % 2, 1 - number as u32 % 2));
        let others: Vec<Mark> = others.collect();
        assert!(weighed(&others).explanations.clone > 3.0 * same.clone);
    }

    /// Of two sightings with the other brand: same car 0.06² = 3.6e-3, clone 0.7 × 3.6e-3 + 0.2 × 0.94² + 0.1 × 0.5²
    /// = 0.20424, a misread 0.05 × 3.6e-3 + 0.65 × 0.94² + 0.3 × 0.9² = 0.81752.
    #[test]
    fn brands_by_hand() {
        let brands = Brands::of(0.06, 2, 0);
        close(brands.same, 3.6e-3);
        close(brands.clone, 0.204_24);
        close(brands.misread, 0.817_52);
        assert!(Brands::of(0.06, 0, 2).clone > 0.6 && Brands::of(0.06, 0, 2).misread < 0.1);
    }

    #[test]
    fn lawful_twins_are_no_clone() {
        let marks: Vec<Mark> = (0..12)
            .map(|number| mark(number * 600, (number % 2) as u32, 0, ["02", "01"][number as usize % 2]))
            .collect();
        let verdict = weighed(&marks);
        assert_eq!((verdict.runs.len(), verdict.twins), (0, 6));
        assert!(verdict.explanations.plate_types > 0.99, "{:?}", verdict.explanations);
        let alike: Vec<Mark> = marks
            .iter()
            .map(|mark| Mark { spot: Spot { plate_type: PlateType::of("02"), ..mark.spot }, ..*mark })
            .collect();
        assert!(weighed(&alike).explanations.clone > 0.5);
    }

    #[test]
    fn explanations_add_up_to_one() {
        for count in 1..30 {
            let marks: Vec<Mark> =
                (0..count).map(|number| mark(number * 700, (number % 3 % 2) as u32, number as u32 % 2, "02")).collect();
            let Explanations { clone, misread, clock, plate_types, fast } = weighed(&marks).explanations;
            assert!((clone + misread + clock + plate_types + fast - 1.0).abs() < 1e-9);
            assert!([clone, misread, clock, plate_types, fast].iter().all(|share| (0.0..=1.0).contains(share)));
        }
    }
}
