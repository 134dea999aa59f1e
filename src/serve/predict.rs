//! `GET /api/predict/*`: what the flow model says of a checkpoint or the whole city, and which model it is.
//!
//! A model answers from memory, so flows are answered at once, and so are counts that are at hand; others are read in the
//! lane of counters. Without a model the answer is the mean of what was counted ([`super::untrained`]): a front end that
//! loads all its panels or none must not fail for want of one.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use traffic::{Catalogue, CivilTime};
use utoipa::ToSchema;

use super::codes::{BasisName, PredictorName, UNTRAINED};
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::{Fields, QueryFields, SECONDS_PER_DAY};
use super::notice::Notice;
use super::records::{kkmc_texts, label};
use super::state::Api;
use super::untrained::Means;
use crate::forecast::{Basis, FlowForecast, Forecast, ForecasterStatus, ModelAbout};
use crate::reader::{Group, TimeRange};

/// All checkpoints together.
const CITY: &str = "全市";
const HOURS: i64 = 24;
/// Checkpoints that an error lists.
const LISTED: usize = 20;
/// Dates that can be asked for.
const YEARS: std::ops::Range<i64> = 2000..2100;

/// The model that answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowModel)]
pub(super) struct ModelJson {
    /// `seasonal` or `spark-linear`; `untrained` where there is no model.
    #[schema(value_type = PredictorName, example = "seasonal")]
    kind: &'static str,
    /// Version; null where there is no model.
    #[schema(example = "20240102T031500Z-9f0c25d1")]
    version: Option<String>,
    /// When it was trained, UTC; null where there is no model.
    #[schema(example = "2024-01-02T03:15:00Z")]
    trained_at: Option<String>,
    /// Share of the counts that an interval is to hold. Without a model it is 1: the interval is that of the counts.
    #[schema(example = 0.8)]
    interval: f64,
    /// Held-out hours that the intervals were measured on; 0 if they are assumed, for want of history.
    #[schema(example = 6384)]
    interval_samples: u64,
}

/// A prediction for one hour.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Flow)]
pub(super) struct FlowJson {
    /// Code of the checkpoint, or 全市 for the whole city.
    #[schema(example = "S250_Pizhou_Sulu")]
    kkmc: String,
    /// Short name.
    #[schema(example = "S250-邳州-苏鲁界")]
    label: String,
    /// Date.
    #[schema(example = "2024-01-02")]
    date: String,
    /// Hour of the day.
    #[schema(example = 8)]
    hour: i64,
    /// Passages that are expected in this hour.
    #[schema(example = 231.4)]
    predicted_flow: f64,
    /// Lower end of the interval.
    #[schema(example = 205.1)]
    lower: f64,
    /// Upper end of the interval.
    #[schema(example = 258.9)]
    upper: f64,
    /// `checkpoint` (its own history), `short_history` (under a week of it), `typical_checkpoint` (none: as at one of middle
    /// size), `city`, or without a model `untrained` (the mean of what was counted).
    #[schema(value_type = BasisName, example = "checkpoint")]
    basis: &'static str,
    /// The model that answered.
    model: ModelJson,
}

/// One hour of a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowHour)]
pub(super) struct HourJson {
    /// Hour of the day.
    #[schema(example = 8)]
    hour: i64,
    /// Passages that are expected.
    #[schema(example = 231.4)]
    predicted_flow: f64,
    /// Lower end of the interval.
    #[schema(example = 205.1)]
    lower: f64,
    /// Upper end of the interval.
    #[schema(example = 258.9)]
    upper: f64,
    /// Passages that were counted; null if the hour is not over, nothing was recorded anywhere, or it is retained no more.
    #[schema(example = 226)]
    actual: Option<u64>,
}

/// Predictions for a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowDay)]
pub(super) struct DayJson {
    /// Code of the checkpoint, or 全市 for the whole city.
    #[schema(example = "全市")]
    kkmc: String,
    /// Short name.
    #[schema(example = "全市")]
    label: String,
    /// Date.
    #[schema(example = "2024-01-02")]
    date: String,
    /// What the predictions rest on, as in a prediction for one hour.
    #[schema(value_type = BasisName, example = "city")]
    basis: &'static str,
    /// 24 hours.
    #[schema(min_items = 24, max_items = 24)]
    hours: Vec<HourJson>,
    /// The model that answered.
    model: ModelJson,
}

