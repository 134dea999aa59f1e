//! `/healthz` and `/readyz`, for supervisors and load balancers. They use no lane and no timeout, so they answer under any
//! load of queries.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::state::Api;

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive` or `ready`.
    #[schema(example = "alive")]
    status: HealthStatus,
}

/// The result of a probe.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HealthStatus {
    /// The process runs.
    Alive,
    /// It takes input and answers.
    Ready,
}

/// Whether the process is alive: always 200.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, description = "Alive", body = Envelope<Health>))
)]
pub(super) async fn healthz() -> Answer<Health> {
    Ok(Success(Health { status: HealthStatus::Alive }))
}

/// Whether the process takes input and answers: also not while the audit log cannot be written.
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
    if let Some(failure) = api.data.whole().failure() {
        return Err(ApiError::new(ErrorReason::NotReady).with("error", failure));
    }
    // Without the log nothing is shown.
    if let Some(failure) = api.trail.as_ref().and_then(|trail| trail.failure()) {
        return Err(ApiError::new(ErrorReason::NotReady).with("error", format!("the audit log: {failure}")));
    }
    if api.shutdown.is_cancelled() {
        return Err(ApiError::new(ErrorReason::ShuttingDown));
    }
    Ok(Success(Health { status: HealthStatus::Ready }))
}
