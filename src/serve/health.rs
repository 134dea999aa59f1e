//! `/healthz` and `/readyz`: for whoever restarts the process and whoever sends it traffic. They take no lane and no
//! timeout, so they answer however busy the queries are.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, Success};
use super::state::Api;

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive` or `ready`.
    #[schema(example = "alive")]
    status: &'static str,
}

/// Whether the process is alive: always 200.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, description = "Alive", body = Envelope<Health>))
)]
pub(super) async fn healthz() -> Answer<Health> {
    Ok(Success(Health { status: "alive" }))
}

/// Whether the process takes input and answers.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, description = "Ready", body = Envelope<Health>),
        (status = 503, description = "Not ready; `msg` says why", body = ErrorEnvelope),
    )
)]
pub(super) async fn readyz(State(api): State<Arc<Api>>) -> Answer<Health> {
    if let Some(failure) = api.reader.failure() {
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {failure}")));
    }
    if api.shutdown.is_cancelled() {
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not ready: shutting down"));
    }
    Ok(Success(Health { status: "ready" }))
}
