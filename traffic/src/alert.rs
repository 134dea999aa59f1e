//! The alert: two sightings of one plate that no single car can account for, and its JSON as the contract spells it.

use serde::{Deserialize, Serialize};

/// Which rule raised an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Two checkpoints less than `detect.window` apart.
    Window,
    /// A lower speed above `detect.max_speed_kmh` within `detect.speed_window`.
    Speed,
}

/// An explanation of an alert other than a cloned plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The two sightings have different plate types, under which two vehicles may lawfully carry the same number.
    PlateTypes,
}

impl Cause {
    /// The name in the alert's JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlateTypes => "plate_types",
        }
    }
}

/// How strong the evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Even the lower speed, the least that must have been driven, is above `detect.max_speed_kmh`.
    High,
    /// The distance is not known, or only the nominal speed is above.
    Medium,
    /// A car could have driven it, or two vehicles may lawfully carry the number.
    Low,
}

/// One alert. Field names and order are the contract's JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Number of the alert in its data directory, from 1 without gaps.
    pub seq: u64,
    /// 16 hexadecimal digits that depend only on the plate and the two GCXH; see [`alert_id`].
    pub id: String,
    /// The plate.
    pub hphm: String,
    /// Checkpoint of the sighting that is earlier in event time.
    pub prev_kkmc: String,
    /// Checkpoint of the later sighting.
    pub curr_kkmc: String,
    /// Time of the earlier sighting, `YYYY-MM-DD HH:MM:SS`.
    pub prev_time: String,
    /// Time of the later sighting.
    pub curr_time: String,
    /// GCXH of the earlier sighting.
    pub prev_gcxh: String,
    /// GCXH of the later sighting.
    pub curr_gcxh: String,
    /// Seconds between the two.
    pub gap_seconds: i64,
    /// Great-circle distance in km, to 0.1 km; none if a coordinate is unknown.
    pub distance_km: Option<f64>,
    /// Distance over gap in km/h, to 0.1 km/h; none if the distance is unknown or the gap is 0.
    pub speed_kmh: Option<f64>,
    /// How strong the evidence is.
    pub severity: Severity,
    /// The rule that raised it.
    pub rule: Rule,
    /// What else explains it; left out if nothing known does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// The id of an alert: XXH64 (seed 0) over plate, the lesser GCXH and the greater GCXH, each followed by a zero byte,
/// in hexadecimal.
pub fn alert_id(hphm: &str, gcxh: &str, other_gcxh: &str) -> String {
    let (first, second) = if gcxh <= other_gcxh { (gcxh, other_gcxh) } else { (other_gcxh, gcxh) };
    let mut hash = xxhash_rust::xxh64::Xxh64::new(0);
    for part in [hphm, first, second] {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    format!("{:016x}", hash.digest())
}
