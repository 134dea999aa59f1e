//! One segment: its present time, its profile, and what its next hours will take.

use std::sync::Arc;

use traffic::evidence::HourTimes;

use super::level::{RoadBasis, RoadLevel, RoadsState};

/// With fewer cars there is no travel time.
const MIN_CARS: usize = 5;
/// The window of the present travel time, in seconds, and the one that stands in for it.
const WINDOW: u16 = 900;
/// Clocks that may falsify this share of the time of a free road leave no level.
const MAX_CLOCK_SHARE: f64 = 0.15;
/// How much of a deviation from the profile is left after an hour. Over 34,000 hours of 67 segments with incidents and
/// wrong clocks, 0.3 has a mean error of 8.1 % an hour ahead and 8.5 % two hours ahead, and the profile alone 8.5 % both;
/// from 0.5 on it is worse than the profile after two hours (9.1 %).
pub const DECAY: f64 = 0.3;
/// How many hours are forecast.
const AHEAD: i64 = 6;
/// A deviation counts within these factors.
const FACTORS: (f64, f64) = (0.5, 4.0);
/// With so many earlier days of one kind (working days, weekends) the profile is of these alone.
const DAYS_OF_A_KIND: usize = 3;
const DAY: i64 = 24;

/// A segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Road {
    /// KKMC of its first checkpoint, as in the records.
    pub from: Arc<str>,
    /// KKMC of its last.
    pub to: Arc<str>,
    /// Seconds on a free road: 15 % of the cars take less.
    pub free_flow: f64,
    /// The present median in seconds.
    pub median: Option<f64>,
    /// Cars of the window, the newest 256 of a partition at most.
    pub cars: usize,
    /// What the median is based on.
    pub basis: RoadBasis,
    /// The hours of the last two weeks that had cars enough, in order.
    pub hours: Arc<Vec<HourTimes>>,
}

/// All segments at one place in the stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roads {
    /// Whether anything is learnt.
    pub state: RoadsState,
    /// Corrected event time, in civil seconds.
    pub now: Option<i64>,
    /// In the order of their names.
    pub all: Vec<Road>,
}

/// Times of an hour of the day, in seconds, over earlier days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProfileHour {
    /// How many days.
    pub days: usize,
    /// The median of the days' bands and medians.
    pub low: f64,
    /// See `low`.
    pub median: f64,
    /// See `low`.
    pub high: f64,
}

/// What an hour will take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedHour {
    /// The hour since 1970.
    pub hour: i64,
    /// The profile's, scaled by `factor`.
    pub low: f64,
    /// See `low`.
    pub median: f64,
    /// See `low`.
    pub high: f64,
    /// What is left of the present deviation from the profile.
    pub factor: f64,
}

/// How wrong forecasts of the hours of the last two weeks would have been, an hour ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastError {
    /// How many hours were compared.
    pub hours: usize,
    /// Mean of the absolute error over the time that the hour took.
    pub error: f64,
    /// The same of the profile alone.
    pub of_profile: f64,
}

impl Road {
    /// A segment with these cars: how many seconds ago each arrived, and how many it took. `clock_error` is by how many
    /// seconds the clocks may falsify that.
    pub fn new(
        [from, to]: [Arc<str>; 2],
        free_flow: f64,
        recent: &[(u16, u16)],
        clock_error: f64,
        hours: Arc<Vec<HourTimes>>,
    ) -> Self {
        let within = |seconds: u16| {
            recent.iter().filter(|(age, _)| *age <= seconds).map(|(_, took)| f64::from(*took)).collect::<Vec<f64>>()
        };
        let (basis, mut times) = match within(WINDOW) {
            times if times.len() >= MIN_CARS => (RoadBasis::Quarter, times),
            _ => (RoadBasis::Hour, within(u16::MAX)),
        };
        let cars = times.len();
        let basis = match basis {
            _ if cars < MIN_CARS => RoadBasis::TooFew,
            _ if clock_error > free_flow * MAX_CLOCK_SHARE => RoadBasis::Clocks,
            basis => basis,
        };
        let is_known = matches!(basis, RoadBasis::Quarter | RoadBasis::Hour);
        let median = if is_known { median(&mut times) } else { None };
        Self { from, to, free_flow, median, cars, basis, hours }
    }

    /// The present time over that of a free road, to two decimals.
    pub fn index(&self) -> Option<f64> {
        self.median.map(|median| (median / self.free_flow.max(1.0) * 100.0).round() / 100.0)
    }

