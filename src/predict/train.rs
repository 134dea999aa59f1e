//! Training: choosing options and measuring intervals on days held out, testing, and learning again from all days.
//!
//! What is served learnt from all days; its intervals come from the errors on both held-out parts, where the predicting
//! model had not seen the day. It knows no file and no clock.

use super::Kind;
use super::calendar::HOURS;
use super::candidates::{TrainSettings, test};
use super::evaluate::{Evaluation, LEAST_DAYS, Split, before, choose};
use super::grid::Grid;
use super::model::{Bounds, FlowModel, Site};
use super::nowcast::Nowcast;
use super::pace::{Pace, Stopped};
use super::seasonal::{DaySums, Options, Profiles, Sums};
use super::spark::SparkLinear;
use super::weeks::rates;

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
    let mut bounds = Kind::ALL.map(|_| Bounds::assumed(settings.interval));
    let mut kind = settings.pinned.unwrap_or(Kind::Seasonal);
    let mut nowcast = Nowcast::default();
    if let Some(split) = Split::of(grid) {
        say("choosing");
        options = choose(grid, split, pace)?;
        say("testing");
        let outcome = test(grid, split, options, settings, pace)?;
        (kind, bounds, nowcast) = (outcome.kind, outcome.bounds, outcome.nowcast);
        evaluation = Some(outcome.evaluation);
    }
    say("learning from all days");
    let profiles = Profiles::fit(&Sums::of(grid, grid.days(), options.is_robust, pace)?, options.strength);
    let recent = DaySums::of(grid, &profiles, before(grid.days())..grid.days(), pace)?;
    let levels = recent.levels(grid.days(), options.level_days);
    let spark = SparkLinear::fit(grid, grid.days(), pace)?;
    let weeks = rates(grid, grid.days(), options.weeks, pace, |site, class, hour| {
        profiles.rate(site, class, hour) * levels.get(site).copied().unwrap_or(1.0)
    })?;
    let sites = grid.sites().iter().zip(levels).enumerate().map(|(site, (name, level))| {
        let (mut hours, mut most) = (0, 0.0f64);
        for seen in grid.observed_of(site, 0..grid.days()) {
            hours += 1;
            most = most.max(seen.count);
        }
        Site { name: name.to_string(), level, hours, most }
    });
    let [seasonal_bounds, spark_bounds, weeks_bounds, blend_bounds] = bounds;
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
        weeks,
        weeks_bounds,
        blend_bounds,
        nowcast,
    };
    Ok(Trained { model, evaluation, options })
}

/// Why there is no test, in words.
pub fn no_evaluation() -> String {
    format!("too little history to test on: it needs {LEAST_DAYS} days; intervals are assumed, not measured")
}
