//! `GET /api/status`: the state of the appliance, for the operator. The numbers come from [`crate::status`]; this module
//! writes them as JSON.

mod detection;
mod kept;
mod mirrors;
mod source;
mod viid;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::cameras::CameraCountsJson;
use super::codes::{BackendStateName, ModelKindName, RoleName};
use super::error::{Answer, Envelope, Success};
use super::notice::Notice;
use super::sight::Sight;
use super::state::Api;
use crate::clock::unix_now;
use crate::forecast::{Forecast, Forecaster};
use crate::status::{BackendStatus, PipelineStatus, Status};
use detection::{DetectionJson, detection_json};
use kept::StorageJson;
use mirrors::{MirrorJson, mirror_json};
use source::{SourceJson, source_json};
use viid::{ViidJson, viid_json};

/// The state of the appliance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Status)]
pub(super) struct StatusJson {
    /// Version of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Role of this process.
    #[schema(value_type = RoleName, example = "all")]
    role: String,
    /// Seconds since the process started.
    #[schema(example = 3600.5)]
    uptime_seconds: f64,
    /// Whether it takes input.
    #[schema(example = true)]
    ready: bool,
    /// Why it takes no more input; null while it does.
    #[schema(example = json!(null))]
    failure: Option<String>,
    /// The same with its code; one notice for each server that does not answer.
    failure_notices: Vec<Notice>,
    /// The server's clock, civil time of the road.
    #[schema(example = "2024-01-01 12:34:57")]
    now: String,
    /// Newest GCSJ; null while there is none.
    #[schema(example = "2024-01-01 12:34:56")]
    newest_gcsj: Option<String>,
    /// Seconds by which the newest GCSJ is behind the server's clock; null while there is none.
    #[schema(example = 1)]
    lag_seconds: Option<i64>,
    /// Open event streams.
    #[schema(example = 2)]
    open_streams: usize,
    /// The source of records.
    source: SourceJson,
    /// Counts of the pipeline.
    pipeline: PipelineJson,
    /// The watermark, late and early passages, and the clocks of the checkpoints; null in the role `api`.
    detection: Option<DetectionJson>,
    /// How many cameras are in each state; null as long as nothing is learnt of them, and in the role `api`.
    cameras: Option<CameraCountsJson>,
    /// What is on disk and in memory.
    storage: StorageJson,
    /// The servers that queries are answered from; empty unless the role is `api`.
    backends: Vec<BackendJson>,
    /// GA/T 1400; null where it is not spoken.
    viid: Option<ViidJson>,
    /// Mirrors and their lag; empty where none is configured.
    mirrors: Vec<MirrorJson>,
    /// The flow model and its training.
    model: ModelBriefJson,
}

/// Summary of the flow model; `/api/predict/model` has the details.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowModelBrief)]
pub(super) struct ModelBriefJson {
    /// `seasonal`, `spark-linear`, `recent-weeks` or `blend`; null where there is no model.
    #[schema(value_type = Option<ModelKindName>, example = "seasonal")]
    kind: Option<&'static str>,
    /// Version; null where there is no model.
    #[schema(example = "20240102T031500Z-9f0c25d1")]
    version: Option<String>,
    /// When it was trained, UTC; null where there is no model.
    #[schema(example = "2024-01-02T03:15:00Z")]
    trained_at: Option<String>,
    /// What is wrong with the files in its folder; an earlier model may still be served.
    #[schema(example = json!(null))]
    problem: Option<String>,
    /// The same with its code.
    problem_notice: Option<Notice>,
    /// Whether a model is being trained.
    #[schema(example = false)]
    training: bool,
    /// Why the last training failed.
    #[schema(example = json!(null))]
    training_failure: Option<String>,
    /// The same with its code.
    training_failure_notice: Option<Notice>,
    /// Hours of counts available for training.
    #[schema(example = 672)]
    history_hours: u64,
}

impl ModelBriefJson {
    fn new(forecaster: &dyn Forecaster) -> Self {
        let (current, status) = (forecaster.current(), forecaster.status());
        let about = current.as_deref().map(Forecast::about);
        Self {
            kind: about.map(|about| about.kind),
            version: about.map(|about| about.version.clone()),
            trained_at: about.map(|about| about.trained_at.clone()),
            problem_notice: Notice::of_some(&status.problem),
            problem: status.problem,
            training: status.is_training,
            training_failure_notice: Notice::of_some(&status.training_failure),
            training_failure: status.training_failure,
            history_hours: status.history_hours,
        }
    }
}

/// A server that queries are answered from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BackendStatus)]
pub(super) struct BackendJson {
    /// `MyCat`, `MySQL` or `Redis`.
    #[schema(example = "MyCat")]
    name: String,
    /// Its address, without credentials.
    #[schema(example = "mysql://db-app:8066/MYETCDB")]
    address: String,
    /// `starting`, `up`, `away` (it, or an instance behind it, does not answer) or `blocked` (it answers, but something
    /// must be changed there first; `last_error` says what).
    #[schema(value_type = BackendStateName, example = "up")]
    state: &'static str,
    /// Whether it answered the last time.
    #[schema(example = true)]
    connected: bool,
    /// Since when it is away or blocked, civil time of the road; null while it is neither.
    #[schema(example = json!(null))]
    away_since: Option<String>,
    /// The last error; null if there was none.
    #[schema(example = json!(null))]
    last_error: Option<String>,
    /// The same with its code.
    last_error_notice: Option<Notice>,
}

