//! Intervals that were measured, not assumed: how far counts were from predictions on days that the model had not seen.
//!
//! An error is divided by the spread that a count of that size has, √(flow + 1 + φ²·flow²), where φ is the dispersion
//! beyond chance in the held-out days; the quantiles of these scores (split-conformal, Lei et al. 2018, by groups of
//! flows of a size) give the bounds. With too few held-out hours there is nothing to measure: then the interval is that
//! of a wide assumed spread, and is marked as such.

use serde::{Deserialize, Serialize};

/// Fewer held-out hours than this measure nothing.
const LEAST_SAMPLES: usize = 50;
/// Of more than about this many, every fifth, eleventh and so on is used: the quantiles are the same, and sorting takes time.
const MOST_SAMPLES: usize = 100_000;
/// Held-out hours of one group at least.
const GROUP_SAMPLES: usize = 200;
const MOST_GROUPS: usize = 10;
/// The spread that is assumed where nothing was measured.
const ASSUMED_DISPERSION: f64 = 0.5;

/// A prediction and the count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub(super) site: u32,
    /// Hour since the grid's first day.
    pub(super) hour: u32,
    pub(super) predicted: f64,
    pub(super) actual: f64,
}

/// Flows up to a size, and the quantiles of their scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Group {
    up_to: f64,
    low: f64,
    high: f64,
}

/// How to get from a flow to its bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    nominal: f64,
    dispersion: f64,
    groups: Vec<Group>,
    samples: u64,
}

impl Intervals {
    /// Intervals that hold the share `nominal` of the counts.
    pub(super) fn measure(pairs: impl Iterator<Item = Pair>, nominal: f64) -> Self {
        let mut pairs: Vec<(f64, f64)> = pairs.map(|pair| (pair.predicted, pair.actual)).collect();
        let samples = pairs.len() as u64;
        if pairs.len() < LEAST_SAMPLES {
            return Self::assumed(nominal);
        }
        // A step without a factor of a week's hours meets all of them.
        let step = (pairs.len() / MOST_SAMPLES..).find(|step| [2, 3, 7].iter().all(|factor| step % factor != 0));
        if let Some(step) = step.filter(|step| *step > 1) {
            pairs = pairs.into_iter().step_by(step).collect();
        }
        let beyond_chance: f64 = pairs.iter().map(|(flow, actual)| (actual - flow).powi(2) - flow).sum();
        let squares: f64 = pairs.iter().map(|(flow, _)| flow * flow).sum();
        let dispersion = if squares > 0.0 { (beyond_chance / squares).clamp(0.0, 100.0).sqrt() } else { 0.0 };
        pairs.sort_by(|(flow, _), (other, _)| flow.total_cmp(other));
        let count = (pairs.len() / GROUP_SAMPLES).clamp(1, MOST_GROUPS);
        let groups = pairs.chunks(pairs.len().div_ceil(count)).map(|group| {
            let mut scores: Vec<f64> =
                group.iter().map(|(flow, actual)| (actual - flow) / spread(*flow, dispersion)).collect();
            scores.sort_by(f64::total_cmp);
            let tail = (1.0 - nominal) / 2.0;
            let outside = ((scores.len() + 1) as f64 * tail).floor() as usize;
            let place = |place: usize| scores.get(place).copied().unwrap_or_default();
            Group {
                up_to: group.last().map_or(0.0, |(flow, _)| *flow),
                low: place(outside.saturating_sub(1)),
                high: place(scores.len().saturating_sub(outside.max(1))),
            }
        });
        let groups = groups.collect();
        Self { nominal, dispersion, groups, samples }
    }

    /// The same, but `times` as wide.
    pub(super) fn widened(mut self, times: f64) -> Self {
        for group in &mut self.groups {
            group.low *= times;
            group.high *= times;
        }
        self
    }

