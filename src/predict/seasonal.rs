//! `seasonal`: the rhythm of each checkpoint by hour of the week, shrunk towards what all checkpoints have in common,
//! times a level from its recent days.
//!
//! A regression on nested one-hot features, fitted from coarse to fine: the checkpoint's mean; the hour of all
//! checkpoints, then hour × working or free day, then hour × weekday; and the checkpoint's own deviation from these, in the
//! same three steps. Each step is a ratio of sums, drawn to its parent by κ pseudo-observations:
//!
//! ```text
//! factor = (Σ counted + κ·expected) / (Σ expected + κ·expected)
//! ```
//!
//! which is the ridge solution of that step (columns of one one-hot group are orthogonal, so it has this closed form) and
//! the posterior mean of a Poisson rate under a Gamma prior. A coarse step without data keeps its parent, so that an
//! unseen weekday has the shape of its kind of day, and an unseen hour is interpolated from its neighbours. The
//! penalty, the reach of the level and whether outliers are clipped are chosen on days held out ([`mod@super::train`]).
//!
//! It knows counts and classes of days, not dates.

use serde::{Deserialize, Serialize};

use super::calendar::{DayClass, HOURS, SLOTS};
use super::grid::{Grid, Observed};
use super::pace::{Pace, Stopped};
use super::weeks::DEFAULT_WEEKS;

/// What is chosen on held-out days, for this model and for `recent-weeks`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Factor of all penalties.
    pub strength: f64,
    /// Whether counts far from the median of their hour are drawn in before they are averaged.
    pub is_robust: bool,
    /// Days that the level looks back; 0 for none.
    pub level_days: usize,
    /// Weeks of the mean of `recent-weeks`.
    #[serde(default = "default_weeks")]
    pub weeks: usize,
}

fn default_weeks() -> usize {
    DEFAULT_WEEKS
}

impl Options {
    /// What is used where there is too little history to choose.
    pub const DEFAULT: Self = Self { strength: 1.0, is_robust: false, level_days: 0, weeks: DEFAULT_WEEKS };

    /// Everything that is tried.
    pub const STRENGTHS: [f64; 4] = [0.25, 1.0, 4.0, 16.0];
    /// Everything that is tried.
    pub const LEVEL_DAYS: [usize; 4] = [0, 2, 7, 14];
}

/// Pseudo-observations that draw all checkpoints' hour of a kind of day towards the hour, in days.
const POOLED_KIND: f64 = 0.5;
/// The same for the weekday towards its kind, times the strength.
const POOLED_WEEKDAY: f64 = 2.0;
/// Pseudo-observations that draw a checkpoint's hour, hour × kind and hour × weekday to their parents, times the strength.
const OWN: [f64; 3] = [1.0, 2.0, 4.0];
/// A checkpoint with fewer hours than this is drawn towards the mean of all.
const SHORT_HISTORY_HOURS: f64 = 72.0;
/// Rounds between checkpoints' means and the pooled rhythm, which depend on one another where hours are missing.
const ROUNDS: usize = 3;
/// A level outside this range can only come from an error of the data.
const LEVELS: std::ops::RangeInclusive<f64> = 0.05..=10.0;
/// Days that draw a level to that of all checkpoints, and the latter to 1.
const LEVEL_PRIOR_DAYS: f64 = 1.0;

/// Sums of the counts of each checkpoint by slot.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    total: Vec<f64>,
    hours: Vec<f64>,
}

impl Sums {
    /// Over the first `days` days.
    pub(super) fn of(grid: &Grid, days: usize, is_robust: bool, pace: &Pace) -> Result<Self, Stopped> {
        let cells = grid.sites().len() * SLOTS;
        let mut sums = Self { total: vec![0.0; cells], hours: vec![0.0; cells] };
        let mut medians = Medians::default();
        let parts = sums.total.chunks_exact_mut(SLOTS).zip(sums.hours.chunks_exact_mut(SLOTS));
        for (site, (total, hours)) in parts.enumerate() {
            if is_robust {
                medians.learn(grid.observed_of(site, 0..days));
            }
            for seen in grid.observed_of(site, 0..days) {
                let slot = seen.class.slot(seen.hour);
                if let (Some(total), Some(hours)) = (total.get_mut(slot), hours.get_mut(slot)) {
                    *total += if is_robust { medians.clip(&seen) } else { seen.count };
                    *hours += 1.0;
                }
            }
            pace.step()?;
        }
        Ok(sums)
    }

