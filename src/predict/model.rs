//! The model that is served, and its forecasts. It knows names, hours and dates, but no requests.
//!
//! A model whose numbers are not finite, are negative, or whose lists have lengths that do not agree is refused. What
//! [`LoadedModel`] returns is finite, not negative, and at most what a road can carry, whatever the numbers inside are.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use storage::codec::CodecError;

use super::Kind;
use super::adaptive::Width;
use super::calendar::{Calendar, DayClass, HOURS, SLOTS, is_weekend};
use super::grid::{MAX_COUNT, MAX_SITES};
use super::intervals::Intervals;
use super::nowcast::{LastHours, Latest, Nowcast, Step};
use super::spark::SparkLinear;
use crate::forecast::{Basis, Correction, FlowForecast};

/// A checkpoint with fewer hours than a week's is said to have a short history.
const SHORT_HISTORY_HOURS: u32 = 7 * 24;
/// A prediction is at most this many times the highest count there, and a little.
const CEILING_TIMES: f64 = 3.0;
const CEILING_MORE: f64 = 20.0;

/// A checkpoint of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// KKMC as it was in the data.
    pub name: String,
    /// Recent days against the rhythm.
    pub level: f64,
    /// Hours it learnt from.
    pub hours: u32,
    /// Most passages in one hour.
    pub most: f64,
}

/// Intervals of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Of a checkpoint.
    pub checkpoint: Intervals,
    /// Of the whole city.
    pub city: Intervals,
    /// ln of the width of each checkpoint's interval; none for 0.
    pub widths: Vec<f32>,
    /// The same of the whole city.
    pub city_width: f32,
}

impl Bounds {
    pub(super) fn assumed(nominal: f64) -> Self {
        Self {
            checkpoint: Intervals::assumed(nominal),
            city: Intervals::assumed(nominal),
            widths: Vec::new(),
            city_width: 0.0,
        }
    }

    pub(super) fn width(&self, site: usize) -> Width {
        Width(self.widths.get(site).copied().map_or(0.0, f64::from))
    }

    fn is_sound(&self, sites: usize) -> bool {
        let mut widths = self.widths.iter().chain([&self.city_width]);
        self.checkpoint.is_sound()
            && self.city.is_sound()
            && (self.widths.is_empty() || self.widths.len() == sites)
            && widths.all(|width| width.is_finite())
    }
}

/// Everything that was learnt; all models, of which one is to be served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowModel {
    /// The one to serve.
    pub kind: Kind,
    /// Whether its hours have dates.
    pub is_dated: bool,
    /// The first hour it learnt from, since 1970.
    pub first_hour: i64,
    /// The last one.
    pub last_hour: i64,
    /// Hours between them in which something was counted.
    pub hours: u64,
    /// The checkpoints.
    pub sites: Vec<Site>,
    /// `seasonal`: passages per hour, by checkpoint and slot.
    pub rates: Vec<f32>,
    /// The same of a checkpoint of middle size.
    pub typical: Vec<f32>,
    /// Holidays it learnt with.
    pub calendar: Calendar,
    /// `spark-linear`.
    pub spark: SparkLinear,
    /// Intervals of `seasonal`.
    pub seasonal_bounds: Bounds,
    /// Intervals of `spark-linear`.
    pub spark_bounds: Bounds,
    /// `recent-weeks`: passages per hour, by checkpoint and slot.
    pub weeks: Vec<f32>,
    /// Intervals of `recent-weeks`.
    pub weeks_bounds: Bounds,
    /// Intervals of `blend`.
    pub blend_bounds: Bounds,
    /// How the last finished hours correct the next ones of `kind`.
    pub nowcast: Nowcast,
}

/// Why a model is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The bytes are not a model, or of a newer program.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The numbers do not form a model.
    #[error("the model makes no sense: {0}")]
    Senseless(&'static str),
}

impl FlowModel {
    /// Intervals of one of the models.
    pub(super) fn bounds_of(&self, kind: Kind) -> &Bounds {
        match kind {
            Kind::Seasonal => &self.seasonal_bounds,
            Kind::SparkLinear => &self.spark_bounds,
            Kind::RecentWeeks => &self.weeks_bounds,
            Kind::Blend => &self.blend_bounds,
        }
    }

    pub(super) fn check(&self) -> Result<(), ModelError> {
        let demand = |holds: bool, why| if holds { Ok(()) } else { Err(ModelError::Senseless(why)) };
        demand(!self.sites.is_empty() && self.sites.len() <= MAX_SITES, "it has no checkpoint, or too many")?;
        demand(self.rates.len() == self.sites.len() * SLOTS && self.typical.len() == SLOTS, "a list is cut short")?;
        demand(self.weeks.len() == self.rates.len(), "a list is cut short")?;
        let is_flow = |number: f64| number.is_finite() && number >= 0.0;
        let are_flows = |rates: &[f32]| rates.iter().all(|rate| is_flow(f64::from(*rate)));
        let of_sites = self.sites.iter().flat_map(|site| [site.level, site.most]).all(is_flow);
        let of_rates = [&self.rates, &self.typical, &self.weeks].into_iter().all(|rates| are_flows(rates));
        demand(of_sites && of_rates, "a flow is no number or negative")?;
        demand(self.spark.is_sound() && self.spark.labels.len() <= MAX_SITES, "a coefficient is no number")?;
        let sound = |kind| self.bounds_of(kind).is_sound(self.sites.len());
        demand(Kind::ALL.into_iter().all(sound), "an interval is no number")?;
        demand(self.nowcast.is_sound(), "a correction is no number")
    }
}

