//! The test of the models that may be served, and what the best of them is served with: intervals with the widths that
//! feedback has given them, and the correction by the last finished hours.
//!
//! Each model predicts the two held-out parts day by day. Its coverage in the test is that of intervals from the part
//! before, which learn from every day that is over, as they do when it is served. What is served comes from both parts.

use super::Kind;
use super::adaptive::Adaptive;
use super::calendar::{Calendar, HOURS};
use super::evaluate::{Backtest, Corrected, Evaluation, NowcastTested, Rolling, Split, Tested, baselines, before};
use super::grid::Grid;
use super::intervals::{Intervals, Pair};
use super::model::{Bounds, blend};
use super::nowcast::{AHEAD, HeldOut, Nowcast, Step, fit};
use super::pace::{Pace, Stopped};
use super::seasonal::{DaySums, Options, Profiles, Sums};
use super::spark::SparkLinear;
use super::weeks;

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

/// What the test leads to.
pub(super) struct Outcome {
    pub(super) evaluation: Evaluation,
    /// The one to serve.
    pub(super) kind: Kind,
    /// The intervals of every kind.
    pub(super) bounds: [Bounds; Kind::ALL.len()],
    pub(super) nowcast: Nowcast,
}

/// Predictions of one model in both held-out parts.
struct HeldOutDays {
    tuning: Backtest,
    testing: Backtest,
}

/// Tests the models and the baselines, chooses one, and measures what it is served with.
pub(super) fn test(
    grid: &Grid,
    split: Split,
    options: Options,
    settings: &TrainSettings,
    pace: &Pace,
) -> Result<Outcome, Stopped> {
    let (tuning, testing) = (split.tune..split.test, split.test..split.days);
    let [first, second] = [(split.tune, tuning.clone()), (split.test, testing.clone())]
        .map(|(learnt, days)| seasonal_and_weeks(grid, learnt, days, options, pace));
    let ((seasonal_tuning, weeks_tuning), (seasonal_testing, weeks_testing)) = (first?, second?);
    let spark = |learnt: usize, days| Backtest::spark(grid, days, &SparkLinear::fit(grid, learnt, pace)?, pace);
    let sites = grid.sites().len();
    let measured = |kind: Kind, days: &HeldOutDays| measure(kind, days, sites, settings.interval);

    let seasonal = HeldOutDays { tuning: seasonal_tuning, testing: seasonal_testing };
    let weeks = HeldOutDays { tuning: weeks_tuning, testing: weeks_testing };
    let spark = HeldOutDays { tuning: spark(split.tune, tuning)?, testing: spark(split.test, testing)? };
    let both = HeldOutDays {
        tuning: blended(&seasonal.tuning, &weeks.tuning),
        testing: blended(&seasonal.testing, &weeks.testing),
    };
    let days = [&seasonal, &spark, &weeks, &both];
    let mut tested = Vec::new();
    let mut place = days.into_iter();
    let bounds = Kind::ALL.map(|kind| {
        let Some(days) = place.next() else { return Bounds::assumed(settings.interval) };
        let (test, bounds) = measured(kind, days);
        tested.push(test);
        bounds
    });
    pace.step()?;
    tested.extend(baselines(grid, split, pace)?);
    let mut evaluation = Evaluation {
        train_days: split.tune,
        tune_days: split.test - split.tune,
        test_days: split.days - split.test,
        tested,
        nowcast: Vec::new(),
    };
    let kind = settings.pinned.unwrap_or_else(|| evaluation.better());
    let served = Kind::ALL.into_iter().zip(days).find(|(known, _)| *known == kind).map_or(&seasonal, |(_, days)| days);
    let nowcast;
    (nowcast, evaluation.nowcast) = corrections(served, settings.interval);
    Ok(Outcome { evaluation, kind, bounds, nowcast })
}

/// `seasonal` with the levels of each day as it begins, and `recent-weeks`.
fn seasonal_and_weeks(
    grid: &Grid,
    learnt: usize,
    days: std::ops::Range<usize>,
    options: Options,
    pace: &Pace,
) -> Result<(Backtest, Backtest), Stopped> {
    let profiles = Profiles::fit(&Sums::of(grid, learnt, options.is_robust, pace)?, options.strength);
    let sums = DaySums::of(grid, &profiles, before(learnt)..days.end, pace)?;
    let rolling = Rolling::new(days.clone(), &profiles, &sums, options);
    let seasonal = Backtest::run(grid, days.clone(), pace, |site, seen| rolling.predict(site, seen))?;
    let fallback = |site: usize, seen: &_| rolling.predict(site, seen);
    let mut means = weeks::predictions(grid, days.clone(), options.weeks, pace, fallback)?.into_iter();
    let weeks = Backtest::run(grid, days, pace, |_, _| means.next().unwrap_or_default())?;
    Ok((seasonal, weeks))
}

