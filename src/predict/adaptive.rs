//! Intervals that learn from their misses: the measured interval of a series, a checkpoint or the whole city, times a
//! width that grows after a miss and shrinks after a hit, so that the promised share is held on traffic that drifts.
//!
//! ```text
//! ln width ← ln width + γ · (missed − (1 − nominal))        missed: 1 if the count lay outside, else 0
//! ```
//!
//! Source: Gibbs & Candès, *Adaptive Conformal Inference Under Distribution Shift*, NeurIPS 2021, whose update of the
//! level this is; it moves the width of the score's quantile instead of the level, as the quantile tracker of Angelopoulos,
//! Candès & Tibshirani, *Conformal PID Control for Time Series Prediction*, NeurIPS 2023, does. Whatever the traffic does,
//! the share of misses over T hours is off by at most (range of ln width) / (γ·T). A day is predicted as it begins,
//! so the hours of a day are learnt together when it ends.

use super::calendar::HOURS;
use super::intervals::{Intervals, Pair};

/// γ: after a day whose hours all hit, an interval is three tenths narrower; a day of misses makes it almost four times as
/// wide. Slower feedback lags behind a step of the traffic, faster feedback swings from day to day.
const RATE: f64 = 0.07;
/// ln of the largest width; the smallest is its inverse.
const MOST: f64 = 2.5;
/// Checkpoints with fewer hours in the test say nothing about their own coverage.
const LEAST_HOURS: u32 = 168;

/// ln of the width of one series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Width(pub(super) f64);

impl Width {
    /// Learns from one hour.
    pub(super) fn learn(&mut self, missed: bool, nominal: f64) {
        self.0 = (self.0 + RATE * (f64::from(u8::from(missed)) - (1.0 - nominal))).clamp(-MOST, MOST);
    }

    /// The factor of the interval.
    pub(super) fn times(self) -> f64 {
        if self.0.is_finite() { self.0.clamp(-MOST, MOST).exp() } else { 1.0 }
    }
}

/// Hits among the hours of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Hits {
    hours: u32,
    hits: u32,
}

impl Hits {
    fn share(self) -> f64 {
        f64::from(self.hits) / f64::from(self.hours.max(1))
    }
}

/// Widths by series, and how many hours were within.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Adaptive {
    pub(super) widths: Vec<Width>,
    hits: Vec<Hits>,
}

impl Adaptive {
    /// As many series, with the measured widths.
    pub(super) fn new(series: usize) -> Self {
        Self { widths: vec![Width::default(); series], hits: vec![Hits::default(); series] }
    }

    /// Learns from pairs, which are in the order of time within a series. What was counted before is forgotten.
    pub(super) fn run(&mut self, pairs: &[Pair], intervals: &Intervals) {
        self.hits.fill(Hits::default());
        let nominal = intervals.nominal();
        for of_day in pairs.chunk_by(|pair, next| pair.site == next.site && day(pair) == day(next)) {
            let Some(site) = of_day.first().map(|pair| pair.site as usize) else { continue };
            let (Some(width), Some(hits)) = (self.widths.get_mut(site), self.hits.get_mut(site)) else { continue };
            let times = width.times();
            for pair in of_day {
                let is_hit = intervals.holds(pair.predicted, times, pair.actual);
                hits.hours += 1;
                hits.hits += u32::from(is_hit);
                width.learn(!is_hit, nominal);
            }
        }
    }

    /// Share of the hours that lay within; none if there were none.
    pub(super) fn coverage(&self) -> Option<f64> {
        let (hours, hits) = self.hits.iter().fold((0u64, 0u64), |(hours, hits), series| {
            (hours + u64::from(series.hours), hits + u64::from(series.hits))
        });
        (hours > 0).then(|| hits as f64 / hours as f64)
    }

    /// The smallest and the largest share of a series with a week or more.
    pub(super) fn range(&self) -> Option<(f64, f64)> {
        let shares = self.hits.iter().filter(|hits| hits.hours >= LEAST_HOURS).map(|hits| hits.share());
        shares.fold(None, |range, share| {
            let (low, high): (f64, f64) = range.unwrap_or((share, share));
            Some((low.min(share), high.max(share)))
        })
    }
}

fn day(pair: &Pair) -> usize {
    pair.hour as usize / HOURS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors of a fixed spread up to hour 1000, then twice as large.
    fn pairs() -> Vec<Pair> {
        let mut state = 7u64;
        let mut error = |hour: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as f64 / f64::from(1u32 << 31) - 0.5) * if hour < 1000 { 100.0 } else { 200.0 }
        };
        (0..3000).map(|hour| Pair { site: 0, hour, predicted: 500.0, actual: 500.0 + error(hour) }).collect()
    }

    #[test]
    fn the_promised_share_is_held_after_the_errors_have_doubled() {
        let pairs = pairs();
        let intervals = Intervals::measure(pairs[..1000].iter().copied(), 0.8);
        let fixed = pairs[1000..].iter().filter(|pair| intervals.holds(pair.predicted, 1.0, pair.actual)).count();
        assert!((fixed as f64) < 0.5 * 2000.0, "{fixed} of 2000 without feedback");
        let mut adaptive = Adaptive::new(1);
        adaptive.run(&pairs[1000..], &intervals);
        let coverage = adaptive.coverage().unwrap();
        assert!((coverage - 0.8).abs() < 0.02, "{coverage}");
        let times = adaptive.widths[0].times();
        assert!((1.5..2.6).contains(&times), "{times}");
        assert_eq!(adaptive.range(), Some((coverage, coverage)));
    }

    #[test]
    fn hours_of_a_day_are_judged_with_the_width_of_its_beginning() {
        let intervals = Intervals::assumed(0.8);
        let missing = |hour| Pair { site: 0, hour, predicted: 10.0, actual: 1000.0 };
        let mut adaptive = Adaptive::new(1);
        adaptive.run(&(0..24).map(missing).collect::<Vec<_>>(), &intervals);
        assert!((adaptive.widths[0].0 - 24.0 * RATE * 0.8).abs() < 1e-9);
        assert_eq!(adaptive.coverage(), Some(0.0));
        assert_eq!(adaptive.range(), None, "a day is too little");
        assert_eq!(Width(f64::NAN).times(), 1.0);
        assert_eq!(Width(1e9).times(), MOST.exp());
    }
}
