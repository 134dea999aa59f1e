//! `GET /api/checkpoints`: the catalogue. Neighbours and the JSON text are computed once per catalogue.

mod list;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::error::{ApiError, Envelope, json_text};
use super::sight::Sight;
use super::state::Api;

use list::CheckpointJson;
pub(super) use list::KnownCheckpoints;

/// The known checkpoints, with their coordinates.
#[utoipa::path(
    get,
    path = "/checkpoints",
    tag = "checkpoints",
    responses((status = 200, description = "The catalogue, in its own order", body = Envelope<Vec<CheckpointJson>>))
)]
pub(super) async fn checkpoints(State(api): State<Arc<Api>>, sight: Sight) -> Result<Response, ApiError> {
    let catalogue = sight.catalogue();
    let shared = api.clone();
    api.counters(&sight, move |_| shared.checkpoints.answer(catalogue)).await.map(json_text)
}
