//! `GET /api/predict/*`: the prediction of the flow model for a checkpoint or the whole city, and the model itself.
//!
//! A model predicts from memory, so its answers need no lane, nor do counts that are in memory; other counts are read in the
//! lane of counters. Without a model the answer is the mean of the counts ([`super::untrained`]), so that a front end that
//! loads all its panels together does not fail.

mod answer;
mod asked;
mod json;

use std::sync::Arc;

use axum::extract::State;
use traffic::CivilTime;

use super::error::{Answer, Envelope, ErrorEnvelope, Success};
use super::fields::QueryFields;
use super::sight::Sight;
use super::state::Api;
use crate::forecast::{Basis, FlowForecast, Forecast};

use asked::HOURS;
use json::{DayJson, FlowJson, HourJson, ModelStatusJson, NowcastJson, rounded};

/// Predicted passages of one checkpoint, or of the whole city, in one hour.
///
/// The next hours after the last finished one are corrected by how the last finished hours compare with their own
/// forecasts, as far as that helped on days held out; `nowcast` says by how much.
///
/// Without `hour` and `date` it is the next hour. With `hour` alone it is the next such hour, the current one included; with
/// `date` alone, the hour of the day that comes next. Without a model it is the mean of the counts, `basis` is
/// `untrained`, and `lower` and `upper` are the smallest and the largest count; for an empty store all are 0.
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
pub(super) async fn flow(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<FlowJson> {
    let hour = api.asked_hour(&fields)?;
    let place = api.asked_place(&sight, &fields).await?;
    let predictor = api.predictor(&sight).await?;
    let FlowForecast { flow, lower, upper, basis, correction } = predictor.forecast(&place, hour);
    Ok(Success(FlowJson {
        kkmc: place.code,
        label: place.label,
        date: date_of(hour),
        hour: hour.rem_euclid(HOURS),
        predicted_flow: rounded(flow),
        lower: rounded(lower),
        upper: rounded(upper),
        basis: basis.as_str(),
        nowcast: correction.map(NowcastJson::from),
        model: predictor.json(),
    }))
}

/// Predicted passages of one checkpoint, or of the whole city, in each hour of a day, with the actual counts. Without a
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
pub(super) async fn day(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<DayJson> {
    let day = api.asked_day(&fields)?.unwrap_or_else(|| api.now().day());
    let place = api.asked_place(&sight, &fields).await?;
    let predictor = api.predictor(&sight).await?;
    let actual = api.counted_on(&sight, day, place.names.clone()).await?;
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
            nowcast: forecast.correction.map(NowcastJson::from),
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

/// The flow model that is served, its training data, its evaluation, and the state of training.
#[utoipa::path(
    get,
    path = "/predict/model",
    tag = "prediction",
    responses((status = 200, description = "The model and its training", body = Envelope<ModelStatusJson>))
)]
pub(super) async fn model(State(api): State<Arc<Api>>, sight: Sight) -> Answer<ModelStatusJson> {
    let current = api.settings.forecaster.current();
    let about = current.as_deref().map(Forecast::about);
    let model = ModelStatusJson::new(api.settings.forecaster.status(), about);
    Ok(Success(if sight.is_limited() { model.without_places() } else { model }))
}

fn date_of(hour: i64) -> String {
    let (year, month, day) = CivilTime(hour.saturating_mul(3600)).date();
    format!("{year:04}-{month:02}-{day:02}")
}
