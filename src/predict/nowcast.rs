//! The nowcast: the forecast of the next hours, corrected by how the last finished hours compare with their own forecasts.
//!
//! ```text
//! deviation = Σ wᵢ·(counted − forecast) / (Σ wᵢ·forecast + κ)      the last three finished hours, shrunk to 0 by κ
//! factor    = 1 + own[h]·deviation + city[h]·deviation of the city  h hours after the last finished one
//! ```
//!
//! What a deviation is worth `h` hours later is a regression on days held out, never more than an hour earlier. An hour
//! is corrected only if that lowers the error of days that the regression did not see. It knows no models and no clock.

use serde::{Deserialize, Serialize};

use super::adaptive::Width;
use super::calendar::HOURS;
use super::intervals::{Intervals, Pair};

/// Hours ahead that may be corrected.
pub const AHEAD: usize = 6;
/// Weights of the last finished hours, newest first.
pub(super) const WEIGHTS: [f64; 3] = [1.0, 0.6, 0.36];
/// κ, in passages: at a quiet checkpoint chance makes large deviations.
const PRIOR: f64 = 20.0;
/// Of a large network, so many hours of checkpoints are enough: every second checkpoint, every third and so on is used.
const MOST_PAIRS: usize = 200_000;
/// Hours of which scores are kept whole; of more every second, third and so on is taken.
const MOST_SCORES: usize = 50_000;
/// An interval is never narrower than this against that of an uncorrected forecast.
const LEAST_WIDTH: f64 = 0.25;
/// A correction must lower the error by this share.
const LEAST_GAIN: f64 = 0.005;
/// A factor outside this range can only come from an outage, which says nothing about the hours after it.
const FACTORS: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// The correction of one hour ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What the series' own deviation is worth.
    pub own: f64,
    /// What the whole city's is worth; 0 for the city itself.
    pub city: f64,
    /// Width of the interval against that of an uncorrected forecast.
    pub width: f64,
}

impl Step {
    /// The factor of a forecast.
    pub(super) fn factor(&self, own: f64, city: f64) -> f64 {
        let factor = 1.0 + self.own * own + self.city * city;
        if factor.is_finite() { factor.clamp(*FACTORS.start(), *FACTORS.end()) } else { 1.0 }
    }

    fn is_sound(&self) -> bool {
        (0.0..=1.0).contains(&self.own) && (0.0..=1.0).contains(&self.city) && self.width > 0.0 && self.width <= 1.0
    }
}

/// The corrections that help, from one hour ahead on; the hours after the last of them are not corrected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Nowcast {
    /// Of a checkpoint.
    pub checkpoint: Vec<Step>,
    /// Of the whole city.
    pub city: Vec<Step>,
}

impl Nowcast {
    /// Whether its numbers are in range.
    pub(super) fn is_sound(&self) -> bool {
        let is_sound = |steps: &[Step]| steps.len() <= AHEAD && steps.iter().all(Step::is_sound);
        is_sound(&self.checkpoint) && is_sound(&self.city)
    }
}

/// The newest hours of one series: how they deviate, and the width that its interval has by now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Latest {
    pub(super) deviation: f64,
    pub(super) width: Width,
}

/// What the finished hours say after which nothing is finished yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LastHours {
    /// The last finished hour, since 1970.
    pub(super) last: i64,
    /// Of each checkpoint of the model.
    pub(super) sites: Vec<Latest>,
    /// Of the whole city.
    pub(super) city: Latest,
}

/// The shrunk deviation of the last hours; `hours` are forecast and count, newest first, none where there is no count.
pub(super) fn deviation(hours: impl Iterator<Item = Option<(f64, f64)>>) -> f64 {
    let (mut off, mut expected) = (0.0, 0.0);
    for (hour, weight) in hours.zip(WEIGHTS) {
        let Some((forecast, counted)) = hour else { continue };
        off += weight * (counted - forecast);
        expected += weight * forecast;
    }
    off / (expected + PRIOR)
}

/// Held-out predictions by series and hour, from which corrections are learnt.
#[derive(Debug)]
pub(super) struct HeldOut<'a> {
    /// Each in the order of time, with its deviation after each hour from `first`.
    sites: Vec<(&'a [Pair], Vec<f32>)>,
    city: (Vec<Pair>, Vec<f32>),
    first: u32,
}

/// A forecast of a later hour, before it is corrected.
struct Sample {
    own: f64,
    city: f64,
    predicted: f64,
    actual: f64,
}

