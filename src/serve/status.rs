//! `GET /api/status`: how the appliance is, for the operator. The numbers are the road's own; this names them in JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{Answer, Envelope, Success};
use crate::forecast::{Forecast, Forecaster};
use crate::status::{
    BackendStatus, KafkaPartition, KafkaStatus, MirrorStatus, PipelineStatus, SourceStatus, Status, StorageStatus,
};

/// The state of the appliance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Status)]
pub(super) struct StatusJson {
    /// Version of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Role of this process.
    #[schema(example = "all")]
    role: String,
    /// Seconds since the process started.
    #[schema(example = 3600.5)]
    uptime_seconds: f64,
    /// Whether it takes input.
    #[schema(example = true)]
    ready: bool,
    /// Why it takes no more input, if it does not.
    #[schema(example = json!(null))]
    failure: Option<String>,
    /// The server's clock, civil time of the road.
    #[schema(example = "2024-01-01 12:34:57")]
    now: String,
    /// Newest GCSJ; null as long as there is none.
    #[schema(example = "2024-01-01 12:34:56")]
    newest_gcsj: Option<String>,
    /// Seconds by which the newest GCSJ is behind the server's clock; null as long as there is none.
    #[schema(example = 1)]
    lag_seconds: Option<i64>,
    /// Event streams that are open.
    #[schema(example = 2)]
    open_streams: usize,
    /// The source of records.
    source: SourceJson,
    /// What the road has done.
    pipeline: PipelineJson,
    /// What is on disk and in memory.
    storage: StorageJson,
    /// The servers that answers are read from; empty unless the role is `api`.
    backends: Vec<BackendJson>,
    /// Mirrors and their lag; empty where none is configured.
    mirrors: Vec<MirrorJson>,
    /// The flow model and its training.
    model: ModelBriefJson,
}

/// The flow model in short; `/api/predict/model` tells more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowModelBrief)]
pub(super) struct ModelBriefJson {
    /// `seasonal` or `spark-linear`; null where there is no model.
    #[schema(example = "seasonal")]
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
    /// Whether a model is being trained.
    #[schema(example = false)]
    training: bool,
    /// Why the last training failed.
    #[schema(example = json!(null))]
    training_failure: Option<String>,
    /// Hours of counts that a training can learn from.
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
            problem: status.problem,
            training: status.is_training,
            training_failure: status.training_failure,
            history_hours: status.history_hours,
        }
    }
}

/// A server that answers are read from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BackendStatus)]
pub(super) struct BackendJson {
    /// `MyCat`, `MySQL` or `Redis`.
    #[schema(example = "MyCat")]
    name: String,
    /// Its address, without credentials.
    #[schema(example = "mysql://db-app:8066/MYETCDB")]
    address: String,
    /// Whether it answered last.
    #[schema(example = true)]
    connected: bool,
    /// Since when it does not, civil time of the road; null while it does.
    #[schema(example = json!(null))]
    away_since: Option<String>,
    /// What went wrong last; null if nothing ever did.
    #[schema(example = json!(null))]
    last_error: Option<String>,
}

/// The source of records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SourceStatus)]
pub(super) struct SourceJson {
    /// `kafka`, `capture`, `simulator` or `none`.
    #[schema(example = "simulator")]
    kind: String,
    /// `starting`, `running`, `away` (no broker can be reached), `finished` or `failed`.
    #[schema(example = "running")]
    state: String,
    /// What is read, in words.
    #[schema(example = "19 checkpoints, 50 passages per second")]
    description: String,
    /// Position after the last commit.
    #[schema(example = "record 123456")]
    position: String,
    /// Partitions.
    partitions: Vec<PartitionJson>,
    /// Consumption of a Kafka topic; null for other sources.
    kafka: Option<KafkaJson>,
}