    fn sites(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        self.total.chunks_exact(SLOTS).zip(self.hours.chunks_exact(SLOTS))
    }
}

/// Medians of a checkpoint by hour and kind of day.
#[derive(Debug, Default)]
struct Medians {
    values: Vec<Vec<f64>>,
    medians: Vec<f64>,
}

impl Medians {
    fn place(seen: &Observed) -> usize {
        seen.hour * 2 + usize::from(seen.class.is_rest())
    }

    fn learn(&mut self, observed: impl Iterator<Item = Observed>) {
        self.values.resize(HOURS * 2, Vec::new());
        self.values.iter_mut().for_each(Vec::clear);
        for seen in observed {
            if let Some(values) = self.values.get_mut(Self::place(&seen)) {
                values.push(seen.count);
            }
        }
        self.medians = self.values.iter_mut().map(|values| median(values).unwrap_or_default()).collect();
    }

    /// The count, limited to the median ± its half, or ± twice the standard deviation of a Poisson count of that mean, plus one,
    /// if that is more.
    fn clip(&self, seen: &Observed) -> f64 {
        let median = self.medians.get(Self::place(seen)).copied().unwrap_or(seen.count);
        let reach = (0.5 * median).max(2.0 * median.sqrt() + 1.0);
        seen.count.clamp((median - reach).max(0.0), median + reach)
    }
}

/// The median; of an even number of values the mean of the middle two.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| is_even);
    Some(lower.map_or(*upper, |lower| (lower + *upper) / 2.0))
}

/// `counted / expected`, or `parent` where nothing was expected.
fn ratio(counted: f64, expected: f64, parent: f64) -> f64 {
    if expected > 0.0 { counted / expected } else { parent }
}

/// The rhythm that all checkpoints have in common.
#[derive(Debug)]
struct Pooled {
    /// By hour.
    hours: [f64; HOURS],
    /// By slot; that of generic classes is the kind's.
    slots: Vec<f64>,
}

impl Pooled {
    fn learn(sums: &Sums, means: &[f64], strength: f64) -> Self {
        let (mut counted, mut expected) = (vec![0.0; SLOTS], vec![0.0; SLOTS]);
        for ((total, hours), mean) in sums.sites().zip(means) {
            for ((counted, total), (expected, hours)) in
                counted.iter_mut().zip(total).zip(expected.iter_mut().zip(hours))
            {
                *counted += total;
                *expected += hours * mean;
            }
        }
        // The expected count of one hour over all checkpoints together.
        let together: f64 = means.iter().sum();
        let at =
            |values: &[f64], class: DayClass, hour: usize| values.get(class.slot(hour)).copied().unwrap_or_default();
        let sum = |values: &[f64], hour: usize, wanted: &dyn Fn(DayClass) -> bool| -> f64 {
            DayClass::all().filter(|class| wanted(*class)).map(|class| at(values, class, hour)).sum()
        };
        let known: Vec<Option<f64>> = (0..HOURS)
            .map(|hour| {
                let expected = sum(&expected, hour, &|_| true);
                (expected > 0.0).then(|| sum(&counted, hour, &|_| true) / expected)
            })
            .collect();
        let hours = between_neighbours(&known);
        let mut slots = vec![0.0; SLOTS];
        for (hour, of_hour) in hours.iter().enumerate() {
            for generic in [DayClass::WORK, DayClass::REST] {
                let of_kind = |class: DayClass| class.generic() == generic;
                let prior = POOLED_KIND * together;
                let kind = ratio(
                    sum(&counted, hour, &of_kind) + prior * of_hour,
                    sum(&expected, hour, &of_kind) + prior,
                    *of_hour,
                );
                for class in DayClass::all().filter(|class| of_kind(*class)) {
                    let prior = POOLED_WEEKDAY * strength * together;
                    let factor = if class.is_generic() {
                        kind
                    } else {
                        ratio(at(&counted, class, hour) + prior * kind, at(&expected, class, hour) + prior, kind)
                    };
                    if let Some(slot) = slots.get_mut(class.slot(hour)) {
                        *slot = factor;
                    }
                }
            }
        }
        Self { hours, slots }
    }
}

