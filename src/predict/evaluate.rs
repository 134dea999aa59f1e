//! How good a model is, measured forward in time: it learns from the days before, predicts each later day as it begins,
//! and is compared with simple predictors on the same hours. Never on a random split, which would let it look ahead.
//!
//! The days are cut in three: the model learns from the first part, options and intervals are taken from the second, and
//! the third, the test, is touched once. Each of the last two is a quarter of the days, at most four weeks.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::Kind;
use super::adaptive::Adaptive;
use super::baseline::{Baseline, Past};
use super::calendar::{HOURS, is_weekend};
use super::grid::{Grid, Observed};
use super::intervals::Pair;
use super::pace::{Pace, Stopped};
use super::seasonal::{DaySums, Options, Profiles, Sums};
use super::spark::SparkLinear;
use super::weeks::choose_weeks;

/// With fewer days there is too little to learn from and to test on.
pub(super) const LEAST_DAYS: usize = 4;
/// Days of the test at most.
const LONGEST_TEST: usize = 28;
/// A model whose error is not smaller by this share is not better than `seasonal`: chance decides as much.
const LEAST_GAIN: f64 = 0.02;
/// Hours of the test at most, over all checkpoints: of a large network fewer days are enough.
const LARGEST_TEST: usize = 4_000_000;

/// Where the days are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    /// The model learns from the days before this one.
    pub(super) tune: usize,
    /// Options and intervals come from the days between.
    pub(super) test: usize,
    /// How many days there are.
    pub(super) days: usize,
}

impl Split {
    pub(super) fn of(grid: &Grid) -> Option<Self> {
        let days = grid.days();
        if days < LEAST_DAYS {
            return None;
        }
        let fitting = (LARGEST_TEST / HOURS / grid.sites().len().max(1)).max(1);
        let part = (days / 4).clamp(1, LONGEST_TEST).min(fitting);
        Some(Self { tune: days - 2 * part, test: days - part, days })
    }
}

/// How far predictions were from counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Hours compared.
    pub rows: u64,
    /// Mean absolute error, in passages.
    pub mae: f64,
    /// Root of the mean squared error, in passages.
    pub rmse: f64,
    /// Sum of the absolute errors over the sum of the counts; none where nothing passed.
    pub wape: Option<f64>,
    /// Share of the hours whose count lay within the interval; none for a predictor without one.
    pub coverage: Option<f64>,
}

impl Metrics {
    fn of(pairs: &[Pair], coverage: Option<f64>) -> Self {
        let rows = pairs.len().max(1) as f64;
        let sum = |value: &dyn Fn(&Pair) -> f64| pairs.iter().map(value).sum::<f64>();
        let errors = sum(&|pair| (pair.predicted - pair.actual).abs());
        let counted = sum(&|pair| pair.actual);
        Self {
            rows: pairs.len() as u64,
            mae: errors / rows,
            rmse: (sum(&|pair| (pair.predicted - pair.actual).powi(2)) / rows).sqrt(),
            wape: (counted > 0.0).then(|| errors / counted),
            coverage,
        }
    }
}

/// One predictor in the test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// A model, or a baseline.
    pub name: String,
    /// Over the hours of every checkpoint.
    pub checkpoints: Metrics,
    /// Over the hours of the whole city.
    pub city: Metrics,
    /// Of a model, the mean absolute error over the hours of every checkpoint in both held-out parts, which decides which
    /// model is served: the test alone is short.
    #[serde(default)]
    pub held_out_mae: Option<f64>,
    /// Smallest and largest coverage of a checkpoint with a week or more in the test.
    #[serde(default)]
    pub coverage_range: Option<(f64, f64)>,
}

/// A correction by the last finished hours, in the test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NowcastTested {
    /// Hours after the last finished one.
    pub hours_ahead: usize,
    /// Over the hours of every checkpoint.
    pub checkpoints: Corrected,
    /// Over the hours of the whole city.
    pub city: Corrected,
}

