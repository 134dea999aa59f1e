//! How an embedded file is answered: its type, an entity tag, how long a browser may keep it, and its text compressed once.
//!
//! It does not know which files there are.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use rust_embed::EmbeddedFile;

use super::headers::PAGE_POLICY;

/// How long a browser may keep a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// For ever: its name contains a hash of its content.
    Forever,
    /// Until it asks again, with the entity tag.
    UntilAsked,
}

/// The answer with a file of this name, which no other embedded file has.
pub(super) async fn respond(name: &str, file: EmbeddedFile, keeps: Keeps, asked: &HeaderMap) -> Response {
    let etag = etag(&file);
    let kind = content_type(&file);
    let cache = match keeps {
        Keeps::Forever => "public, max-age=31536000, immutable",
        Keeps::UntilAsked => "no-cache",
    };
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