/// The flow model and its training.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowModelStatus)]
pub(super) struct ModelStatusJson {
    /// The model that is served; null where there is none.
    model: Option<ModelJson>,
    /// `metadata.json` of it: what it learnt from, its test against simple predictors, its coefficients.
    #[schema(value_type = Option<Object>, example = json!({"kind": "seasonal", "rows": 6384}))]
    metadata: Option<Value>,
    /// The folder of the model.
    #[schema(example = "traffic_flow_model")]
    folder: String,
    /// What is wrong with the files in the folder; an earlier model may still be served.
    #[schema(example = json!(null))]
    problem: Option<String>,
    /// The same with its code.
    problem_notice: Option<Notice>,
    /// Whether a model is being trained.
    #[schema(example = false)]
    training: bool,
    /// Why the last training failed.
    #[schema(example = json!(null))]
    training_failure: Option<String>,
    /// The same with its code.
    training_failure_notice: Option<Notice>,
    /// Hours of counts that a training can learn from.
    #[schema(example = 672)]
    history_hours: u64,
    /// How many it needs before it trains a first model by itself; null if this process does not train.
    #[schema(example = 12)]
    min_hours: Option<u64>,
    /// Metadata of the versions that were served here, newest first.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    versions: Vec<Value>,
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

/// Predicted passages of one checkpoint, or of the whole city, in one hour.
///
/// Without `hour` and `date` it is the next hour. With `hour` alone it is the next such hour, the current one included; with
/// `date` alone, the hour of the day that comes next. Without a model it is the mean of what was counted, `basis` is
/// `untrained`, and `lower` and `upper` are the smallest and the largest of those counts; of an empty store all are 0.
#[utoipa::path(
    get,
    path = "/predict/flow",
    tag = "prediction",
    params(
        ("kkmc" = Option<String>, Query, description = "Checkpoint: code, full name or label; default: the whole city (全市)", example = "S250_Pizhou_Sulu"),
        ("hour" = Option<u32>, Query, minimum = 0, maximum = 23, description = "Hour of the day", example = 8),
        ("date" = Option<String>, Query, description = "Date", example = "2024-01-02"),
    ),
    responses(
        (status = 200, description = "The prediction", body = Envelope<FlowJson>),
        (status = 400, description = "A parameter has the wrong form; `msg` says what is valid", body = ErrorEnvelope),
        (status = 404, description = "There is no such checkpoint; `msg` lists some that there are", body = ErrorEnvelope),
        (status = 503, description = "The server is busy, or the database that holds the counts is away", body = ErrorEnvelope),
    )
)]
pub(super) async fn flow(State(api): State<Arc<Api>>, QueryFields(fields): QueryFields) -> Answer<FlowJson> {
    let hour = api.asked_hour(&fields)?;
    let place = api.asked_place(&fields).await?;
    let predictor = api.predictor().await?;
    let FlowForecast { flow, lower, upper, basis } = predictor.forecast(&place, hour);
    Ok(Success(FlowJson {
        kkmc: place.code,
        label: place.label,
        date: date_of(hour),
        hour: hour.rem_euclid(HOURS),
        predicted_flow: rounded(flow),
        lower: rounded(lower),
        upper: rounded(upper),
        basis: basis.as_str(),
        model: predictor.json(),
    }))
}

