//! The JSON of a case, the same in `cases.jsonl`, in MySQL, in Redis and in the API. It is what leaves the store: texts
//! in the place of numbers, times as `YYYY-MM-DD HH:MM:SS`. It does not know how a case is found or stored.

use serde::{Deserialize, Serialize};
use traffic::Cause;

use crate::work::{AlertWork, WorkStatus};

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseJson {
    /// Number of the case in its data directory, from 1.
    pub seq: u64,
    /// What it is found by: 16 hexadecimal digits.
    pub id: String,
    /// The plate.
    pub hphm: String,
    /// That two cars wear the plate, 0 to 1.
    pub probability: f64,
    /// The likeliest explanation.
    pub cause: Cause,
    /// Each explanation with its probability; together 1.
    pub explanations: ExplanationsJson,
    /// How many contradictions there were.
    pub contradictions: u32,
    /// Corrected time of the first contradiction.
    pub first_time: String,
    /// Corrected time of the newest.
    pub last_time: String,
    /// Event time at which it was opened.
    pub opened_at: String,
    /// The state of the work on it.
    pub status: WorkStatus,
    /// The two cars apart, the one with more sightings first.
    pub cars: Vec<CarJson>,
    /// Sightings of the last day that neither car made: another vehicle, or another plate read as this one.
    pub strangers: Vec<SightingJson>,
    /// Brands seen in the last day, the most frequent first.
    pub brands: Vec<CountJson>,
    /// Plate types (HPZL) seen in the last day, the most frequent first.
    pub plate_types: Vec<CountJson>,
    /// The newest contradictions, at most 100, oldest first.
    pub pairs: Vec<PairJson>,
    /// The whole hour at which what is learnt of the roads changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// A case and the work on it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkedCase {
    /// The case.
    pub case: CaseJson,
    /// The work.
    pub work: AlertWork,
}

/// What an event of the stream says of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseHeadJson {
    /// Number of the case.
    pub seq: u64,
    /// What it is found by.
    pub id: String,
    /// The plate.
    pub hphm: String,
    /// That two cars wear the plate, 0 to 1.
    pub probability: f64,
    /// The likeliest explanation.
    pub cause: Cause,
    /// How many contradictions there were.
    pub contradictions: u32,
    /// Corrected time of the newest.
    pub last_time: String,
}

/// Probabilities of the explanations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CaseExplanations)]
pub struct ExplanationsJson {
    /// Two cars wear the plate.
    pub clone: f64,
    /// Another plate was read as this one.
    pub misread: f64,
    /// A camera's clock is wrong.
    pub clock: f64,
    /// Two vehicles carry the number lawfully.
    pub plate_types: f64,
    /// One car was quick, or took a way that is not known.
    pub fast: f64,
}

/// One of the two cars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CaseCar)]
pub struct CarJson {
    /// Its sightings of the last day, oldest first.
    pub sightings: Vec<SightingJson>,
    /// Where it is likely to pass next, the likeliest first; empty if it was not seen for an hour.
    pub next: Vec<NextJson>,
}

/// A sighting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CaseSighting)]
pub struct SightingJson {
    /// KKMC.
    pub kkmc: String,
    /// GCSJ, as the camera wrote it.
    pub time: String,
    /// The time after correction of the camera's clock.
    pub corrected_time: String,
    /// GCXH; none if it is of a form that the evidence does not keep, and the passage is no longer kept.
    pub gcxh: Option<String>,
    /// Brand; none if it was not read.
    pub brand: Option<String>,
    /// HPZL, or `-`.
    pub hpzl: String,
}

/// Where a car is likely to pass next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CaseNext)]
pub struct NextJson {
    /// KKMC.
    pub kkmc: String,
    /// When half of the cars that go there have passed.
    pub time: String,
    /// The share of cars that go there, 0 to 1.
    pub share: f64,
}

/// A value and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CaseCount)]
pub struct CountJson {
    /// The value.
    pub name: String,
    /// How often.
    pub value: u32,
}

/// Two sightings that no single car can have made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CasePair)]
pub struct PairJson {
    /// The earlier sighting.
    pub earlier: SightingJson,
    /// The later one.
    pub later: SightingJson,
    /// Seconds between them, after correction.
    pub gap_seconds: i64,
    /// The fastest credible time between the two checkpoints, in seconds.
    pub fastest_seconds: f64,
    /// A plate that differs in one character and was due at one of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbour_due: Option<String>,
}

/// How long cars take on the way of a contradiction: beside a case, not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = CaseTimes)]
pub struct CaseTimesJson {
    /// KKMC of the earlier sighting.
    pub from_kkmc: String,
    /// KKMC of the later one.
    pub to_kkmc: String,
    /// Seconds between them, after correction.
    pub gap_seconds: i64,
    /// The fastest credible time between the two checkpoints, in seconds.
    pub fastest_seconds: f64,
    /// Drives that were counted; recent ones count more.
    pub drives: u32,
    /// Seconds of a bucket; the first begins at 0.
    pub bucket_seconds: u32,
    /// The share of each bucket, 0 to 1; at most 40.
    pub shares: Vec<f64>,
    /// The share beyond the last bucket.
    pub longer_share: f64,
    /// The share that is quicker than the gap.
    pub quicker_share: f64,
    /// The whole hour that was learnt last.
    pub model: String,
}