/// `blend`: both predicted the same hours.
fn blended(seasonal: &Backtest, weeks: &Backtest) -> Backtest {
    let both = seasonal.pairs.iter().zip(&weeks.pairs);
    let pairs = both.map(|(one, other)| Pair { predicted: blend(one.predicted, other.predicted), ..*one });
    Backtest { pairs: pairs.collect() }
}

/// The test of one model, and the intervals that it is served with.
fn measure(kind: Kind, days: &HeldOutDays, sites: usize, nominal: f64) -> (Tested, Bounds) {
    let HeldOutDays { tuning, testing } = days;
    let cities = [tuning.city(), testing.city()];
    let [city_tuning, city_testing] = &cities;
    let (own, city) = (Intervals::measure(tuning.pairs.iter().copied(), nominal), city_intervals(city_tuning, nominal));
    let (mut of_sites, mut of_city) = (Adaptive::new(sites), Adaptive::new(1));
    of_sites.run(&tuning.pairs, &own);
    of_city.run(city_tuning, &city);
    let (mut widths, mut city_width) = (of_sites.clone(), of_city.clone());
    of_sites.run(&testing.pairs, &own);
    of_city.run(city_testing, &city);
    let held_out = || tuning.pairs.iter().chain(&testing.pairs);
    let errors: f64 = held_out().map(|pair| (pair.predicted - pair.actual).abs()).sum();
    let tested = Tested {
        held_out_mae: Some(errors / held_out().count().max(1) as f64),
        ..testing.tested(kind.as_str(), Some((&of_sites, &of_city)))
    };

    let own = Intervals::measure(held_out().copied(), nominal);
    let city = city_intervals(&cities.concat(), nominal);
    // The widths at the end of the first part are soon forgotten.
    widths.run(&testing.pairs, &own);
    city_width.run(city_testing, &city);
    let bounds = Bounds {
        checkpoint: own,
        city,
        widths: widths.widths.iter().map(|width| width.0 as f32).collect(),
        city_width: city_width.widths.first().map_or(0.0, |width| width.0 as f32),
    };
    (tested, bounds)
}

/// Intervals of the whole city, from its own errors: one per hour, over all checkpoints, so less than a week of
/// held-out days lacks some kinds of day, and the interval is widened like the error of a mean over so few.
fn city_intervals(pairs: &[Pair], nominal: f64) -> Intervals {
    let days = pairs.len() as f64 / HOURS as f64;
    Intervals::measure(pairs.iter().copied(), nominal).widened((7.0 / days.max(1.0)).sqrt().max(1.0))
}

/// The corrections that help in the test, learnt from both parts; in the test they are learnt from the part before.
fn corrections(days: &HeldOutDays, nominal: f64) -> (Nowcast, Vec<NowcastTested>) {
    let [tuning, testing] = [&days.tuning, &days.testing].map(|part| HeldOut::new(&part.pairs, part.city()));
    let intervals =
        [Intervals::measure(days.tuning.pairs.iter().copied(), nominal), city_intervals(&days.tuning.city(), nominal)];
    let [checkpoint, city] = [false, true].map(|is_city| {
        let [own, city] = &intervals;
        let intervals = if is_city { city } else { own };
        let steps = fit(&[&tuning], is_city, intervals);
        let mut is_served = true;
        let tested: Vec<Corrected> = (1..)
            .zip(&steps)
            .map(|(ahead, step)| {
                let gain = testing.gain(is_city, ahead, step);
                is_served &= gain.helps();
                let (plain, corrected) = gain.wape().unzip();
                Corrected { plain, corrected, is_served }
            })
            .collect();
        let served = tested.iter().filter(|one| one.is_served).count();
        let steps: Vec<Step> = fit(&[&tuning, &testing], is_city, intervals).into_iter().take(served).collect();
        (steps, tested)
    });
    let both = checkpoint.1.into_iter().zip(city.1).zip(1..=AHEAD);
    let tested =
        both.map(|((checkpoints, city), hours_ahead)| NowcastTested { hours_ahead, checkpoints, city }).collect();
    (Nowcast { checkpoint: checkpoint.0, city: city.0 }, tested)
}