/// Predicted passages of one checkpoint, or of the whole city, in each hour of a day, with what was counted. Without a
/// model as for one hour.
#[utoipa::path(
    get,
    path = "/predict/day",
    tag = "prediction",
    params(
        ("kkmc" = Option<String>, Query, description = "Checkpoint: code, full name or label; default: the whole city (全市)", example = "S250_Pizhou_Sulu"),
        ("date" = Option<String>, Query, description = "Date; default: today", example = "2024-01-02"),
    ),
    responses(
        (status = 200, description = "24 hours", body = Envelope<DayJson>),
        (status = 400, description = "A parameter has the wrong form; `msg` says what is valid", body = ErrorEnvelope),
        (status = 404, description = "There is no such checkpoint; `msg` lists some that there are", body = ErrorEnvelope),
        (status = 503, description = "The server is busy, or the database that holds the counts is away", body = ErrorEnvelope),
    )
)]
pub(super) async fn day(State(api): State<Arc<Api>>, QueryFields(fields): QueryFields) -> Answer<DayJson> {
    let day = api.asked_day(&fields)?.unwrap_or_else(|| api.now().day());
    let place = api.asked_place(&fields).await?;
    let predictor = api.predictor().await?;
    let actual = api.counted_on(day, place.names.clone()).await?;
    let mut basis = Basis::City;
    let hours = (0..HOURS).zip(actual).map(|(hour, actual)| {
        let forecast = predictor.forecast(&place, day * HOURS + hour);
        basis = forecast.basis;
        HourJson {
            hour,
            predicted_flow: rounded(forecast.flow),
            lower: rounded(forecast.lower),
            upper: rounded(forecast.upper),
            actual,
        }
    });
    let hours = hours.collect();
    let date = date_of(day * HOURS);
    Ok(Success(DayJson {
        kkmc: place.code,
        label: place.label,
        date,
        basis: basis.as_str(),
        hours,
        model: predictor.json(),
    }))
}

/// Which flow model is served, what it learnt from, how it did in its test, and how training is.
#[utoipa::path(
    get,
    path = "/predict/model",
    tag = "prediction",
    responses((status = 200, description = "The model and its training", body = Envelope<ModelStatusJson>))
)]
pub(super) async fn model(State(api): State<Arc<Api>>) -> Answer<ModelStatusJson> {
    Ok(Success(api.model_status()))
}

/// A checkpoint or the whole city.
struct Place {
    /// Texts under which the checkpoint may have been recorded; none for the whole city.
    names: Option<Vec<String>>,
    code: String,
    label: String,
}

/// Who answers: the model that was served when the request came, or the means of what was counted.
enum Predictor {
    Model(Arc<dyn Forecast>),
    Untrained(Means),
}

impl Predictor {
    fn forecast(&self, place: &Place, hour: i64) -> FlowForecast {
        match (self, &place.names) {
            (Self::Model(model), None) => model.city(hour),
            (Self::Model(model), Some(names)) => {
                model.checkpoint(names, hour).unwrap_or_else(|| model.unknown_checkpoint(hour))
            }
            (Self::Untrained(means), names) => means.forecast(names.as_deref(), hour),
        }
    }

    fn json(&self) -> ModelJson {
        match self {
            Self::Model(model) => model.about().into(),
            Self::Untrained(_) => {
                ModelJson { kind: UNTRAINED, version: None, trained_at: None, interval: 1.0, interval_samples: 0 }
            }
        }
    }
}

impl Api {
    /// The model and its training, for its own endpoint and for the status.
    pub(super) fn model_status(&self) -> ModelStatusJson {
        let current = self.settings.forecaster.current();
        ModelStatusJson::new(self.settings.forecaster.status(), current.as_deref().map(Forecast::about))
    }

    /// The model, or without one what was counted.
    async fn predictor(&self) -> Result<Predictor, ApiError> {
        match self.settings.forecaster.current() {
            Some(model) => Ok(Predictor::Model(model)),
            None => self.counters(Means::read).await.map(Predictor::Untrained),
        }
    }

    /// The hour that is asked for, since 1970.
    fn asked_hour(&self, fields: &Fields) -> Result<i64, ApiError> {
        let hour = fields.whole_if_given("hour", 0..=23)?.map(|hour| hour as i64);
        let next = self.now().hour() + 1;
        Ok(match (self.asked_day(fields)?, hour) {
            (None, None) => next,
            (Some(day), None) => day * HOURS + next.rem_euclid(HOURS),
            (Some(day), Some(hour)) => day * HOURS + hour,
            (None, Some(hour)) => {
                let now = self.now().hour();
                now + (hour - now.rem_euclid(HOURS)).rem_euclid(HOURS)
            }
        })
    }

