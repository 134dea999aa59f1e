//! The interface described by itself: OpenAPI 3.1, generated from the handlers. `docs/openapi.json` is the same text; a
//! test compares them.

mod exact;

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
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
    let mut document = serde_json::to_value(Document::openapi())?;
    exact::complete(&mut document);
    serde_json::to_string_pretty(&document).map(|json| json + "\n")
}

/// The names of the query parameters of an endpoint, as the document lists them; none if there is no such endpoint.
pub(super) fn parameters(method: &Method, route: &str) -> Option<&'static [&'static str]> {
    static KNOWN: LazyLock<HashMap<(String, String), Vec<&'static str>>> = LazyLock::new(|| {
        let document = serde_json::to_value(Document::openapi()).unwrap_or_default();
        let mut known = HashMap::new();
        for (path, operations) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                known.insert((method.to_uppercase(), path.clone()), query_names(operation));
            }
        }
        known
    });
    // HEAD is GET without the body.
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    KNOWN.get(&(method.to_owned(), route.to_owned())).map(Vec::as_slice)
}

/// Leaked once per process: names of parameters are as constant as the handlers.
fn query_names(operation: &Value) -> Vec<&'static str> {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let in_query = parameters.filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query"));
    in_query
        .filter_map(|parameter| parameter.get("name").and_then(Value::as_str))
        .map(|name| &*Box::leak(name.to_owned().into_boxed_str()))
        .collect()
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1, without the envelope", content_type = "application/json", body = Object))
)]
pub(super) async fn openapi() -> Response {
    static TEXT: LazyLock<Result<String, serde_json::Error>> = LazyLock::new(openapi_json);
    match &*TEXT {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json.as_str()).into_response(),
        Err(error) => {
            tracing::error!(%error, "openapi document could not be written");
            ApiError::internal().into_response()
        }
    }
}
