//! Answers of GA/T 1400.4: a ResponseStatus, or a list of them. They know no request.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::deliveries::Receipt;
use crate::serve::error::ApiError;
use crate::serve::state::Api;
use crate::viid::{Notification, UploadError};

/// The media type of the standard.
pub(super) const JSON: &str = "application/VIID+JSON; charset=utf-8";
/// Seconds after which who was refused for want of room should come again.
const RETRY_SECONDS: u64 = 2;

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

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let (status, words, retry_after) = error.said();
        let words = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                "the body is too large (viid.max_body; without pictures api.ingest_max_body)".to_owned()
            }
            _ => words,
        };
        let code = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Code::Busy,
            StatusCode::PAYLOAD_TOO_LARGE => Code::Content,
            _ => Code::Unknown,
        };
        Self { status, code, words, challenge: None, retry_after }
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
    api.now().to_string().chars().filter(char::is_ascii_digit).collect()
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")];
    (status, headers, value.to_string()).into_response()
}

fn status_of(api: &Api, path: &str, id: &str, code: Code, words: &str) -> Value {
    json!({"Id": id, "LocalTime": compact(api), "RequestURL": path, "StatusCode": code.as_str(), "StatusString": words})
}

/// The answer about one thing.
pub(super) fn of_one(api: &Api, path: &str, id: &str, code: Code, words: &str) -> Response {
    json(StatusCode::OK, &json!({"ResponseStatusObject": status_of(api, path, id, code, words)}))
}

/// What became of something.
pub(super) struct Fate {
    id: String,
    code: Code,
    words: String,
}

/// The answer about several things.
pub(super) fn of_list(api: &Api, path: &str, fates: &[Fate]) -> Response {
    let all: Vec<Value> = fates.iter().map(|Fate { id, code, words }| status_of(api, path, id, *code, words)).collect();
    json(StatusCode::OK, &json!({"ResponseStatusListObject": {"ResponseStatusObject": all}}))
}

/// What became of each object. Of many rejected ones a receipt names only the first: of those behind them it is not known.
pub(super) fn of_objects(ids: &[String], receipt: &Receipt) -> Vec<Fate> {
    let named = &receipt.rejects;
    let last_known = if receipt.rejected > named.len() as u64 { named.last().map(|(line, _)| *line) } else { None };
    let fate = |(line, id): (u64, &String)| {
        let reject = named.iter().find(|(rejected, _)| *rejected == line);
        let (code, words) = match reject {
            Some((_, reason)) => (Code::Content, reason.as_str()),
            None if last_known.is_some_and(|last| line > last) => (Code::Unknown, "more were rejected than are named"),
            None => (Code::Ok, "OK"),
        };
        Fate { id: id.clone(), code, words: words.to_owned() }
    };
    (1..).zip(ids).map(fate).collect()
}

/// What became of each notification: it was taken, whatever is in it. What was rejected is kept here, and sending it again would not help.
pub(super) fn of_notifications(notifications: &[Notification], receipt: &Receipt) -> Vec<Fate> {
    let mut first = 1;
    let fate = |notification: &Notification| {
        let lines = first..first + notification.objects as u64;
        first = lines.end;
        let rejected = receipt.rejects.iter().filter(|(line, _)| lines.contains(line)).count();
        let words = if rejected == 0 { "OK".to_owned() } else { format!("OK, {rejected} rejected") };
        Fate { id: notification.id.clone(), code: Code::Ok, words }
    };
    notifications.iter().map(fate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::RejectReason::{EmptyGcxh, InvalidGcsj};

    fn said(fates: &[Fate]) -> Vec<(&str, &str, &str)> {
        fates.iter().map(|fate| (&*fate.id, fate.code.as_str(), &*fate.words)).collect()
    }

    #[test]
    fn each_object_has_its_own_status() {
        let ids: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let receipt = Receipt { rejected: 2, rejects: vec![(2, InvalidGcsj), (3, EmptyGcxh)], ..Receipt::default() };
        let fine = [("a", "0", "OK"), ("b", "8", "invalid_gcsj"), ("c", "8", "empty_gcxh"), ("d", "0", "OK")];
        assert_eq!(said(&of_objects(&ids, &receipt)), fine);
        let more = Receipt { rejected: 3, ..receipt.clone() };
        assert_eq!(said(&of_objects(&ids, &more))[3].1, "1");
        let notification = |id: &str, objects| Notification { id: id.to_owned(), subscription: String::new(), objects };
        let all = [notification("m", 1), notification("n", 0), notification("o", 3)];
        let expected = [("m", "0", "OK"), ("n", "0", "OK"), ("o", "0", "OK, 2 rejected")];
        assert_eq!(said(&of_notifications(&all, &receipt)), expected);
    }
}
