//! Segments as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::codes::{DistanceBasisName, RoadBasisName, RoadLevelName, RoadLinkName, RoadsStateName};

/// An end of a segment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RoadEnd)]
pub(in crate::serve) struct RoadEndJson {
    /// Code; KKMC where the catalogue does not know it.
    #[schema(example = "G3_Sulu")]
    pub(super) code: String,
    /// Short name; KKMC where the catalogue does not know it.
    #[schema(example = "G3-京台高速-苏鲁界")]
    pub(super) label: String,
}

/// One direction of a road between two checkpoints.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Road)]
pub(in crate::serve) struct RoadJson {
    /// Where it begins.
    pub(super) from: RoadEndJson,
    /// Where it ends.
    pub(super) to: RoadEndJson,
    /// `road`: consecutive checkpoints of a road of the catalogue; `near`: near each other on different roads of it; `driven`:
    /// cars drive from one to the other.
    #[schema(value_type = RoadLinkName, example = "road")]
    pub(super) link: &'static str,
    /// By the index: `free` 畅通, `mostly_free` 基本畅通 from 1.2, `light` 轻度拥堵 from 1.5, `moderate` 中度拥堵 from 1.8,
    /// `severe` 严重拥堵 from 2.1; null where `basis` says why.
    #[schema(value_type = Option<RoadLevelName>, example = "light")]
    pub(super) level: Option<&'static str>,
    /// `quarter`: the last 15 minutes; `hour`: the last hour, since fewer than five cars arrived in 15 minutes; `too_few`: fewer
    /// than five in the hour, or nothing is learnt yet; `clocks`: the clocks of the two cameras are not known well enough.
    #[schema(value_type = RoadBasisName, example = "quarter")]
    pub(super) basis: &'static str,
    /// Present travel time over that of a free road.
    #[schema(example = 1.62)]
    pub(super) index: Option<f64>,
    /// Median travel time of the cars that arrived last.
    #[schema(example = 1458)]
    pub(super) median_seconds: Option<u64>,
    /// Travel time of a free road: 15 % of the cars take less.
    #[schema(example = 900)]
    pub(super) free_flow_seconds: Option<u64>,
    /// How many cars arrived, the newest 256 of a partition at most.
    #[schema(example = 23)]
    pub(super) cars: usize,
    /// `distance_km` over the median.
    #[schema(example = 52.4)]
    pub(super) speed_kmh: Option<f64>,
    /// Length; null where a position is not known.
    #[schema(example = 21.2)]
    pub(super) distance_km: Option<f64>,
    /// `marks`: the kilometre marks in the names; `great_circle`: estimated as 1.25 great circles.
    #[schema(value_type = Option<DistanceBasisName>, example = "great_circle")]
    pub(super) distance_basis: Option<&'static str>,
}

/// All segments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoadList)]
pub(in crate::serve) struct RoadListJson {
    /// `ready`; `learning` before a pair had cars enough in a whole hour; `off` where `detect.evidence` is.
    #[schema(value_type = RoadsStateName, example = "ready")]
    pub(super) state: &'static str,
    /// What the state means; null for `ready`.
    #[schema(example = json!(null))]
    pub(super) message: Option<&'static str>,
    /// Corrected event time of it all; null before anything came.
    #[schema(example = "2024-01-02 08:10:35")]
    pub(super) time: Option<String>,
    /// The worst first; those without a level last.
    pub(super) roads: Vec<RoadJson>,
}

/// Travel times of a finished hour, in seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoadHour)]
pub(in crate::serve) struct RoadHourJson {
    /// Hour of the day in which the cars arrived.
    #[schema(example = 8)]
    pub(super) hour: i64,
    /// How many cars.
    #[schema(example = 84)]
    pub(super) cars: u16,
    /// A fifth took less.
    #[schema(example = 1210)]
    pub(super) low_seconds: u16,
    /// Half took less.
    #[schema(example = 1400)]
    pub(super) median_seconds: u16,
    /// A fifth took more.
    #[schema(example = 1630)]
    pub(super) high_seconds: u16,
}

/// The segment's own profile of an hour of the day, in seconds: the medians over earlier days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoadProfileHour)]
pub(in crate::serve) struct RoadProfileHourJson {
    /// Hour of the day.
    #[schema(example = 8)]
    pub(super) hour: i64,
    /// How many earlier days: of the same kind (working day or weekend) if there are three of them, else all.
    #[schema(example = 9)]
    pub(super) days: usize,
    /// Lower end of the band.
    #[schema(example = 1010)]
    pub(super) low_seconds: u64,
    /// Median.
    #[schema(example = 1120)]
    pub(super) median_seconds: u64,
    /// Upper end of the band.
    #[schema(example = 1290)]
    pub(super) high_seconds: u64,
}

/// What one of the next hours will take, in seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoadExpectedHour)]
pub(in crate::serve) struct RoadExpectedJson {
    /// The beginning of the hour.
    #[schema(example = "2024-01-02 09:00:00")]
    pub(super) time: String,
    /// Lower end of the profile's band, times `factor`.
    #[schema(example = 1105)]
    pub(super) low_seconds: u64,
    /// Median.
    #[schema(example = 1230)]
    pub(super) median_seconds: u64,
    /// Upper end.
    #[schema(example = 1411)]
    pub(super) high_seconds: u64,
    /// What is left of the present deviation from the profile; 1 where there is no present time.
    #[schema(example = 1.18)]
    pub(super) factor: f64,
}

/// How wrong the expected times would have been an hour ahead, over the hours that are kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoadForecastError)]
pub(in crate::serve) struct RoadErrorJson {
    /// How many hours were compared.
    #[schema(example = 212)]
    pub(super) hours: usize,
    /// Mean of the absolute error over the time that the hour took.
    #[schema(example = 0.061)]
    pub(super) error: f64,
    /// The same of the profile alone.
    #[schema(example = 0.083)]
    pub(super) profile_error: f64,
}

/// One segment by hour.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoadHours)]
pub(in crate::serve) struct RoadHoursJson {
    /// As in the list of segments.
    #[schema(value_type = RoadsStateName, example = "ready")]
    pub(super) state: &'static str,
    /// Corrected event time; today is its day.
    #[schema(example = "2024-01-02 08:10:35")]
    pub(super) time: Option<String>,
    /// The segment.
    pub(super) road: RoadJson,
    /// The finished hours of today that had five cars.
    pub(super) today: Vec<RoadHourJson>,
    /// The hours of the day that earlier days know.
    pub(super) profile: Vec<RoadProfileHourJson>,
    /// The next six hours, those that the profile knows.
    pub(super) expected: Vec<RoadExpectedJson>,
    /// What is left of a deviation from the profile after an hour.
    #[schema(example = 0.3)]
    pub(super) decay: f64,
    /// Null before two days of it are known.
    pub(super) measured: Option<RoadErrorJson>,
}
