//! The model that is served: its bytes, and its forecasts. It knows names, hours and dates, but no requests.
//!
//! `model.bin` is one value of `storage::codec`, kind `F`: `[magic][version][crc32c][bincode 2]`. It is broken if its
//! checksum is wrong, or if a number in it is not finite, is negative, or lists have lengths that do not agree; then it is
//! refused whole. What [`LoadedModel`] returns is finite, not negative, and at most what a road can carry, whatever the
//! numbers inside are.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use storage::codec::{self, CodecError, Kind as CodecKind};

use super::Kind;
use super::calendar::{Calendar, DayClass, HOURS, SLOTS, is_weekend};
use super::grid::{MAX_COUNT, MAX_SITES};
use super::intervals::Intervals;
use super::spark::SparkLinear;
use crate::forecast::{Basis, FlowForecast};

/// How `model.bin` is framed.
pub(super) const FLOW_MODEL: CodecKind = CodecKind { magic: b'V', version: 1 };
/// The same in files of earlier programs; a data directory's format version has this magic byte too.
const OLD_FLOW_MODEL: CodecKind = CodecKind { magic: b'F', version: 1 };

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
}

impl Bounds {
    pub(super) fn assumed(nominal: f64) -> Self {
        Self { checkpoint: Intervals::assumed(nominal), city: Intervals::assumed(nominal) }
    }
}

/// Everything that was learnt; both models, of which one is to be served.
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
    /// The bytes of `model.bin`.
    ///
    /// # Errors
    /// [`ModelError`] if it is too large.
    pub fn encode(&self) -> Result<Vec<u8>, ModelError> {
        Ok(codec::encode(FLOW_MODEL, self)?)
    }

    /// Reads `model.bin`.
    ///
    /// # Errors
    /// [`ModelError`] if the bytes are damaged, of a newer program, or no model.
    pub fn decode(bytes: &[u8]) -> Result<Self, ModelError> {
        let old = bytes.first() == Some(&OLD_FLOW_MODEL.magic);
        let model: Self = codec::decode(if old { OLD_FLOW_MODEL } else { FLOW_MODEL }, bytes)?;
        model.check()?;
        Ok(model)
    }

    fn check(&self) -> Result<(), ModelError> {
        let demand = |holds: bool, why| if holds { Ok(()) } else { Err(ModelError::Senseless(why)) };
        demand(!self.sites.is_empty() && self.sites.len() <= MAX_SITES, "it has no checkpoint, or too many")?;
        demand(self.rates.len() == self.sites.len() * SLOTS && self.typical.len() == SLOTS, "a list is cut short")?;
        let rates = self.rates.iter().chain(&self.typical).map(|rate| f64::from(*rate));
        let numbers = rates.chain(self.sites.iter().flat_map(|site| [site.level, site.most]));
        demand(
            numbers.into_iter().all(|number| number.is_finite() && number >= 0.0),
            "a flow is no number or negative",
        )?;
        demand(self.spark.is_sound() && self.spark.labels.len() <= MAX_SITES, "a coefficient is no number")?;
        let bounds = [&self.seasonal_bounds, &self.spark_bounds];
        let sound = |bounds: &&Bounds| bounds.checkpoint.is_sound() && bounds.city.is_sound();
        demand(bounds.iter().all(sound), "an interval is no number")
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
            Kind::Seasonal => {
                DayClass::all().flat_map(|class| (0..HOURS).map(move |hour| (class, hour, false))).collect()
            }
            Kind::SparkLinear => [false, true]
                .into_iter()
                .flat_map(|weekend| (0..HOURS).map(move |hour| (DayClass::WORK, hour, weekend)))
                .collect(),
        };
        let sites = 0..loaded.model.sites.len();
        let sum = |(class, hour, weekend)| sites.clone().map(|site| loaded.flow(site, class, hour, weekend)).sum();
        loaded.city = slots.into_iter().map(sum).collect();
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
        let (class, hour, weekend) = self.when(hour);
        let flow = self.flow(site, class, hour, weekend);
        let Some(known) = self.model.sites.get(site) else { return self.unknown_checkpoint(0) };
        let basis = if known.hours < SHORT_HISTORY_HOURS { Basis::ShortHistory } else { Basis::Checkpoint };
        self.around(flow, &self.bounds().checkpoint, ceiling(known), basis)
    }

    /// Passages of a checkpoint that the model does not know: as at one of middle size.
    pub fn unknown_checkpoint(&self, hour: i64) -> FlowForecast {
        let (class, hour, weekend) = self.when(hour);
        let flow = match self.kind {
            Kind::Seasonal => {
                let class = if self.model.is_dated { class } else { class.generic() };
                f64::from(self.model.typical.get(class.slot(hour)).copied().unwrap_or_default())
            }
            Kind::SparkLinear => self.model.spark.predict(None, hour as u8, weekend),
        };
        let most = self.model.sites.iter().map(ceiling).fold(0.0, f64::max);
        // Its size is not known, so the measured interval would be too narrow.
        let nominal = self.bounds().checkpoint.nominal();
        self.around(flow, &Intervals::assumed(nominal), most, Basis::TypicalCheckpoint)
    }

    /// Passages of all checkpoints of the model together in an hour (since 1970).
    pub fn city(&self, hour: i64) -> FlowForecast {
        let (class, hour, weekend) = self.when(hour);
        let class = if self.model.is_dated { class } else { class.generic() };
        let place = match self.kind {
            Kind::Seasonal => class.slot(hour),
            Kind::SparkLinear => usize::from(weekend) * HOURS + hour,
        };
        let flow = self.city.get(place).copied().unwrap_or_default();
        let most = self.model.sites.iter().map(ceiling).sum();
        self.around(flow, &self.bounds().city, most, Basis::City)
    }

    fn bounds(&self) -> &Bounds {
        match self.kind {
            Kind::Seasonal => &self.model.seasonal_bounds,
            Kind::SparkLinear => &self.model.spark_bounds,
        }
    }

    fn when(&self, hour: i64) -> (DayClass, usize, bool) {
        let day = hour.div_euclid(HOURS as i64);
        (self.model.calendar.class_of(day), hour.rem_euclid(HOURS as i64) as usize, is_weekend(day))
    }

    fn flow(&self, site: usize, class: DayClass, hour: usize, weekend: bool) -> f64 {
        let Some(known) = self.model.sites.get(site) else { return 0.0 };
        let flow = match self.kind {
            Kind::Seasonal => {
                // Without dates no weekday was learnt.
                let class = if self.model.is_dated { class } else { class.generic() };
                let rate = self.model.rates.get(site * SLOTS + class.slot(hour)).copied();
                debug_assert!(rate.is_some(), "checkpoint {site} has no rate");
                f64::from(rate.unwrap_or_default()) * known.level
            }
            Kind::SparkLinear => {
                self.model.spark.predict(self.spark_index.get(site).copied().flatten(), hour as u8, weekend)
            }
        };
        sound(flow, ceiling(known))
    }

    fn around(&self, flow: f64, intervals: &Intervals, most: f64, basis: Basis) -> FlowForecast {
        let flow = sound(flow, most);
        let (lower, upper) = intervals.bounds(flow);
        let upper = sound(upper, (most * 2.0).max(flow));
        FlowForecast { flow, lower: sound(lower, flow), upper: upper.max(flow), basis }
    }
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
