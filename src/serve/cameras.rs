//! `GET /api/cameras`: what the traffic says about each camera, the worst first.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use traffic::CivilTime;
use traffic::evidence::CameraFault;
use utoipa::ToSchema;

use super::codes::{CameraFaultName, CameraHealthName, Named as _};
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, Success};
use super::records::label;
use super::sight::Sight;
use super::state::Api;
use crate::camera_clocks::CheckpointClock;
use crate::cameras::{Camera, CameraCounts};

/// What is wrong with a camera.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraFinding)]
pub(super) struct FindingJson {
    /// A short code.
    #[schema(value_type = CameraFaultName, example = "offset")]
    code: &'static str,
    /// What it means, in one sentence.
    #[schema(example = "its clock is 300 s fast")]
    text: String,
    /// What to do.
    #[schema(example = "set the clock, and switch on time synchronisation (NTP)")]
    action: &'static str,
}

/// One camera. Counts are of the last six whole hours, where nothing else is said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Camera)]
pub(super) struct CameraJson {
    /// KKMC as it was recorded.
    #[schema(example = "S250_Pizhou_Sulu")]
    kkmc: String,
    /// Short name; KKMC where the catalogue does not know it.
    #[schema(example = "S250-邳州-苏鲁界")]
    label: String,
    /// `ok` 正常, `doubtful` 存疑 or `bad` 异常.
    #[schema(value_type = CameraHealthName, example = "bad")]
    state: &'static str,
    /// What is wrong with it; empty if nothing is known.
    findings: Vec<FindingJson>,
    /// Seconds that its clock is fast, negative if it is slow; null as long as it is not known.
    #[schema(example = 300.0)]
    offset_seconds: Option<f64>,
    /// By how many seconds that may be wrong.
    #[schema(example = 2.0)]
    offset_error_seconds: Option<f64>,
    /// Seconds a day that its clock gains; null unless it drifts.
    #[schema(example = json!(null))]
    drift_seconds_per_day: Option<f64>,
    /// Accepted passages since the data directory was made.
    #[schema(example = 81000)]
    accepted: u64,
    /// Those of `accepted` that came too late to be compared.
    #[schema(example = 12)]
    late: u64,
    /// Records with a complete plate.
    #[schema(example = 5200)]
    records: u32,
    /// Records far ahead of all others among them.
    #[schema(example = 0)]
    ahead: u32,
    /// Records that were compared with the plate's sighting before, and contradictions among them.
    #[schema(example = 4100)]
    compared: u32,
    /// See `compared`.
    #[schema(example = 3)]
    contradicted: u32,
    /// Records with a masked or irregular plate, beside `records`.
    #[schema(example = 40)]
    unread: u32,
    /// Records without a brand.
    #[schema(example = 90)]
    unbranded: u32,
    /// Records of a plate that the camera had recorded within the minute before.
    #[schema(example = 12)]
    doubles: u32,
    /// Since when it has been silent, corrected event time; null unless that is no chance.
    #[schema(example = json!(null))]
    silent_since: Option<String>,
    /// How likely a camera that works is silent so long, 0 to 1; null unless it is silent.
    #[schema(example = json!(null))]
    silent_by_chance: Option<f64>,
}

/// All cameras.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraList)]
pub(super) struct CameraListJson {
    /// Whether anything is learnt: `detect.evidence` is on.
    #[schema(example = true)]
    evidence: bool,
    /// The whole hour that was learnt last, event time; null before the first: then nothing is known of any camera.
    #[schema(example = "2024-01-01 09:00:00")]
    learnt_until: Option<String>,
    /// How many are bad.
    #[schema(example = 1)]
    bad: u64,
    /// How many are doubtful.
    #[schema(example = 0)]
    doubtful: u64,
    /// All of them, the worst first, then by name.
    cameras: Vec<CameraJson>,
}

/// How many cameras are in each state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraCounts)]
pub(super) struct CameraCountsJson {
    /// Nothing is known against these.
    #[schema(example = 17)]
    ok: u64,
    /// Their records can be used, with care.
    #[schema(example = 1)]
    doubtful: u64,
    /// These must be repaired.
    #[schema(example = 1)]
    bad: u64,
}

impl CameraCountsJson {
    /// Of what is known now; none where this process knows nothing of cameras yet, or ever.
    pub(super) fn of(sight: &Sight) -> Option<Self> {
        let CameraCounts { ok, doubtful, bad } = sight.cameras().ok()?.counts()?;
        Some(Self { ok, doubtful, bad })
    }
}

impl CameraJson {
    fn new(sight: &Sight, camera: &Camera, clock: Option<&CheckpointClock>) -> Self {
        let known = &camera.known;
        let (offset, error) = camera.offset().unzip();
        let tenths = |number: f64| (number * 10.0).round() / 10.0;
        let finding = |fault: CameraFault| {
            let (text, action) = camera.explained(fault);
            FindingJson { code: fault.name(), text, action }
        };
        Self {
            kkmc: camera.kkmc.to_string(),
            label: label(&sight.catalogue(), &camera.kkmc),
            state: camera.health().as_str(),
            findings: camera.faults().map(finding).collect(),
            offset_seconds: offset.map(tenths),
            offset_error_seconds: error.map(tenths),
            drift_seconds_per_day: (known.drift != 0.0).then(|| tenths(known.drift)),
            accepted: clock.map_or(0, |clock| clock.accepted),
            late: clock.map_or(0, |clock| clock.late),
            records: known.records,
            ahead: known.ahead,
            compared: known.compared,
            contradicted: known.contradicted,
            unread: known.unread,
            unbranded: known.unbranded,
            doubles: known.doubles,
            silent_since: camera.silence.map(|silence| CivilTime(silence.since).to_string()),
            silent_by_chance: camera.silence.map(|silence| silence.by_chance),
        }
    }
}

/// What the traffic says about each camera: its clock, how its records arrive, and what it reads badly.
///
/// It is learnt at whole hours of event time; silence is judged at every commit. Empty as long as nothing is learnt.
#[utoipa::path(
    get,
    path = "/cameras",
    tag = "checkpoints",
    responses(
        (status = 200, description = "All cameras, the worst first", body = Envelope<CameraListJson>),
        (status = 501, description = "This process has no local storage", body = ErrorEnvelope),
    )
)]
pub(super) async fn cameras(State(api): State<Arc<Api>>, sight: Sight) -> Answer<CameraListJson> {
    let report = sight.cameras().map_err(ApiError::from)?;
    let detection = api.status(&sight).await?.detection.unwrap_or_default();
    let clocks: HashMap<&str, &CheckpointClock> =
        detection.checkpoints.iter().map(|clock| (&*clock.kkmc, clock)).collect();
    let (doubtful, bad) = report.counts().map_or((0, 0), |counts| (counts.doubtful, counts.bad));
    let json = |camera: &Camera| CameraJson::new(&sight, camera, clocks.get(&*camera.kkmc).copied());
    Ok(Success(CameraListJson {
        evidence: report.is_on,
        learnt_until: report.model.map(|hour| CivilTime(hour * 3600).to_string()),
        bad,
        doubtful,
        cameras: report.worst_first().into_iter().map(json).collect(),
    }))
}
