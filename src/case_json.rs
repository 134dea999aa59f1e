//! The JSON of a case, the same in `cases.jsonl`, in MySQL, in Redis and in the API. It is what leaves the store: texts
//! in the place of numbers, times as `YYYY-MM-DD HH:MM:SS`. It does not know how a case is found or stored.
//!
//! Three forms: whole ([`CaseJson`]), whole with the work on it ([`CaseRecordJson`], what mirrors write), and brief
//! ([`CaseBriefJson`], for lists).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use traffic::Cause;

use crate::work::{AlertWork, WorkStatus};
use crate::work_json::WorkEntryJson;

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

/// A case with the work on it, in one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseRecordJson {
    /// The case; its state is that of the work.
    #[serde(flatten)]
    pub case: CaseJson,
    /// Number of changes of the work so far.
    pub version: u64,
    /// The newest changes of the work, oldest first.
    pub history: Vec<WorkEntryJson>,
}

impl From<WorkedCase> for CaseRecordJson {
    fn from(WorkedCase { case, work }: WorkedCase) -> Self {
        let history = work.history.into_iter().map(WorkEntryJson::from).collect();
        Self { case: CaseJson { status: work.status, ..case }, version: work.version, history }
    }
}

impl From<CaseRecordJson> for WorkedCase {
    fn from(CaseRecordJson { case, version, history }: CaseRecordJson) -> Self {
        let history = history.into_iter().map(Into::into).collect();
        Self { work: AlertWork { status: case.status, version, history }, case }
    }
}

/// A case in a list: what is compared and chosen by; [`CaseJson`] has all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseBriefJson {
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
    /// The contradiction with the smallest gap for its way; none if none is kept.
    pub strongest: Option<StrongestJson>,
}

impl CaseBriefJson {
    /// The brief form of a case.
    pub fn of(case: &CaseJson) -> Self {
        Self {
            seq: case.seq,
            id: case.id.clone(),
            hphm: case.hphm.clone(),
            probability: case.probability,
            cause: case.cause,
            explanations: case.explanations,
            contradictions: case.contradictions,
            first_time: case.first_time.clone(),
            last_time: case.last_time.clone(),
            opened_at: case.opened_at.clone(),
            status: case.status,
            strongest: strongest(&case.pairs),
        }
    }
}

impl PairJson {
    /// How strongly two contradictions speak: the smaller gap for its way more than the other; of equal ones that with the
    /// longer way.
    pub fn cmp_strength(&self, other: &Self) -> Ordering {
        let ratio = |pair: &Self| pair.gap_seconds as f64 / pair.fastest_seconds.max(1.0);
        ratio(other).total_cmp(&ratio(self)).then(self.fastest_seconds.total_cmp(&other.fastest_seconds))
    }
}

/// Of equal ones the newest.
fn strongest(pairs: &[PairJson]) -> Option<StrongestJson> {
    let PairJson { gap_seconds, fastest_seconds, .. } = *pairs.iter().max_by(|a, b| a.cmp_strength(b))?;
    Some(StrongestJson { gap_seconds, fastest_seconds })
}

/// How far apart two sightings were, and how far apart they had to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CaseStrongest)]
pub struct StrongestJson {
    /// Seconds between them, after correction.
    pub gap_seconds: i64,
    /// The fastest credible time between the two checkpoints, in seconds.
    pub fastest_seconds: f64,
}

/// A probability as it is shown: to four decimals.
pub fn rounded(probability: f64) -> f64 {
    (probability * 10_000.0).round() / 10_000.0
}

/// What an event of the stream says of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::WorkReason;

    fn sighting(kkmc: &str) -> SightingJson {
        SightingJson {
            kkmc: kkmc.to_owned(),
            time: "2024-01-01 08:00:00".to_owned(),
            corrected_time: "2024-01-01 08:00:01".to_owned(),
            gcxh: None,
            brand: Some("大众".to_owned()),
            hpzl: "02".to_owned(),
        }
    }

    fn pair(gap_seconds: i64, fastest_seconds: f64) -> PairJson {
        let (earlier, later) = (sighting("A"), sighting("B"));
        PairJson { earlier, later, gap_seconds, fastest_seconds, neighbour_due: Some("苏C12346".to_owned()) }
    }

    fn case() -> CaseJson {
        CaseJson {
            seq: 3,
            id: "33fd7a2a41c6278a".to_owned(),
            hphm: "苏C12345".to_owned(),
            probability: 0.9712,
            cause: Cause::Clone,
            explanations: ExplanationsJson { clone: 0.9712, misread: 0.02, clock: 0.0088, plate_types: 0.0, fast: 0.0 },
            contradictions: 2,
            first_time: "2024-01-01 08:00:00".to_owned(),
            last_time: "2024-01-01 09:12:30".to_owned(),
            opened_at: "2024-01-01 08:20:00".to_owned(),
            status: WorkStatus::New,
            cars: vec![CarJson {
                sightings: vec![sighting("A")],
                next: vec![NextJson { kkmc: "B".to_owned(), time: "2024-01-01 09:30:00".to_owned(), share: 0.1 + 0.2 }],
            }],
            strangers: vec![sighting("C")],
            brands: vec![CountJson { name: "大众".to_owned(), value: 3 }],
            plate_types: Vec::new(),
            pairs: vec![pair(240, 1290.0), pair(100, 200.0)],
            model: None,
        }
    }

    #[test]
    fn a_record_leads_back_to_the_case_and_its_work() {
        let entry = crate::work::WorkEntry {
            at: traffic::CivilTime(1_700_000_000),
            by: "王警官".to_owned(),
            from: WorkStatus::New,
            to: WorkStatus::Investigating,
            note: "it's \"two\"".to_owned(),
            reason: Some(WorkReason::Photos),
        };
        let work = AlertWork { status: WorkStatus::Investigating, version: 1, history: vec![entry] };
        let worked = WorkedCase { case: CaseJson { status: WorkStatus::Investigating, ..case() }, work };
        let text = serde_json::to_string(&CaseRecordJson::from(worked.clone())).unwrap();
        let read: CaseRecordJson = serde_json::from_str(&text).unwrap();
        assert_eq!(WorkedCase::from(read), worked);
        assert!(text.starts_with(r#"{"seq":3,"id":"33fd7a2a41c6278a","hphm":"苏C12345","#), "{text}");
    }

    #[test]
    fn the_strongest_contradiction_is_the_shortest_for_its_way() {
        let of = |pairs: &[PairJson]| strongest(pairs).map(|pair| (pair.gap_seconds, pair.fastest_seconds));
        assert_eq!(of(&case().pairs), Some((240, 1290.0)));
        assert_eq!(of(&[pair(0, 600.0), pair(0, 3000.0), pair(0, 1200.0)]), Some((0, 3000.0)));
        assert_eq!(of(&[]), None);
        let brief = CaseBriefJson::of(&case());
        let text = serde_json::to_string(&brief).unwrap();
        assert_eq!(serde_json::from_str::<CaseBriefJson>(&text).unwrap(), brief);
        assert!(text.ends_with(r#""strongest":{"gap_seconds":240,"fastest_seconds":1290.0}}"#), "{text}");
    }
}
