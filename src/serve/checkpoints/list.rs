//! The catalogue as JSON, made once per catalogue. It knows no HTTP.

use std::sync::Arc;

use axum::body::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use traffic::Catalogue;
use utoipa::ToSchema;

use crate::reader::ReadError;
use crate::serve::error::Success;
use crate::serve::neighbours::{Neighbour, neighbours};

/// Catalogues that are remembered: the whole one, and the parts that users see who are limited to some places.
const MOST: usize = 16;

/// The JSON text, each with the catalogue that it was made from.
#[derive(Debug, Default)]
pub(in crate::serve) struct KnownCheckpoints(Mutex<Vec<(Arc<Catalogue>, Bytes)>>);

impl KnownCheckpoints {
    /// The JSON text of `catalogue`.
    ///
    /// # Errors
    /// It could not be written as JSON.
    pub(super) fn answer(&self, catalogue: Arc<Catalogue>) -> Result<Bytes, ReadError> {
        // Held while it is made, so that only one of many concurrent requests makes it.
        let mut known = self.0.lock();
        if let Some((_, text)) = known.iter().find(|(of, _)| Arc::ptr_eq(of, &catalogue)) {
            return Ok(text.clone());
        }
        let text = Success(listed(&catalogue)).into_text().map_err(|error| ReadError::Storage(error.to_string()))?;
        if known.len() >= MOST {
            known.clear();
        }
        let text = Bytes::from(text);
        known.push((catalogue, text.clone()));
        Ok(text)
    }
}

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

fn listed(catalogue: &Catalogue) -> Vec<CheckpointJson> {
    let checkpoints = catalogue.iter().zip(neighbours(catalogue)).map(|(checkpoint, neighbours)| CheckpointJson {
        code: checkpoint.code.clone(),
        kkmc: checkpoint.name.clone(),
        label: checkpoint.label.clone(),
        xzqhmc: checkpoint.district.clone(),
        road: checkpoint.road.clone(),
        lon: checkpoint.position().map(|(lon, _)| lon),
        lat: checkpoint.position().map(|(_, lat)| lat),
        neighbours,
    });
    checkpoints.collect()
}