    /// How it flows.
    pub fn level(&self) -> Option<RoadLevel> {
        self.index().map(RoadLevel::of)
    }

    /// Its own profile of the hour of the day of `hour`, from the days before that of `hour`.
    pub fn profile(&self, hour: i64) -> Option<ProfileHour> {
        let day = hour.div_euclid(DAY);
        let same: Vec<&HourTimes> = self
            .hours
            .iter()
            .filter(|known| (hour - i64::from(known.hour)).rem_euclid(DAY) == 0)
            .filter(|known| i64::from(known.hour).div_euclid(DAY) < day)
            .collect();
        let of_a_kind: Vec<&HourTimes> =
            same.iter().copied().filter(|known| is_weekend(known.hour.into()) == is_weekend(hour)).collect();
        let days = if of_a_kind.len() >= DAYS_OF_A_KIND { of_a_kind } else { same };
        let over =
            |of: fn(&HourTimes) -> u16| median(&mut days.iter().map(|day| f64::from(of(day))).collect::<Vec<_>>());
        Some(ProfileHour {
            days: days.len(),
            low: over(|day| day.low)?,
            median: over(|day| day.median)?,
            high: over(|day| day.high)?,
        })
    }

    /// The finished hours of the day of `hour`, up to it.
    pub fn day(&self, hour: i64) -> impl Iterator<Item = &HourTimes> {
        let day = hour.div_euclid(DAY);
        self.hours.iter().filter(move |known| i64::from(known.hour).div_euclid(DAY) == day)
    }

    /// What the hours after that of `now` (civil seconds) will take, those that the profile knows.
    pub fn expected(&self, now: i64) -> Vec<ExpectedHour> {
        let hour = now.div_euclid(3600);
        let present = self.profile(hour).zip(self.median).map(|(profile, median)| deviation(median, profile.median));
        let ahead = (1..=AHEAD).filter_map(|ahead| {
            let ProfileHour { low, median, high, .. } = self.profile(hour + ahead)?;
            let to_middle = (hour + ahead) * 3600 + 1800 - now;
            let factor = factor(present.unwrap_or(1.0), to_middle as f64 / 3600.0);
            Some(ExpectedHour {
                hour: hour + ahead,
                low: low * factor,
                median: median * factor,
                high: high * factor,
                factor,
            })
        });
        ahead.collect()
    }

    /// How wrong that is an hour ahead, over the hours that are known and have a profile from the days before.
    pub fn forecast_error(&self) -> Option<ForecastError> {
        let (mut hours, mut error, mut of_profile) = (0, 0.0, 0.0);
        for [before, known] in self.hours.windows(2).filter_map(|pair| <&[HourTimes; 2]>::try_from(pair).ok()) {
            if before.hour + 1 != known.hour || known.median == 0 {
                continue;
            }
            let profiles = self.profile(before.hour.into()).zip(self.profile(known.hour.into()));
            let Some((present, next)) = profiles else { continue };
            let actual = f64::from(known.median);
            // From the middle of an hour to that of the next.
            let expected = next.median * factor(deviation(f64::from(before.median), present.median), 1.0);
            hours += 1;
            error += (expected - actual).abs() / actual;
            of_profile += (next.median - actual).abs() / actual;
        }
        let mean = |sum: f64| sum / hours as f64;
        (hours > 0).then(|| ForecastError { hours, error: mean(error), of_profile: mean(of_profile) })
    }
}

impl Roads {
    /// The segment between two checkpoints, each by any of these names.
    pub fn find(&self, from: &[String], to: &[String]) -> Option<&Road> {
        let is = |name: &str, names: &[String]| names.iter().any(|known| known == name);
        self.all.iter().find(|road| is(&road.from, from) && is(&road.to, to))
    }
}

fn deviation(present: f64, profile: f64) -> f64 {
    (present / profile.max(1.0)).clamp(FACTORS.0, FACTORS.1)
}

fn factor(deviation: f64, hours: f64) -> f64 {
    1.0 + (deviation - 1.0) * DECAY.powf(hours)
}

/// 1970-01-01 was a Thursday.
fn is_weekend(hour: i64) -> bool {
    (hour.div_euclid(DAY) + 3).rem_euclid(7) >= 5
}

fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let (half, last) = (numbers.len() / 2, numbers.len().checked_sub(1)?);
    let upper = *numbers.get(half)?;
    Some(if last % 2 == 0 { upper } else { f64::midpoint(upper, *numbers.get(half - 1)?) })
}
