//! The storage in `/api/status`: sizes, retention, what it dropped and will drop, and the checkpoints.

use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::codes::RetainedName;
use crate::serve::notice::{Loss, Notice};
use crate::status::{AnnouncedDrop, CheckpointsStatus, RetentionDrop, StorageStatus};

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
    /// Bytes of the search index of alerts in memory.
    #[schema(example = 33000)]
    alert_index_bytes: u64,
    /// Passages retained.
    #[schema(example = 1299976)]
    passages: u64,
    /// Segments per shard, sealed and tail.
    #[schema(example = json!([12, 11]))]
    segments: Vec<u64>,
    /// Retention of passages in seconds of event time, as stored in the data directory; null = forever.
    #[schema(example = 259200)]
    retention_seconds: Option<i64>,
    /// What a shorter retention will drop; empty if nothing is announced.
    retention_announced: Vec<AnnouncedDropJson>,
    /// Passages that retention dropped since the data directory was made.
    #[schema(example = 250000)]
    dropped_passages: u64,
    /// The last run of retention that dropped passages; null if none did.
    last_drop: Option<RetentionDropJson>,
    /// The known checkpoints.
    checkpoints: CheckpointsJson,
    /// What was found missing at this start and accepted with `--accept-loss`, as a sentence; null if nothing was.
    #[schema(example = json!(null))]
    accepted_loss: Option<String>,
    /// The same with its codes.
    accepted_loss_notice: Option<Loss>,
    /// Oldest GCSJ retained.
    #[schema(example = "2024-01-01 00:00:00")]
    oldest_gcsj: Option<String>,
    /// Rejected lines kept.
    #[schema(example = 3)]
    rejects: u64,
}

/// What a shorter retention will drop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnnouncedDrop)]
pub(super) struct AnnouncedDropJson {
    /// `passages`, `alerts` or `rejects`.
    #[schema(value_type = RetainedName, example = "passages")]
    what: &'static str,
    /// The retention, in seconds.
    #[schema(example = 259200)]
    retention_seconds: i64,
    /// How many will be dropped.
    #[schema(example = 3800000)]
    count: u64,
    /// Event time of the oldest of them.
    #[schema(example = "2024-01-01 00:00:00")]
    from: String,
    /// Event time of the newest of them.
    #[schema(example = "2024-03-27 23:59:59")]
    to: String,
    /// Civil time of the road from which on they are dropped.
    #[schema(example = "2024-03-31 08:00:00")]
    not_before: String,
}

/// A run of retention that dropped passages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionDrop)]
pub(super) struct RetentionDropJson {
    /// When, civil time of the road.
    #[schema(example = "2024-01-05 08:00:00")]
    at: String,
    /// How many.
    #[schema(example = 65536)]
    passages: u64,
    /// Event time of the oldest of them.
    #[schema(example = "2024-01-01 00:00:00")]
    from: String,
    /// Event time of the newest of them.
    #[schema(example = "2024-01-01 07:59:59")]
    to: String,
    /// They were older than this time.
    #[schema(example = "2024-01-02 08:00:00")]
    older_than: String,
    /// The retention, in seconds.
    #[schema(example = 259200)]
    retention_seconds: i64,
}

/// The known checkpoints and their origin.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckpointsStatus)]
pub(super) struct CheckpointsJson {
    /// How many.
    #[schema(example = 19)]
    count: u64,
    /// The file that they were imported from, or another description; null for the built-in ones.
    #[schema(example = "kkmc_dimension.csv")]
    source: Option<String>,
    /// When, civil time of the road; null where it is not known.
    #[schema(example = "2024-01-01 08:00:00")]
    imported_at: Option<String>,
    /// The reference data had lost them at this start, and they were restored from their copy.
    #[schema(example = false)]
    restored: bool,
    /// The reference data was damaged at this start and there was no copy: import checkpoints again.
    #[schema(example = false)]
    lost: bool,
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
            retention_announced: status.retention_announced.into_iter().map(AnnouncedDropJson::from).collect(),
            dropped_passages: status.dropped_passages,
            last_drop: status.last_drop.map(RetentionDropJson::from),
            checkpoints: status.checkpoints.into(),
            accepted_loss_notice: status.accepted_loss.as_deref().map(Notice::of_loss),
            accepted_loss: status.accepted_loss,
            oldest_gcsj: status.oldest.map(|time| time.to_string()),
            rejects: status.rejects,
        }
    }
}

impl From<AnnouncedDrop> for AnnouncedDropJson {
    fn from(announced: AnnouncedDrop) -> Self {
        let AnnouncedDrop { what, retention_seconds, count, from, to, not_before } = announced;
        let [from, to, not_before] = [from, to, not_before].map(|time| time.to_string());
        Self { what: what.as_str(), retention_seconds, count, from, to, not_before }
    }
}

impl From<RetentionDrop> for RetentionDropJson {
    fn from(dropped: RetentionDrop) -> Self {
        let RetentionDrop { at, passages, from, to, older_than, retention_seconds } = dropped;
        let [at, from, to, older_than] = [at, from, to, older_than].map(|time| time.to_string());
        Self { at, passages, from, to, older_than, retention_seconds }
    }
}

impl From<CheckpointsStatus> for CheckpointsJson {
    fn from(status: CheckpointsStatus) -> Self {
        let CheckpointsStatus { count, source, imported_at, restored, lost } = status;
        Self { count, source, imported_at: imported_at.map(|time| time.to_string()), restored, lost }
    }
}