/// Consumption of a Kafka topic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KafkaStatus)]
pub(super) struct KafkaJson {
    /// Topic.
    #[schema(example = "traffic-raw")]
    topic: String,
    /// Consumer group.
    #[schema(example = "platewatch")]
    group: String,
    /// Brokers to begin with.
    #[schema(example = "kafka-1:9092,kafka-2:9092")]
    brokers: String,
    /// Whether any broker can be reached.
    #[schema(example = true)]
    connected: bool,
    /// Since when none can be, civil time of the road; null while one can.
    #[schema(example = json!(null))]
    away_since: Option<String>,
    /// What the client complained of last; null when all is well.
    #[schema(example = json!(null))]
    last_error: Option<String>,
    /// How often the group shared its partitions out anew, since this process started.
    #[schema(example = 1)]
    rebalances: u64,
    /// What to change about the topic, such as its keys; null when nothing is wrong with it.
    #[schema(example = json!(null))]
    advice: Option<String>,
    /// Records of the topic that are not stored yet, over the partitions consumed here; null while unknown.
    #[schema(example = 12)]
    lag: Option<i64>,
    /// Gaps: how often records were gone from the broker before they were read, since the data directory was made.
    #[schema(example = 0)]
    gaps: u64,
    /// Records that were gone.
    #[schema(example = 0)]
    missing_records: u64,
    /// Messages without a value; they count as blank lines.
    #[schema(example = 0)]
    null_values: u64,
    /// The newest gaps of each partition.
    recent_gaps: Vec<KafkaGapJson>,
    /// Partitions of which anything is known here.
    partitions: Vec<KafkaPartitionJson>,
}

/// One partition of a Kafka topic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KafkaPartitionStatus)]
pub(super) struct KafkaPartitionJson {
    /// Number.
    #[schema(example = 0)]
    partition: u32,
    /// Whether this process consumes it now.
    #[schema(example = true)]
    assigned: bool,
    /// Offset of the first record that is not stored yet; null while there is none.
    #[schema(example = 123456)]
    position: Option<i64>,
    /// Offset behind the newest record, as the broker told last; null while unknown.
    #[schema(example = 123468)]
    end: Option<i64>,
    /// Records between position and end; null while unknown.
    #[schema(example = 12)]
    lag: Option<i64>,
    /// Records of another process still to be read back before the partition goes on; nothing of them is stored again.
    #[schema(example = 0)]
    to_read_back: i64,
}

/// Records that the broker no longer had when they were to be read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KafkaGap)]
pub(super) struct KafkaGapJson {
    /// Partition.
    #[schema(example = 0)]
    partition: u32,
    /// First offset.
    #[schema(example = 1000)]
    first: i64,
    /// Last offset.
    #[schema(example = 1999)]
    last: i64,
    /// When it was found, civil time of the road.
    #[schema(example = "2024-01-01 12:34:56")]
    found: String,
    /// `deleted`: gone before they were read; `truncated`: the partition ended before the position, they had been read.
    #[schema(example = "deleted")]
    cause: &'static str,
}

/// One partition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PartitionStatus)]
pub(super) struct PartitionJson {
    /// Number.
    #[schema(example = 0)]
    partition: u32,
    /// Newest accepted GCSJ.
    #[schema(example = "2024-01-01 12:34:56")]
    watermark: Option<String>,
    /// Seconds by which the watermark is behind the server's clock; null as long as there is none.
    #[schema(example = 1)]
    watermark_delay_seconds: Option<i64>,
    /// Plates that hold state.
    #[schema(example = 2100)]
    plates: u64,
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
    /// Late ones among the accepted.
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
    /// Batches that wait between parser and writer.
    #[schema(example = 0)]
    queued_batches: usize,
    /// How many may wait.
    #[schema(example = 4)]
    queue_limit: usize,
}

