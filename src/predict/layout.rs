//! `model.bin`: one value of `storage::codec`, kind `V`, `[magic][version][crc32c][bincode 2]`, in version 2. It is broken if
//! its checksum is wrong, or if what it holds makes no sense; then it is refused whole.
//!
//! Version 1 has the models `seasonal` and `spark-linear` only, without widths and nowcast; earlier programs wrote it under
//! kind `F` too. It is read, and never written.

use serde::{Deserialize, Serialize};
use storage::codec::{self, Kind as CodecKind};

use super::Kind;
use super::calendar::{Calendar, SLOTS};
use super::intervals::Intervals;
use super::model::{Bounds, FlowModel, ModelError, Site};
use super::nowcast::Nowcast;
use super::spark::SparkLinear;

/// How `model.bin` is framed.
pub(super) const FLOW_MODEL: CodecKind = CodecKind { magic: b'V', version: 2 };
/// The same in files of earlier programs; a data directory's format version has this magic byte too.
pub(super) const OLD_FLOW_MODEL: CodecKind = CodecKind { magic: b'F', version: 1 };

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
        let model: Self = if bytes.first() == Some(&OLD_FLOW_MODEL.magic) {
            codec::decode::<FirstFlowModel>(OLD_FLOW_MODEL, bytes)?.into()
        } else if codec::version(FLOW_MODEL, bytes)? == 1 {
            codec::decode::<FirstFlowModel>(FLOW_MODEL, bytes)?.into()
        } else {
            codec::decode(FLOW_MODEL, bytes)?
        };
        model.check()?;
        Ok(model)
    }
}

/// Everything that was learnt, in version 1.
#[derive(Debug, Serialize, Deserialize)]
struct FirstFlowModel {
    kind: Kind,
    is_dated: bool,
    first_hour: i64,
    last_hour: i64,
    hours: u64,
    sites: Vec<Site>,
    rates: Vec<f32>,
    typical: Vec<f32>,
    calendar: Calendar,
    spark: SparkLinear,
    seasonal_bounds: FirstBounds,
    spark_bounds: FirstBounds,
}

#[derive(Debug, Serialize, Deserialize)]
struct FirstBounds {
    checkpoint: Intervals,
    city: Intervals,
}

impl From<FirstBounds> for Bounds {
    fn from(FirstBounds { checkpoint, city }: FirstBounds) -> Self {
        Self { checkpoint, city, widths: Vec::new(), city_width: 0.0 }
    }
}

impl From<FirstFlowModel> for FlowModel {
    fn from(first: FirstFlowModel) -> Self {
        let nominal = first.seasonal_bounds.checkpoint.nominal();
        // The weeks were not kept: what `seasonal` predicts is closest to them.
        let sites = first.rates.chunks(SLOTS).zip(&first.sites);
        let weeks = sites.flat_map(|(rates, site)| rates.iter().map(|rate| (f64::from(*rate) * site.level) as f32));
        Self {
            weeks: weeks.collect(),
            kind: first.kind,
            is_dated: first.is_dated,
            first_hour: first.first_hour,
            last_hour: first.last_hour,
            hours: first.hours,
            sites: first.sites,
            rates: first.rates,
            typical: first.typical,
            calendar: first.calendar,
            spark: first.spark,
            seasonal_bounds: first.seasonal_bounds.into(),
            spark_bounds: first.spark_bounds.into(),
            weeks_bounds: Bounds::assumed(nominal),
            blend_bounds: Bounds::assumed(nominal),
            nowcast: Nowcast::default(),
        }
    }
}
