//! The prediction without a model: the mean of the counts. It knows neither models nor HTTP.
//!
//! The closest available counts are used: of the checkpoint in that hour of the day, else of the checkpoint in any hour, else
//! of the checkpoints that recorded passages, in that hour of the day or in any. For an empty store it is zero.

use crate::forecast::{Basis, FlowForecast};
use crate::reader::{HourCounts, ReadError, Snapshot};

const HOURS: i64 = 24;
/// Hours before the newest that are used: four weeks.
const BACK: i64 = 28 * HOURS;

/// Counted hours.
#[derive(Debug, Default)]
pub(super) struct Means {
    hours: Vec<HourCounts>,
}

impl Means {
    /// The whole hours of the last weeks; if none is whole yet, the partial ones.
    ///
    /// # Errors
    /// [`ReadError`] if they cannot be read.
    pub(super) fn read(snapshot: &dyn Snapshot) -> Result<Self, ReadError> {
        let Some(newest) = snapshot.newest() else { return Ok(Self::default()) };
        let mut hours = snapshot.hours(newest.hour() - BACK, newest.hour(), BACK as usize + 1)?;
        if hours.iter().any(|hour| hour.is_whole) {
            hours.retain(|hour| hour.is_whole);
        }
        Ok(Self { hours })
    }

    /// Passages in an hour (since 1970) of the checkpoint with these names; without names, of all checkpoints.
    pub(super) fn forecast(&self, names: Option<&[String]>, hour: i64) -> FlowForecast {
        let Some(names) = names else { return self.nearest(hour, |counted| vec![sum(counted, |_| true)]) };
        let is_own = |name: &str| names.iter().any(|own| own == name);
        let has_own = self.hours.iter().flat_map(|counted| &counted.checkpoints).any(|(name, _)| is_own(name));
        if has_own {
            // No passage in an hour in which other checkpoints recorded is a count of zero.
            self.nearest(hour, |counted| vec![sum(counted, is_own)])
        } else {
            self.nearest(hour, |counted| counted.checkpoints.iter().map(|(_, count)| *count as f64).collect())
        }
    }

    /// The mean of the counts in that hour of the day, or else in all hours.
    fn nearest(&self, hour: i64, counts: impl Fn(&HourCounts) -> Vec<f64>) -> FlowForecast {
        let is_alike = |counted: &&HourCounts| (counted.hour - hour).rem_euclid(HOURS) == 0;
        let alike: Vec<f64> = self.hours.iter().filter(is_alike).flat_map(&counts).collect();
        if alike.is_empty() { mean(&self.hours.iter().flat_map(&counts).collect::<Vec<_>>()) } else { mean(&alike) }
    }
}

fn sum(counted: &HourCounts, is_wanted: impl Fn(&str) -> bool) -> f64 {
    counted.checkpoints.iter().filter(|(name, _)| is_wanted(name)).map(|(_, count)| *count as f64).sum()
}

/// The mean, between the smallest and the largest.
fn mean(counts: &[f64]) -> FlowForecast {
    // Starts at 0: the sum of an empty iterator is -0.
    let flow = counts.iter().fold(0.0, |sum, count| sum + count) / counts.len().max(1) as f64;
    let lower = counts.iter().copied().fold(flow, f64::min);
    let upper = counts.iter().copied().fold(flow, f64::max);
    FlowForecast { flow, lower, upper, basis: Basis::Untrained, correction: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means() -> Means {
        let hour = |hour, counts: &[(&str, u64)]| HourCounts {
            hour,
            is_whole: true,
            checkpoints: counts.iter().map(|(name, count)| ((*name).into(), *count)).collect(),
        };
        // Eight o'clock of two days, and nine of the first.
        Means { hours: vec![hour(8, &[("a", 10), ("b", 30)]), hour(9, &[("b", 5)]), hour(32, &[("a", 21)])] }
    }

    #[test]
    fn the_nearest_counts_decide() {
        let names = |name: &str| Some(vec![name.to_owned()]);
        for (name, hour, expected) in [
            (None, 56, (30.5, 21.0, 40.0)),
            (names("a"), 56, (15.5, 10.0, 21.0)),
            // Others recorded at nine, it did not.
            (names("a"), 57, (0.0, 0.0, 0.0)),
            // Nothing is known of three o'clock: the mean of all hours.
            (names("a"), 51, (31.0 / 3.0, 0.0, 21.0)),
            (None, 51, (66.0 / 3.0, 5.0, 40.0)),
            // It never recorded: the mean of those that did.
            (names("c"), 56, (61.0 / 3.0, 10.0, 30.0)),
            (names("c"), 51, (66.0 / 4.0, 5.0, 30.0)),
        ] {
            let FlowForecast { flow, lower, upper, basis, .. } = means().forecast(name.as_deref(), hour);
            assert_eq!(((flow, lower, upper), basis), (expected, Basis::Untrained), "{name:?} at {hour}");
        }
    }

    #[test]
    fn of_nothing_it_is_zero() {
        let nothing = Means::default().forecast(None, 8);
        assert_eq!((nothing.flow, nothing.lower, nothing.upper), (0.0, 0.0, 0.0));
    }
}