    /// Wide intervals where nothing was measured.
    pub(super) fn assumed(nominal: f64) -> Self {
        // The logistic approximation of the normal quantile is enough for a spread that is assumed.
        let upper = 0.5 + nominal.clamp(0.0, 0.999) / 2.0;
        let high = (upper / (1.0 - upper)).ln() / 1.702;
        let group = Group { up_to: f64::MAX, low: -high, high };
        Self { nominal, dispersion: ASSUMED_DISPERSION, groups: vec![group], samples: 0 }
    }

    /// Lower and upper bound of a flow: around it, and not negative.
    #[cfg(test)]
    pub fn bounds(&self, flow: f64) -> (f64, f64) {
        self.scaled_bounds(flow, 1.0)
    }

    /// Whether a count is within the bounds of a flow, `times` as far from it as measured.
    pub(super) fn holds(&self, flow: f64, times: f64, actual: f64) -> bool {
        let (low, high) = self.scaled_bounds(flow, times);
        (low..=high).contains(&actual)
    }

    /// The bounds, `times` as far from the flow as measured.
    pub(super) fn scaled_bounds(&self, flow: f64, times: f64) -> (f64, f64) {
        let flow = if flow.is_finite() { flow.max(0.0) } else { 0.0 };
        let place = self.groups.partition_point(|group| group.up_to < flow);
        let Some(group) = self.groups.get(place).or(self.groups.last()) else { return (0.0, flow) };
        let spread = spread(flow, self.dispersion) * times;
        ((flow + group.low * spread).clamp(0.0, flow), (flow + group.high * spread).max(flow))
    }

    /// The share that is promised.
    pub fn nominal(&self) -> f64 {
        self.nominal
    }

    /// Held-out hours that they were measured on; 0 if they are assumed.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Whether its numbers are finite and in range.
    pub(super) fn is_sound(&self) -> bool {
        let numbers = self.groups.iter().flat_map(|group| [group.up_to, group.low, group.high]);
        (0.0..1.0).contains(&self.nominal)
            && self.dispersion >= 0.0
            && !self.groups.is_empty()
            && self.groups.len() <= MOST_GROUPS + 1
            && numbers.chain([self.dispersion]).all(f64::is_finite)
    }
}

fn spread(flow: f64, dispersion: f64) -> f64 {
    (flow + 1.0 + (dispersion * flow).powi(2)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A deterministic spread of counts around flows of two sizes.
    fn pairs(count: u32) -> impl Iterator<Item = Pair> {
        (0..count).map(|number| {
            let predicted = if number % 2 == 0 { 10.0 } else { 1000.0 };
            let step = f64::from((number / 2 * 7919) % 1000) / 1000.0 - 0.5;
            Pair { site: 0, hour: number, predicted, actual: predicted * (1.0 + step) }
        })
    }

    #[test]
    fn they_hold_what_they_promise() {
        for nominal in [0.5, 0.8, 0.95] {
            let intervals = Intervals::measure(pairs(4000), nominal);
            let inside = pairs(4000).filter(|pair| {
                let (low, high) = intervals.bounds(pair.predicted);
                (low..=high).contains(&pair.actual)
            });
            let share = inside.count() as f64 / 4000.0;
            assert!((share - nominal).abs() < 0.01, "{share}, not {nominal}");
            assert!(intervals.is_sound() && intervals.samples() == 4000);
        }
    }

    #[test]
    fn bounds_are_around_the_flow_whatever_came() {
        for intervals in [
            Intervals::assumed(0.8),
            Intervals::measure(pairs(10), 0.8),
            // Predictions always far too low: the flow itself is still within its bounds.
            Intervals::measure((0..500).map(|hour| Pair { site: 0, hour, predicted: 1.0, actual: 50.0 }), 0.8),
        ] {
            for flow in [0.0, 0.3, 1.0, 20.0, 1e6, 1e9] {
                let (low, high) = intervals.bounds(flow);
                assert!(0.0 <= low && low <= flow && flow <= high && high.is_finite(), "{low} {flow} {high}");
            }
        }
        let (low, high) = Intervals::assumed(0.8).bounds(100.0);
        assert!(low < 50.0 && high > 150.0, "{low} {high}");
    }
}
