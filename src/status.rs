//! The state of the appliance: what the pipeline, its source and the storage report for `/api/status`, `/metrics` and
//! `/readyz`. It does not know how that is shown, and holds no secret.

use std::collections::BTreeMap;

use traffic::CivilTime;

use crate::camera_clocks::DetectionStatus;
use crate::named::named;

/// The state of the whole appliance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// Version of the program.
    pub version: &'static str,
    /// Role (`all`).
    pub role: String,
    /// Seconds since the process started.
    pub uptime_seconds: f64,
    /// The source and the position in it.
    pub source: SourceStatus,
    /// What the pipeline has done.
    pub pipeline: PipelineStatus,
    /// The state of detection; none where nothing is detected here.
    pub detection: Option<DetectionStatus>,
    /// What is on disk and in memory.
    pub storage: StorageStatus,
    /// The servers that the role `api` reads from.
    pub backends: Vec<BackendStatus>,
    /// The mirrors; none where none is configured.
    pub mirrors: Vec<MirrorStatus>,
    /// Why the appliance takes no more input, if it does not; it then is not ready.
    pub failure: Option<String>,
}

named! {
    /// How a server is that answers are read from.
    #[derive(Default)]
    pub enum BackendState {
        /// It has not been asked yet.
        #[default]
        Starting = "starting",
        /// It answers.
        Up = "up",
        /// It, or an instance behind it, does not answer.
        Away = "away",
        /// It answers, and something must be changed there first.
        Blocked = "blocked",
    }
}

/// A server that the role `api` reads from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BackendStatus {
    /// `MyCat`, `MySQL` or `Redis`.
    pub name: String,
    /// Its address, without credentials.
    pub address: String,
    /// How it is.
    pub state: BackendState,
    /// Whether it answered the last time.
    pub connected: bool,
    /// Since when it is away or blocked, in seconds since 1970 UTC.
    pub away_since_unix: Option<i64>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

named! {
    /// What a source does.
    #[derive(Default)]
    pub enum SourceState {
        /// It has not begun yet.
        #[default]
        Starting = "starting",
        /// It delivers.
        Running = "running",
        /// No broker can be reached.
        Away = "away",
        /// All files were read.
        Finished = "finished",
        /// A stream that should have gone on, such as standard input, has ended.
        Ended = "ended",
        /// It cannot go on.
        Failed = "failed",
    }
}

/// The source of records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceStatus {
    /// `kafka`, `capture`, `simulator` or `none`.
    pub kind: String,
    /// What it does.
    pub state: SourceState,
    /// What is read, in words.
    pub description: String,
    /// Position after the last commit, in words of the source.
    pub position: String,
    /// Partitions.
    pub partitions: Vec<PartitionStatus>,
    /// Consumption of a Kafka topic.
    pub kafka: Option<KafkaStatus>,
    /// Servers that this process connects to for records that are handed over like those of HTTP.
    pub feeds: Vec<FeedStatus>,
}

/// A server that this process connects to, and that sends records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedStatus {
    /// `MQTT` or `GA/T 1400`.
    pub name: String,
    /// Its address, without credentials.
    pub address: String,
    /// Whether it is connected, and lets us have what is asked for.
    pub connected: bool,
    /// Since when it is not, in seconds since 1970 UTC.
    pub away_since_unix: Option<i64>,
    /// What went wrong last, and what to do.
    pub last_error: Option<String>,
}

/// One partition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartitionStatus {
    /// Number.
    pub partition: u32,
    /// The newest GCSJ that three checkpoints have reached.
    pub watermark: Option<CivilTime>,
    /// Plates that hold state.
    pub plates: u64,
}

/// Consumption of a Kafka topic.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KafkaStatus {
    /// Topic.
    pub topic: String,
    /// Consumer group.
    pub group: String,
    /// Brokers to begin with.
    pub brokers: String,
    /// Whether any broker can be reached.
    pub connected: bool,
    /// Since when none can be, in seconds since 1970 UTC.
    pub away_since_unix: Option<i64>,
    /// The client's last error since it could reach a broker.
    pub last_error: Option<String>,
    /// Partitions whose records cannot be read.
    pub stopped: Option<KafkaStopped>,
    /// How often the group reassigned its partitions.
    pub rebalances: u64,
    /// What to change in the topic, if something is wrong with it.
    pub advice: Option<String>,
    /// Partitions about which anything is known here.
    pub partitions: Vec<KafkaPartition>,
}

