//! The envelope of every JSON answer, and errors in it. It does not know which resource is asked.

use std::any::Any;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::reader::ReadError;
use crate::work::WorkError;

/// What every JSON answer looks like: `code` is the HTTP status, `msg` says `success` or what to change.
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
#[schema(as = Error, example = json!({"code": 400, "msg": "`limit` must be a whole number from 1 to 500, not \"many\"", "data": null}))]
pub(super) struct ErrorEnvelope {
    /// The HTTP status.
    code: u16,
    /// A sentence that says what to change.
    msg: String,
    /// Always null.
    #[schema(value_type = Option<Object>)]
    data: Option<()>,
}

/// An answer is true for the moment only.
const NOT_CACHED: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// Seconds after which a server that is away is worth another attempt.
const RETRY_AFTER_SECONDS: u16 = 2;

/// A good answer.
pub(super) struct Success<T>(pub(super) T);

impl<T: Serialize> Success<T> {
    /// The answer's text, for one that is given again and again: see [`json_text`].
    pub(super) fn into_text(self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Envelope { code: 200, msg: "success".to_owned(), data: self.0 })
    }
}

/// An answer whose text is at hand.
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

/// An error as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    msg: String,
    numbers: Vec<(HeaderName, u64)>,
}

impl ApiError {
    /// An error with this status; `msg` says what to change.
    pub(super) fn new(status: StatusCode, msg: impl Into<String>) -> Self {
        Self { status, msg: msg.into(), numbers: Vec::new() }
    }

    /// 400.
    pub(super) fn bad_request(msg: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, msg)
    }

    /// 405; `allowed` names the methods that there are.
    pub(super) fn method_not_allowed(method: &Method, allowed: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not allowed here: use {allowed}"))
    }

    /// 409: what is asked contradicts itself, or the data as they are now.
    pub(super) fn conflict(msg: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, msg)
    }

    /// 503 that is worth another attempt after some seconds.
    pub(super) fn busy(msg: impl Into<String>, retry_after_seconds: u16) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, msg).with_number(header::RETRY_AFTER, retry_after_seconds.into())
    }

    /// With a number of the sentence in a header too, for programs.
    pub(super) fn with_number(mut self, name: HeaderName, number: u64) -> Self {
        self.numbers.push((name, number));
        self
    }

    /// 500; the cause is in the log, not in the answer.
    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server failed on this request: look into its log for the cause",
        )
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooExpensive(narrow) => Self::bad_request(narrow),
            ReadError::Unavailable(away) => Self::busy(away, RETRY_AFTER_SECONDS),
            ReadError::Unsupported(who_can) => Self::new(StatusCode::NOT_IMPLEMENTED, who_can),
            ReadError::Storage(cause) => {
                tracing::error!(%cause, "storage could not be read");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    format!("the storage could not be read, look into the server's log: {cause}"),
                )
            }
        }
    }
}

impl From<WorkError> for ApiError {
    fn from(error: WorkError) -> Self {
        let status = match &error {
            WorkError::NotFound(_) => StatusCode::NOT_FOUND,
            WorkError::Changed { .. } | WorkError::NotAllowed { .. } | WorkError::Nothing(..) => StatusCode::CONFLICT,
            WorkError::NeedsNote(_) => StatusCode::CONFLICT,
            WorkError::Unsupported(_) => StatusCode::NOT_IMPLEMENTED,
            WorkError::Failed(cause) => {
                tracing::error!(cause, "work on an alert could not be kept");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorEnvelope { code: self.status.as_u16(), msg: self.msg, data: None };
        (self.status, AppendHeaders(self.numbers), [NOT_CACHED], Json(body)).into_response()
    }
}

/// 404 for a path under `/api` that is no endpoint.
pub(super) async fn no_such_endpoint(request: Request) -> ApiError {
    let path = request.extensions().get::<axum::extract::OriginalUri>().map_or(request.uri().path(), |uri| uri.path());
    ApiError::new(
        StatusCode::NOT_FOUND,
        format!("there is no endpoint {path}: /api/openapi.json lists those that there are"),
    )
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