/// Errors with and without the correction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    /// WAPE of the forecast made as the day began.
    pub plain: Option<f64>,
    /// WAPE of the corrected one.
    pub corrected: Option<f64>,
    /// Whether it helps, so that it is served.
    pub is_served: bool,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Days that the models learnt from before options and intervals were chosen.
    pub train_days: usize,
    /// Days that options and intervals come from.
    pub tune_days: usize,
    /// Days that were predicted.
    pub test_days: usize,
    /// All predictors.
    pub tested: Vec<Tested>,
    /// The correction of the next hours by the last ones, of the model that is served.
    #[serde(default)]
    pub nowcast: Vec<NowcastTested>,
}

impl Evaluation {
    /// The test of one predictor.
    pub fn of(&self, name: &str) -> Option<&Tested> {
        self.tested.iter().find(|tested| tested.name == name)
    }

    /// The model with the smallest error; `seasonal` if none is clearly better.
    pub fn better(&self) -> Kind {
        let mae = |tested: &Tested| tested.held_out_mae.unwrap_or(tested.checkpoints.mae);
        let error = |kind: Kind| self.of(kind.as_str()).map_or(f64::INFINITY, mae);
        let best = Kind::ALL.into_iter().min_by(|kind, other| error(*kind).total_cmp(&error(*other)));
        best.filter(|best| error(*best) < error(Kind::Seasonal) * (1.0 - LEAST_GAIN)).unwrap_or(Kind::Seasonal)
    }

    /// The table for people.
    pub fn table(&self) -> String {
        let mut text = format!(
            "learnt from {} days, chose on {}, tested on the last {}, each predicted as it began\n\
             {:<16}{:>10}{:>10}{:>8}{:>10}{:>15}   whole city:{:>8}{:>10}\n",
            self.train_days,
            self.tune_days,
            self.test_days,
            "",
            "MAE",
            "RMSE",
            "WAPE",
            "coverage",
            "by checkpoint",
            "WAPE",
            "coverage"
        );
        let share = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0));
        let wape = |wape: Option<f64>| wape.map_or("-".to_owned(), |wape| format!("{wape:.3}"));
        for Tested { name, checkpoints, city, coverage_range, .. } in &self.tested {
            let range = coverage_range.map(|(low, high)| format!("{:.1}-{:.1} %", low * 100.0, high * 100.0));
            let _ = writeln!(
                text,
                "{name:<16}{:>10.2}{:>10.2}{:>8}{:>10}{:>15}{:>22}{:>10}",
                checkpoints.mae,
                checkpoints.rmse,
                wape(checkpoints.wape),
                share(checkpoints.coverage),
                range.unwrap_or("-".to_owned()),
                wape(city.wape),
                share(city.coverage),
            );
        }
        let is_served = |one: &&NowcastTested| one.checkpoints.is_served || one.city.is_served;
        if !self.nowcast.is_empty() && !self.nowcast.iter().any(|one| is_served(&one)) {
            text.push_str("the last finished hours do not correct the next ones: in the test that did not help\n");
        }
        for NowcastTested { hours_ahead, checkpoints, city } in self.nowcast.iter().filter(is_served) {
            let said = |one: &Corrected| {
                let is_served = if one.is_served { "" } else { ", not served" };
                format!("WAPE {} -> {}{is_served}", wape(one.plain), wape(one.corrected))
            };
            let (own, all) = (said(checkpoints), said(city));
            let _ = writeln!(text, "corrected {hours_ahead} h after the last finished hour: {own}   whole city: {all}");
        }
        text
    }
}

/// Predictions and counts, hour by hour.
#[derive(Debug, Default)]
pub(super) struct Backtest {
    pub(super) pairs: Vec<Pair>,
}