/// A model ready for use.
#[derive(Debug)]
pub struct LoadedModel {
    model: FlowModel,
    kind: Kind,
    by_name: FxHashMap<String, usize>,
    spark_index: Vec<Option<usize>>,
    /// The whole city by slot (`seasonal`) or by hour and weekend (`spark-linear`).
    city: Vec<f64>,
}

impl LoadedModel {
    /// Prepares a model; `pinned` is served instead of the kind that it names.
    pub fn new(model: FlowModel, pinned: Option<Kind>) -> Self {
        let indices = model.spark.indices();
        let spark_index = model.sites.iter().map(|site| indices.get(site.name.as_str()).copied()).collect();
        let by_name = model.sites.iter().enumerate().map(|(place, site)| (site.name.clone(), place)).collect();
        let mut loaded = Self { kind: pinned.unwrap_or(model.kind), by_name, spark_index, city: Vec::new(), model };
        let slots: Vec<(DayClass, usize, bool)> = match loaded.kind {
            Kind::Seasonal | Kind::RecentWeeks | Kind::Blend => {
                DayClass::all().flat_map(|class| (0..HOURS).map(move |hour| (class, hour, false))).collect()
            }
            Kind::SparkLinear => [false, true]
                .into_iter()
                .flat_map(|weekend| (0..HOURS).map(move |hour| (DayClass::WORK, hour, weekend)))
                .collect(),
        };
        // Checkpoint by checkpoint, as their rates lie in memory.
        let mut city = vec![0.0; slots.len()];
        for site in 0..loaded.model.sites.len() {
            for (sum, (class, hour, weekend)) in city.iter_mut().zip(&slots) {
                *sum += loaded.flow(site, *class, *hour, *weekend);
            }
        }
        loaded.city = city;
        loaded
    }

    /// What was learnt.
    pub fn model(&self) -> &FlowModel {
        &self.model
    }

    /// The one that is served.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The number of a checkpoint of the model.
    pub fn site(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Passages of a checkpoint in an hour (since 1970).
    pub fn checkpoint(&self, site: usize, hour: i64) -> FlowForecast {
        self.checkpoint_after(site, hour, None)
    }

    /// The same, knowing the last finished hours.
    pub(super) fn checkpoint_after(&self, site: usize, hour: i64, last: Option<&LastHours>) -> FlowForecast {
        let (class, hour_of_day, weekend) = self.when(hour);
        let flow = self.flow(site, class, hour_of_day, weekend);
        let Some(known) = self.model.sites.get(site) else { return self.unknown_checkpoint(0) };
        let basis = if known.hours < SHORT_HISTORY_HOURS { Basis::ShortHistory } else { Basis::Checkpoint };
        let own = last.and_then(|last| last.sites.get(site));
        let width = own.map_or_else(|| self.bounds().width(site), |own| own.width);
        let step = self.step(last, hour, &self.model.nowcast.checkpoint);
        let correction = step.zip(last.zip(own)).map(|((ahead, step), (last, own))| (ahead, step, last, own));
        self.corrected(flow, width, correction, &self.bounds().checkpoint, ceiling(known), basis)
    }

    /// The ln of the width of a checkpoint's interval as it was learnt, and of the city's.
    pub(super) fn learnt_widths(&self) -> (impl Iterator<Item = Width> + '_, Width) {
        let bounds = self.bounds();
        ((0..self.model.sites.len()).map(|site| bounds.width(site)), Width(f64::from(bounds.city_width)))
    }

    /// Intervals of the model that is served.
    pub(super) fn bounds(&self) -> &Bounds {
        self.model.bounds_of(self.kind)
    }

    /// The correction of an hour: how far ahead of the last finished one it is, and what deviations are worth then.
    fn step<'a>(&self, last: Option<&LastHours>, hour: i64, steps: &'a [Step]) -> Option<(usize, &'a Step)> {
        // It was learnt from the errors of that model.
        let last = last.filter(|_| self.kind == self.model.kind)?;
        let ahead = usize::try_from(hour.saturating_sub(last.last)).ok()?;
        Some((ahead, steps.get(ahead.checked_sub(1)?)?))
    }

