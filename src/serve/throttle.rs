//! Holds each request against the limits of its client ([`super::rates`]). This machine is not limited unless a reverse proxy on
//! it passes something on, and health probes never are. It does not know what is asked.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::credential;
use super::error::{ApiError, ErrorReason};
use super::layers::HEALTH_PATHS;
use super::listen::Client;
use super::rates::Key;
use super::state::Api;
use crate::clock::unix_now;
use crate::gate::Via;

/// Answers 429 to a client that asks too much.
pub(super) async fn limit(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<Client>().filter(|client| !client.is_here);
    let Some(client) = client.filter(|_| !HEALTH_PATHS.contains(&request.uri().path())) else {
        return next.run(request).await;
    };
    // A credential that is not valid is none: else each guess would be a client of its own.
    let identity = api.gate.identify(credential(request.headers()), unix_now());
    let key = match identity.map(|identity| identity.via) {
        Ok(Via::Session(digest) | Via::Token(digest)) => Key::Credential(digest),
        Ok(Via::Open | Via::Nothing) | Err(_) => Key::Address(client.address),
    };
    match api.rates.take(key) {
        Ok(_running) => next.run(request).await,
        Err(seconds) => ApiError::new(ErrorReason::TooManyRequests).retry_after(seconds).into_response(),
    }
}
