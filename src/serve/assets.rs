//! The web page, embedded in the binary: everything that is not the API, health, metrics or the documentation ([`docs`]).
//!
//! A path that names no file is a route of the page (`/query`, `/track/苏C12345`) and gets `index.html`, unless its last
//! segment has an extension or it is in the folder of the build's files: those are requests for a missing file. Files whose
//! names contain a hash of their content never change and are cached by the browser; all others are revalidated. It does not
//! know what the page does.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::docs;
use super::embedded::{Keeps, respond};
use super::error::{ApiError, ErrorReason, no_such_endpoint};
use super::layers::{is_api_path, is_viid_path};

#[derive(RustEmbed)]
#[folder = "web-dist/"]
pub(super) struct WebDist;

const INDEX: &str = "index.html";
/// Where the build of the page puts files whose names contain a hash of their content.
const HASHED_FOLDER: &str = "assets/";

/// The file at the path of the request, or the page.
pub(super) async fn asset(request: Request) -> Response {
    if is_api_path(request.uri().path()) || is_viid_path(request.uri().path()) {
        return no_such_endpoint(request).await.into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = ApiError::method_not_allowed(request.method(), "GET").into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        return response;
    }
    let path = request.uri().path().trim_start_matches('/');
    if let Some(below) = docs::below(path) {
        return docs::answer(below, request.headers()).await;
    }
    let last_part = path.rsplit('/').next().unwrap_or_default();
    let found = match WebDist::get(path) {
        Some(file) => Some((path, file)),
        None if last_part.contains('.') || path.starts_with(HASHED_FOLDER) => None,
        None => WebDist::get(INDEX).map(|file| (INDEX, file)),
    };
    match found {
        Some((name, file)) => {
            let keeps = if name.starts_with(HASHED_FOLDER) { Keeps::Forever } else { Keeps::UntilAsked };
            respond(name, file, keeps, request.headers()).await
        }
        None => ApiError::new(ErrorReason::UnknownFile).with("path", path).into_response(),
    }
}
