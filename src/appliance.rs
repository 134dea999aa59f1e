//! The running appliance as readers see it: the store's newest view, and the state of source, pipeline and storage.
//!
//! It joins what the pipeline reports after each commit with what the store knows. It does not know HTTP.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use traffic::{AlertId, Catalogue, CivilTime};

use crate::batch::Batch;
use crate::cameras::CameraReport;
use crate::case_json::WorkedCase;
use crate::kept_proof::{self, KeptProof};
use crate::pipeline::QUEUE_BATCHES;
use crate::reader::{ReadError, Reader, Snapshot};
use crate::roads::Roads;
use crate::status::{
    AnnouncedDrop, CheckpointsStatus, FeedStatus, KafkaStatus, MirrorStatus, PartitionStatus, PipelineStatus, Retained,
    RetentionDrop, SourceState, SourceStatus, Status, StorageStatus,
};
use crate::store::{CheckpointsOrigin, Dropped, Kept, Lifetimes, StoreHandle};
use crate::work::{WorkChange, WorkError, WorkedAlert};

/// The wall time over which the rate is measured.
const RATE_WINDOW: Duration = Duration::from_secs(10);

/// The part that changes while it runs.
#[derive(Debug, Default)]
struct Running {
    source: SourceStatus,
    /// Times of commits, and how many passages were accepted by then.
    rate: VecDeque<(Instant, u64)>,
    failure: Option<String>,
}

/// Reports the state of the consumption of a topic.
pub type KafkaProbe = Box<dyn Fn() -> KafkaStatus + Send + Sync>;

/// Reports the state of the servers that records come from beside HTTP.
pub type FeedsProbe = Box<dyn Fn() -> Vec<FeedStatus> + Send + Sync>;

/// Reports the state of the mirrors.
pub type MirrorsProbe = Box<dyn Fn() -> Vec<MirrorStatus> + Send + Sync>;

/// A running appliance.
pub struct Appliance {
    shared: Arc<StoreHandle>,
    role: String,
    started: Instant,
    running: Mutex<Running>,
    kafka: OnceLock<KafkaProbe>,
    feeds: OnceLock<FeedsProbe>,
    mirrors: OnceLock<MirrorsProbe>,
}

impl Appliance {
    /// An appliance over this store.
    pub fn new(shared: Arc<StoreHandle>, role: &str, kind: &str) -> Self {
        let source = SourceStatus { kind: kind.to_owned(), ..SourceStatus::default() };
        Self {
            shared,
            role: role.to_owned(),
            started: Instant::now(),
            running: Mutex::new(Running { source, ..Running::default() }),
            kafka: OnceLock::new(),
            feeds: OnceLock::new(),
            mirrors: OnceLock::new(),
        }
    }

    /// The source is a Kafka topic, on which `probe` reports.
    pub fn follow_kafka(&self, probe: KafkaProbe) {
        let _ = self.kafka.set(probe);
    }

    /// Records come from servers that this process connects to, on which `probe` reports.
    pub fn follow_feeds(&self, probe: FeedsProbe) {
        let _ = self.feeds.set(probe);
    }

    /// There are mirrors, on which `probe` reports.
    pub fn follow_mirrors(&self, probe: MirrorsProbe) {
        let _ = self.mirrors.set(probe);
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock()
    }

    /// The source has begun.
    pub fn source_started(&self, description: String) {
        let mut running = self.running();
        running.source.state = SourceState::Running;
        running.source.description = description;
    }

    /// A batch was committed; `accepted` is the number of passages accepted so far.
    pub fn committed(&self, batch: &Batch, accepted: u64) {
        let now = Instant::now();
        let mut running = self.running();
        running.source.position.clone_from(&batch.place);
        running.rate.push_back((now, accepted));
        // One sample from before the window stays as its beginning.
        while running.rate.get(1).is_some_and(|(at, _)| now - *at > RATE_WINDOW) {
            running.rate.pop_front();
        }
    }

    /// The source has ended where it should have gone on; `sentence` says so and what to do.
    pub fn input_ended(&self, sentence: String) {
        let mut running = self.running();
        running.source.state = SourceState::Ended;
        running.failure = Some(sentence);
    }

    /// Something that is stored cannot be read: it is served without it, and not ready.
    pub fn damaged(&self, what: String) {
        self.running().failure.get_or_insert(what);
    }

    /// The source has ended, with an error or not.
    pub fn source_ended(&self, failure: Option<String>) {
        let mut running = self.running();
        running.source.state = if failure.is_some() { SourceState::Failed } else { SourceState::Finished };
        running.failure = failure.or_else(|| running.failure.take());
    }
}

