//! `recent-weeks`: the mean of the last weeks at the same hour of the week.
//!
//! The counts of a weekday's hour are those of the last days of that class which have a count: a missing week, or one whose
//! day was a holiday, is passed over, up to three of them. Holidays look at holidays. A day whose class was not seen
//! lately is like the last days of its kind, working or free; where even these have no count, the caller's fallback answers.
//! It knows counts and classes of days, not dates.

use std::collections::VecDeque;
use std::ops::Range;

use super::calendar::{DayClass, HOURS, SLOTS};
use super::grid::{Grid, Observed};
use super::pace::{Pace, Stopped};

/// Weeks of the mean where there is too little history to choose.
pub(super) const DEFAULT_WEEKS: usize = 3;
/// Everything that is tried.
pub(super) const WEEKS: [usize; 4] = [2, 3, 4, 8];
/// Weeks that may be missing among them.
const MISSED: usize = 3;
/// Most counts that are kept of a slot, and of an hour of a kind of day.
const KEPT: usize = 8;
const KEPT_OF_KIND: usize = 5 * KEPT;

/// Days and counts, newest first.
type Counts = VecDeque<(usize, f64)>;

/// The last counts of one checkpoint.
#[derive(Debug)]
pub(super) struct LastCounts {
    slots: Vec<Counts>,
    /// By working or free day, and hour.
    kinds: Vec<Counts>,
}

impl LastCounts {
    fn new() -> Self {
        Self { slots: vec![Counts::new(); SLOTS], kinds: vec![Counts::new(); 2 * HOURS] }
    }

    fn clear(&mut self) {
        self.slots.iter_mut().chain(&mut self.kinds).for_each(VecDeque::clear);
    }

    fn add(&mut self, seen: &Observed) {
        let kind = usize::from(seen.class.is_rest()) * HOURS + seen.hour;
        let places = [(self.slots.get_mut(seen.class.slot(seen.hour)), KEPT), (self.kinds.get_mut(kind), KEPT_OF_KIND)];
        for (counts, most) in places {
            let Some(counts) = counts else { continue };
            counts.push_front((seen.day, seen.count));
            counts.truncate(most);
        }
    }

    /// The mean for an hour of `day`, from the days before it; none if there is no count.
    pub(super) fn mean(&self, class: DayClass, hour: usize, day: usize, weeks: usize) -> Option<f64> {
        let reach = 7 * (weeks + MISSED);
        let mean = |counts: Option<&Counts>, most: usize| {
            let recent = counts?.iter().take(most).take_while(|(seen, _)| seen + reach >= day);
            let (sum, count) = recent.fold((0.0, 0.0f64), |(sum, count), (_, counted)| (sum + counted, count + 1.0));
            (count > 0.0).then(|| sum / count)
        };
        let of_class = if class.is_generic() { None } else { mean(self.slots.get(class.slot(hour)), weeks) };
        let days_of_kind = if class.is_rest() { 2 } else { 5 };
        let kind = usize::from(class.is_rest()) * HOURS + hour;
        of_class.or_else(|| mean(self.kinds.get(kind), weeks * days_of_kind))
    }
}

/// Calls `each` with every observed hour of these days and the counts that came before it.
fn walk(
    grid: &Grid,
    site: usize,
    days: Range<usize>,
    last: &mut LastCounts,
    mut each: impl FnMut(&Observed, &LastCounts),
) {
    last.clear();
    for seen in grid.observed_of(site, first_day(days.start)..days.end) {
        if seen.day >= days.start {
            each(&seen, last);
        }
        last.add(&seen);
    }
}

/// The first day that a mean at `day` may look at.
fn first_day(day: usize) -> usize {
    day.saturating_sub(7 * (KEPT + MISSED))
}

/// The predictions of the observed hours of these days, checkpoint by checkpoint.
pub(super) fn predictions(
    grid: &Grid,
    days: Range<usize>,
    weeks: usize,
    pace: &Pace,
    fallback: impl Fn(usize, &Observed) -> f64,
) -> Result<Vec<f64>, Stopped> {
    let mut predicted = Vec::new();
    let mut last = LastCounts::new();
    for site in 0..grid.sites().len() {
        walk(grid, site, days.clone(), &mut last, |seen, last| {
            let mean = last.mean(seen.class, seen.hour, seen.day, weeks);
            predicted.push(mean.unwrap_or_else(|| fallback(site, seen)));
        });
        pace.step()?;
    }
    Ok(predicted)
}