impl<'a> HeldOut<'a> {
    pub(super) fn new(pairs: &'a [Pair], city: Vec<Pair>) -> Self {
        let first = city.first().map_or(0, |pair| pair.hour);
        let hours = city.last().map_or(0, |pair| pair.hour.saturating_sub(first) as usize + 1);
        let deviations = |pairs: &[Pair]| -> Vec<f32> {
            let mut by_hour = vec![None; hours];
            for pair in pairs {
                if let Some(hour) = by_hour.get_mut(pair.hour.saturating_sub(first) as usize) {
                    *hour = Some((pair.predicted, pair.actual));
                }
            }
            let newest_first = |end: usize| by_hour.get(..end).unwrap_or_default().iter().rev().copied();
            (1..=hours).map(|end| deviation(newest_first(end)) as f32).collect()
        };
        let of_city = deviations(&city);
        let step = 1 + pairs.len() / MOST_PAIRS;
        let sites = pairs.chunk_by(|pair, next| pair.site == next.site).step_by(step);
        let sites = sites.map(|pairs| (pairs, deviations(pairs)));
        Self { sites: sites.collect(), city: (city, of_city), first }
    }

    /// Calls `each` for every hour that is `ahead` hours after a finished one of the same day: a forecast is made as a day
    /// begins, so one of the next day would know hours that are not finished.
    fn samples(&self, is_city: bool, ahead: usize, mut each: impl FnMut(&Sample)) {
        let mut of_series = |pairs: &[Pair], deviations: &[f32]| {
            for pair in pairs {
                let Some(origin) = pair.hour.checked_sub(ahead as u32) else { continue };
                if origin as usize / HOURS != pair.hour as usize / HOURS {
                    continue;
                }
                let at = |deviations: &[f32]| {
                    let place = origin.checked_sub(self.first)? as usize;
                    deviations.get(place).copied().map(f64::from)
                };
                let (Some(own), Some(city)) = (at(deviations), at(&self.city.1)) else { continue };
                let city = if is_city { 0.0 } else { city };
                each(&Sample { own, city, predicted: pair.predicted, actual: pair.actual });
            }
        };
        if is_city {
            of_series(&self.city.0, &self.city.1);
        } else {
            self.sites.iter().for_each(|(pairs, deviations)| of_series(pairs, deviations));
        }
    }

    /// How a correction changes the errors.
    pub(super) fn gain(&self, is_city: bool, ahead: usize, step: &Step) -> Gain {
        let mut gain = Gain::default();
        self.samples(is_city, ahead, |sample| gain.add(sample, step));
        gain
    }
}

/// What deviations are worth in these parts, for each hour ahead, and how wide the interval is then.
pub(super) fn fit(parts: &[&HeldOut<'_>], is_city: bool, intervals: &Intervals) -> [Step; AHEAD] {
    let mut before = Step { own: 1.0, city: 1.0, width: 1.0 };
    let mut steps = [Step::default(); AHEAD];
    for (place, step) in steps.iter_mut().enumerate() {
        let mut sums = Normal::default();
        parts.iter().for_each(|part| part.samples(is_city, place + 1, |sample| sums.add(sample)));
        let (own, city) = sums.solve();
        *step = Step { own: own.min(before.own), city: city.min(before.city), width: 1.0 };
        let mut scores = Scores::default();
        parts.iter().for_each(|part| part.samples(is_city, place + 1, |sample| scores.add(sample, step, intervals)));
        step.width = scores.width(intervals.nominal());
        before = *step;
    }
    steps
}

/// Normal equations of `actual − predicted` over `predicted · own` and `predicted · city`, weighted by 1 / predicted.
#[derive(Debug, Default)]
struct Normal {
    own: f64,
    both: f64,
    city: f64,
    own_target: f64,
    city_target: f64,
}

impl Normal {
    fn add(&mut self, sample: &Sample) {
        let Sample { own, city, predicted, actual } = sample;
        let weight = 1.0 / (predicted + 1.0);
        let (own, city, target) = (predicted * own, predicted * city, actual - predicted);
        self.own += weight * own * own;
        self.both += weight * own * city;
        self.city += weight * city * city;
        self.own_target += weight * own * target;
        self.city_target += weight * city * target;
    }

    /// The solution from 0 to 1: a deviation neither turns round nor grows.
    fn solve(&self) -> (f64, f64) {
        let alone = |target: f64, square: f64| if square > 0.0 { (target / square).clamp(0.0, 1.0) } else { 0.0 };
        let determinant = self.own * self.city - self.both * self.both;
        if determinant <= 1e-9 * self.own * self.city {
            return (alone(self.own_target, self.own), 0.0);
        }
        let own = (self.own_target * self.city - self.city_target * self.both) / determinant;
        let city = (self.city_target * self.own - self.own_target * self.both) / determinant;
        match (own >= 0.0, city >= 0.0) {
            (true, true) => (own.min(1.0), city.min(1.0)),
            (true, false) => (alone(self.own_target, self.own), 0.0),
            (false, _) => (0.0, alone(self.city_target, self.city)),
        }
    }
}

/// Errors with and without a correction.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gain {
    before: f64,
    after: f64,
    counted: f64,
}