impl Reader for Appliance {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.shared.view()
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.shared.commits()
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        self.shared.catalogue()
    }

    fn status(&self) -> Status {
        let progress = self.shared.progress();
        let totals = progress.totals;
        let usage = self.shared.database().usage();
        let view = self.shared.view();
        let running = self.running();
        let last_commit = running.rate.back().map_or(self.started, |(at, _)| *at);
        let rate = match (running.rate.front(), running.rate.back()) {
            (Some((first_at, first)), Some((_, last))) if last_commit.elapsed() < RATE_WINDOW => {
                (last - first) as f64 / first_at.elapsed().as_secs_f64().max(1e-3)
            }
            _ => 0.0,
        };
        let partitions = progress.partitions.iter().map(|(&partition, &(watermark, plates))| PartitionStatus {
            partition,
            watermark,
            plates,
        });
        let mut source = SourceStatus {
            partitions: partitions.collect(),
            kafka: self.kafka.get().map(|probe| probe()),
            feeds: self.feeds.get().map(|probe| probe()).unwrap_or_default(),
            ..running.source.clone()
        };
        let failure = failure_of(&running, &self.shared)
            .or_else(|| source.kafka.as_ref()?.stopped.as_ref().map(|stopped| stopped.text.clone()));
        if source.state == SourceState::Running
            && source.kafka.as_ref().is_some_and(|kafka| kafka.away_since_unix.is_some())
        {
            source.state = SourceState::Away;
        }
        Status {
            version: env!("CARGO_PKG_VERSION"),
            role: self.role.clone(),
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            source,
            pipeline: PipelineStatus {
                lines: totals.lines,
                headers: totals.headers,
                blank: totals.blank,
                rejected: totals.rejected_by_reason(),
                duplicates: totals.duplicates,
                accepted: totals.accepted,
                late: totals.late,
                alerts: totals.alerts,
                by_shard: totals.by_shard.as_slice().to_vec(),
                commits: progress.commits,
                records_per_second: rate,
                last_commit_seconds: progress.last_commit_seconds,
                queue: (self.shared.queued_batches(), QUEUE_BATCHES),
                seconds_since_commit: last_commit.elapsed().as_secs_f64(),
            },
            detection: Some(progress.detection),
            storage: StorageStatus {
                path: self.shared.database().path().display().to_string(),
                disk_bytes: usage.disk,
                memory_bytes: usage.memory,
                column_cache_bytes: self.shared.column_cache_bytes(),
                alert_index_bytes: view.alert_index_bytes() as u64,
                passages: view.totals().passages,
                segments: progress.segments,
                retention_seconds: progress.lifetimes.of(Kept::Passages).seconds,
                retention_announced: announced(&progress.lifetimes),
                dropped_passages: progress.lifetimes.dropped_rows.values().sum(),
                last_drop: progress.lifetimes.last_drop.map(drop_status),
                checkpoints: checkpoints_status(&self.shared),
                accepted_loss: self.shared.accepted_loss(),
                oldest: view.oldest(),
                rejects: totals.rejects.saturating_sub(totals.oldest_reject.saturating_sub(1)),
            },
            backends: Vec::new(),
            mirrors: self.mirrors.get().map(|probe| probe()).unwrap_or_default(),
            failure,
        }
    }

    fn change_work(&self, id: AlertId, change: &WorkChange) -> Result<WorkedAlert, WorkError> {
        self.shared.change_work(id, change)
    }

    fn cameras(&self) -> Result<CameraReport, ReadError> {
        Ok(self.shared.progress().cameras)
    }

    fn proof(&self) -> Result<Option<KeptProof>, ReadError> {
        let read = kept_proof::read(self.shared.database().path());
        read.map_err(|error| ReadError::Storage(format!("{}: {error}", kept_proof::FILE)))
    }

    fn roads(&self) -> Result<Arc<Roads>, ReadError> {
        Ok(self.shared.progress().roads)
    }

    fn change_case(&self, id: u64, change: &WorkChange) -> Result<WorkedCase, WorkError> {
        self.shared.change_case(id, change)
    }

    fn failure(&self) -> Option<String> {
        let stopped = || self.kafka.get().and_then(|probe| probe().stopped).map(|stopped| stopped.text);
        failure_of(&self.running(), &self.shared).or_else(stopped)
    }
}

fn failure_of(running: &Running, shared: &StoreHandle) -> Option<String> {
    running.failure.clone().or_else(|| shared.database().failure().map(str::to_owned))
}

fn announced(lifetimes: &Lifetimes) -> Vec<AnnouncedDrop> {
    let announced = Kept::ALL.into_iter().filter_map(|kept| Some((kept, lifetimes.of(kept).announced.as_ref()?)));
    let announced = announced.map(|(kept, announced)| AnnouncedDrop {
        what: match kept {
            Kept::Passages => Retained::Passages,
            Kept::Alerts => Retained::Alerts,
            Kept::Rejects => Retained::Rejects,
        },
        retention_seconds: announced.seconds,
        count: announced.count,
        from: CivilTime(announced.from),
        to: CivilTime(announced.to),
        not_before: CivilTime(announced.acts_at),
    });
    announced.collect()
}

fn drop_status(dropped: Dropped) -> RetentionDrop {
    RetentionDrop {
        at: CivilTime(dropped.at),
        passages: dropped.rows,
        from: CivilTime(dropped.from),
        to: CivilTime(dropped.to),
        older_than: CivilTime(dropped.older_than),
        retention_seconds: dropped.seconds,
    }
}

fn checkpoints_status(shared: &StoreHandle) -> CheckpointsStatus {
    let CheckpointsOrigin { source, imported_at, restored, lost } = shared.checkpoints_origin();
    let imported_at = imported_at.map(CivilTime);
    CheckpointsStatus { count: shared.catalogue().len() as u64, source, imported_at, restored, lost }
}
