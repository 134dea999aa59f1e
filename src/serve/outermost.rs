//! What stands around every request: what is refused before anything else, the limits of a client, timing, the headers of every answer,
//! and the envelope around errors of axum itself. It knows no resource.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, ErrorReason};
use super::headers::{SERVER_TIMING, protect};
use super::layers::{HEALTH_PATHS, is_api_path, is_viid_path};
use super::listen::{Client, Crowded};
use super::rates::Running;
use super::state::Api;
use super::{throttle, viid};

/// Label of requests without a route: files of the page, and paths that do not exist.
const UNMATCHED: &str = "other";
/// Bytes of a path with its query string: far more than any endpoint needs.
const MAX_URI_BYTES: usize = 8 << 10;
/// Seconds after which a refused client should retry.
const RETRY_AFTER_SECONDS: u16 = 2;

/// What stands around a request.
#[derive(Clone)]
pub(super) struct Outermost {
    pub(super) api: Arc<Api>,
    /// Each client may ask so much ([`throttle`]).
    pub(super) is_limited: bool,
}

/// Refuses what is not answered at all, counts the request, wraps an error of axum itself in the envelope, and adds the headers that every
/// answer carries, to those of `/api/*` also `Server-Timing: app;dur=…` (milliseconds until the head of the response).
///
/// NOTE: one layer does this, as each costs a request a copy of all that is below it.
pub(super) async fn outermost(State(around): State<Outermost>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let is_api = is_api_path(request.uri().path());
    let viid_path = Some(request.uri().path()).filter(|path| is_viid_path(path)).map(str::to_owned);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_encrypted = request.extensions().get::<Client>().is_some_and(|client| client.is_encrypted);
    let mut response = match admit(&around, &mut request) {
        Ok(_running) => in_envelope(next.run(request).await),
        Err(refused) => refused.into_response(),
    };
    // Devices know no envelope: what a layer refuses is said to them as the standard has it.
    if let Some(path) = viid_path.filter(|_| is_ours(&response)) {
        response = viid::in_status(&around.api, &path, &response);
    }
    let elapsed = started.elapsed();
    let route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let api = &around.api;
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

/// Lets a request in, which counts as running until what is returned is dropped.
///
/// # Errors
/// For a URI that is too long, for everything but health probes on a connection that took one of the slots reserved for them, and
/// for a client that asks too much.
fn admit(around: &Outermost, request: &mut Request) -> Result<Option<Running>, ApiError> {
    let uri = request.uri();
    let bytes = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if bytes > MAX_URI_BYTES {
        return Err(ApiError::new(ErrorReason::UriTooLong).with("bytes", bytes).with("limit", MAX_URI_BYTES));
    }
    if request.extensions().get::<Crowded>().is_some() && !HEALTH_PATHS.contains(&uri.path()) {
        return Err(ApiError::new(ErrorReason::ConnectionsFull).retry_after(RETRY_AFTER_SECONDS));
    }
    if around.is_limited { throttle::take(&around.api, request) } else { Ok(None) }
}

/// An error of axum itself in the envelope; any other answer as it is.
fn in_envelope(response: Response) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_json(&response) {
        return response;
    }
    ApiError::new(ErrorReason::WrongCall).with_status(status).with("error", status.to_string()).into_response()
}

/// Whether it is an error in our envelope.
fn is_ours(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes()).unwrap_or_default();
    let status = response.status();
    (status.is_client_error() || status.is_server_error()) && kind.starts_with(b"application/json")
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes()).unwrap_or_default();
    kind.starts_with(b"application/json") || kind.starts_with(b"application/VIID+JSON")
}