impl Gain {
    fn add(&mut self, sample: &Sample, step: &Step) {
        let before = (sample.actual - sample.predicted).abs();
        let after = (sample.actual - sample.predicted * step.factor(sample.own, sample.city)).abs();
        self.before += before;
        self.after += after;
        self.counted += sample.actual;
    }

    /// Whether the correction helps.
    pub(super) fn helps(&self) -> bool {
        self.after < self.before * (1.0 - LEAST_GAIN)
    }

    /// WAPE without and with the correction; none where nothing passed.
    pub(super) fn wape(&self) -> Option<(f64, f64)> {
        (self.counted > 0.0).then(|| (self.before / self.counted, self.after / self.counted))
    }
}

/// How wide the measured interval would have to be to hold each count, without and with a correction.
#[derive(Debug, Default)]
struct Scores {
    seen: usize,
    before: Vec<f32>,
    after: Vec<f32>,
}

impl Scores {
    fn add(&mut self, sample: &Sample, step: &Step, intervals: &Intervals) {
        self.seen += 1;
        if !self.seen.is_multiple_of(1 + self.seen / MOST_SCORES) {
            return;
        }
        let score = |flow: f64| {
            let (low, high) = intervals.scaled_bounds(flow, 1.0);
            let (off, reach) = if sample.actual < flow {
                (flow - sample.actual, flow - low)
            } else {
                (sample.actual - flow, high - flow)
            };
            if off > 0.0 { (off / reach.max(1e-6)) as f32 } else { 0.0 }
        };
        self.before.push(score(sample.predicted));
        self.after.push(score(sample.predicted * step.factor(sample.own, sample.city)));
    }

    /// The width with which a corrected forecast is held as often as another one.
    fn width(&mut self, nominal: f64) -> f64 {
        let quantile = |scores: &mut Vec<f32>| {
            let place = (scores.len() as f64 * nominal) as usize;
            if place >= scores.len() {
                return 0.0;
            }
            f64::from(*scores.select_nth_unstable_by(place, f32::total_cmp).1)
        };
        let (before, after) = (quantile(&mut self.before), quantile(&mut self.after));
        if before > 0.0 { (after / before).clamp(LEAST_WIDTH, 1.0) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two checkpoints over 20 days: all hours of a day are off by the day's share, and `persists` says whether they are.
    fn pairs(persists: bool) -> (Vec<Pair>, Vec<Pair>) {
        let share = |hour: u32| {
            let number = if persists { hour / 24 } else { hour };
            f64::from((number * 7919) % 101) / 101.0 * 0.4 - 0.2
        };
        let series = |site: u32, predicted: f64| {
            (0..480).map(move |hour| Pair { site, hour, predicted, actual: predicted * (1.0 + share(hour)) })
        };
        (series(0, 100.0).chain(series(1, 1000.0)).collect(), series(0, 1100.0).collect())
    }

    #[test]
    fn a_deviation_that_lasts_is_corrected() {
        let (sites, city) = pairs(true);
        let held_out = HeldOut::new(&sites, city);
        for is_city in [false, true] {
            let steps = fit(&[&held_out], is_city, &Intervals::assumed(0.8));
            for (place, step) in steps.iter().enumerate() {
                let gain = held_out.gain(is_city, place + 1, step);
                assert!(step.is_sound() && gain.helps(), "{step:?} {gain:?}");
                let (before, after) = gain.wape().unwrap();
                assert!(before > 0.08 && after < 0.4 * before, "{before} {after}");
            }
            assert!(steps.windows(2).all(|pair| pair[1].own <= pair[0].own && pair[1].city <= pair[0].city));
        }
    }

    #[test]
    fn one_that_does_not_last_is_not() {
        let (sites, city) = pairs(false);
        let held_out = HeldOut::new(&sites, city);
        let step = fit(&[&held_out], false, &Intervals::assumed(0.8))[0];
        assert!(step.own + step.city < 0.2 && !held_out.gain(false, 1, &step).helps(), "{step:?}");
    }

    #[test]
    fn a_deviation_is_shrunk_and_a_factor_limited() {
        let third = deviation([Some((100.0, 130.0)), None, Some((100.0, 130.0)), Some((1e9, 0.0))].into_iter());
        assert!((third - 1.36 * 30.0 / 156.0).abs() < 1e-12, "{third}");
        assert!(deviation([Some((1.0, 3.0))].into_iter()) < 0.1, "two passages more where one was expected");
        assert_eq!(deviation(std::iter::empty()), 0.0);
        let step = Step { own: 1.0, city: 1.0, width: 1.0 };
        assert_eq!([step.factor(-1.0, -1.0), step.factor(5.0, 5.0), step.factor(f64::NAN, 0.0)], [0.5, 2.0, 1.0]);
    }
}