/// Counts since the data directory was made; rates of this process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PipelineStatus)]
pub(super) struct PipelineJson {
    /// Lines read: headers, blank, rejected, duplicates and accepted together.
    #[schema(example = 1300000)]
    lines: u64,
    /// Header lines.
    #[schema(example = 1)]
    headers: u64,
    /// Blank lines.
    #[schema(example = 0)]
    blank: u64,
    /// Rejected lines.
    rejected: RejectedJson,
    /// Duplicates.
    #[schema(example = 20)]
    duplicates: u64,
    /// Accepted passages.
    #[schema(example = 1299976)]
    accepted: u64,
    /// Of these, late passages.
    #[schema(example = 12)]
    late: u64,
    /// Alerts.
    #[schema(example = 321)]
    alerts: u64,
    /// Accepted passages per shard.
    #[schema(example = json!([650000, 649976]))]
    by_shard: Vec<u64>,
    /// Commits of this process.
    #[schema(example = 5000)]
    commits: u64,
    /// Passages accepted per second of wall time, over the last ten seconds.
    #[schema(example = 50.2)]
    records_per_second: f64,
    /// Seconds that the last commit took.
    #[schema(example = 0.002)]
    last_commit_seconds: f64,
    /// Seconds since the last commit.
    #[schema(example = 0.4)]
    seconds_since_commit: f64,
    /// Batches waiting between parser and writer.
    #[schema(example = 0)]
    queued_batches: usize,
    /// Maximum number of waiting batches.
    #[schema(example = 4)]
    queue_limit: usize,
}

/// Rejected lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rejected)]
pub(super) struct RejectedJson {
    /// All.
    #[schema(example = 3)]
    total: u64,
    /// By reason.
    #[schema(example = json!({"invalid_gcsj": 2, "wrong_column_count": 1}))]
    by_reason: BTreeMap<&'static str, u64>,
}

/// The state of the pipeline, its source and the storage.
#[utoipa::path(
    get,
    path = "/status",
    tag = "operation",
    responses((status = 200, description = "The state of the appliance", body = Envelope<StatusJson>))
)]
pub(super) async fn status(State(api): State<Arc<Api>>, sight: Sight) -> Answer<StatusJson> {
    let status = api.status(&sight).await?;
    let newest = sight.snapshot().newest();
    let now = api.now();
    let Status { version, role, uptime_seconds, source, pipeline, detection, storage, backends, mirrors, failure } =
        status;
    Ok(Success(StatusJson {
        version,
        role,
        uptime_seconds,
        ready: failure.is_none(),
        failure_notices: failure.as_deref().map(Notice::of_each).unwrap_or_default(),
        failure,
        now: now.to_string(),
        newest_gcsj: newest.map(|time| time.to_string()),
        lag_seconds: newest.map(|time| now.0 - time.0),
        open_streams: api.open_streams(),
        source: source_json(source, &api),
        pipeline: pipeline.into(),
        detection: detection.map(|detection| detection_json(detection, &sight)),
        cameras: CameraCountsJson::of(&sight),
        storage: storage.into(),
        backends: backends.into_iter().map(|backend| backend_json(backend, &api)).collect(),
        viid: api.settings.viid.as_ref().map(|viid| viid_json(viid.status(unix_now()), &api)),
        mirrors: mirrors.into_iter().map(|mirror| mirror_json(mirror, &api)).collect(),
        model: ModelBriefJson::new(&*api.settings.forecaster),
    }))
}

fn backend_json(status: BackendStatus, api: &Api) -> BackendJson {
    BackendJson {
        name: status.name,
        address: status.address,
        state: status.state.as_str(),
        connected: status.connected,
        away_since: status.away_since_unix.map(|unix| api.civil(unix)),
        last_error_notice: Notice::of_some(&status.last_error),
        last_error: status.last_error,
    }
}

impl From<PipelineStatus> for PipelineJson {
    fn from(status: PipelineStatus) -> Self {
        let (queued_batches, queue_limit) = status.queue;
        Self {
            lines: status.lines,
            headers: status.headers,
            blank: status.blank,
            rejected: RejectedJson { total: status.rejected.values().sum(), by_reason: status.rejected },
            duplicates: status.duplicates,
            accepted: status.accepted,
            late: status.late,
            alerts: status.alerts,
            by_shard: status.by_shard,
            commits: status.commits,
            records_per_second: status.records_per_second,
            last_commit_seconds: status.last_commit_seconds,
            seconds_since_commit: status.seconds_since_commit,
            queued_batches,
            queue_limit,
        }
    }
}