impl Backtest {
    /// Predicts the observed hours of these days.
    pub(super) fn run(
        grid: &Grid,
        days: std::ops::Range<usize>,
        pace: &Pace,
        mut predict: impl FnMut(usize, &Observed) -> f64,
    ) -> Result<Self, Stopped> {
        let mut pairs = Vec::new();
        for site in 0..grid.sites().len() {
            pairs.extend(grid.observed_of(site, days.clone()).map(|seen| Pair {
                site: site as u32,
                hour: (seen.day * HOURS + seen.hour) as u32,
                predicted: predict(site, &seen).max(0.0),
                actual: seen.count,
            }));
            pace.step()?;
        }
        Ok(Self { pairs })
    }

    pub(super) fn spark(
        grid: &Grid,
        days: std::ops::Range<usize>,
        model: &SparkLinear,
        pace: &Pace,
    ) -> Result<Self, Stopped> {
        let indices = model.indices();
        let of_site: Vec<Option<usize>> = grid.sites().iter().map(|name| indices.get(&**name).copied()).collect();
        // The served model uses the date; a table's own flag may differ, but without dates there is only the flag.
        let first = grid.first_day();
        Self::run(grid, days, pace, |site, seen| {
            let weekend = if grid.is_dated() { is_weekend(first + seen.day as i64) } else { seen.is_weekend };
            model.predict(of_site.get(site).copied().flatten(), seen.hour as u8, weekend)
        })
    }

    /// The same hour by hour for all checkpoints together, of those that have a count.
    pub(super) fn city(&self) -> Vec<Pair> {
        let hours = || self.pairs.iter().map(|pair| pair.hour);
        let (Some(first), Some(last)) = (hours().min(), hours().max()) else { return Vec::new() };
        let mut sums = vec![(false, 0.0, 0.0); (last - first) as usize + 1];
        for pair in &self.pairs {
            if let Some((is_seen, predicted, actual)) = sums.get_mut((pair.hour - first) as usize) {
                *is_seen = true;
                *predicted += pair.predicted;
                *actual += pair.actual;
            }
        }
        let seen = (first..).zip(sums).filter(|(_, (is_seen, _, _))| *is_seen);
        seen.map(|(hour, (_, predicted, actual))| Pair { site: 0, hour, predicted, actual }).collect()
    }

    /// The test of a predictor; a model has the coverage of its checkpoints and of the city.
    pub(super) fn tested(&self, name: &str, coverage: Option<(&Adaptive, &Adaptive)>) -> Tested {
        Tested {
            name: name.to_owned(),
            checkpoints: Metrics::of(&self.pairs, coverage.and_then(|(own, _)| own.coverage())),
            city: Metrics::of(&self.city(), coverage.and_then(|(_, city)| city.coverage())),
            held_out_mae: None,
            coverage_range: coverage.and_then(|(own, _)| own.range()),
        }
    }
}

/// `seasonal` with the level of each day as it begins.
pub(super) struct Rolling<'a> {
    profiles: &'a Profiles,
    first: usize,
    levels: Vec<Vec<f64>>,
}

impl<'a> Rolling<'a> {
    pub(super) fn new(days: std::ops::Range<usize>, profiles: &'a Profiles, sums: &DaySums, options: Options) -> Self {
        let first = days.start;
        Self { profiles, first, levels: days.map(|day| sums.levels(day, options.level_days)).collect() }
    }

    pub(super) fn predict(&self, site: usize, seen: &Observed) -> f64 {
        let levels = self.levels.get(seen.day - self.first);
        let level = levels.and_then(|levels| levels.get(site)).copied().unwrap_or(1.0);
        level * self.profiles.rate(site, seen.class, seen.hour)
    }
}

