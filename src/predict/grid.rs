//! Hourly counts as a dense table, checkpoint by checkpoint, in which a missing hour is not a zero.
//!
//! From a file, an hour without a row is missing. From the appliance's counters, an hour in which no checkpoint recorded
//! anything is missing (the system was down), and an hour in which others did is a zero, from the checkpoint's first
//! passage on. Where rows have no date, the rows of one checkpoint are taken to be in the order of time: a day ends where
//! the hour does not rise or the weekend flag changes. It does not know how rows are read.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::calendar::{Calendar, DayClass, HOURS, is_weekend};

/// Largest accepted count of a checkpoint in an hour: no road carries as many.
pub const MAX_COUNT: f64 = 1_000_000.0;
/// Most checkpoints of a model.
pub(super) const MAX_SITES: usize = 20_000;
/// Most values in a table; of a longer history the oldest days are left out.
pub(super) const MAX_CELLS: usize = 40_000_000;

/// One count.
#[derive(Debug, Clone, Copy)]
struct Row {
    site: u32,
    /// Hour since 1970, or since the checkpoint's first day where there are no dates.
    at: i32,
    line: u32,
    is_weekend: bool,
    count: f64,
}

/// Gathers counts.
#[derive(Debug, Default)]
pub struct GridBuilder {
    sites: Vec<Arc<str>>,
    by_name: FxHashMap<Arc<str>, u32>,
    rows: Vec<Row>,
    /// Last hour and weekend flag of each checkpoint, where there are no dates.
    undated: Vec<Option<(i32, bool)>>,
}

impl GridBuilder {
    /// The number of a checkpoint; none if there would be more than [`MAX_SITES`].
    pub fn site(&mut self, name: &str) -> Option<u32> {
        if let Some(known) = self.by_name.get(name) {
            return Some(*known);
        }
        let number = u32::try_from(self.sites.len()).ok().filter(|_| self.sites.len() < MAX_SITES)?;
        let name: Arc<str> = name.into();
        self.sites.push(name.clone());
        self.by_name.insert(name, number);
        Some(number)
    }

    /// Adds a count of a dated hour (since 1970).
    pub fn add(&mut self, site: u32, hour: i64, is_weekend: bool, count: f64, line: u32) {
        // Hours of all years that a GCSJ can name fit.
        let Ok(at) = i32::try_from(hour) else {
            debug_assert!(false, "hour {hour} is in no year");
            tracing::error!(hour, "a count of an hour in no year is left out");
            return;
        };
        self.rows.push(Row { site, at, line, is_weekend, count });
    }

    /// Adds a count of an hour of the day, after the earlier ones of the same checkpoint.
    pub fn add_undated(&mut self, site: u32, hour: u8, is_weekend: bool, count: f64, line: u32) {
        let place = site as usize;
        if self.undated.len() <= place {
            self.undated.resize(place + 1, None);
        }
        let Some(last) = self.undated.get_mut(place) else { return };
        let hour = i32::from(hour);
        let at = match *last {
            None => hour,
            Some((at, weekend)) if weekend == is_weekend && hour > at.rem_euclid(24) => at - at.rem_euclid(24) + hour,
            Some((at, _)) => at - at.rem_euclid(24) + 24 + hour,
        };
        *last = Some((at, is_weekend));
        self.rows.push(Row { site, at, line, is_weekend, count });
    }

    /// How many counts were added.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The table, and the lines that repeat a checkpoint and hour; the first of each stays.
    pub fn finish(self, calendar: &Calendar) -> (Grid, Vec<u32>) {
        let dated = self.undated.is_empty();
        let first = self.rows.iter().map(|row| row.at.div_euclid(24)).min().unwrap_or_default();
        let last = self.rows.iter().map(|row| row.at.div_euclid(24)).max().unwrap_or(first - 1);
        let most = (MAX_CELLS / HOURS / self.sites.len().max(1)).max(1) as i32;
        let first = first.max(last.saturating_sub(most - 1));
        let days = (last - first + 1).max(0) as usize;
        let mut grid = Grid::empty(self.sites, i64::from(first), days, dated, calendar);
        let mut repeated = Vec::new();
        for row in self.rows {
            let Ok(hour) = usize::try_from(row.at - first * 24) else {
                grid.left_out += 1;
                continue;
            };
            if !grid.set(row.site as usize, hour, row.count, row.is_weekend) {
                repeated.push(row.line);
            }
        }
        (grid, repeated)
    }
}

