//! `GET /api/cases/calibration`: what the desk's decisions say about the probabilities of cases.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Answer, Envelope, ErrorEnvelope, Success};
use super::sight::Sight;
use super::state::Api;
use crate::calibration::{BANDS, Calibration};
use crate::case_json::rounded;

/// Cases of one band of probability that the desk has decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalibrationBand)]
pub(super) struct BandJson {
    /// Least probability of the band; its end is the next one's beginning.
    #[schema(example = 0.8)]
    from: f64,
    /// See `from`.
    #[schema(example = 0.9)]
    to: f64,
    /// Decided cases.
    #[schema(example = 20)]
    decided: u64,
    /// Confirmed ones among them.
    #[schema(example = 17)]
    confirmed: u64,
    /// Mean of their probabilities; null without a case.
    #[schema(example = 0.86)]
    predicted: Option<f64>,
    /// Share of confirmed ones; null without a case.
    #[schema(example = 0.85)]
    observed: Option<f64>,
    /// What the middle of the band is worth by all decisions.
    #[schema(example = 0.85)]
    calibrated: f64,
}

/// A probability, and what it is worth.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalibrationPoint)]
pub(super) struct PointJson {
    /// Probability of a case.
    #[schema(example = 0.9)]
    probability: f64,
    /// What it is worth.
    #[schema(example = 0.88)]
    calibrated: f64,
}

/// What the desk's decisions say.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Calibration)]
pub(super) struct CalibrationJson {
    /// Decided cases: confirmed or dismissed.
    #[schema(example = 41)]
    decided: u64,
    /// Ten bands of probability, the lowest first.
    bands: Vec<BandJson>,
    /// The whole curve in steps of 0.01; linear in between.
    curve: Vec<PointJson>,
}

impl CalibrationJson {
    fn new(calibration: &Calibration) -> Self {
        let edge = |band: usize| rounded(band as f64 / BANDS as f64);
        let band = |(at, band): (usize, &crate::calibration::Band)| BandJson {
            from: edge(at),
            to: edge(at + 1),
            decided: band.decided,
            confirmed: band.confirmed,
            predicted: band.predicted.map(rounded),
            observed: band.predicted.map(|_| rounded(band.confirmed as f64 / band.decided as f64)),
            calibrated: rounded(calibration.apply((at as f64 + 0.5) / BANDS as f64)),
        };
        let point = |step: u32| {
            let probability = f64::from(step) / 100.0;
            PointJson { probability, calibrated: rounded(calibration.apply(probability)) }
        };
        Self {
            decided: calibration.decided(),
            bands: calibration.bands.iter().enumerate().map(band).collect(),
            curve: (0..=100).map(point).collect(),
        }
    }
}

/// What the desk's decisions say about the probabilities of cases: how many of those that were so and so likely it
/// confirmed, and what a probability is worth by that (isotonic regression).
///
/// Probabilities themselves stay what the traffic says, so that the same records give the same cases.
#[utoipa::path(
    get,
    path = "/cases/calibration",
    tag = "cases",
    responses(
        (status = 200, description = "The table and the curve", body = Envelope<CalibrationJson>),
        (status = 501, description = "This process does not keep the desk's decisions", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
        (status = 504, description = "The query took too long", body = ErrorEnvelope),
    )
)]
pub(super) async fn calibration(State(api): State<Arc<Api>>, sight: Sight) -> Answer<CalibrationJson> {
    let decisions = api.scan(&sight, |snapshot| snapshot.decisions()).await?;
    Ok(Success(CalibrationJson::new(&Calibration::of(&decisions))))
}
