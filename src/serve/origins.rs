//! Which pages of other origins may call `/api/*` from a browser (CORS), and which may change anything.
//!
//! Pages of `api.cors_origins` (any by default) may read, never with credentials. Our own page and those of
//! `api.allowed_origins` may change something. Not every browser sends a preflight for every request, so a change from
//! another origin is also refused here. Programs other than browsers send no `Origin` and are not affected.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::changes;
use super::error::{ApiError, ErrorReason};
use super::headers::{MAX_ROWS, SERVER_TIMING, TOTAL_COUNT};

/// How long a browser may cache the answer to a preflight.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The origins that are allowed.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    /// Origins that may read; none means all.
    readers: Option<Vec<String>>,
    /// Origins that may change something, besides our own.
    changers: Vec<String>,
    /// Headers that a page of another origin may read.
    exposed: HeaderValue,
}

impl Origins {
    pub(super) fn new(readers: &[String], changers: &[String]) -> Self {
        let plain = |origin: &String| origin.trim_end_matches('/').to_ascii_lowercase();
        let any = readers.iter().any(|origin| origin == "*");
        Self {
            readers: (!any).then(|| readers.iter().map(plain).collect()),
            changers: changers.iter().map(plain).collect(),
            exposed: exposed(),
        }
    }

    /// What `access-control-allow-origin` says to a request of this method from `origin`; none if it may not be read.
    fn allowed(&self, origin: &HeaderValue, headers: &HeaderMap, changes: bool) -> Option<HeaderValue> {
        let name = origin.to_str().ok()?.to_ascii_lowercase();
        if changes {
            let allowed = self.changers.contains(&name) || is_own(&name, headers);
            return allowed.then(|| origin.clone());
        }
        match &self.readers {
            None => Some(HeaderValue::from_static("*")),
            Some(readers) => readers.contains(&name).then(|| origin.clone()),
        }
    }
}

/// Whether an origin is our own page: the address that the browser called.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Some((scheme, place)) = origin.split_once("://") else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let plain = |text: &str| text.strip_suffix(default_port).unwrap_or(text).to_owned();
    !host.is_empty() && plain(place) == plain(&host)
}

/// Answers a preflight, refuses a change from another origin, and adds the CORS headers.
pub(super) async fn guard(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let changes = |method: &Method| changes(method, route.as_ref().map_or("", MatchedPath::as_str));
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD);
    if let (&Method::OPTIONS, Some(asked)) = (request.method(), asked) {
        let asked = Method::from_bytes(asked.as_bytes()).unwrap_or_default();
        let allowed = origin.and_then(|origin| origins.allowed(&origin, request.headers(), changes(&asked)));
        return preflight(allowed, changes(&asked));
    }
    let is_change = changes(request.method());
    let allowed = origin.as_ref().map(|origin| origins.allowed(origin, request.headers(), is_change));
    let mut response = match &allowed {
        Some(None) if is_change => refused(origin.as_ref()).into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Some(Some(allowed)) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, origins.exposed.clone());
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

fn preflight(allowed: Option<HeaderValue>, changes: bool) -> Response {
    let methods = if changes { "GET,HEAD,POST,PATCH,DELETE" } else { "GET,HEAD,POST" };
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    if let Some(allowed) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED.as_secs().into());
    }
    headers.insert(
        header::VARY,
        HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers"),
    );
    response
}

fn refused(origin: Option<&HeaderValue>) -> ApiError {
    let origin = origin.and_then(|origin| origin.to_str().ok()).unwrap_or("another origin");
    let origin: String = origin.chars().take(100).collect();
    ApiError::new(ErrorReason::OriginNotAllowed).with("origin", origin)
}

fn exposed() -> HeaderValue {
    const NAMES: [HeaderName; 6] =
        [SERVER_TIMING, header::RETRY_AFTER, header::ETAG, header::CONTENT_DISPOSITION, TOTAL_COUNT, MAX_ROWS];
    HeaderValue::try_from(NAMES.map(|name| name.to_string()).join(",")).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_origin_is_the_address_that_was_called() {
        for (origin, host, own) in [
            ("http://127.0.0.1:5000", "127.0.0.1:5000", true),
            ("http://127.0.0.1:5000", "127.0.0.1:5001", false),
            ("https://watch.example", "watch.example", true),
            ("https://watch.example", "Watch.Example:443", true),
            ("http://watch.example", "watch.example:80", true),
            ("http://watch.example:80", "watch.example", true),
            ("https://watch.example", "watch.example:80", false),
            ("https://watch.example.evil", "watch.example", false),
            ("null", "null", false),
            ("http://", "", false),
        ] {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::try_from(host).unwrap())]);
            assert_eq!(is_own(origin, &headers), own, "{origin} {host}");
        }
    }
}
