//! The mirrors in `GET /api/status`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::codes::MirrorStateName;
use crate::serve::notice::Notice;
use crate::serve::state::Api;
use crate::status::MirrorStatus;

/// One mirror: a shard, the alerts or the cases in MySQL, or the alerts or the cases in Redis.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MirrorStatus)]
pub(super) struct MirrorJson {
    /// `mysql/0` and `mysql/1` for the shards, `mysql/alerts`, `mysql/cases`, `redis` for the alerts, `redis/cases`, `lake/0`.
    #[schema(example = "mysql/0")]
    name: String,
    /// The target, without credentials.
    #[schema(example = "mysql://db-app:8066/MYETCDB")]
    target: String,
    /// `starting`, `level` (the target has everything), `sending`, `away` (it cannot be reached or accepts nothing) or
    /// `blocked` (something must be changed there first).
    #[schema(value_type = MirrorStateName, example = "level")]
    state: &'static str,
    /// Rows of the shard's log (alerts, cases) that the target has acknowledged.
    #[schema(example = 650000)]
    cursor: u64,
    /// Rows (alerts, cases that changed) that the target lacks.
    #[schema(example = 0)]
    lag_rows: u64,
    /// Seconds of event time between the newest that was committed and the newest that the target has.
    #[schema(example = 0)]
    lag_seconds: i64,
    /// The last error; null if there was none since the process started.
    #[schema(example = json!(null))]
    last_error: Option<String>,
    /// The same with its code.
    last_error_notice: Option<Notice>,
    /// When that was, civil time of the road.
    #[schema(example = json!(null))]
    last_error_at: Option<String>,
    /// Since when the target is away or blocked, civil time of the road; null while it accepts rows.
    #[schema(example = json!(null))]
    away_since: Option<String>,
    /// Rows that the target acknowledged to this process.
    #[schema(example = 12000)]
    sent: u64,
    /// Failed calls of this process; each is retried.
    #[schema(example = 0)]
    failures: u64,
    /// Rows that the target refused; they are kept with its message.
    #[schema(example = 0)]
    refused: u64,
    /// The newest of them.
    recently_refused: Vec<RefusedJson>,
    /// Rows dropped by retention before the target received them.
    #[schema(example = 0)]
    lost: u64,
    /// How often the target had lost acknowledged rows and was filled again.
    #[schema(example = 0)]
    refilled: u64,
    /// Warnings of the target to this process: any means that it changes values; set its sql_mode to STRICT_ALL_TABLES.
    #[schema(example = 0)]
    warnings: u64,
}

/// A row that a target refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefusedRow)]
pub(super) struct RefusedJson {
    /// GCXH; of an alert or a case its id.
    #[schema(example = "G320300109027253771")]
    gcxh: String,
    /// The message of the target.
    #[schema(example = "Data too long for column 'clppxh' at row 1 (MySQL error 1406, SQLSTATE 22001)")]
    error: String,
    /// The same with its code.
    error_notice: Notice,
}

pub(super) fn mirror_json(status: MirrorStatus, api: &Api) -> MirrorJson {
    let lag_rows = status.lag_rows();
    let refused = status.recently_refused.into_iter();
    MirrorJson {
        lag_rows,
        state: status.state.as_str(),
        last_error_at: status.last_error.as_ref().map(|(_, unix)| api.civil(*unix)),
        last_error_notice: status.last_error.as_ref().map(|(error, _)| Notice::of(error)),
        last_error: status.last_error.map(|(error, _)| error),
        away_since: status.away_since_unix.map(|unix| api.civil(unix)),
        recently_refused: refused
            .map(|(gcxh, error)| RefusedJson { gcxh, error_notice: Notice::of(&error), error })
            .collect(),
        name: status.name,
        target: status.target,
        cursor: status.cursor,
        lag_seconds: status.lag_seconds,
        sent: status.sent,
        failures: status.failures,
        refused: status.refused,
        lost: status.lost,
        refilled: status.refilled,
        warnings: status.warnings,
    }
}
