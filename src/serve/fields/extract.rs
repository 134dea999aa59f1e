//! Fields of a request, for handlers: of its query string, or of its body.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde_json::Map;

use super::values::Fields;
use crate::serve::error::{ApiError, ErrorReason};

/// [`Fields`] of the query string.
pub(in crate::serve) struct QueryFields(pub(in crate::serve) Fields);

/// [`Fields`] of a JSON body.
pub(in crate::serve) struct BodyFields(pub(in crate::serve) Fields);

impl<S: Sync> FromRequestParts<S> for QueryFields {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Checked on the way here, see `parameters`.
        match parts.extensions.remove::<Fields>() {
            Some(fields) => Ok(Self(fields)),
            None => Fields::from_query(parts.uri.query().unwrap_or_default()).map(Self),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for BodyFields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type =
            request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?").to_owned());
        let body = Bytes::from_request(request, state).await.map_err(unread_body)?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Fields::Body(Map::new())));
        }
        match content_type {
            Some(other) if !is_json(&other) => Err(ApiError::new(ErrorReason::ContentType).with("given", other)),
            _ => Fields::from_json(&body).map(Self),
        }
    }
}

fn unread_body(rejection: BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(ErrorReason::BodyTooLarge),
        status => ApiError::new(ErrorReason::BodyUnread).with_status(status).with("error", rejection.body_text()),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
