//! `GET /api/predict/flow`: the place of the flow model, which this build does not have.

use axum::http::StatusCode;

use super::error::{ApiError, ErrorEnvelope};

/// Predicted passages of one checkpoint, or of the whole city, in one hour.
///
/// This build has no flow model: the answer is always 503.
#[utoipa::path(
    get,
    path = "/api/predict/flow",
    tag = "prediction",
    params(
        ("kkmc" = Option<String>, Query, description = "Checkpoint: code or full name; default: the whole city", example = "S250_Pizhou_Sulu"),
        ("hour" = Option<u32>, Query, minimum = 0, maximum = 23, description = "Hour of the day", example = 8),
        ("date" = Option<String>, Query, description = "Date", example = "2024-01-02"),
    ),
    responses((status = 503, description = "This build has no flow model", body = ErrorEnvelope))
)]
pub(super) async fn flow() -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "flow prediction is not part of this build: use /api/stats/hour_count for the counts of the past",
    )
}
