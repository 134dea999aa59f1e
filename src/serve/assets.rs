//! The web page, embedded in the binary: everything that is not the API, health or metrics.
//!
//! A path that names no file is a route of the page (`/query`, `/track/苏C12345`) and gets `index.html`, unless its last
//! segment has an extension or it is in the folder of the build's files: those are requests for a missing file. Files whose
//! names contain a hash of their content never change and are cached by the browser; all others are revalidated with an
//! entity tag. It does not know what the page does.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::{ApiError, ErrorReason, no_such_endpoint};
use super::headers::PAGE_POLICY;
use super::layers::is_api_path;

#[derive(RustEmbed)]
#[folder = "web-dist/"]
pub(super) struct WebDist;

const INDEX: &str = "index.html";
/// Where the build of the page puts files whose names contain a hash of their content.
const HASHED_FOLDER: &str = "assets/";

/// The file at the path of the request, or the page.
pub(super) async fn asset(request: Request) -> Response {
    if is_api_path(request.uri().path()) {
        return no_such_endpoint(request).await.into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = ApiError::method_not_allowed(request.method(), "GET").into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        return response;
    }
    let path = request.uri().path().trim_start_matches('/');
    let last_part = path.rsplit('/').next().unwrap_or_default();
    let found = match WebDist::get(path) {
        Some(file) => Some((path, file)),
        None if last_part.contains('.') || path.starts_with(HASHED_FOLDER) => None,
        None => WebDist::get(INDEX).map(|file| (INDEX, file)),
    };
    match found {
        Some((name, file)) => respond(name, file, request.headers()).await,
        None => ApiError::new(ErrorReason::UnknownFile).with("path", path).into_response(),
    }
}

async fn respond(name: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let etag = etag(&file);
    let kind = content_type(&file);
    let cache = if name.starts_with(HASHED_FOLDER) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let compressible = is_compressible(&kind, file.data.len());
    let mut response = if is_known(asked, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if compressible
        && takes_gzip(asked)
        && let Some(bytes) = gzipped(name, &file).await
    {
        ([(header::CONTENT_TYPE, kind), (header::CONTENT_ENCODING, "gzip".to_owned())], Body::from(bytes))
            .into_response()
    } else {
        ([(header::CONTENT_TYPE, kind)], file.data).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if compressible {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// Whether the browser has this content already.
fn is_known(asked: &HeaderMap, etag: &str) -> bool {
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || tag.trim().trim_start_matches("W/") == etag.trim_start_matches("W/"))
}

fn content_type(file: &EmbeddedFile) -> String {
    match file.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    }
}

/// A weak tag, since the response may be compressed.
fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{hex}\"")
}

/// Text above a minimum length; images and fonts are compressed already.
fn is_compressible(kind: &str, bytes: usize) -> bool {
    const SMALLEST_BYTES: usize = 1024;
    let text = kind.starts_with("text/")
        || ["image/svg+xml", "application/javascript", "application/json", "application/manifest+json"].contains(&kind);
    text && bytes >= SMALLEST_BYTES
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let accepted = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let weight = |part: &str| part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        parts.next() == Some("gzip") && parts.find_map(weight).is_none_or(|weight| weight > 0.0)
    })
}

/// Compressed files by name: each is compressed once, at the best level of gzip; there are at most as many as are embedded.
static GZIPPED: LazyLock<Mutex<HashMap<String, Bytes>>> = LazyLock::new(Mutex::default);

async fn gzipped(name: &str, file: &EmbeddedFile) -> Option<Bytes> {
    let known = || GZIPPED.lock();
    if let Some(bytes) = known().get(name) {
        return Some(bytes.clone());
    }
    let data = file.data.clone();
    let compressed = tokio::task::spawn_blocking(move || {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        writer.write_all(&data).and_then(|()| writer.finish())
    });
    let bytes = Bytes::from(compressed.await.ok()?.ok()?);
    known().insert(name.to_owned(), bytes.clone());
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_gzip() {
        for (value, expected) in [
            ("gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, gzip;q=0.8", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, br", false),
            ("br", false),
            ("x-gzip", false),
            ("", false),
        ] {
            let asked = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(takes_gzip(&asked), expected, "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
