//! What a model must beat: a constant, the same hour of the last day and of the last week, the mean of the hour, and the mean
//! of the hour of the week.
//!
//! The means and the constant know the days before the test; last day and last week know every hour before the
//! day that they predict, which favours them. If that hour is missing they look a day (a week) further back, up to four
//! times, then at the mean of the hour, then at the constant.

use super::calendar::{HOURS, SLOTS};
use super::grid::{Grid, Observed};

/// How many times further back a baseline looks.
const LOOKS: usize = 4;

/// A simple predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Baseline {
    Constant,
    LastDay,
    LastWeek,
    HourMean,
    WeekHourMean,
}

impl Baseline {
    pub(super) const ALL: [Self; 5] =
        [Self::Constant, Self::LastDay, Self::LastWeek, Self::HourMean, Self::WeekHourMean];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::LastDay => "last-day",
            Self::LastWeek => "last-week",
            Self::HourMean => "site-hour-mean",
            Self::WeekHourMean => "week-hour-mean",
        }
    }
}

/// What the baselines know.
#[derive(Debug)]
pub(super) struct Past<'a> {
    grid: &'a Grid,
    constant: f64,
    /// Sum and number of hours, by checkpoint and hour of the day.
    hours: Vec<(f64, f64)>,
    /// The same by checkpoint, class of day and hour.
    slots: Vec<(f64, f64)>,
}

impl<'a> Past<'a> {
    /// The first `days` days.
    pub(super) fn of(grid: &'a Grid, days: usize) -> Self {
        let mut hours = vec![(0.0, 0.0); grid.sites().len() * HOURS];
        let mut slots = vec![(0.0, 0.0); grid.sites().len() * SLOTS];
        let of_sites = hours.chunks_exact_mut(HOURS).zip(slots.chunks_exact_mut(SLOTS));
        for (site, (hours, slots)) in of_sites.enumerate() {
            for seen in grid.observed_of(site, 0..days) {
                for sums in [hours.get_mut(seen.hour), slots.get_mut(seen.class.slot(seen.hour))] {
                    let Some((sum, count)) = sums else { continue };
                    *sum += seen.count;
                    *count += 1.0;
                }
            }
        }
        let (sum, count) = hours.iter().fold((0.0, 0.0f64), |(sum, count), (more, hours)| (sum + more, count + hours));
        Self { grid, constant: sum / count.max(1.0), hours, slots }
    }

    pub(super) fn predict(&self, baseline: Baseline, site: usize, seen: &Observed) -> f64 {
        let known = |sums: Option<&(f64, f64)>, other: f64| match sums {
            Some((sum, count)) if *count > 0.0 => sum / count,
            _ => other,
        };
        let mean = known(self.hours.get(site * HOURS + seen.hour), self.constant);
        let back = |step: usize| {
            let hour = seen.day * HOURS + seen.hour;
            (1..=LOOKS).find_map(|times| self.grid.count(site, hour.checked_sub(step * times)?)).unwrap_or(mean)
        };
        match baseline {
            Baseline::Constant => self.constant,
            Baseline::HourMean => mean,
            Baseline::WeekHourMean => known(self.slots.get(site * SLOTS + seen.class.slot(seen.hour)), mean),
            Baseline::LastDay => back(HOURS),
            Baseline::LastWeek => back(7 * HOURS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::calendar::Calendar;
    use crate::predict::grid::GridBuilder;

    #[test]
    fn each_looks_where_it_says() {
        let mut builder = GridBuilder::default();
        let site = builder.site("a").unwrap();
        // Day 13 is missing.
        for day in (0..15).filter(|day| *day != 13) {
            builder.add(site, (19_723 + day) * 24 + 8, false, day as f64, 1);
        }
        let (grid, _) = builder.finish(&Calendar::default());
        let past = Past::of(&grid, 13);
        let last = grid.observed_of(0, 14..15).next().unwrap();
        let predicted = Baseline::ALL.map(|baseline| past.predict(baseline, 0, &last));
        assert_eq!(predicted, [6.0, 12.0, 7.0, 6.0, 3.5]);
        let unseen = Observed { hour: 9, ..last };
        assert_eq!(Baseline::ALL.map(|baseline| past.predict(baseline, 0, &unseen)), [6.0; 5]);
    }
}