/// Fills what is not known from the nearest known hours on both sides, round the clock.
fn between_neighbours(known: &[Option<f64>]) -> [f64; HOURS] {
    let mut filled = [1.0; HOURS];
    let find = |from: usize, step: usize| {
        (0..HOURS).find_map(|distance| {
            let place = (from + distance * step) % HOURS;
            known.get(place).copied().flatten().map(|value| (distance as f64, value))
        })
    };
    for (hour, value) in filled.iter_mut().enumerate() {
        if let (Some((ahead, after)), Some((behind, before))) = (find(hour, 1), find(hour, HOURS - 1)) {
            *value = if ahead + behind == 0.0 { after } else { (before * ahead + after * behind) / (ahead + behind) };
        }
    }
    filled
}

/// What was learnt of every checkpoint, without its level.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profiles {
    /// By checkpoint and slot, in passages per hour.
    pub(super) rates: Vec<f64>,
    /// By slot, of a checkpoint of middle size.
    pub(super) typical: Vec<f64>,
}

impl Profiles {
    pub(super) fn fit(sums: &Sums, strength: f64) -> Self {
        let raw = |(total, hours): (&[f64], &[f64])| (total.iter().sum::<f64>(), hours.iter().sum::<f64>());
        let mut means: Vec<f64> =
            sums.sites().map(raw).map(|(total, hours)| if hours > 0.0 { total / hours } else { 0.0 }).collect();
        let present = sums.sites().map(raw).filter(|(_, hours)| *hours > 0.0).count().max(1) as f64;
        let mut pooled = Pooled::learn(sums, &means, strength);
        for _ in 0..ROUNDS {
            let middle = means.iter().sum::<f64>() / present;
            for ((total, hours), mean) in sums.sites().zip(&mut means) {
                let (counted, seen) = raw((total, hours));
                let weight: f64 = hours.iter().zip(&pooled.slots).map(|(hours, factor)| hours * factor).sum();
                let prior = if seen > 0.0 { (1.0 - seen / SHORT_HISTORY_HOURS).max(0.0) } else { 0.0 };
                *mean = ratio(counted + prior * middle, weight + prior, *mean);
            }
            pooled = Pooled::learn(sums, &means, strength);
        }
        let mut rates = Vec::with_capacity(means.len() * SLOTS);
        for ((total, hours), mean) in sums.sites().zip(&means) {
            rates.extend(own_rhythm(total, hours, *mean, &pooled, strength));
        }
        let mut present: Vec<f64> = sums
            .sites()
            .zip(&means)
            .filter(|((_, hours), _)| hours.iter().any(|hours| *hours > 0.0))
            .map(|(_, mean)| *mean)
            .collect();
        let middle = median(&mut present).unwrap_or_default();
        let typical = pooled.slots.iter().map(|factor| factor * middle).collect();
        Self { rates, typical }
    }

    /// Passages per hour.
    pub(super) fn rate(&self, site: usize, class: DayClass, hour: usize) -> f64 {
        let rate = self.rates.get(site * SLOTS + class.slot(hour));
        debug_assert!(rate.is_some(), "checkpoint {site} has no rate");
        rate.copied().unwrap_or_default()
    }
}

