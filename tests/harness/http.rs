//! A client of the program's HTTP interface.

use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use super::wait::PATIENCE;

/// What a path may not hold as it is, beside what is not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ');

/// The body of a GET, whatever its status.
#[track_caller]
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    answer(agent(PATIENCE).get(url(address, path)).call())
}

/// The `data` of an envelope that says success.
#[track_caller]
pub(crate) fn get_data(address: &str, path: &str) -> Value {
    data(get(address, path), path)
}

/// The `data` of an answer to a POST.
#[track_caller]
pub(crate) fn post_data(address: &str, path: &str, body: &Value) -> Value {
    data(answer(agent(PATIENCE).post(url(address, path)).send_json(body)), path)
}

/// The status and the body of an answer to a POST.
#[track_caller]
pub(crate) fn post(address: &str, path: &str, body: &Value) -> (u16, String) {
    answer(agent(PATIENCE).post(url(address, path)).send_json(body))
}

/// The status and the body of an answer to a PATCH.
#[track_caller]
pub(crate) fn patch(address: &str, path: &str, body: &Value) -> (u16, String) {
    answer(agent(PATIENCE).patch(url(address, path)).send_json(body))
}

/// The status and the body of a GET, or nothing where the program ends instead of answering.
pub(crate) fn try_get(address: &str, path: &str) -> Option<(u16, String)> {
    let mut response = agent(PATIENCE).get(url(address, path)).call().ok()?;
    Some((response.status().as_u16(), response.body_mut().read_to_string().ok()?))
}

/// The status of the answer to a PATCH, or nothing where the program ends instead of answering.
pub(crate) fn try_patch(address: &str, path: &str, body: &Value) -> Option<u16> {
    agent(PATIENCE).patch(url(address, path)).send_json(body).ok().map(|response| response.status().as_u16())
}

/// A client that takes every status for an answer, and gives up after `limit`.
pub(crate) fn agent(limit: Duration) -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(limit)).build().into()
}

/// A path at an address, with spaces, and what is not ASCII, percent-encoded.
pub(crate) fn url(address: &str, path: &str) -> String {
    let encoded = utf8_percent_encode(path, ENCODED);
    format!("http://{address}{encoded}")
}

#[track_caller]
pub(crate) fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
    let mut response = answer.unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[track_caller]
fn data((status, body): (u16, String), path: &str) -> Value {
    let envelope: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
    assert_eq!((status, &envelope["code"], &envelope["msg"]), (200, &200.into(), &"success".into()), "{path}: {body}");
    envelope["data"].clone()
}