/// One mirror: a shard in MySQL, or the alerts in Redis.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MirrorStatus)]
pub(super) struct MirrorJson {
    /// `mysql/0` and `mysql/1` for the shards, `redis` for the alerts.
    #[schema(example = "mysql/0")]
    name: String,
    /// The target, without credentials.
    #[schema(example = "mysql://db-app:8066/MYETCDB")]
    target: String,
    /// `starting`, `level` (the target has everything), `sending`, `away` (it cannot be reached or takes nothing) or
    /// `blocked` (somebody must change something there first).
    #[schema(example = "level")]
    state: &'static str,
    /// Rows of the shard's log (alerts) that the target has acknowledged.
    #[schema(example = 650000)]
    cursor: u64,
    /// Rows (alerts) that the target lacks.
    #[schema(example = 0)]
    lag_rows: u64,
    /// Seconds of event time between the newest that was committed and the newest that the target has.
    #[schema(example = 0)]
    lag_seconds: i64,
    /// What went wrong last; null if nothing did since the process started.
    #[schema(example = json!(null))]
    last_error: Option<String>,
    /// When that was, civil time of the road.
    #[schema(example = json!(null))]
    last_error_at: Option<String>,
    /// Since when the target is away or blocked, civil time of the road; null while it takes rows.
    #[schema(example = json!(null))]
    away_since: Option<String>,
    /// Rows that the target acknowledged to this process.
    #[schema(example = 12000)]
    sent: u64,
    /// Calls that failed, of this process; each is repeated.
    #[schema(example = 0)]
    failures: u64,
    /// Rows that the target refused; they are kept with its words.
    #[schema(example = 0)]
    refused: u64,
    /// The newest of them.
    recently_refused: Vec<RefusedJson>,
    /// Rows that were dropped by retention before the target took them.
    #[schema(example = 0)]
    lost: u64,
    /// How often the target was found to lack what it had acknowledged, and was filled again.
    #[schema(example = 0)]
    refilled: u64,
    /// Warnings of the target, of this process: if any, it changes values; set its sql_mode to STRICT_ALL_TABLES.
    #[schema(example = 0)]
    warnings: u64,
}

/// A row that a target refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefusedRow)]
pub(super) struct RefusedJson {
    /// GCXH.
    #[schema(example = "G320300109027253771")]
    gcxh: String,
    /// The target's words.
    #[schema(example = "Data too long for column 'clppxh' at row 1 (MySQL error 1406, SQLSTATE 22001)")]
    error: String,
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

/// The storage.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StorageStatus)]
pub(super) struct StorageJson {
    /// Data directory.
    #[schema(example = "./platewatch-data")]
    path: String,
    /// Bytes of all files on disk.
    #[schema(example = 25000000)]
    disk_bytes: u64,
    /// Bytes of memtables and block cache.
    #[schema(example = 64000000)]
    memory_bytes: u64,
    /// Bytes of decoded columns held for queries.
    #[schema(example = 8000000)]
    column_cache_bytes: u64,
    /// Bytes of the alerts in memory, in which they are searched.
    #[schema(example = 33000)]
    alert_index_bytes: u64,
    /// Passages retained.
    #[schema(example = 1299976)]
    passages: u64,
    /// Segments per shard, sealed and tail.
    #[schema(example = json!([12, 11]))]
    segments: Vec<u64>,
    /// Seconds of event time that are kept; null = forever.
    #[schema(example = 259200)]
    retention_seconds: Option<i64>,
    /// Oldest GCSJ retained.
    #[schema(example = "2024-01-01 00:00:00")]
    oldest_gcsj: Option<String>,
    /// Rejected lines kept.
    #[schema(example = 3)]
    rejects: u64,
}

/// How the pipeline, its source and the storage are.
#[utoipa::path(
    get,
    path = "/api/status",
    tag = "operation",
    responses((status = 200, description = "The state of the appliance", body = Envelope<StatusJson>))
)]
pub(super) async fn status(State(api): State<Arc<Api>>) -> Answer<StatusJson> {
    let status = api.status().await?;
    let newest = api.reader.snapshot().totals().newest;
    let now = api.now();
    let Status { version, role, uptime_seconds, source, pipeline, storage, backends, mirrors, failure } = status;
    Ok(Success(StatusJson {
        version,
        role,
        uptime_seconds,
        ready: failure.is_none(),
        failure,
        now: now.to_string(),
        newest_gcsj: newest.map(|time| time.to_string()),
        lag_seconds: newest.map(|time| now.0 - time.0),
        open_streams: api.open_streams(),
        source: source_json(source, &api),
        pipeline: pipeline.into(),
        storage: storage.into(),
        backends: backends.into_iter().map(|backend| backend_json(backend, &api)).collect(),
        mirrors: mirrors.into_iter().map(|mirror| mirror_json(mirror, &api)).collect(),
        model: ModelBriefJson::new(&*api.settings.forecaster),
    }))
}