/// The rates of one checkpoint by slot.
fn own_rhythm(total: &[f64], hours: &[f64], mean: f64, pooled: &Pooled, strength: f64) -> Vec<f64> {
    let at = |values: &[f64], class: DayClass, hour: usize| values.get(class.slot(hour)).copied().unwrap_or_default();
    let expected = |class: DayClass, hour: usize| at(hours, class, hour) * mean * at(&pooled.slots, class, hour);
    let [by_hour, by_kind, by_weekday] = OWN.map(|prior| prior * strength);
    let mut rates = vec![0.0; SLOTS];
    for (hour, of_hour) in pooled.hours.iter().enumerate() {
        let sum = |values: &dyn Fn(DayClass) -> f64, wanted: &dyn Fn(DayClass) -> bool| -> f64 {
            DayClass::all().filter(|class| wanted(*class)).map(values).sum()
        };
        let counted = |class| at(total, class, hour);
        let expected = |class| expected(class, hour);
        let prior = by_hour * mean * of_hour;
        let own = ratio(sum(&counted, &|_| true) + prior, sum(&expected, &|_| true) + prior, 1.0);
        for generic in [DayClass::WORK, DayClass::REST] {
            let of_kind = |class: DayClass| class.generic() == generic;
            let prior = by_kind * mean * at(&pooled.slots, generic, hour) * own;
            let kind = ratio(sum(&counted, &of_kind) + prior, sum(&expected, &of_kind) * own + prior, 1.0);
            for class in DayClass::all().filter(|class| of_kind(*class)) {
                let rate = mean * at(&pooled.slots, class, hour) * own * kind;
                let prior = by_weekday * rate;
                let weekday = if class.is_generic() {
                    1.0
                } else {
                    ratio(counted(class) + prior, expected(class) * own * kind + prior, 1.0)
                };
                if let Some(place) = rates.get_mut(class.slot(hour)) {
                    *place = rate * weekday;
                }
            }
        }
    }
    rates
}

/// What was counted and expected on each of some days, from which levels come.
#[derive(Debug)]
pub(super) struct DaySums {
    first: usize,
    days: usize,
    /// By checkpoint and day.
    counted: Vec<f64>,
    expected: Vec<f64>,
    /// What each checkpoint is expected to count on a mean day.
    mean_day: Vec<f64>,
}

impl DaySums {
    pub(super) fn of(
        grid: &Grid,
        profiles: &Profiles,
        days: std::ops::Range<usize>,
        pace: &Pace,
    ) -> Result<Self, Stopped> {
        let count = days.len();
        let cells = grid.sites().len() * count;
        let mut sums = Self {
            first: days.start,
            days: count,
            counted: vec![0.0; cells],
            expected: vec![0.0; cells],
            mean_day: Vec::new(),
        };
        for site in 0..grid.sites().len() {
            for seen in grid.observed_of(site, days.clone()) {
                let place = site * count + (seen.day - days.start);
                if let (Some(counted), Some(expected)) = (sums.counted.get_mut(place), sums.expected.get_mut(place)) {
                    *counted += seen.count;
                    *expected += profiles.rate(site, seen.class, seen.hour);
                }
            }
            let week: f64 = DayClass::all()
                .filter(|class| !class.is_generic() && *class != DayClass::HOLIDAY)
                .map(|class| (0..HOURS).map(|hour| profiles.rate(site, class, hour)).sum::<f64>())
                .sum();
            sums.mean_day.push(week / 7.0);
            pace.step()?;
        }
        Ok(sums)
    }

