//! Layers and checks inside of the outermost one: parameters, timeout, compression, methods. They know no resource.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use super::error::{ApiError, ErrorReason};
use super::fields::Fields;
use super::state::Api;
use crate::oidc::CALLBACK;

/// Paths that are answered even when every connection is in use.
pub(super) const HEALTH_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// Parses the query string once, and refuses parameters that the endpoint does not have. Where a provider leads a browser back nothing is
/// refused: it adds what it likes.
///
/// # Errors
/// 400.
pub(super) fn parameters(request: &Request, route: &str, known: &[String]) -> Result<Fields, ApiError> {
    let fields = Fields::from_query(request.uri().query().unwrap_or_default())?;
    if route != CALLBACK {
        fields.only(known)?;
    }
    Ok(fields)
}

/// 405 for a method that an endpoint does not have, with the methods that it has.
pub(super) async fn method_not_allowed(State(api): State<Arc<Api>>, route: MatchedPath, method: Method) -> ApiError {
    let allowed: Vec<&str> = api.document.methods(route.as_str()).collect();
    ApiError::method_not_allowed(&method, &allowed.join(" or "))
}

/// Answers 504 for a request that takes longer than the settings allow.
pub(super) async fn time_out(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let limit = api.settings.query_timeout;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(ErrorReason::TooSlow).with("seconds", seconds(limit)).into_response(),
    }
}

/// Seconds, as an integer where there is no fraction.
fn seconds(time: Duration) -> Value {
    match time.subsec_nanos() {
        0 => time.as_secs().into(),
        _ => time.as_secs_f64().into(),
    }
}

/// Compression if the client accepts it, except for small responses, images and event streams.
pub(super) fn compression() -> CompressionLayer<impl Predicate> {
    const SMALLEST_BYTES: u16 = 1024;
    CompressionLayer::new()
        .compress_when(SizeAbove::new(SMALLEST_BYTES).and(NotForContentType::IMAGES).and(NotForContentType::SSE))
}

/// Whether a path belongs to the interface of GA/T 1400.
pub(super) fn is_viid_path(path: &str) -> bool {
    path == "/VIID" || path.starts_with("/VIID/")
}

/// Whether a path belongs to the API rather than to the page.
pub(super) fn is_api_path(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Paths that a process of the role `ingest` answers.
const STATUS_PATHS: [&str; 7] =
    ["/api/status", "/api/ingest", "/api/session", "/api/openapi.json", "/healthz", "/readyz", "/metrics"];
/// And all below these.
const INTAKE_PATHS: [&str; 2] = ["/api/ingest/", "/VIID/"];

/// 404 for every path that a process of the role `ingest` does not serve.
pub(super) async fn status_only(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if STATUS_PATHS.contains(&path) || INTAKE_PATHS.iter().any(|below| path.starts_with(below)) {
        return next.run(request).await;
    }
    ApiError::new(ErrorReason::IngestOnly).into_response()
}
