//! The web page, embedded in the binary: everything that is not the API, health or metrics.
//!
//! A path that names no file is the page's own (it routes in the browser) and gets `index.html`, unless its last part
//! has an extension: that asks for a file, and there is none. It does not know what the page does.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::{ApiError, no_such_endpoint, use_get};
use super::layers::is_api_path;

#[derive(RustEmbed)]
#[folder = "web-dist/"]
struct WebDist;

const INDEX: &str = "index.html";
/// Files whose names hold a hash of their content: the build of the page puts them here.
const HASHED_FOLDER: &str = "assets/";
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'";

/// The file at the request's path, or the page.
pub(super) async fn asset(request: Request) -> Response {
    if is_api_path(request.uri().path()) {
        return no_such_endpoint(request).await.into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = use_get(request.method().clone()).await.into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        return response;
    }
    let path = request.uri().path().trim_start_matches('/');
    let last_part = path.rsplit('/').next().unwrap_or_default();
    let found = match WebDist::get(path) {
        Some(file) => Some((path, file)),
        None if last_part.contains('.') => None,
        None => WebDist::get(INDEX).map(|file| (INDEX, file)),
    };
    match found {
        Some((name, file)) => respond(name, file, request.headers()),
        None => {
            ApiError::new(StatusCode::NOT_FOUND, format!("there is no file /{path}: the page is at /")).into_response()
        }
    }
}

fn respond(name: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let etag = etag(&file);
    let cache = if name.starts_with(HASHED_FOLDER) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let unchanged = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || tag.trim().trim_start_matches("W/") == etag.trim_start_matches("W/"));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type(&file))], file.data).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

fn content_type(file: &EmbeddedFile) -> String {
    match file.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    }
}

/// A weak tag, since the answer may be compressed on its way.
fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{hex}\"")
}
