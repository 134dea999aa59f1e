//! The envelope of every JSON response, and errors: each has a reason and values, from which its sentence and the text of
//! the page are made. It knows no resource.

mod reasons;

use std::any::Any;
use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::notice::Notice;
use crate::reader::ReadError;
use crate::work::{WorkError, WorkStatus};

pub(super) use reasons::ErrorReason;

/// The envelope of every JSON response: `code` is the HTTP status, `msg` says `success` or what to change.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Envelope<T> {
    /// The HTTP status.
    #[schema(example = 200)]
    code: u16,
    /// `success`, or a sentence that says what to change.
    #[schema(example = "success")]
    msg: String,
    /// The answer.
    data: T,
}

/// The envelope of an error: `data` is null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error, example = json!({
    "code": 400, "msg": "`limit` must be a whole number from 1 to 500, not \"many\"", "data": null, "reason": "not_whole",
    "values": {"name": "limit", "least": 1, "most": 500, "given": "\"many\""}, "notices": []
}))]
pub(super) struct ErrorEnvelope {
    /// The HTTP status.
    code: u16,
    /// A sentence that says what to change.
    msg: String,
    /// Always null.
    #[schema(value_type = Option<Object>)]
    data: Option<()>,
    /// The reason, a stable name.
    reason: ErrorReason,
    /// The values in the sentence; `error` is the message of another part of the program.
    values: BTreeMap<&'static str, Value>,
    /// `values.error` as notices with codes, where its sentences are known.
    notices: Vec<Notice>,
}

/// A response is only valid at the moment it is sent.
const NOT_CACHED: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// Seconds after which a client should retry while a database is unavailable.
const RETRY_AFTER_SECONDS: u16 = 2;

/// A successful response.
pub(super) struct Success<T>(pub(super) T);

impl<T: Serialize> Success<T> {
    /// The text of the response, for one that is sent many times: see [`json_text`].
    pub(super) fn into_text(self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Envelope { code: 200, msg: "success".to_owned(), data: self.0 })
    }
}

/// A response whose text exists already.
pub(super) fn json_text(text: Bytes) -> Response {
    ([NOT_CACHED, (header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        let body = Json(Envelope { code: 200, msg: "success".to_owned(), data: self.0 });
        ([NOT_CACHED], body).into_response()
    }
}

/// What a handler returns.
pub(super) type Answer<T> = Result<Success<T>, ApiError>;

/// An error as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    reason: ErrorReason,
    status: StatusCode,
    values: BTreeMap<&'static str, Value>,
    headers: Vec<(HeaderName, u64)>,
}

impl ApiError {
    /// An error for this reason; add its values with [`ApiError::with`].
    pub(super) fn new(reason: ErrorReason) -> Self {
        Self { reason, status: reason.status(), values: BTreeMap::new(), headers: Vec::new() }
    }

    #[cfg(test)]
    pub(super) fn reason(&self) -> ErrorReason {
        self.reason
    }

    /// Adds a value of the sentence.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.insert(name, value.into());
        self
    }

    /// Replaces the status of the reason.
    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Adds a header with a number, for programs.
    pub(super) fn with_header(mut self, name: HeaderName, number: u64) -> Self {
        self.headers.push((name, number));
        self
    }

    /// Adds how many seconds the client should wait before it retries.
    pub(super) fn retry_after(self, seconds: u16) -> Self {
        self.with("seconds", seconds).with_header(header::RETRY_AFTER, seconds.into())
    }

    /// 405; `allowed` names the methods that there are.
    pub(super) fn method_not_allowed(method: &Method, allowed: &str) -> Self {
        Self::new(ErrorReason::MethodNotAllowed).with("method", method.as_str()).with("allowed", allowed)
    }

    /// 500; the cause is in the log, not in the answer.
    pub(super) fn internal() -> Self {
        Self::new(ErrorReason::Failed)
    }

    /// The sentence with its values.
    fn msg(&self) -> String {
        let mut msg = String::new();
        let mut rest = self.reason.sentence();
        while let Some((before, after)) = rest.split_once('{') {
            msg.push_str(before);
            // Any other brace belongs to the sentence.
            match after.split_once('}').and_then(|(name, after)| Some((self.values.get(name)?, after))) {
                Some((value, after)) => {
                    msg.push_str(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                    rest = after;
                }
                None => {
                    msg.push('{');
                    rest = after;
                }
            }
        }
        msg + rest
    }

    /// Status, sentence, and how many seconds to wait: for an interface with answers of its own.
    pub(super) fn said(&self) -> (StatusCode, String, Option<u64>) {
        let wait = self.headers.iter().find(|(name, _)| *name == header::RETRY_AFTER).map(|(_, seconds)| *seconds);
        (self.status, self.msg(), wait)
    }

    /// The value `error` as notices, as far as its sentences are known.
    fn notices(&self) -> Vec<Notice> {
        let error = self.values.get("error").and_then(Value::as_str);
        error.map(Notice::of_each).unwrap_or_default().into_iter().filter(Notice::is_known).collect()
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooExpensive(narrow) => Self::new(ErrorReason::TooExpensive).with("error", narrow),
            ReadError::Unavailable(away) => {
                Self::new(ErrorReason::DataAway).with("error", away).retry_after(RETRY_AFTER_SECONDS)
            }
            ReadError::Unsupported(who_can) => Self::new(ErrorReason::NotOffered).with("error", who_can),
            ReadError::PartOfPlate(given) => Self::new(ErrorReason::PartOfPlate).with("given", format!("{given:?}")),
            ReadError::Storage(cause) => {
                tracing::error!(%cause, "cannot read storage");
                Self::new(ErrorReason::StorageUnreadable).with("error", cause)
            }
        }
    }
}