/// Sums of the absolute errors with each reach of the level.
fn level_errors(
    grid: &Grid,
    days: std::ops::Range<usize>,
    profiles: &Profiles,
    sums: &DaySums,
    pace: &Pace,
) -> Result<[f64; Options::LEVEL_DAYS.len()], Stopped> {
    // By day and reach.
    let levels: Vec<_> =
        days.clone().map(|day| Options::LEVEL_DAYS.map(|level_days| sums.levels(day, level_days))).collect();
    let mut errors = [0.0; Options::LEVEL_DAYS.len()];
    for site in 0..grid.sites().len() {
        for seen in grid.observed_of(site, days.clone()) {
            let rate = profiles.rate(site, seen.class, seen.hour);
            let Some(of_day) = levels.get(seen.day - days.start) else { continue };
            for (error, levels) in errors.iter_mut().zip(of_day) {
                *error += (levels.get(site).copied().unwrap_or(1.0) * rate - seen.count).abs();
            }
        }
        pace.step()?;
    }
    Ok(errors)
}

/// The options that predict the days of the second part best.
pub(super) fn choose(grid: &Grid, split: Split, pace: &Pace) -> Result<Options, Stopped> {
    let mut best = (f64::INFINITY, Options::DEFAULT);
    for is_robust in [false, true] {
        let sums = Sums::of(grid, split.tune, is_robust, pace)?;
        for strength in Options::STRENGTHS {
            let profiles = Profiles::fit(&sums, strength);
            let days = DaySums::of(grid, &profiles, before(split.tune)..split.test, pace)?;
            let errors = level_errors(grid, split.tune..split.test, &profiles, &days, pace)?;
            for (level_days, error) in Options::LEVEL_DAYS.into_iter().zip(errors) {
                let options = Options { strength, is_robust, level_days, ..Options::DEFAULT };
                if error < best.0 {
                    best = (error, options);
                }
            }
        }
    }
    let weeks = choose_weeks(grid, split.tune..split.test, pace)?;
    Ok(Options { weeks, ..best.1 })
}

/// The first day that a level at `day` may look at.
pub(super) fn before(day: usize) -> usize {
    day.saturating_sub(Options::LEVEL_DAYS.into_iter().max().unwrap_or_default())
}

/// The baselines in the test.
pub(super) fn baselines(grid: &Grid, split: Split, pace: &Pace) -> Result<Vec<Tested>, Stopped> {
    let past = Past::of(grid, split.test);
    let run = |baseline: Baseline| {
        Backtest::run(grid, split.test..split.days, pace, |site, seen| past.predict(baseline, site, seen))
            .map(|backtest| backtest.tested(baseline.name(), None))
    };
    Baseline::ALL.into_iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(predicted: f64, actual: f64) -> Pair {
        Pair { site: 0, hour: 0, predicted, actual }
    }

    #[test]
    fn metrics_are_what_they_are_called() {
        let metrics = Metrics::of(&[pair(10.0, 12.0), pair(10.0, 6.0)], None);
        let expected = Metrics { rows: 2, mae: 3.0, rmse: 10f64.sqrt(), wape: Some(6.0 / 18.0), coverage: None };
        assert_eq!(metrics, expected);
        assert_eq!(Metrics::of(&[pair(1.0, 0.0)], None).wape, None);
        assert_eq!(Metrics::of(&[], Some(0.8)).mae, 0.0);
    }

    #[test]
    fn the_better_model_is_the_one_with_the_smaller_error() {
        let tested = |name: &str, mae: f64| Tested {
            name: name.to_owned(),
            checkpoints: Metrics { mae, ..Metrics::default() },
            city: Metrics::default(),
            held_out_mae: None,
            coverage_range: None,
        };
        let mut evaluation = Evaluation {
            train_days: 14,
            tune_days: 7,
            test_days: 7,
            tested: vec![tested("seasonal", 2.0), tested("spark-linear", 1.0), tested("constant", 0.5)],
            nowcast: Vec::new(),
        };
        assert_eq!(evaluation.better(), Kind::SparkLinear);
        evaluation.tested[1].checkpoints.mae = 2.0;
        assert_eq!(evaluation.better(), Kind::Seasonal);
        let table = evaluation.table();
        assert!(table.contains("WAPE") && table.lines().count() == 5, "{table}");
    }
}