    /// Passages of a checkpoint that the model does not know: as at one of middle size.
    pub fn unknown_checkpoint(&self, hour: i64) -> FlowForecast {
        let (class, hour, weekend) = self.when(hour);
        let flow = match self.kind {
            Kind::Seasonal | Kind::RecentWeeks | Kind::Blend => {
                let class = if self.model.is_dated { class } else { class.generic() };
                f64::from(self.model.typical.get(class.slot(hour)).copied().unwrap_or_default())
            }
            Kind::SparkLinear => self.model.spark.predict(None, hour as u8, weekend),
        };
        let most = self.model.sites.iter().map(ceiling).fold(0.0, f64::max);
        // Its size is not known, so the measured interval would be too narrow.
        let nominal = self.bounds().checkpoint.nominal();
        around(flow, &Intervals::assumed(nominal), 1.0, most, Basis::TypicalCheckpoint)
    }

    /// Passages of all checkpoints of the model together in an hour (since 1970).
    pub fn city(&self, hour: i64) -> FlowForecast {
        self.city_after(hour, None)
    }

    /// The same, knowing the last finished hours.
    pub(super) fn city_after(&self, hour: i64, last: Option<&LastHours>) -> FlowForecast {
        let (class, hour_of_day, weekend) = self.when(hour);
        let class = if self.model.is_dated { class } else { class.generic() };
        let place = match self.kind {
            Kind::Seasonal | Kind::RecentWeeks | Kind::Blend => class.slot(hour_of_day),
            Kind::SparkLinear => usize::from(weekend) * HOURS + hour_of_day,
        };
        let flow = self.city.get(place).copied().unwrap_or_default();
        let most = self.model.sites.iter().map(ceiling).sum();
        let width = last.map_or(Width(f64::from(self.bounds().city_width)), |last| last.city.width);
        let step = self.step(last, hour, &self.model.nowcast.city);
        let correction = step.zip(last).map(|((ahead, step), last)| (ahead, step, last, &last.city));
        self.corrected(flow, width, correction, &self.bounds().city, most, Basis::City)
    }

    fn when(&self, hour: i64) -> (DayClass, usize, bool) {
        let day = hour.div_euclid(HOURS as i64);
        (self.model.calendar.class_of(day), hour.rem_euclid(HOURS as i64) as usize, is_weekend(day))
    }

    fn flow(&self, site: usize, class: DayClass, hour: usize, weekend: bool) -> f64 {
        let Some(known) = self.model.sites.get(site) else { return 0.0 };
        // Without dates no weekday was learnt.
        let slot = if self.model.is_dated { class } else { class.generic() }.slot(hour);
        let rate = |rates: &[f32]| {
            let rate = rates.get(site * SLOTS + slot).copied();
            debug_assert!(rate.is_some(), "checkpoint {site} has no rate");
            f64::from(rate.unwrap_or_default())
        };
        let seasonal = || rate(&self.model.rates) * known.level;
        let flow = match self.kind {
            Kind::Seasonal => seasonal(),
            Kind::RecentWeeks => rate(&self.model.weeks),
            Kind::Blend => blend(seasonal(), rate(&self.model.weeks)),
            Kind::SparkLinear => {
                self.model.spark.predict(self.spark_index.get(site).copied().flatten(), hour as u8, weekend)
            }
        };
        sound(flow, ceiling(known))
    }

    fn corrected(
        &self,
        flow: f64,
        width: Width,
        correction: Option<(usize, &Step, &LastHours, &Latest)>,
        intervals: &Intervals,
        most: f64,
        basis: Basis,
    ) -> FlowForecast {
        let plain = sound(flow, most);
        let Some((hours_ahead, step, last, own)) = correction else {
            return around(plain, intervals, width.times(), most, basis);
        };
        let factor = step.factor(own.deviation, last.city.deviation);
        let forecast = around(plain * factor, intervals, width.times() * sound(step.width, 1.0), most, basis);
        let correction = Correction { factor, uncorrected: plain, last_hour: last.last, hours_ahead };
        FlowForecast { correction: Some(correction), ..forecast }
    }
}

/// A flow and its interval, `times` as wide as measured.
fn around(flow: f64, intervals: &Intervals, times: f64, most: f64, basis: Basis) -> FlowForecast {
    let flow = sound(flow, most);
    let (lower, upper) = intervals.scaled_bounds(flow, times);
    let upper = sound(upper, (most * 2.0).max(flow));
    FlowForecast { flow, lower: sound(lower, flow), upper: upper.max(flow), basis, correction: None }
}

/// `blend`: half of each, whose errors partly cancel out.
pub(super) fn blend(seasonal: f64, weeks: f64) -> f64 {
    (seasonal + weeks) / 2.0
}

/// The most that is ever predicted at a checkpoint.
fn ceiling(site: &Site) -> f64 {
    sound(site.most * CEILING_TIMES + CEILING_MORE, MAX_COUNT)
}

/// A number from 0 to `most`; NaN becomes 0.
fn sound(number: f64, most: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.max(0.0).min(most) }
}

#[cfg(test)]
#[path = "model_tests.rs"]
pub(super) mod tests;