impl From<WorkError> for ApiError {
    fn from(error: WorkError) -> Self {
        let names = |states: &[WorkStatus]| states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" or ");
        match error {
            WorkError::NotFound(id) => Self::new(ErrorReason::UnknownAlert).with("id", id.to_string()),
            WorkError::NoCase(id) => Self::new(ErrorReason::UnknownCase).with("id", id.to_string()),
            WorkError::Changed { expected, actual } => {
                Self::new(ErrorReason::WorkChanged).with("expected", expected).with("actual", actual)
            }
            WorkError::NotAllowed { from, to } => Self::new(ErrorReason::WorkNotAllowed)
                .with("from", from.as_str())
                .with("to", to.as_str())
                .with("allowed", names(from.allowed())),
            WorkError::Nothing(_, state) => Self::new(ErrorReason::WorkUnchanged)
                .with("state", state.as_str())
                .with("allowed", names(state.allowed())),
            WorkError::NeedsNote(state) => Self::new(ErrorReason::WorkNeedsNote).with("state", state.as_str()),
            WorkError::Unsupported(who_can) => Self::new(ErrorReason::NotOffered).with("error", who_can),
            WorkError::Failed(cause) => {
                tracing::error!(cause, "cannot store work on an alert");
                Self::new(ErrorReason::WorkNotKept).with("error", cause)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (msg, notices) = (self.msg(), self.notices());
        let Self { reason, status, values, headers } = self;
        let body = ErrorEnvelope { code: status.as_u16(), msg, data: None, reason, values, notices };
        (status, AppendHeaders(headers), [NOT_CACHED], Json(body)).into_response()
    }
}

/// 404 for a path under `/api` that is no endpoint.
pub(super) async fn no_such_endpoint(request: Request) -> ApiError {
    let path = request.extensions().get::<axum::extract::OriginalUri>().map_or(request.uri().path(), |uri| uri.path());
    ApiError::new(ErrorReason::UnknownEndpoint).with("path", path)
}

/// 500 for a handler that panicked.
pub(super) fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let cause = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("unknown cause");
    tracing::error!(cause, "request handler panicked");
    ApiError::internal().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_takes_its_values_and_nothing_of_them_for_its_own() {
        let whole = ApiError::new(ErrorReason::NotWhole).with("name", "{most}").with("least", 1).with("most", 5);
        assert_eq!(whole.with("given", "\"{\"").msg(), "`{most}` must be a whole number from 1 to 5, not \"{\"");
        let object = ApiError::new(ErrorReason::NotAnObject).msg();
        assert_eq!(object, "the body must be a JSON object such as {\"hphm\":\"苏C1\",\"page\":1}");
    }

    #[test]
    fn what_another_part_says_has_its_code() {
        let away = "MyCat at db:8066 does not answer, so there are no passages for now: Connection refused. Start it or the way \
                    to it; this ends by itself";
        let error = ApiError::from(ReadError::Unavailable(away.to_owned()));
        assert_eq!(error.msg(), away);
        let [notice] = error.notices().try_into().unwrap();
        assert_eq!(serde_json::to_value(notice).unwrap()["code"], "no_answers_away");
        assert!(ApiError::from(ReadError::Unavailable("the moon".to_owned())).notices().is_empty());
    }

    /// A refused change has the same sentence here and in the log.
    #[test]
    fn work_is_refused_in_its_own_words() {
        use WorkStatus::{Confirmed, New};
        for error in [
            WorkError::NotFound(traffic::AlertId::parse("9f00000000000001").unwrap()),
            WorkError::NoCase(traffic::AlertId(1)),
            WorkError::Changed { expected: 1, actual: 2 },
            WorkError::NotAllowed { from: New, to: Confirmed },
            WorkError::Nothing("new", New),
            WorkError::NeedsNote(Confirmed),
        ] {
            assert_eq!(ApiError::from(error.clone()).msg(), error.to_string());
        }
    }
}
