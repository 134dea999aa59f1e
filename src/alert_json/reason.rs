//! A reason of an alert in JSON: a short code, and its numbers by name.

use serde::{Deserialize, Serialize};
use traffic::PlateCode;
use traffic::evidence::Reason;

/// Why a pair is weighed so. In the API's schema, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
#[schema(as = AlertReason)]
pub(crate) enum ReasonJson {
    /// The gap after correction of the clocks, and the fastest credible time between the two checkpoints.
    Gap { seconds: i64, fastest_seconds: f64 },
    /// By how many seconds the correction of the clocks changed the gap.
    ClockCorrection { seconds: i64 },
    /// Contradictions of the plate so far.
    Contradictions { count: u32 },
    /// Sightings of a second car in the last day, and in how many drives.
    SecondCar { sightings: u32, drives: u32 },
    /// Sightings of the second car with another brand.
    BrandDiffers { count: u32 },
    /// A plate that differs in one character was due at one of the two and was not seen there.
    NeighbourDue { hphm: String },
    /// Sightings under another plate type that the first car cannot have made.
    OtherPlateType { count: u32 },
}

impl From<Reason> for ReasonJson {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Gap(seconds, fastest_seconds) => Self::Gap { seconds, fastest_seconds },
            Reason::ClockCorrection(seconds) => Self::ClockCorrection { seconds },
            Reason::Contradictions(count) => Self::Contradictions { count },
            Reason::SecondCar(sightings, drives) => Self::SecondCar { sightings, drives },
            Reason::BrandDiffers(count) => Self::BrandDiffers { count },
            Reason::NeighbourDue(plate) => Self::NeighbourDue { hphm: plate.unpack() },
            Reason::OtherPlateType(count) => Self::OtherPlateType { count },
        }
    }
}

impl From<ReasonJson> for Reason {
    fn from(reason: ReasonJson) -> Self {
        match reason {
            ReasonJson::Gap { seconds, fastest_seconds } => Self::Gap(seconds, fastest_seconds),
            ReasonJson::ClockCorrection { seconds } => Self::ClockCorrection(seconds),
            ReasonJson::Contradictions { count } => Self::Contradictions(count),
            ReasonJson::SecondCar { sightings, drives } => Self::SecondCar(sightings, drives),
            ReasonJson::BrandDiffers { count } => Self::BrandDiffers(count),
            ReasonJson::NeighbourDue { hphm } => Self::NeighbourDue(PlateCode::pack(&hphm)),
            ReasonJson::OtherPlateType { count } => Self::OtherPlateType(count),
        }
    }
}