/// The number of weeks that predicts these days best.
pub(super) fn choose_weeks(grid: &Grid, days: Range<usize>, pace: &Pace) -> Result<usize, Stopped> {
    let mut errors = WEEKS.map(|weeks| (weeks, 0.0));
    let mut last = LastCounts::new();
    for site in 0..grid.sites().len() {
        walk(grid, site, days.clone(), &mut last, |seen, last| {
            // Hours without any count before them have the same fallback whatever is chosen.
            for (weeks, error) in &mut errors {
                let mean = last.mean(seen.class, seen.hour, seen.day, *weeks);
                *error += mean.map_or(0.0, |mean| (mean - seen.count).abs());
            }
        });
        pace.step()?;
    }
    let default = errors.iter().find(|(weeks, _)| *weeks == DEFAULT_WEEKS).map_or(f64::INFINITY, |(_, error)| *error);
    let best = errors.into_iter().min_by(|(_, error), (_, other)| error.total_cmp(other));
    // Another number must be better, not just different.
    Ok(best.filter(|(_, error)| *error < default * (1.0 - LEAST_GAIN)).map_or(DEFAULT_WEEKS, |(weeks, _)| weeks))
}

/// A choice whose error is not smaller by this share is left at its default.
const LEAST_GAIN: f64 = 0.01;

/// What is predicted from `day` on, by checkpoint and slot, in passages per hour.
pub(super) fn rates(
    grid: &Grid,
    day: usize,
    weeks: usize,
    pace: &Pace,
    fallback: impl Fn(usize, DayClass, usize) -> f64,
) -> Result<Vec<f32>, Stopped> {
    let mut rates = Vec::with_capacity(grid.sites().len() * SLOTS);
    let mut last = LastCounts::new();
    for site in 0..grid.sites().len() {
        walk(grid, site, day..day, &mut last, |_, _| {});
        for class in DayClass::all() {
            rates.extend((0..HOURS).map(|hour| {
                let mean = last.mean(class, hour, day, weeks);
                mean.unwrap_or_else(|| fallback(site, class, hour)) as f32
            }));
        }
        pace.step()?;
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::calendar::Calendar;
    use crate::predict::grid::GridBuilder;

    /// 2024-01-01, a Monday.
    const MONDAY: i64 = 19_723;

    /// One checkpoint whose count at eight is the number of the day, without the days of `missing`.
    fn grid(days: i64, missing: &[i64], holidays: &str) -> Grid {
        let mut builder = GridBuilder::default();
        let site = builder.site("a").unwrap();
        for day in (0..days).filter(|day| !missing.contains(day)) {
            builder.add(site, (MONDAY + day) * 24 + 8, false, day as f64, 1);
        }
        builder.finish(&Calendar::parse_csv(&format!("date,kind\n{holidays}")).unwrap()).0
    }

    /// The rate of Monday at eight after 28 days, or of another class.
    fn rate(grid: &Grid, class: DayClass) -> f32 {
        let rates = rates(grid, grid.days(), 3, &Pace::full(), |_, _, _| -1.0).unwrap();
        rates[class.slot(8)]
    }

    #[test]
    fn it_is_the_mean_of_the_last_three_weeks() {
        let monday = DayClass::of_weekday(0);
        assert_eq!(rate(&grid(28, &[], ""), monday), (21 + 14 + 7) as f32 / 3.0);
        assert_eq!(
            rate(&grid(28, &[14], ""), monday),
            (21 + 7) as f32 / 3.0,
            "a missing week is passed over, to day 0"
        );
        assert_eq!(rate(&grid(28, &[], "2024-01-15,holiday"), monday), (21 + 7) as f32 / 3.0, "and so is a holiday");
        let nine = rates(&grid(28, &[], ""), 28, 3, &Pace::full(), |_, _, _| -1.0).unwrap()[monday.slot(9)];
        assert_eq!(nine, -1.0, "the fallback");
    }

    #[test]
    fn holidays_are_like_holidays_and_else_like_free_days() {
        let without = grid(28, &[], "");
        let weekends = [27, 26, 20, 19, 13, 12].iter().sum::<i32>() as f32 / 6.0;
        assert_eq!(rate(&without, DayClass::HOLIDAY), weekends);
        assert_eq!(rate(&grid(28, &[], "2024-01-17,holiday"), DayClass::HOLIDAY), 16.0);
        // A worked Saturday: the last fifteen working days.
        assert_eq!(rate(&without, DayClass::WORK), (7..28).filter(|day| day % 7 < 5).sum::<i32>() as f32 / 15.0);
    }

    #[test]
    fn a_prediction_knows_only_the_days_before() {
        let grid = grid(28, &[], "");
        let predicted = predictions(&grid, 21..28, 3, &Pace::full(), |_, _| -1.0).unwrap();
        assert_eq!(predicted, [7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]);
        // The counts rise, so the shortest mean is the best.
        assert_eq!(choose_weeks(&grid, 21..28, &Pace::full()).unwrap(), 2);
    }
}
