//! What every request passes on its way: timing, the timeout, CORS, and the envelope around errors that axum itself
//! answers. It does not know any resource.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use super::Api;
use super::error::ApiError;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Label of requests that match no route: the page and its files, and paths that do not exist.
const UNMATCHED: &str = "other";

/// Counts the request, and adds `Server-Timing: app;dur=…` (milliseconds until the answer's head) to `/api/*`.
pub(super) async fn measure(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let is_api = is_api_path(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let elapsed = started.elapsed();
    let route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    api.metrics.observe(&method, route, response.status(), elapsed);
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_api && let Ok(timing) = HeaderValue::try_from(format!("app;dur={:.3}", elapsed.as_secs_f64() * 1000.0)) {
        headers.insert(SERVER_TIMING, timing);
    }
    response
}

/// Answers 504 for a request that takes longer than the settings allow.
pub(super) async fn time_out(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let limit = api.settings.query_timeout;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(
            StatusCode::GATEWAY_TIMEOUT,
            format!("no answer within {} s: narrow the time range or add filters", limit.as_secs_f64()),
        )
        .into_response(),
    }
}

/// Gives the envelope to an error of axum itself, which comes without one.
pub(super) async fn envelope_errors(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_json(&response) {
        return response;
    }
    ApiError::new(status, format!("{status}: /api/openapi.json says how this is called")).into_response()
}

fn is_json(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// Compression where the client takes it: not of small answers, which gain nothing, nor of images and event streams.
pub(super) fn compression() -> CompressionLayer<impl Predicate> {
    const SMALLEST_BYTES: u16 = 1024;
    CompressionLayer::new()
        .compress_when(SizeAbove::new(SMALLEST_BYTES).and(NotForContentType::IMAGES).and(NotForContentType::SSE))
}

/// CORS for the configured origins; `*` among them allows all. An origin that no header can hold is left out.
pub(super) fn cors(origins: &[String]) -> CorsLayer {
    let origin = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| {
            match HeaderValue::try_from(origin.trim_end_matches('/')) {
                Ok(value) => Some(value),
                Err(_) => {
                    tracing::warn!(origin, "cors origin is no header value and is ignored");
                    None
                }
            }
        }))
    };
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH])
        .allow_headers(Any)
        .expose_headers([
            SERVER_TIMING,
            header::RETRY_AFTER,
            header::ETAG,
            header::CONTENT_DISPOSITION,
            super::export::TOTAL_COUNT,
            super::export::MAX_ROWS,
        ])
        .max_age(std::time::Duration::from_secs(3600))
}

/// Whether a path belongs to the API rather than to the page.
pub(super) fn is_api_path(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// What a process answers that only takes in.
const STATUS_PATHS: [&str; 5] = ["/api/status", "/api/openapi.json", "/healthz", "/readyz", "/metrics"];

/// 404 for all that a process of the role `ingest` leaves to others.
pub(super) async fn status_only(request: Request, next: Next) -> Response {
    if STATUS_PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    ApiError::new(
        StatusCode::NOT_FOUND,
        "this process has the role \"ingest\" and only tells how it is (/api/status): ask a process of the role \"api\"",
    )
    .into_response()
}
