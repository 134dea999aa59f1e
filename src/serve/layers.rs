//! The middleware of every request: the limit of the URI, timing, the timeout, the parameters, and the envelope around errors
//! of axum itself. It knows no resource.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use super::access::CALLBACK;
use super::error::{ApiError, ErrorReason};
use super::fields::Fields;
use super::headers::{SERVER_TIMING, protect};
use super::listen::{Client, Crowded};
use super::state::Api;

/// Label of requests without a route: files of the page, and paths that do not exist.
const UNMATCHED: &str = "other";

/// Bytes of a path with its query string: far more than any endpoint needs.
const MAX_URI_BYTES: usize = 8 << 10;
/// Seconds after which a refused client should retry.
const RETRY_AFTER_SECONDS: u16 = 2;

/// Refuses a URI that is too long, and everything but health probes on a connection that took one of the slots reserved for
/// them.
pub(super) async fn admit(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let bytes = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if bytes > MAX_URI_BYTES {
        let refused = ApiError::new(ErrorReason::UriTooLong).with("bytes", bytes).with("limit", MAX_URI_BYTES);
        return refused.into_response();
    }
    if request.extensions().get::<Crowded>().is_some() && !HEALTH_PATHS.contains(&uri.path()) {
        return ApiError::new(ErrorReason::ConnectionsFull).retry_after(RETRY_AFTER_SECONDS).into_response();
    }
    next.run(request).await
}

/// Paths that are answered even when every connection is in use.
pub(super) const HEALTH_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// Parses the query string once, refuses parameters that the endpoint does not have, and passes the others on.
pub(super) async fn parameters(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let known = route.as_ref().and_then(|route| api.document.parameters(request.method(), route.as_str()));
    // There is no such endpoint; the fallback says so.
    let Some(known) = known else { return next.run(request).await };
    let checked = Fields::from_query(request.uri().query().unwrap_or_default())
        // A provider adds what it likes.
        .and_then(|fields| {
            if route.is_some_and(|route| route.as_str() == CALLBACK) {
                Ok(fields)
            } else {
                fields.only(known).map(|()| fields)
            }
        });
    match checked {
        Ok(fields) => {
            request.extensions_mut().insert(fields);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    }
}

/// 405 for a method that an endpoint does not have, with the methods that it has.
pub(super) async fn method_not_allowed(State(api): State<Arc<Api>>, route: MatchedPath, method: Method) -> ApiError {
    let allowed: Vec<&str> = api.document.methods(route.as_str()).collect();
    ApiError::method_not_allowed(&method, &allowed.join(" or "))
}

/// Counts the request, adds the headers that every answer carries, and `Server-Timing: app;dur=…` (milliseconds until the head of the response) to `/api/*`.
pub(super) async fn measure(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let is_api = is_api_path(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_encrypted = request.extensions().get::<Client>().is_some_and(|client| client.is_encrypted);
    let mut response = next.run(request).await;
    let elapsed = started.elapsed();
    let route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    api.metrics.observe(&method, route, response.status(), elapsed);
    let headers = response.headers_mut();
    protect(headers);
    if let Some(https_only) = api.https_only.as_ref().filter(|_| is_encrypted) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, https_only.clone());
    }
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

/// Wraps an error of axum itself in the envelope.
pub(super) async fn envelope_errors(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_json(&response) {
        return response;
    }
    ApiError::new(ErrorReason::WrongCall).with_status(status).with("error", status.to_string()).into_response()
}

fn is_json(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// Compression if the client accepts it, except for small responses, images and event streams.
pub(super) fn compression() -> CompressionLayer<impl Predicate> {
    const SMALLEST_BYTES: u16 = 1024;
    CompressionLayer::new()
        .compress_when(SizeAbove::new(SMALLEST_BYTES).and(NotForContentType::IMAGES).and(NotForContentType::SSE))
}

/// Whether a path belongs to the API rather than to the page.
pub(super) fn is_api_path(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Paths that a process of the role `ingest` answers.
const STATUS_PATHS: [&str; 6] = ["/api/status", "/api/session", "/api/openapi.json", "/healthz", "/readyz", "/metrics"];

/// 404 for every path that a process of the role `ingest` does not serve.
pub(super) async fn status_only(request: Request, next: Next) -> Response {
    if STATUS_PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    ApiError::new(ErrorReason::IngestOnly).into_response()
}