    /// The level of every checkpoint as `end` begins, from the `window` days before.
    pub(super) fn levels(&self, end: usize, window: usize) -> Vec<f64> {
        if window == 0 {
            return vec![1.0; self.mean_day.len()];
        }
        let to = end.saturating_sub(self.first).min(self.days);
        let from = end.saturating_sub(window).max(self.first).saturating_sub(self.first).min(to);
        let sum = |values: &[f64], site: usize| -> f64 {
            values.get(site * self.days + from..site * self.days + to).unwrap_or_default().iter().sum()
        };
        let sites = 0..self.mean_day.len();
        let prior = LEVEL_PRIOR_DAYS * self.mean_day.iter().sum::<f64>();
        let all = ratio(
            sites.clone().map(|site| sum(&self.counted, site)).sum::<f64>() + prior,
            sites.clone().map(|site| sum(&self.expected, site)).sum::<f64>() + prior,
            1.0,
        );
        sites
            .zip(&self.mean_day)
            .map(|(site, day)| {
                let prior = LEVEL_PRIOR_DAYS * day;
                let level = ratio(sum(&self.counted, site) + prior * all, sum(&self.expected, site) + prior, all);
                level.clamp(*LEVELS.start(), *LEVELS.end())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::calendar::Calendar;
    use crate::predict::grid::GridBuilder;

    /// 2024-01-01, a Monday.
    const MONDAY: i64 = 19_723;

    fn grid(days: i64, count: impl Fn(&str, i64, i64) -> Option<f64>) -> Grid {
        let mut builder = GridBuilder::default();
        for name in ["a", "b", "c"] {
            let site = builder.site(name).unwrap();
            for hour in 0..days * 24 {
                if let Some(count) = count(name, hour / 24, hour % 24) {
                    builder.add(site, MONDAY * 24 + hour, false, count, 1);
                }
            }
        }
        builder.finish(&Calendar::default()).0
    }

    fn profiles(grid: &Grid, strength: f64) -> Profiles {
        Profiles::fit(&Sums::of(grid, grid.days(), false, &Pace::full()).unwrap(), strength)
    }

    fn weekday(day: u8) -> DayClass {
        DayClass::of_weekday(day)
    }

    #[test]
    fn a_rhythm_without_noise_is_learnt() {
        let truth = |name: &str, day: i64, hour: i64| {
            let size = match name {
                "a" => 10.0,
                "b" => 100.0,
                _ => 400.0,
            };
            let weekend = if day % 7 >= 5 { 0.5 } else { 1.0 };
            size * weekend * (1.0 + hour as f64 / 12.0)
        };
        let grid = grid(28, |name, day, hour| Some(truth(name, day, hour)));
        let profiles = profiles(&grid, 1.0);
        for (site, name) in ["a", "b", "c"].iter().enumerate() {
            for day in 0..7 {
                for hour in 0..24 {
                    let rate = profiles.rate(site, weekday(day), hour);
                    let expected = truth(name, i64::from(day), hour as i64);
                    assert!((rate / expected - 1.0).abs() < 0.05, "{name} {day} {hour}: {rate}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn days_and_hours_never_seen_have_the_shape_of_their_parents() {
        // Monday to Wednesday, without the hours from 3 to 5.
        let grid = grid(3, |_, _, hour| (!(3..6).contains(&hour)).then_some(if hour < 12 { 20.0 } else { 40.0 }));
        let profiles = profiles(&grid, 1.0);
        for class in [weekday(3), weekday(6), DayClass::HOLIDAY, DayClass::WORK, DayClass::REST] {
            assert!((profiles.rate(0, class, 4) - 20.0).abs() < 1.0, "between its neighbours");
            assert!((profiles.rate(0, class, 15) - 40.0).abs() < 2.0, "{:?}", profiles.rate(0, class, 15));
        }
    }

    #[test]
    fn a_short_history_is_drawn_to_the_others() {
        // b has only one hour, at night.
        let shape = |hour: i64| if hour < 6 { 10.0 } else { 50.0 };
        let grid = grid(14, |name, day, hour| match name {
            "b" => (day == 13 && hour == 2).then_some(20.0),
            _ => Some(shape(hour)),
        });
        let profiles = profiles(&grid, 1.0);
        let [night, noon] = [2, 12].map(|hour| profiles.rate(1, weekday(1), hour));
        assert!((10.0..21.0).contains(&night) && noon > 3.0 * night, "{night} {noon}");
        assert!((profiles.typical[weekday(0).slot(12)] - 50.0).abs() < 15.0);
    }

    #[test]
    fn the_level_follows_the_last_days() {
        let grid = grid(28, |name, day, _| Some(if name == "a" && day >= 26 { 200.0 } else { 100.0 }));
        let profiles = Profiles::fit(&Sums::of(&grid, 21, false, &Pace::full()).unwrap(), 1.0);
        let sums = DaySums::of(&grid, &profiles, 7..28, &Pace::full()).unwrap();
        assert!(sums.levels(26, 7).iter().all(|level| (level - 1.0).abs() < 1e-6));
        let levels = sums.levels(28, 2);
        assert!(levels[0] > 1.6 && levels[1] < 1.2, "{levels:?}");
        assert_eq!(sums.levels(28, 0), [1.0; 3]);
    }

    #[test]
    fn outliers_are_drawn_in() {
        let grid = grid(15, |_, day, _| Some(if day == 7 { 5000.0 } else { 100.0 }));
        let robust = Profiles::fit(&Sums::of(&grid, 15, true, &Pace::full()).unwrap(), 1.0);
        assert!(robust.rate(0, weekday(0), 8) < 115.0 && profiles(&grid, 1.0).rate(0, weekday(0), 8) > 150.0);
        assert_eq!(median(&mut [3.0, 1.0]), Some(2.0));
        assert_eq!(median(&mut []), None);
    }
}
