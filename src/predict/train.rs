//! Training: choosing options and measuring intervals on days held out, testing, and learning again from all days.
//!
//! What is served learnt from all days; its intervals come from the errors on both held-out parts, where the predicting
//! model had not seen the day. It knows no file and no clock.

use super::Kind;
use super::calendar::{Calendar, HOURS};
use super::evaluate::{Backtest, Evaluation, LEAST_DAYS, Split, baselines, before, choose};
use super::grid::Grid;
use super::intervals::{Intervals, Pair};
use super::model::{Bounds, FlowModel, Site};
use super::pace::{Pace, Stopped};
use super::seasonal::{DaySums, Options, Profiles, Sums};
use super::spark::SparkLinear;

/// How to train.
#[derive(Debug, Clone, Default)]
pub struct TrainSettings {
    /// Share of the counts that an interval is to hold.
    pub interval: f64,
    /// The model to serve; none for the better one.
    pub pinned: Option<Kind>,
    /// Holidays.
    pub calendar: Calendar,
}

/// Why nothing was learnt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// There is no count at all.
    #[error("there is nothing to learn from: not one hour has a count")]
    Empty,
    /// The work was stopped.
    #[error("training was stopped")]
    Stopped,
}

impl From<Stopped> for TrainError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// The result of training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The model.
    pub model: FlowModel,
    /// Its test; none if there were too few days.
    pub evaluation: Option<Evaluation>,
    /// What was chosen for `seasonal`.
    pub options: Options,
}

/// Learns from `grid`. `say` is called with what is being done.
///
/// # Errors
/// [`TrainError`].
pub fn train(grid: &Grid, settings: &TrainSettings, pace: &Pace, say: &dyn Fn(&str)) -> Result<Trained, TrainError> {
    let (first, last, hours) = grid.span().ok_or(TrainError::Empty)?;
    let mut evaluation = None;
    let mut options = Options::DEFAULT;
    let mut bounds = [Kind::Seasonal, Kind::SparkLinear].map(|_| Bounds::assumed(settings.interval));
    if let Some(split) = Split::of(grid) {
        say("choosing");
        options = choose(grid, split, pace)?;
        say("testing");
        let (tested, measured) = test(grid, split, options, settings.interval, pace)?;
        bounds = measured;
        evaluation = Some(tested);
    }
    say("learning from all days");
    let profiles = Profiles::fit(&Sums::of(grid, grid.days(), options.is_robust, pace)?, options.strength);
    let recent = DaySums::of(grid, &profiles, before(grid.days())..grid.days(), pace)?;
    let levels = recent.levels(grid.days(), options.level_days);
    let spark = SparkLinear::fit(grid, grid.days(), pace)?;
    let kind = settings.pinned.unwrap_or_else(|| evaluation.as_ref().map_or(Kind::Seasonal, Evaluation::better));
    let sites = grid.sites().iter().zip(levels).enumerate().map(|(site, (name, level))| {
        let (mut hours, mut most) = (0, 0.0f64);
        for seen in grid.observed_of(site, 0..grid.days()) {
            hours += 1;
            most = most.max(seen.count);
        }
        Site { name: name.to_string(), level, hours, most }
    });
    let [seasonal_bounds, spark_bounds] = bounds;
    let model = FlowModel {
        kind,
        is_dated: grid.is_dated(),
        first_hour: grid.first_day() * HOURS as i64 + first as i64,
        last_hour: grid.first_day() * HOURS as i64 + last as i64,
        hours: hours as u64,
        sites: sites.collect(),
        rates: profiles.rates.iter().map(|rate| *rate as f32).collect(),
        typical: profiles.typical.iter().map(|rate| *rate as f32).collect(),
        calendar: settings.calendar.clone(),
        spark,
        seasonal_bounds,
        spark_bounds,
    };
    Ok(Trained { model, evaluation, options })
}

/// Tests both models and the baselines, and measures the intervals that are served: of `seasonal` and of `spark-linear`.
fn test(
    grid: &Grid,
    split: Split,
    options: Options,
    nominal: f64,
    pace: &Pace,
) -> Result<(Evaluation, [Bounds; 2]), Stopped> {
    let seasonal = |learnt: usize, days: std::ops::Range<usize>| -> Result<Backtest, Stopped> {
        let profiles = Profiles::fit(&Sums::of(grid, learnt, options.is_robust, pace)?, options.strength);
        let sums = DaySums::of(grid, &profiles, before(learnt)..days.end, pace)?;
        Backtest::seasonal(grid, days, &profiles, &sums, options, pace)
    };
    let spark = |learnt: usize, days: std::ops::Range<usize>| -> Result<Backtest, Stopped> {
        Backtest::spark(grid, days, &SparkLinear::fit(grid, learnt, pace)?, pace)
    };
    let (tuning, testing) = (split.tune..split.test, split.test..split.days);
    let parts = [
        (Kind::Seasonal, seasonal(split.tune, tuning.clone())?, seasonal(split.test, testing.clone())?),
        (Kind::SparkLinear, spark(split.tune, tuning)?, spark(split.test, testing)?),
    ];
    let mut tested = Vec::new();
    for (kind, before, after) in &parts {
        let own = Intervals::measure(before.pairs.iter().copied(), nominal);
        let city = city_intervals(&before.city(), nominal);
        tested.push(after.tested(kind.as_str(), Some((&own, &city))));
    }
    tested.extend(baselines(grid, split, pace)?);
    let evaluation = Evaluation {
        train_days: split.tune,
        tune_days: split.test - split.tune,
        test_days: split.days - split.test,
        tested,
    };
    let bounds = parts.map(|(_, before, after)| {
        let both = |first: &[Pair], second: &[Pair]| Intervals::measure(first.iter().chain(second).copied(), nominal);
        let city = [before.city(), after.city()].concat();
        Bounds { checkpoint: both(&before.pairs, &after.pairs), city: city_intervals(&city, nominal) }
    });
    Ok((evaluation, bounds))
}

/// Intervals of the whole city, from its own errors: one per hour, over all checkpoints, so less than a week of
/// held-out days lacks some kinds of day, and the interval is widened like the error of a mean over so few.
fn city_intervals(pairs: &[Pair], nominal: f64) -> Intervals {
    let days = pairs.len() as f64 / HOURS as f64;
    Intervals::measure(pairs.iter().copied(), nominal).widened((7.0 / days.max(1.0)).sqrt().max(1.0))
}

/// Why there is no test, in words.
pub fn no_evaluation() -> String {
    format!("too little history to test on: it needs {LEAST_DAYS} days; intervals are assumed, not measured")
}
