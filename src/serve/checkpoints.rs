//! `GET /api/checkpoints`: the catalogue.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{Answer, Envelope, Success};
use super::neighbours::{Neighbour, neighbours};

/// One checkpoint of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Checkpoint)]
pub(super) struct CheckpointJson {
    /// Code.
    #[schema(example = "S250_Pizhou_Sulu")]
    code: String,
    /// Full name 卡口名称.
    #[schema(example = "徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口")]
    kkmc: String,
    /// Short name.
    #[schema(example = "S250-邳州-苏鲁界")]
    label: String,
    /// District.
    #[schema(example = "邳州市")]
    xzqhmc: String,
    /// Road.
    #[schema(example = "S250")]
    road: String,
    /// Longitude in degrees; null if it is not known.
    #[schema(example = 118.06454)]
    lon: Option<f64>,
    /// Latitude in degrees; null if it is not known.
    #[schema(example = 34.641634)]
    lat: Option<f64>,
    /// Checkpoints next to this one, for the lines on a map; nearest first.
    neighbours: Vec<Neighbour>,
}

/// The checkpoints that are known, with their places.
#[utoipa::path(
    get,
    path = "/api/checkpoints",
    tag = "checkpoints",
    responses((status = 200, description = "The catalogue, in its own order", body = Envelope<Vec<CheckpointJson>>))
)]
pub(super) async fn checkpoints(State(api): State<Arc<Api>>) -> Answer<Vec<CheckpointJson>> {
    let catalogue = api.reader.catalogue();
    let checkpoints = catalogue.iter().zip(neighbours(&catalogue)).map(|(checkpoint, neighbours)| CheckpointJson {
        code: checkpoint.code.clone(),
        kkmc: checkpoint.name.clone(),
        label: checkpoint.label.clone(),
        xzqhmc: checkpoint.district.clone(),
        road: checkpoint.road.clone(),
        lon: checkpoint.position().map(|(lon, _)| lon),
        lat: checkpoint.position().map(|(_, lat)| lat),
        neighbours,
    });
    Ok(Success(checkpoints.collect()))
}
