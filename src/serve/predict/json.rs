//! Predictions and the model as JSON. It makes no predictions.

use serde::Serialize;
use serde_json::Value;
use traffic::CivilTime;
use utoipa::ToSchema;

use crate::forecast::{Correction, ForecasterStatus, ModelAbout};
use crate::serve::codes::{BasisName, PredictorName};
use crate::serve::notice::Notice;

/// The model that answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowModel)]
pub(in crate::serve) struct ModelJson {
    /// `seasonal`, `spark-linear`, `recent-weeks` or `blend`; `untrained` where there is no model.
    #[schema(value_type = PredictorName, example = "seasonal")]
    pub(super) kind: &'static str,
    /// Version; null where there is no model.
    #[schema(example = "20240102T031500Z-9f0c25d1")]
    pub(super) version: Option<String>,
    /// When it was trained, UTC; null where there is no model.
    #[schema(example = "2024-01-02T03:15:00Z")]
    pub(super) trained_at: Option<String>,
    /// Nominal coverage of the interval. Without a model it is 1: the interval spans the counts.
    #[schema(example = 0.8)]
    pub(super) interval: f64,
    /// Held-out hours on which the intervals were measured; 0 if they are assumed because there is too little history.
    #[schema(example = 6384)]
    pub(super) interval_samples: u64,
}

/// How the last finished hours changed the prediction of one of the hours after them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowNowcast)]
pub(in crate::serve) struct NowcastJson {
    /// `predicted_flow` over `uncorrected_flow`.
    #[schema(example = 1.084)]
    factor: f64,
    /// Expected passages without the correction.
    #[schema(example = 213.5)]
    uncorrected_flow: f64,
    /// The last finished hour that was compared with its own prediction.
    #[schema(example = "2024-01-02 06:00:00")]
    last_hour: String,
    /// How many hours after it the predicted one is.
    #[schema(example = 2)]
    hours_ahead: u64,
}

impl From<Correction> for NowcastJson {
    fn from(Correction { factor, uncorrected, last_hour, hours_ahead }: Correction) -> Self {
        Self {
            factor: (factor * 1000.0).round() / 1000.0,
            uncorrected_flow: rounded(uncorrected),
            last_hour: CivilTime(last_hour.saturating_mul(3600)).to_string(),
            hours_ahead: hours_ahead as u64,
        }
    }
}

/// Rounds to one decimal, which is more than the precision of a prediction.
pub(super) fn rounded(flow: f64) -> f64 {
    (flow * 10.0).round() / 10.0
}

/// A prediction for one hour.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Flow)]
pub(in crate::serve) struct FlowJson {
    /// Code of the checkpoint, or 全市 for the whole city.
    #[schema(example = "S250_Pizhou_Sulu")]
    pub(super) kkmc: String,
    /// Short name.
    #[schema(example = "S250-邳州-苏鲁界")]
    pub(super) label: String,
    /// Date.
    #[schema(example = "2024-01-02")]
    pub(super) date: String,
    /// Hour of the day.
    #[schema(example = 8)]
    pub(super) hour: i64,
    /// Expected passages in this hour.
    #[schema(example = 231.4)]
    pub(super) predicted_flow: f64,
    /// Lower end of the interval.
    #[schema(example = 205.1)]
    pub(super) lower: f64,
    /// Upper end of the interval.
    #[schema(example = 258.9)]
    pub(super) upper: f64,
    /// `checkpoint` (its own history), `short_history` (under a week of it), `typical_checkpoint` (none: as for one of medium
    /// size), `city`, or without a model `untrained` (the mean of the counts).
    #[schema(value_type = BasisName, example = "checkpoint")]
    pub(super) basis: &'static str,
    /// The correction by the last finished hours; null where there is none.
    pub(super) nowcast: Option<NowcastJson>,
    /// The model that answered.
    pub(super) model: ModelJson,
}

