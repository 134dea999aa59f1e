//! `GET /api/prove`: the newest proof of the detection on the traffic of this data directory, as `platewatch prove` left it.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::sight::Sight;
use super::state::Api;
use crate::prove::Report;

/// A proof of the detection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Proof)]
pub(super) struct ProofJson {
    /// When it was made, civil time of the road.
    #[schema(example = "2024-01-02 09:30:00")]
    made_at: String,
    /// Its numbers, without those of each pair.
    #[serde(flatten)]
    report: Report,
}

/// The newest proof of the detection on the traffic of this data directory: how many of the tracks that were merged under one
/// plate become cases, what was found of other plates, and how far probabilities are right.
///
/// `platewatch prove --data-dir DIR`, beside the running appliance, makes one.
#[utoipa::path(
    get,
    path = "/prove",
    tag = "operation",
    responses(
        (status = 200, description = "The newest proof", body = Envelope<ProofJson>),
        (status = 404, description = "None was made yet; `msg` says how", body = ErrorEnvelope),
        (status = 500, description = "The file cannot be read", body = ErrorEnvelope),
        (status = 501, description = "This process has no local storage", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
    )
)]
pub(super) async fn prove(State(api): State<Arc<Api>>, sight: Sight) -> Answer<ProofJson> {
    let reader = sight.reader().clone();
    let kept = api.lanes.scan(move || reader.proof()).await??;
    let kept = kept.ok_or_else(|| ApiError::new(ErrorReason::NoProof))?;
    let report = Report { pairs: Vec::new(), ..kept.report };
    Ok(Success(ProofJson { made_at: api.civil(kept.kept_unix), report }))
}
