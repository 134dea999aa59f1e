//! The documentation, embedded in the binary: a book in Chinese and one in English, as `scripts/docs` built them.
//!
//! Anybody may read it without a login: it is about the program and holds nothing of its data. `/docs/` leads to the book in the
//! language that the browser prefers. It does not know what the books say.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::embedded::{Keeps, respond};
use super::error::{ApiError, ErrorReason};

#[derive(RustEmbed)]
#[folder = "docs-dist/"]
pub(super) struct DocsDist;

/// The folder of the site.
const FOLDER: &str = "docs";
/// The page at the address of a folder.
const INDEX: &str = "index.html";
/// The language of a browser that asks for neither: the page begins with it too.
const FIRST: &str = "zh";
/// Each is a book.
const LANGUAGES: [&str; 2] = [FIRST, "en"];

/// The part of a path below `/docs`; none if it is not there.
pub(super) fn below(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(FOLDER)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// The file at a path below `/docs`, or the way to one.
pub(super) async fn answer(path: &str, asked: &HeaderMap) -> Response {
    if path.is_empty() {
        let mut response = lead_to(&format!("/{FOLDER}/{}/", preferred(asked)));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
        return response;
    }
    // Without the last slash the links of the page would lead elsewhere.
    if LANGUAGES.contains(&path) {
        return lead_to(&format!("/{FOLDER}/{path}/"));
    }
    let name = if path.ends_with('/') { format!("{path}{INDEX}") } else { path.to_owned() };
    match DocsDist::get(&name) {
        Some(file) => respond(&format!("{FOLDER}/{name}"), file, Keeps::UntilAsked, asked).await,
        None => ApiError::new(ErrorReason::UnknownFile).with("path", format!("{FOLDER}/{path}")).into_response(),
    }
}

fn lead_to(place: &str) -> Response {
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The language with the highest weight of those that there are; of equal ones the first.
fn preferred(asked: &HeaderMap) -> &'static str {
    let accepted = asked.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut best = (FIRST, 0.0);
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let primary = tag.split('-').next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        let language = LANGUAGES.into_iter().find(|language| language.eq_ignore_ascii_case(primary));
        if let Some(language) = language
            && weight > best.1
        {
            best = (language, weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_a_browser_prefers() {
        for (value, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("en-GB,en;q=0.9,zh;q=0.1", "en"),
            ("en;q=0.5, zh-TW;q=0.7", "zh"),
            ("de, EN;q=0.3", "en"),
            ("en;q=0", "zh"),
            ("en;q=x", "zh"),
            ("de", "zh"),
            ("*", "zh"),
            ("", "zh"),
        ] {
            let asked = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))]);
            assert_eq!(preferred(&asked), expected, "{value}");
        }
        assert_eq!(preferred(&HeaderMap::new()), "zh");
    }

    #[test]
    fn what_is_below_the_folder() {
        for (path, expected) in [
            ("docs", Some("")),
            ("docs/", Some("")),
            ("docs/zh/", Some("zh/")),
            ("docs/en/tour.html", Some("en/tour.html")),
            ("docsets", None),
            ("query", None),
        ] {
            assert_eq!(below(path), expected, "{path}");
        }
    }
}