impl KafkaStatus {
    /// Records of the topic that are not stored yet, over the partitions consumed here; none while any is unknown.
    pub fn lag(&self) -> Option<i64> {
        let mut assigned = self.partitions.iter().filter(|partition| partition.assigned).peekable();
        assigned.peek()?;
        assigned.map(|partition| partition.lag).sum()
    }
}

named! {
    /// Why records of a topic cannot be read.
    pub enum StopReason {
        /// They are compressed with a codec that this program cannot read.
        Codec = "codec",
        /// They are damaged.
        Damaged = "damaged",
        /// One is larger than the limit.
        TooLarge = "too_large",
        /// This user may not read the topic.
        Rights = "rights",
        /// The broker returns none.
        Fetch = "fetch",
    }
}

/// Partitions with records that cannot be read; the records after them wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaStopped {
    /// Why.
    pub reason: StopReason,
    /// The partitions.
    pub partitions: Vec<u32>,
    /// What is in the way, and what to do.
    pub text: String,
}

/// Consumption of one partition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KafkaPartition {
    /// Number.
    pub partition: u32,
    /// Whether this process consumes it now.
    pub assigned: bool,
    /// Offset of the first record that is not stored yet.
    pub position: Option<i64>,
    /// Offset after the broker's newest record, as last reported.
    pub end: Option<i64>,
    /// Records between the two.
    pub lag: Option<i64>,
    /// Of these, offsets of transactions that are neither committed nor aborted yet.
    pub in_transaction: i64,
    /// Gaps so far.
    pub gaps: u64,
    /// Offsets that were deleted before they could be read.
    pub missing: u64,
    /// Messages without a value.
    pub nulls: u64,
    /// Records still to be read back before the partition, taken over from another process, continues.
    pub to_read_back: i64,
    /// The newest gaps, oldest first.
    pub recent_gaps: Vec<KafkaGap>,
}

named! {
    /// Why a broker no longer has records.
    pub enum MissingCause {
        /// They were deleted before they were read.
        Deleted = "deleted",
        /// The partition ended before the position; they had been read.
        Truncated = "truncated",
    }
}

/// Offsets that the broker no longer had when they were to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaGap {
    /// The first offset of it.
    pub first: i64,
    /// The last offset of it.
    pub last: i64,
    /// When it was found, in seconds since 1970 UTC.
    pub found_unix: i64,
    /// Why they are missing.
    pub cause: MissingCause,
}

/// Counts since the data directory was made; rates of this process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PipelineStatus {
    /// Lines read.
    pub lines: u64,
    /// Header lines.
    pub headers: u64,
    /// Blank lines.
    pub blank: u64,
    /// Rejected lines by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Duplicates.
    pub duplicates: u64,
    /// Accepted passages.
    pub accepted: u64,
    /// Late passages among them.
    pub late: u64,
    /// Alerts.
    pub alerts: u64,
    /// Accepted passages per shard.
    pub by_shard: Vec<u64>,
    /// Commits of this process.
    pub commits: u64,
    /// Passages accepted per second of wall time, over the last ten seconds.
    pub records_per_second: f64,
    /// Seconds the last commit took.
    pub last_commit_seconds: f64,
    /// Batches that wait between parser and writer, and the most that may wait.
    pub queue: (usize, usize),
    /// Seconds of wall time since the last commit.
    pub seconds_since_commit: f64,
}

named! {
    /// What a mirror does.
    #[derive(Default)]
    pub enum MirrorState {
        /// It has not reached its target yet.
        #[default]
        Starting = "starting",
        /// Its target has everything that was committed.
        Level = "level",
        /// Its target takes what it lacks.
        Sending = "sending",
        /// Its target cannot be reached, or takes nothing.
        Away = "away",
        /// Something must be changed at the target first; the last error says what.
        Blocked = "blocked",
    }
}

