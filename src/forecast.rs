//! What an interface may ask of flow prediction: domain questions, domain answers. It does not know how a model is
//! learnt or kept, nor HTTP.

use std::sync::Arc;

use serde_json::Value;

use crate::named::named;

named! {
    /// What a prediction rests on.
    pub enum Basis {
        /// The checkpoint's own history of a week or more.
        Checkpoint = "checkpoint",
        /// The checkpoint's own history of less than a week, fitted to the rhythm of all checkpoints.
        ShortHistory = "short_history",
        /// No history of this checkpoint: that of one of medium size.
        TypicalCheckpoint = "typical_checkpoint",
        /// All checkpoints of the model together.
        City = "city",
        /// No model: the mean of what was counted.
        Untrained = "untrained",
    }
}

/// Passages in one hour: finite, not negative, `lower ≤ flow ≤ upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowForecast {
    /// The prediction.
    pub flow: f64,
    /// The interval's lower end.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
    /// What it rests on.
    pub basis: Basis,
    /// How the last finished hours changed it, if they did.
    pub correction: Option<Correction>,
}

/// How the last finished hours changed the forecast of one of the next hours (nowcast).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correction {
    /// The prediction over the uncorrected one.
    pub factor: f64,
    /// The prediction without it, in passages.
    pub uncorrected: f64,
    /// The last finished hour that it knows, since 1970.
    pub last_hour: i64,
    /// How many hours later the predicted one is.
    pub hours_ahead: usize,
}

/// A model in short.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAbout {
    /// The one that is served: `seasonal`, `spark-linear`, `recent-weeks` or `blend`.
    pub kind: &'static str,
    /// Version.
    pub version: String,
    /// When it was trained, UTC.
    pub trained_at: String,
    /// The same in seconds since 1970.
    pub trained_at_unix: i64,
    /// Share of the counts that an interval is to hold.
    pub interval: f64,
    /// Held-out hours that the intervals were measured on; 0 if they are assumed.
    pub interval_samples: u64,
    /// `metadata.json`.
    pub metadata: Arc<Value>,
}

/// One model.
pub trait Forecast: Send + Sync {
    /// Passages of a checkpoint in an hour (since 1970), under the first of these names that the model knows.
    fn checkpoint(&self, names: &[String], hour: i64) -> Option<FlowForecast>;
    /// Passages of a checkpoint that the model does not know.
    fn unknown_checkpoint(&self, hour: i64) -> FlowForecast;
    /// Passages of all checkpoints together.
    fn city(&self, hour: i64) -> FlowForecast;
    /// Up to `limit` names of checkpoints of the model, and how many there are.
    fn names(&self, limit: usize) -> (Vec<String>, usize);
    /// The model in short.
    fn about(&self) -> &ModelAbout;
}

/// How prediction is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ForecasterStatus {
    /// The folder of the model.
    pub folder: String,
    /// What is wrong with the files in it, if something is; an earlier model may still be served.
    pub problem: Option<String>,
    /// Whether a model is being trained.
    pub is_training: bool,
    /// Why the last training failed, if it did.
    pub training_failure: Option<String>,
    /// Whole hours of the appliance's own counts that a training can learn from.
    pub history_hours: u64,
    /// How many it needs before it trains a first model by itself; none if it does not train.
    pub least_hours: Option<u64>,
    /// Metadata of the versions that were served, newest first.
    pub versions: Vec<Value>,
}

/// Whoever holds the model.
pub trait Forecaster: Send + Sync + 'static {
    /// The model to ask; one answer should come from one model.
    fn current(&self) -> Option<Arc<dyn Forecast>>;
    /// How prediction is.
    fn status(&self) -> ForecasterStatus;
}

/// There is no prediction.
#[derive(Debug, Default)]
pub struct NoForecaster;

impl Forecaster for NoForecaster {
    fn current(&self) -> Option<Arc<dyn Forecast>> {
        None
    }

    fn status(&self) -> ForecasterStatus {
        ForecasterStatus::default()
    }
}