fn backend_json(status: BackendStatus, api: &Api) -> BackendJson {
    let civil = |unix: i64| api.settings.zone.civil(unix).map(|time| time.to_string()).unwrap_or_default();
    BackendJson {
        name: status.name,
        address: status.address,
        connected: status.connected,
        away_since: status.away_since_unix.map(civil),
        last_error: status.last_error,
    }
}

fn source_json(status: SourceStatus, api: &Api) -> SourceJson {
    let now = api.now();
    let partitions = status.partitions.into_iter().map(|partition| PartitionJson {
        partition: partition.partition,
        watermark: partition.watermark.map(|time| time.to_string()),
        watermark_delay_seconds: partition.watermark.map(|time| now.0 - time.0),
        plates: partition.plates,
    });
    SourceJson {
        partitions: partitions.collect(),
        kind: status.kind,
        state: status.state,
        description: status.description,
        position: status.position,
        kafka: status.kafka.map(|kafka| kafka_json(kafka, api)),
    }
}

fn mirror_json(status: MirrorStatus, api: &Api) -> MirrorJson {
    let civil = |unix: i64| api.settings.zone.civil(unix).map(|time| time.to_string()).unwrap_or_default();
    let lag_rows = status.lag_rows();
    let refused = status.recently_refused.into_iter();
    MirrorJson {
        lag_rows,
        state: status.state.as_str(),
        last_error_at: status.last_error.as_ref().map(|(_, unix)| civil(*unix)),
        last_error: status.last_error.map(|(error, _)| error),
        away_since: status.away_since_unix.map(civil),
        recently_refused: refused.map(|(gcxh, error)| RefusedJson { gcxh, error }).collect(),
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

fn kafka_json(status: KafkaStatus, api: &Api) -> KafkaJson {
    let civil = |unix: i64| api.settings.zone.civil(unix).map(|time| time.to_string()).unwrap_or_default();
    let sum = |count: fn(&KafkaPartition) -> u64| status.partitions.iter().map(count).sum();
    let gaps_of = |partition: &KafkaPartition| {
        let number = partition.partition;
        let gaps = partition.recent_gaps.iter().map(|gap| KafkaGapJson {
            partition: number,
            first: gap.first,
            last: gap.last,
            found: civil(gap.found_unix),
            cause: gap.cause,
        });
        gaps.collect::<Vec<_>>()
    };
    let partitions = status.partitions.iter().map(|partition| KafkaPartitionJson {
        partition: partition.partition,
        assigned: partition.assigned,
        position: partition.position,
        end: partition.end,
        lag: partition.lag,
        to_read_back: partition.to_read_back,
    });
    KafkaJson {
        lag: status.lag(),
        gaps: sum(|partition| partition.gaps),
        missing_records: sum(|partition| partition.missing),
        null_values: sum(|partition| partition.nulls),
        recent_gaps: status.partitions.iter().flat_map(gaps_of).collect(),
        partitions: partitions.collect(),
        away_since: status.away_since_unix.map(civil),
        topic: status.topic,
        group: status.group,
        brokers: status.brokers,
        connected: status.connected,
        last_error: status.last_error,
        rebalances: status.rebalances,
        advice: status.advice,
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

impl From<StorageStatus> for StorageJson {
    fn from(status: StorageStatus) -> Self {
        Self {
            path: status.path,
            disk_bytes: status.disk_bytes,
            memory_bytes: status.memory_bytes,
            column_cache_bytes: status.column_cache_bytes,
            alert_index_bytes: status.alert_index_bytes,
            passages: status.passages,
            segments: status.segments,
            retention_seconds: status.retention_seconds,
            oldest_gcsj: status.oldest.map(|time| time.to_string()),
            rejects: status.rejects,
        }
    }
}