/// One mirror: a shard in MySQL, or the alerts in Redis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MirrorStatus {
    /// `mysql/0`, `mysql/1`, `mysql/alerts`, `mysql/cases`, `redis` or `redis/cases`.
    pub name: String,
    /// The target's address, without credentials.
    pub target: String,
    /// What it does.
    pub state: MirrorState,
    /// Rows (alerts) of the log that the target has acknowledged.
    pub cursor: u64,
    /// Rows (alerts) that were committed.
    pub end: u64,
    /// Seconds of event time between the newest that was committed and the newest that the target has.
    pub lag_seconds: i64,
    /// Rows sent and acknowledged by this process.
    pub sent: u64,
    /// Calls that failed, of this process.
    pub failures: u64,
    /// Rows that the target refused, ever.
    pub refused: u64,
    /// The newest of them: GCXH and the target's message.
    pub recently_refused: Vec<(String, String)>,
    /// Rows that retention dropped before the target took them, ever.
    pub lost: u64,
    /// How often the target had lost rows and was filled again, ever.
    pub refilled: u64,
    /// Warnings of MySQL: values that it changed because it is not in strict mode; of this process.
    pub warnings: u64,
    /// What went wrong last, and when, in seconds since 1970 UTC.
    pub last_error: Option<(String, i64)>,
    /// Since when the target is away or blocked, in seconds since 1970 UTC; none while it takes rows.
    pub away_since_unix: Option<i64>,
}

impl MirrorStatus {
    /// Rows (alerts) that the target lacks.
    pub fn lag_rows(&self) -> u64 {
        self.end.saturating_sub(self.cursor)
    }
}

named! {
    /// What has a retention of its own.
    pub enum Retained {
        /// Passages.
        Passages = "passages",
        /// Alerts, and the work on them.
        Alerts = "alerts",
        /// Rejected lines.
        Rejects = "rejects",
    }
}

/// What a shorter retention is going to drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedDrop {
    /// What it drops.
    pub what: Retained,
    /// The retention, in seconds.
    pub retention_seconds: i64,
    /// How many are going to be dropped.
    pub count: u64,
    /// Event time of the oldest of them.
    pub from: CivilTime,
    /// Event time of the newest of them.
    pub to: CivilTime,
    /// The clock's time from which on they are dropped.
    pub not_before: CivilTime,
}

/// A run of retention that dropped passages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionDrop {
    /// The clock's time.
    pub at: CivilTime,
    /// How many.
    pub passages: u64,
    /// Event time of the oldest of them.
    pub from: CivilTime,
    /// Event time of the newest of them.
    pub to: CivilTime,
    /// They were older than this.
    pub older_than: CivilTime,
    /// The retention, in seconds.
    pub retention_seconds: i64,
}

/// The checkpoints that are known, and where they came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointsStatus {
    /// How many.
    pub count: u64,
    /// The file that they were imported from, or a description; none for the built-in ones.
    pub source: Option<String>,
    /// The clock's time of the import.
    pub imported_at: Option<CivilTime>,
    /// The reference data had lost them at this start, and they were restored from their copy.
    pub restored: bool,
    /// The reference data was damaged at this start and there was no copy.
    pub lost: bool,
}

/// The storage.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StorageStatus {
    /// Data directory.
    pub path: String,
    /// Bytes of all files on disk.
    pub disk_bytes: u64,
    /// Bytes of memtables and block cache.
    pub memory_bytes: u64,
    /// Bytes of decoded columns held for queries.
    pub column_cache_bytes: u64,
    /// Bytes of the alerts in memory.
    pub alert_index_bytes: u64,
    /// Passages retained.
    pub passages: u64,
    /// Segments, sealed and tail, per shard.
    pub segments: Vec<u64>,
    /// Seconds of event time that passages are kept, as the data directory remembers; none = forever.
    pub retention_seconds: Option<i64>,
    /// What a shorter retention is going to drop.
    pub retention_announced: Vec<AnnouncedDrop>,
    /// Passages that retention dropped, ever.
    pub dropped_passages: u64,
    /// The last run of retention that dropped passages.
    pub last_drop: Option<RetentionDrop>,
    /// The checkpoints that are known.
    pub checkpoints: CheckpointsStatus,
    /// What was found missing at this start and accepted, in words.
    pub accepted_loss: Option<String>,
    /// Oldest GCSJ retained.
    pub oldest: Option<CivilTime>,
    /// Rejects kept.
    pub rejects: u64,
}
