//! Whether a camera reads worse than it used to: a cumulative sum (CUSUM) of its bad readings, hour by hour, against its own
//! past and against what the other cameras do in the same hour. It does not know what a bad reading is.
//!
//! After every hour S = max(0, S + log(likelihood if the share had doubled / likelihood as usual)); it is worse once S is above
//! a limit (E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954). Rain that masks the plates of all cameras alike
//! raises what is expected of each.

use serde::{Deserialize, Serialize};

use super::offsets::median;

/// The most that chance may do: one alarm in a million hours, about.
const LIMIT: f64 = 13.8;
/// Cars come in groups, and plates are masked for minutes, so an hour says this much less than single readings would.
pub(super) const MASKED_BURSTS: f64 = 3.0;
/// Contradictions come in bursts: a plate that is misread again and again, a clone before it is known as one.
pub(super) const CONFLICT_BURSTS: f64 = 8.0;
/// Fewer readings in an hour say nothing.
const MIN_READINGS: u32 = 60;
/// Hours from which the usual share is learnt before any is judged.
const LEARNT_HOURS: u32 = 6;
/// How much an hour counts in the usual share.
const WEIGHT: f64 = 0.02;
/// A share is at least this, and worse means at least so much more.
const MIN_SHARE: f64 = 0.01;
const MIN_RISE: f64 = 0.02;
/// How far the other cameras together may move what is expected of one.
const OTHERS: std::ops::RangeInclusive<f64> = 0.5..=4.0;

/// The bad readings of a camera over time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Trend {
    /// The usual share, 0 to 1.
    usual: f64,
    /// Hours that it is learnt from, up to [`LEARNT_HOURS`].
    hours: u32,
    /// The cumulative sum.
    sum: f64,
}

impl Trend {
    /// The usual share; none before it is learnt.
    pub(super) fn usual(&self) -> Option<f64> {
        (self.hours >= LEARNT_HOURS).then_some(self.usual.max(MIN_SHARE))
    }

    /// How many times the usual share an hour has, with `bad` of `all` readings; none if that says nothing.
    pub(super) fn ratio(&self, bad: u32, all: u32) -> Option<f64> {
        let usual = self.usual()?;
        (all >= MIN_READINGS).then(|| f64::from(bad) / f64::from(all) / usual)
    }

    /// Takes an hour. `others` is how many times their usual shares the cameras have in it, in the middle; bad readings come in
    /// groups of about `bursts`.
    pub(super) fn take(&mut self, bad: u32, all: u32, others: f64, bursts: f64) {
        if all < MIN_READINGS {
            return;
        }
        let share = f64::from(bad) / f64::from(all);
        let Some(usual) = self.usual() else {
            self.hours += 1;
            self.usual += (share - self.usual) / f64::from(self.hours);
            return;
        };
        let others = others.clamp(*OTHERS.start(), *OTHERS.end());
        let expected = (usual * others).min(0.4);
        let worse = (2.0 * expected).max(expected + MIN_RISE);
        let (bad, good) = (f64::from(bad), f64::from(all - bad));
        let step = bad * (worse / expected).ln() + good * ((1.0 - worse) / (1.0 - expected)).ln();
        // Bounded, so that a camera that was cleaned is soon well again.
        self.sum = (self.sum + step / bursts).clamp(0.0, 2.0 * LIMIT);
        if self.sum < LIMIT / 2.0 {
            self.usual += WEIGHT * (share / others - self.usual);
        }
    }

    /// Whether it is worse than usual, and that is no chance.
    pub(super) fn is_worse(&self) -> bool {
        self.sum > LIMIT
    }
}

/// Gives an hour to the trend of each camera; `of` says which trend it is, and bad readings among all.
pub(super) fn take_hour<C>(cameras: &mut [C], bursts: f64, of: impl Fn(&mut C) -> (&mut Trend, u32, u32)) {
    let ratio = |camera: &mut C| {
        let (trend, bad, all) = of(camera);
        trend.ratio(bad, all)
    };
    let mut ratios: Vec<f64> = cameras.iter_mut().filter_map(ratio).collect();
    // With two cameras there is no middle that both could be compared with.
    let others = if ratios.len() >= 3 { median(&mut ratios).unwrap_or(1.0) } else { 1.0 };
    for camera in cameras {
        let (trend, bad, all) = of(camera);
        trend.take(bad, all, others, bursts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(share: u32) -> Trend {
        let mut trend = Trend::default();
        (0..LEARNT_HOURS).for_each(|_| trend.take(share, 1000, 1.0, MASKED_BURSTS));
        trend
    }

    #[test]
    fn a_share_that_doubled_is_noticed_within_hours() {
        let mut trend = usual(25);
        assert_eq!(trend.usual(), Some(0.025));
        let hours = (1..).find(|_| {
            trend.take(60, 1000, 1.0, MASKED_BURSTS);
            trend.is_worse()
        });
        assert!(hours.is_some_and(|hours| hours <= 6), "{hours:?}");
        // Clean again, it is well within a day.
        let hours = (1..).find(|_| {
            trend.take(25, 1000, 1.0, MASKED_BURSTS);
            !trend.is_worse()
        });
        assert!(hours.is_some_and(|hours| hours <= 24), "{hours:?}");
    }

    /// By hand: expected 0.025, worse 0.05; 60 ln 2 + 940 ln(0.95 / 0.975) = 41.589 − 24.417, a third of it is 5.724.
    #[test]
    fn the_sum_is_the_log_likelihood_ratio() {
        let mut trend = usual(25);
        trend.take(60, 1000, 1.0, MASKED_BURSTS);
        assert!((trend.sum - 5.724).abs() < 1e-3, "{trend:?}");
        trend.take(0, 1000, 1.0, MASKED_BURSTS);
        assert_eq!(trend.sum, 0.0);
    }

    #[test]
    fn rain_over_all_cameras_is_nobodys_fault() {
        let mut trend = usual(25);
        (0..48).for_each(|_| trend.take(75, 1000, 3.0, MASKED_BURSTS));
        assert!(!trend.is_worse() && trend.usual().is_some_and(|usual| (usual - 0.025).abs() < 1e-9), "{trend:?}");
        (0..6).for_each(|_| trend.take(75, 1000, 1.0, MASKED_BURSTS));
        assert!(trend.is_worse());
    }

    #[test]
    fn thin_traffic_and_what_is_not_learnt_say_nothing() {
        let mut trend = usual(25);
        (0..48).for_each(|_| trend.take(59, 59, 1.0, MASKED_BURSTS));
        assert!(!trend.is_worse());
        let mut new = Trend::default();
        (1..LEARNT_HOURS).for_each(|_| new.take(900, 1000, 1.0, MASKED_BURSTS));
        assert_eq!((new.usual(), new.ratio(900, 1000), new.is_worse()), (None, None, false));
    }

    /// Chance alone: a share of 3 % of 300 readings an hour, over ten years of hours.
    #[test]
    fn chance_raises_no_alarm() {
        let mut state = 88_172_645_463_325_252u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut trend = usual(30);
        for hour in 0..20_000 {
            let bad = (0..300).filter(|_| random() < 0.03).count() as u32;
            trend.take(bad, 300, 1.0, MASKED_BURSTS);
            assert!(!trend.is_worse(), "hour {hour} {trend:?}");
        }
    }
}