/// One observed hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Observed {
    pub(super) day: usize,
    pub(super) hour: usize,
    pub(super) class: DayClass,
    pub(super) is_weekend: bool,
    pub(super) count: f64,
}

/// The table.
#[derive(Debug, Clone)]
pub struct Grid {
    sites: Vec<Arc<str>>,
    first_day: i64,
    days: usize,
    dated: bool,
    classes: Vec<DayClass>,
    /// By checkpoint, then by hour; NaN is missing.
    counts: Vec<f64>,
    weekends: Vec<bool>,
    left_out: usize,
}

impl Grid {
    fn empty(sites: Vec<Arc<str>>, first_day: i64, days: usize, dated: bool, calendar: &Calendar) -> Self {
        let cells = sites.len() * days * HOURS;
        Self {
            classes: (0..days as i64).map(|day| calendar.class_of(first_day + day)).collect(),
            counts: vec![f64::NAN; cells],
            weekends: vec![false; cells],
            left_out: 0,
            sites,
            first_day,
            days,
            dated,
        }
    }

    /// Sets a count; false if there is one already.
    fn set(&mut self, site: usize, hour: usize, count: f64, is_weekend: bool) -> bool {
        let place = site * self.days * HOURS + hour;
        let (Some(known), Some(weekend)) = (self.counts.get_mut(place), self.weekends.get_mut(place)) else {
            return false;
        };
        if !known.is_nan() {
            return false;
        }
        *known = count.clamp(0.0, MAX_COUNT);
        *weekend = is_weekend;
        true
    }