    /// The day that is asked for, since 1970.
    fn asked_day(&self, fields: &Fields) -> Result<Option<i64>, ApiError> {
        let Some(text) = fields.exact("date")?.map(str::trim_end) else { return Ok(None) };
        let wrong = || {
            ApiError::new(ErrorReason::NotDate)
                .with("name", "date")
                .with("first", YEARS.start)
                .with("last", YEARS.end - 1)
                .with("given", format!("{:?}", text.chars().take(60).collect::<String>()))
        };
        let is_date = !text.contains([':', 'T', ' ']);
        let time = CivilTime::parse(text.as_bytes(), &self.settings.zone).filter(|_| is_date).ok_or_else(wrong)?;
        if !YEARS.contains(&time.date().0) {
            return Err(wrong());
        }
        Ok(Some(time.day()))
    }

    /// The checkpoint that is asked for, or the whole city.
    async fn asked_place(&self, fields: &Fields) -> Result<Place, ApiError> {
        let city = Place { names: None, code: CITY.to_owned(), label: CITY.to_owned() };
        let Some(text) = fields.text("kkmc")?.filter(|text| *text != CITY) else { return Ok(city) };
        let catalogue = self.reader.catalogue();
        let names = kkmc_texts(&catalogue, &text);
        let code = names.first().cloned().unwrap_or_default();
        let model = self.settings.forecaster.current();
        let is_listed = catalogue.find(&code).is_some();
        let is_learnt = || model.as_ref().is_some_and(|model| model.checkpoint(&names, 0).is_some());
        if is_listed || is_learnt() || self.was_recorded(code.clone()).await? {
            return Ok(Place { label: label(&catalogue, &code), code, names: Some(names) });
        }
        Err(unknown(&text, &catalogue, model.as_deref()))
    }

    /// Whether any retained passage is of this checkpoint.
    async fn was_recorded(&self, kkmc: String) -> Result<bool, ApiError> {
        let counts = self.counters(|snapshot| snapshot.counts(Group::Checkpoint, TimeRange::default())).await?;
        Ok(counts.iter().any(|(name, _)| **name == *kkmc))
    }

    /// What was counted in each hour of a day: of these names, or of all.
    async fn counted_on(&self, day: i64, names: Option<Vec<String>>) -> Result<Vec<Option<u64>>, ApiError> {
        let now = self.now();
        let first = day * HOURS;
        // Nothing is counted ahead of time.
        if first * 3600 > now.0 + SECONDS_PER_DAY {
            return Ok(vec![None; HOURS as usize]);
        }
        let snapshot = self.reader.snapshot();
        // The way to another thread would take longer than the answer.
        let hours = if snapshot.has_hours_at_hand() {
            snapshot.hours(first, first + HOURS - 1, HOURS as usize)?
        } else {
            self.counters(move |snapshot| snapshot.hours(first, first + HOURS - 1, HOURS as usize)).await?
        };
        let mut counted = vec![None; HOURS as usize];
        for hour in hours.iter().filter(|hour| hour.is_whole && hour.hour < now.hour()) {
            let place = usize::try_from(hour.hour - first).ok().and_then(|place| counted.get_mut(place));
            if let Some(place) = place {
                let is_wanted = |name: &str| names.as_ref().is_none_or(|names| names.iter().any(|known| known == name));
                let counts = hour.checkpoints.iter().filter(|(name, _)| is_wanted(name));
                *place = Some(counts.map(|(_, count)| count).sum());
            }
        }
        Ok(counted)
    }
}

/// 404 with the checkpoints that there are, or the first of them.
fn unknown(text: &str, catalogue: &Catalogue, model: Option<&dyn Forecast>) -> ApiError {
    let mut known: Vec<String> = catalogue.iter().take(LISTED).map(|checkpoint| checkpoint.code.clone()).collect();
    let mut all = catalogue.len();
    if let Some(model) = model {
        let (names, count) = model.names(LISTED);
        if known.is_empty() {
            known = names;
        }
        all = all.max(count);
    }
    let more = if all > known.len() { format!(" and {} more", all - known.len()) } else { String::new() };
    ApiError::new(ErrorReason::UnknownCheckpoint)
        .with("given", format!("{:?}", text.chars().take(60).collect::<String>()))
        .with("known", known.join(", ") + &more)
}

/// One decimal is more than a prediction can promise.
fn rounded(flow: f64) -> f64 {
    (flow * 10.0).round() / 10.0
}

fn date_of(hour: i64) -> String {
    let (year, month, day) = CivilTime(hour.saturating_mul(3600)).date();
    format!("{year:04}-{month:02}-{day:02}")
}