/// One hour of a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowHour)]
pub(in crate::serve) struct HourJson {
    /// Hour of the day.
    #[schema(example = 8)]
    pub(super) hour: i64,
    /// Expected passages.
    #[schema(example = 231.4)]
    pub(super) predicted_flow: f64,
    /// Lower end of the interval.
    #[schema(example = 205.1)]
    pub(super) lower: f64,
    /// Upper end of the interval.
    #[schema(example = 258.9)]
    pub(super) upper: f64,
    /// Counted passages; null if the hour is not over, nothing was recorded anywhere, or it is no longer retained.
    #[schema(example = 226)]
    pub(super) actual: Option<u64>,
    /// The correction by the last finished hours; null where there is none.
    pub(super) nowcast: Option<NowcastJson>,
}

/// Predictions for a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowDay)]
pub(in crate::serve) struct DayJson {
    /// Code of the checkpoint, or 全市 for the whole city.
    #[schema(example = "全市")]
    pub(super) kkmc: String,
    /// Short name.
    #[schema(example = "全市")]
    pub(super) label: String,
    /// Date.
    #[schema(example = "2024-01-02")]
    pub(super) date: String,
    /// Basis of the predictions, as in a prediction for one hour.
    #[schema(value_type = BasisName, example = "city")]
    pub(super) basis: &'static str,
    /// 24 hours.
    #[schema(min_items = 24, max_items = 24)]
    pub(super) hours: Vec<HourJson>,
    /// The model that answered.
    pub(super) model: ModelJson,
}

/// The flow model and its training.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowModelStatus)]
pub(in crate::serve) struct ModelStatusJson {
    /// The model that is served; null where there is none.
    pub(super) model: Option<ModelJson>,
    /// Its `metadata.json`: training data, evaluation against simple predictors, coefficients.
    #[schema(value_type = Option<Object>, example = json!({"kind": "seasonal", "rows": 6384}))]
    pub(super) metadata: Option<Value>,
    /// The folder of the model.
    #[schema(example = "traffic_flow_model")]
    pub(super) folder: String,
    /// What is wrong with the files in the folder; an earlier model may still be served.
    #[schema(example = json!(null))]
    pub(super) problem: Option<String>,
    /// The same with its code.
    pub(super) problem_notice: Option<Notice>,
    /// Whether a model is being trained.
    #[schema(example = false)]
    pub(super) training: bool,
    /// Why the last training failed.
    #[schema(example = json!(null))]
    pub(super) training_failure: Option<String>,
    /// The same with its code.
    pub(super) training_failure_notice: Option<Notice>,
    /// Hours of counts available for training.
    #[schema(example = 672)]
    pub(super) history_hours: u64,
    /// Hours needed before a first model is trained automatically; null if this process does not train.
    #[schema(example = 12)]
    pub(super) min_hours: Option<u64>,
    /// Metadata of the versions that were served here, newest first.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    pub(super) versions: Vec<Value>,
}

impl From<&ModelAbout> for ModelJson {
    fn from(about: &ModelAbout) -> Self {
        Self {
            kind: about.kind,
            version: Some(about.version.clone()),
            trained_at: Some(about.trained_at.clone()),
            interval: about.interval,
            interval_samples: about.interval_samples,
        }
    }
}

impl ModelStatusJson {
    /// Without what names the checkpoints of the training.
    pub(super) fn without_places(self) -> Self {
        Self { metadata: None, versions: Vec::new(), ..self }
    }

    pub(super) fn new(status: ForecasterStatus, about: Option<&ModelAbout>) -> Self {
        Self {
            model: about.map(ModelJson::from),
            metadata: about.map(|about| Value::clone(&about.metadata)),
            folder: status.folder,
            problem_notice: Notice::of_some(&status.problem),
            problem: status.problem,
            training: status.is_training,
            training_failure_notice: Notice::of_some(&status.training_failure),
            training_failure: status.training_failure,
            history_hours: status.history_hours,
            min_hours: status.least_hours,
            versions: status.versions,
        }
    }
}
