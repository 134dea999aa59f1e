//! The interface described by itself: OpenAPI 3.1, generated from the handlers. `docs/openapi.json` is the same text; a
//! test compares them.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;

use super::error::{ApiError, ErrorEnvelope};
use super::{
    alert, checkpoints, export, health, metrics, overview, predict, query, recent, rejects, stats, status, stream,
    track, warnings,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Platewatch",
        version = env!("CARGO_PKG_VERSION"),
        description = "Passages, statistics and cloned-plate warnings of expressway checkpoints.\n\nEvery JSON answer is an envelope `{\"code\":200,\"msg\":\"success\",\"data\":…}`; an error carries its HTTP status, the same `code`, a `msg` that says what to change, and `data: null`. Times are civil times of the road, `YYYY-MM-DD HH:MM:SS`. Every answer under `/api` has a `Server-Timing` header with the server's time in milliseconds.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        query::query,
        export::export,
        stats::kkmc_count,
        stats::hour_count,
        stats::map_data,
        stats::vehicle_type,
        stats::vehicle_brand,
        recent::recent,
        warnings::realtime,
        warnings::history,
        alert::get,
        alert::patch,
        stream::stream,
        predict::flow,
        predict::day,
        predict::model,
        overview::overview,
        track::track,
        checkpoints::checkpoints,
        status::status,
        rejects::rejects,
        openapi,
        health::healthz,
        health::readyz,
        metrics::metrics,
    ),
    components(schemas(ErrorEnvelope, warnings::AlertSchema)),
    tags(
        (name = "passages", description = "Passages that are retained"),
        (name = "statistics", description = "Counts for the dashboard"),
        (name = "warnings", description = "Cloned-plate warnings 套牌预警"),
        (name = "prediction", description = "Flow prediction"),
        (name = "checkpoints", description = "The checkpoint catalogue"),
        (name = "operation", description = "State, health and metrics"),
    )
)]
struct Document;

/// The OpenAPI document as indented JSON with a final line feed: the text of `docs/openapi.json`.
///
/// # Errors
/// Only if the document could not be written as JSON.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    Document::openapi().to_pretty_json().map(|json| json + "\n")
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1, without the envelope", content_type = "application/json", body = Object))
)]
pub(super) async fn openapi() -> Response {
    match openapi_json() {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => {
            tracing::error!(%error, "openapi document could not be written");
            ApiError::internal().into_response()
        }
    }
}
