//! Holds each request against the limits of its client ([`super::rates`]). This machine is not limited unless a reverse proxy on
//! it passes something on, and health probes never are. It does not know what is asked.

use axum::extract::Request;

use super::access::{Known, credential};
use super::error::{ApiError, ErrorReason};
use super::layers::HEALTH_PATHS;
use super::listen::Client;
use super::rates::{Key, Running};
use super::state::Api;
use crate::clock::unix_now;
use crate::gate::Via;

/// Takes a request of its client, which counts as running until what is returned is dropped; none for what is not limited.
///
/// # Errors
/// 429 for a client that asks too much.
pub(super) fn take(api: &Api, request: &mut Request) -> Result<Option<Running>, ApiError> {
    let client = request.extensions().get::<Client>().filter(|client| !client.is_here);
    let Some(client) = client.filter(|_| !HEALTH_PATHS.contains(&request.uri().path())) else { return Ok(None) };
    // A credential that is not valid is none: else each guess would be a client of its own.
    let identity = api.gate.identify(credential(request.headers()), unix_now());
    let key = match identity.as_ref().map(|identity| &identity.via) {
        Ok(Via::Session(digest) | Via::Token(digest)) => Key::Credential(*digest),
        Ok(Via::Open | Via::Nothing) | Err(_) => Key::Address(client.address),
    };
    request.extensions_mut().insert(Known(identity));
    let refused = |seconds| ApiError::new(ErrorReason::TooManyRequests).retry_after(seconds);
    api.rates.take(key).map(Some).map_err(refused)
}