    /// The table of the appliance's own hours. Each is an hour since 1970 in which something was recorded, and the counts
    /// of the checkpoints that recorded it.
    pub fn of_hours<'a>(hours: impl Iterator<Item = (i64, Vec<(&'a str, u64)>)> + Clone, calendar: &Calendar) -> Self {
        let mut builder = GridBuilder::default();
        let mut first_seen: Vec<i64> = Vec::new();
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for (hour, counts) in hours.clone() {
            (first, last) = (first.min(hour), last.max(hour));
            for (name, _) in counts {
                if let Some(site) = builder.site(name)
                    && site as usize == first_seen.len()
                {
                    first_seen.push(hour);
                }
            }
        }
        if builder.sites.is_empty() {
            return Self::empty(Vec::new(), 0, 0, true, calendar);
        }
        let most = (MAX_CELLS / HOURS / builder.sites.len()).max(1) as i64;
        let last_day = last.div_euclid(24);
        let first_day = first.div_euclid(24).max(last_day - most + 1);
        let days = (last_day - first_day + 1) as usize;
        let mut grid = Self::empty(std::mem::take(&mut builder.sites), first_day, days, true, calendar);
        let mut sums = vec![0u64; grid.sites.len()];
        for (hour, counts) in hours {
            let Ok(place) = usize::try_from(hour - first_day * 24) else { continue };
            sums.fill(0);
            for (name, count) in counts {
                let site = builder.by_name.get(name).map_or(usize::MAX, |site| *site as usize);
                if let Some(sum) = sums.get_mut(site) {
                    *sum = sum.saturating_add(count);
                }
            }
            for (site, (sum, first_seen)) in sums.iter().zip(&first_seen).enumerate() {
                if *first_seen <= hour {
                    grid.set(site, place, *sum as f64, is_weekend(hour.div_euclid(24)));
                }
            }
        }
        grid
    }

    /// Names of the checkpoints.
    pub fn sites(&self) -> &[Arc<str>] {
        &self.sites
    }

    /// How many days it spans.
    pub fn days(&self) -> usize {
        self.days
    }

    /// The first day since 1970; of no meaning where rows have no date.
    pub fn first_day(&self) -> i64 {
        self.first_day
    }

    /// Whether the hours have dates.
    pub fn is_dated(&self) -> bool {
        self.dated
    }

    /// Counts of days that were too old to fit.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Hours in which at least one checkpoint has a count, counted from the first day: the first and the last one and how
    /// many there are.
    pub fn span(&self) -> Option<(usize, usize, usize)> {
        let mut seen = vec![false; self.days * HOURS];
        if seen.is_empty() {
            return None;
        }
        for site in self.counts.chunks_exact(self.days * HOURS) {
            for (seen, count) in seen.iter_mut().zip(site) {
                *seen |= !count.is_nan();
            }
        }
        let first = seen.iter().position(|seen| *seen)?;
        let last = seen.iter().rposition(|seen| *seen)?;
        Some((first, last, seen.iter().filter(|seen| **seen).count()))
    }

    /// How many counts there are.
    pub fn observed(&self) -> usize {
        self.counts.iter().filter(|count| !count.is_nan()).count()
    }

    /// The count of a checkpoint in an hour since the first day.
    pub(super) fn count(&self, site: usize, hour: usize) -> Option<f64> {
        let hours = self.days * HOURS;
        let count = if hour < hours { self.counts.get(site * hours + hour) } else { None };
        count.copied().filter(|count| !count.is_nan())
    }

    /// The observed hours of a checkpoint within these days, in order.
    pub(super) fn observed_of(&self, site: usize, days: Range<usize>) -> impl Iterator<Item = Observed> + '_ {
        let hours = self.days * HOURS;
        let (from, to) = (days.start.min(self.days) * HOURS, days.end.min(self.days) * HOURS);
        let range = site * hours + from..site * hours + to.max(from);
        let counts = self.counts.get(range.clone()).unwrap_or_default();
        let weekends = self.weekends.get(range).unwrap_or_default();
        let cells = counts.iter().zip(weekends).enumerate().filter(|(_, (count, _))| !count.is_nan());
        cells.map(move |(place, (&count, &is_weekend))| {
            let day = (from + place) / HOURS;
            let class = match self.classes.get(day) {
                Some(class) if self.dated => *class,
                _ if is_weekend => DayClass::REST,
                _ => DayClass::WORK,
            };
            Observed { day, hour: (from + place) % HOURS, class, is_weekend, count }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(grid: &Grid, site: usize) -> Vec<(usize, usize, f64)> {
        grid.observed_of(site, 0..grid.days()).map(|seen| (seen.day, seen.hour, seen.count)).collect()
    }

    #[test]
    fn rows_without_a_date_make_days_where_the_hour_falls_or_the_flag_changes() {
        let mut builder = GridBuilder::default();
        let site = builder.site("a").unwrap();
        for (hour, weekend) in [(0, false), (5, false), (5, false), (7, false), (8, true)] {
            builder.add_undated(site, hour, weekend, f64::from(hour), 1);
        }
        let (grid, repeated) = builder.finish(&Calendar::default());
        assert!(repeated.is_empty() && !grid.is_dated());
        assert_eq!(counts(&grid, 0), [(0, 0, 0.0), (0, 5, 5.0), (1, 5, 5.0), (1, 7, 7.0), (2, 8, 8.0)]);
        let classes: Vec<_> = grid.observed_of(0, 1..3).map(|seen| seen.class).collect();
        assert_eq!(classes, [DayClass::WORK, DayClass::WORK, DayClass::REST]);
    }

    #[test]
    fn the_first_of_two_rows_of_one_hour_stays() {
        let mut builder = GridBuilder::default();
        let site = builder.site("a").unwrap();
        builder.add(site, 24 * 20_000, false, 3.0, 2);
        builder.add(site, 24 * 20_000, false, 4.0, 3);
        let (grid, repeated) = builder.finish(&Calendar::default());
        assert_eq!((counts(&grid, 0), repeated), (vec![(0, 0, 3.0)], vec![3]));
    }

    #[test]
    fn of_the_counters_a_silent_hour_is_missing_and_a_quiet_checkpoint_zero() {
        let start = 24 * 19_723;
        let hours = [
            (start, vec![("a", 5u64)]),
            // Nothing in the hour between.
            (start + 2, vec![("b", 7), ("b", 1)]),
            (start + 3, vec![("a", 2)]),
        ];
        let grid = Grid::of_hours(hours.iter().cloned(), &Calendar::default());
        assert_eq!(counts(&grid, 0), [(0, 0, 5.0), (0, 2, 0.0), (0, 3, 2.0)]);
        assert_eq!(counts(&grid, 1), [(0, 2, 8.0), (0, 3, 0.0)], "b is not there before its first passage");
        assert_eq!(grid.span(), Some((0, 3, 3)));
        assert_eq!(grid.observed(), 5);
    }

    #[test]
    fn dates_far_apart_leave_out_the_oldest_days() {
        let mut builder = GridBuilder::default();
        for number in 0..1000 {
            let site = builder.site(&number.to_string()).unwrap();
            builder.add(site, 24 * 10_957, false, 1.0, 2);
            builder.add(site, 24 * 47_000, false, 1.0, 3);
        }
        let (grid, _) = builder.finish(&Calendar::default());
        assert!(grid.sites().len() * grid.days() * HOURS <= MAX_CELLS);
        assert_eq!((grid.left_out(), grid.observed()), (1000, 1000));
    }
}
