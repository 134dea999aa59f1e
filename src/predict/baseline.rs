//! What a model must beat: a constant, the same hour of the last day and of the last week, and the mean of the hour.
//!
//! The mean of the hour and the constant know the days before the test; last day and last week know every hour before the
//! day that they predict, which favours them. If that hour is missing they look a day (a week) further back, up to four
//! times, then at the mean of the hour, then at the constant.

use super::calendar::HOURS;
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
}

impl Baseline {
    pub(super) const ALL: [Self; 4] = [Self::Constant, Self::LastDay, Self::LastWeek, Self::HourMean];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::LastDay => "last-day",
            Self::LastWeek => "last-week",
            Self::HourMean => "site-hour-mean",
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
}

impl<'a> Past<'a> {
    /// The first `days` days.
    pub(super) fn of(grid: &'a Grid, days: usize) -> Self {
        let mut hours = vec![(0.0, 0.0); grid.sites().len() * HOURS];
        for (site, of_site) in hours.chunks_exact_mut(HOURS).enumerate() {
            for seen in grid.observed_of(site, 0..days) {
                if let Some((sum, count)) = of_site.get_mut(seen.hour) {
                    *sum += seen.count;
                    *count += 1.0;
                }
            }
        }
        let (sum, count) = hours.iter().fold((0.0, 0.0f64), |(sum, count), (more, hours)| (sum + more, count + hours));
        Self { grid, constant: sum / count.max(1.0), hours }
    }

    pub(super) fn predict(&self, baseline: Baseline, site: usize, seen: &Observed) -> f64 {
        let mean = match self.hours.get(site * HOURS + seen.hour) {
            Some((sum, count)) if *count > 0.0 => sum / count,
            _ => self.constant,
        };
        let back = |step: usize| {
            let hour = seen.day * HOURS + seen.hour;
            (1..=LOOKS).find_map(|times| self.grid.count(site, hour.checked_sub(step * times)?)).unwrap_or(mean)
        };
        match baseline {
            Baseline::Constant => self.constant,
            Baseline::HourMean => mean,
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
        assert_eq!(predicted, [6.0, 12.0, 7.0, 6.0]);
        let unseen = Observed { hour: 9, ..last };
        assert_eq!(Baseline::ALL.map(|baseline| past.predict(baseline, 0, &unseen)), [6.0; 4]);
    }
}
