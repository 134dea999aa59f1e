//! Answers of GA/T 1400.4: a ResponseStatus, or a list of them. They know no request.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::deliveries::{MOST_REJECTS, Receipt};
use crate::serve::error::ApiError;
use crate::serve::state::Api;
use crate::viid::{MOST_OBJECTS, Notification, UploadError};

/// The media type of the standard.
pub(super) const JSON: &str = "application/VIID+JSON; charset=utf-8";
/// Seconds after which who was refused for want of room should come again.
const RETRY_SECONDS: u64 = 2;
/// What is said of a notification that is of another subscription than ours.
pub(super) const FOREIGN: &str = "this is no subscription of ours: end it at the platform";

/// ConfirmStatusType of GA/T 1400.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Ok,
    Unknown,
    Busy,
    Operation,
    Format,
    Content,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "0",
            Self::Unknown => "1",
            Self::Busy => "2",
            Self::Operation => "4",
            Self::Format => "7",
            Self::Content => "8",
        }
    }
}

/// Why a request was not answered.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: Code,
    words: String,
    challenge: Option<String>,
    retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: Code, words: impl Into<String>) -> Self {
        Self { status, code, words: words.into(), challenge: None, retry_after: None }
    }

    /// There is no room now.
    pub(super) fn busy(words: &str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, Code::Busy, words).after(RETRY_SECONDS)
    }

    /// With what to answer to.
    pub(super) fn challenged(self, challenge: String) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    /// With how many seconds to wait.
    pub(super) fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The answer.
    pub(super) fn answered(&self, api: &Api, path: &str, id: &str) -> Response {
        let mut response = of_one(api, path, id, self.code, &self.words);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge.as_ref().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// What a status is in the standard.
fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT
        | StatusCode::REQUEST_TIMEOUT => Code::Busy,
        StatusCode::PAYLOAD_TOO_LARGE => Code::Content,
        StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::Format,
        status if status.is_client_error() => Code::Operation,
        _ => Code::Unknown,
    }
}

/// What somebody refused who does not know the standard.
pub(in crate::serve) fn in_status(api: &Api, path: &str, refused: &Response) -> Response {
    let status = refused.status();
    let words = status.canonical_reason().unwrap_or_default();
    let mut response = Refusal::new(status, code_of(status), words).answered(api, path, "");
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = refused.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let (status, words, retry_after) = error.said();
        let words = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                "the body is too large (viid.max_body; without pictures api.ingest_max_body)".to_owned()
            }
            _ => words,
        };
        Self { status, code: code_of(status), words, challenge: None, retry_after }
    }
}

impl From<UploadError> for Refusal {
    fn from(error: UploadError) -> Self {
        let (status, code) = match error {
            UploadError::NotJson(_) => (StatusCode::BAD_REQUEST, Code::Format),
            UploadError::NoList(_) => (StatusCode::BAD_REQUEST, Code::Content),
            UploadError::TooMuch => (StatusCode::PAYLOAD_TOO_LARGE, Code::Content),
        };
        Self::new(status, code, error.to_string())
    }
}

/// The time as the standard writes it.
pub(super) fn compact(api: &Api) -> String {
    crate::viid::compact(&api.now())
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    said(status, value.to_string())
}

fn said(status: StatusCode, text: String) -> Response {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")];
    (status, headers, text).into_response()
}

/// ResponseStatus.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseStatus<'a> {
    id: &'a str,
    local_time: &'a str,
    #[serde(rename = "RequestURL")]
    request_url: &'a str,
    status_code: &'static str,
    status_string: &'a str,
}

/// The answer about one thing.
pub(super) fn of_one(api: &Api, path: &str, id: &str, code: Code, words: &str) -> Response {
    let status = ResponseStatus {
        id,
        local_time: &compact(api),
        request_url: path,
        status_code: code.as_str(),
        status_string: words,
    };
    json(StatusCode::OK, &json!({"ResponseStatusObject": status}))
}

/// What became of something.
pub(super) struct Fate<'a> {
    id: &'a str,
    code: Code,
    words: Cow<'static, str>,
}

