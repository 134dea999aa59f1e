//! The truth about traffic on real roads, as it is given out: who passed, and how cameras, roads and plates are.

use serde::Serialize;
use traffic::CivilTime;

/// Who really passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruePassage {
    /// GCXH of the line.
    pub gcxh: String,
    /// Number of the vehicle.
    pub vehicle: u32,
    /// The plate as it is.
    pub plate: String,
    /// The true time, in civil milliseconds since 1970-01-01 00:00:00.
    pub at_ms: i64,
    /// `clone` if the plate is another vehicle's, `twin` if another type of plate has the same number, else `-`.
    pub kind: &'static str,
}

/// How a camera is. Times are civil; what does not apply is empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CameraFacts {
    /// KKMC as on its lines.
    pub kkmc: String,
    /// Its fault in one word; `-` for none.
    pub fault: &'static str,
    /// Seconds that its clock is fast, drift and step aside.
    pub offset_seconds: f64,
    /// Seconds a day that its clock gains; it is set right every five days.
    pub drift_seconds_a_day: f64,
    /// When its clock is set wrong,
    pub step_from: Option<String>,
    /// when it is set right,
    pub step_until: Option<String>,
    /// and by how many seconds it is fast between.
    pub step_seconds: Option<f64>,
    /// Share of its records with a time that is hours off.
    pub leap_share: f64,
    /// Whether it writes whole minutes.
    pub is_to_the_minute: bool,
    /// Minutes between two uploads.
    pub batch_minutes: Option<u64>,
    /// Share of passages that it does not record, silence aside.
    pub missed_share: f64,
    /// Share of its lines with a wrong sign of the plate.
    pub misread_share: f64,
    /// Share of its lines with the model of another vehicle.
    pub wrong_brand_share: f64,
    /// Share of its lines with a type of plate that was not read.
    pub wrong_type_share: f64,
    /// Share of passages that it records twice.
    pub double_read_share: f64,
    /// When it records nothing for the first time,
    pub silent_from: Option<String>,
    /// how long that lasts, in hours,
    pub silent_hours: Option<u64>,
    /// and after how many hours it comes again.
    pub silent_every_hours: Option<u64>,
    /// When the traffic that begins there changes for good, and by which share of the usual; all checkpoints change by the
    /// step of the region at its time as well.
    pub level_step_at: Option<String>,
    /// See `level_step_at`.
    pub level_step_share: f64,
    /// The step of the whole region.
    pub region_step_at: Option<String>,
    /// See `region_step_at`.
    pub region_step_share: f64,
}

/// How a road is, in one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoadFacts {
    /// KKMC where it begins.
    pub from: String,
    /// KKMC where it ends.
    pub to: String,
    /// Metres along the great circle.
    pub great_circle_metres: u64,
    /// Metres along the road.
    pub metres: u32,
    /// No vehicle takes less time.
    pub free_flow_seconds: f64,
    /// How many times as long it takes at each full hour of a weekday without an incident, from 0 to 23, with spaces between.
    pub hours: String,
}

/// Something that blocks a road in one direction for a while.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentFacts {
    /// KKMC where the road begins.
    pub from: String,
    /// KKMC where it ends.
    pub to: String,
    /// Civil time of the beginning.
    pub begins: String,
    /// Civil time of the end.
    pub ends: String,
    /// How many times as long the road takes.
    pub factor: f64,
}

/// A plate that two vehicles have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlateFacts {
    /// The plate.
    pub plate: String,
    /// `clone` or `twin`.
    pub kind: &'static str,
    /// Numbers of the two vehicles; the second is the clone.
    pub vehicle: u32,
    /// See `vehicle`.
    pub other_vehicle: u32,
    /// HPZL of the two.
    pub plate_type: &'static str,
    /// See `plate_type`.
    pub other_plate_type: &'static str,
    /// Models of the two.
    pub model: String,
    /// See `model`.
    pub other_model: String,
    /// When the second one begins to drive.
    pub since: String,
}

/// A civil time `seconds` after the start, as on a line.
pub(super) fn time_text(start: CivilTime, seconds: i64) -> String {
    CivilTime(start.0 + seconds).to_string()
}