/// The answer about several things. It is written at once: of 10,000 vehicles it has megabytes.
pub(super) fn of_list(api: &Api, path: &str, fates: &[Fate<'_>]) -> Response {
    said(StatusCode::OK, list(&compact(api), path, fates))
}

fn list(now: &str, path: &str, fates: &[Fate<'_>]) -> String {
    let mut text = "{\"ResponseStatusListObject\":{\"ResponseStatusObject\":[".to_owned();
    for (at, Fate { id, code, words }) in fates.iter().enumerate() {
        let status =
            ResponseStatus { id, local_time: now, request_url: path, status_code: code.as_str(), status_string: words };
        text.push_str(if at == 0 { "" } else { "," });
        // Texts always can be written.
        text.push_str(&serde_json::to_string(&status).unwrap_or_default());
    }
    text.push_str("]}}");
    text
}

/// What became of each object. A receipt says all that were rejected, in their order.
pub(super) fn of_objects<'a>(ids: &'a [String], receipt: &Receipt) -> Vec<Fate<'a>> {
    const { assert!(MOST_OBJECTS <= MOST_REJECTS, "a rejected object would be answered as stored") };
    let mut rejects = receipt.rejects.iter().peekable();
    let fate = |(line, id): (u64, &'a String)| {
        let (code, words) = match rejects.next_if(|(rejected, _)| *rejected == line) {
            Some((_, reason)) => (Code::Content, reason.as_str()),
            None => (Code::Ok, "OK"),
        };
        Fate { id, code, words: words.into() }
    };
    (1..).zip(ids).map(fate).collect()
}

/// What became of each notification: it was taken, whatever is in it. What was rejected is kept here, and sending it again would not help.
pub(super) fn of_notifications<'a>(notifications: &'a [Notification], receipt: &Receipt) -> Vec<Fate<'a>> {
    let (mut behind, mut rejects) = (1, receipt.rejects.iter().peekable());
    let fate = |notification: &'a Notification| {
        behind += notification.objects as u64;
        let rejected = std::iter::from_fn(|| rejects.next_if(|(line, _)| *line < behind)).count();
        let (code, words) = match rejected {
            _ if notification.is_foreign => (Code::Operation, FOREIGN.into()),
            0 => (Code::Ok, "OK".into()),
            _ => (Code::Ok, format!("OK, {rejected} rejected").into()),
        };
        Fate { id: &notification.id, code, words }
    };
    notifications.iter().map(fate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::RejectReason::{EmptyGcxh, InvalidGcsj};

    fn told<'a>(fates: &'a [Fate<'a>]) -> Vec<(&'a str, &'a str, &'a str)> {
        fates.iter().map(|fate| (fate.id, fate.code.as_str(), &*fate.words)).collect()
    }

    #[test]
    fn each_object_has_its_own_status() {
        let ids: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let receipt = Receipt { rejected: 2, rejects: vec![(2, InvalidGcsj), (3, EmptyGcxh)], ..Receipt::default() };
        let fine = [("a", "0", "OK"), ("b", "8", "invalid_gcsj"), ("c", "8", "empty_gcxh"), ("d", "0", "OK")];
        assert_eq!(told(&of_objects(&ids, &receipt)), fine);
        let notification = |id: &str, objects| Notification { id: id.to_owned(), objects, ..Notification::default() };
        let foreign = Notification { is_foreign: true, ..notification("p", 0) };
        let all = [notification("m", 1), notification("n", 0), foreign, notification("o", 3)];
        let expected = [("m", "0", "OK"), ("n", "0", "OK"), ("p", "4", FOREIGN), ("o", "0", "OK, 2 rejected")];
        assert_eq!(told(&of_notifications(&all, &receipt)), expected);
    }

    #[test]
    fn a_good_object_behind_many_rejected_ones_is_answered_as_stored() {
        let ids: Vec<String> = (1..=MOST_OBJECTS).map(|number| number.to_string()).collect();
        let rejects: Vec<_> = (1..MOST_OBJECTS as u64).map(|line| (line, InvalidGcsj)).collect();
        let receipt = Receipt { rejected: rejects.len() as u64, rejects, ..Receipt::default() };
        let fates = of_objects(&ids, &receipt);
        assert!(fates[..MOST_OBJECTS - 1].iter().all(|fate| fate.code == Code::Content));
        assert_eq!(told(&fates)[MOST_OBJECTS - 1], ("10000", "0", "OK"));
    }

    #[test]
    fn a_list_is_written_as_the_standard_has_it() {
        let [one, other] =
            [("a\"b", Code::Ok), ("", Code::Content)].map(|(id, code)| Fate { id, code, words: "w".into() });
        let status = |id: &str, code: &str| json!({"Id": id, "LocalTime": "t", "RequestURL": "/p", "StatusCode": code, "StatusString": "w"});
        let expected = json!([status("a\"b", "0"), status("", "8")]);
        let written: Value = serde_json::from_str(&list("t", "/p", &[one, other])).unwrap();
        assert_eq!(written, json!({"ResponseStatusListObject": {"ResponseStatusObject": expected}}));
        assert_eq!(list("t", "/p", &[]), "{\"ResponseStatusListObject\":{\"ResponseStatusObject\":[]}}");
    }
}
