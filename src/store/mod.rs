//! From domain to durable bytes and back: one writer that commits, and immutable views that readers ask.
//!
//! **Commit.** One [`Store::commit`] turns a batch and what the detector said of it into one RocksDB write over all
//! families: segment blocks of both shards, zone maps, rollups, alerts, rejects, new names, totals, watermarks and the
//! source's position; now and then the plate states that changed. Either all of it happened or none of it, so a process
//! killed anywhere finds the source's position and its own state in step.
//!
//! **Plate states** are saved when enough rows have come since the last time, not with every commit: the log holds the
//! passages between, and [`Store::open`] lets the detectors take those again, without output. The duplicate guard is
//! rebuilt from the log alone.
//!
//! This module does not know where batches come from or who reads the views.

mod alerts;
mod cache;
mod checkpoints;
mod cursor;
mod detection;
mod expire;
mod facts;
mod find;
mod frozen;
mod keys;
mod lifetimes;
mod log;
mod loss;
mod outlet;
mod query;
mod rebuild;
mod recover;
mod rejects;
mod rollup;
mod rows;
mod select;
mod stored_alert;
#[cfg(test)]
mod tests;
mod totals;
mod verify;
mod view;
mod work;
mod write;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use storage::{Database, Reference, StorageError};
use tokio::sync::watch;
use traffic::{Catalogue, CivilTime, Detector, DetectorSettings, NameTable};

use crate::clocks::DetectionStatus;
use alerts::AlertIndex;
use cache::ColumnCache;
pub use checkpoints::CheckpointsOrigin;
pub use frozen::Frozen;
pub use lifetimes::{Announcement, Dropped, Keep, Kept, Lifetime, Lifetimes};
use log::Log;
pub use outlet::{LogBlock, MirrorCursor, RefusedRow, Sample};
pub use rejects::StoredReject;
use rollup::{HourCounter, Rollups};
use totals::PartitionState;
pub use totals::Totals;
pub use view::View;

/// What the store cannot do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A segment could not be made or read.
    #[error("a segment of the log: {0}")]
    Segment(#[from] shard::SegmentError),
    /// A value could not be made or read.
    #[error("a stored value: {0}")]
    Codec(#[from] storage::codec::CodecError),
    /// An earlier commit failed.
    #[error("an earlier commit failed, so no more is taken: restart, and it continues behind the last good commit")]
    Broken,
}

/// What time it is on the road.
pub type Clock = Arc<dyn Fn() -> CivilTime + Send + std::marker::Sync>;

/// How the store works.
#[derive(Clone)]
pub struct StoreSettings {
    /// Memory for the database and for decoded columns together, in bytes.
    pub memory: usize,
    /// Whether each commit is forced to the disk.
    pub sync: bool,
    /// Whether background compaction runs.
    pub compaction: bool,
    /// Whether a store that has lost what was committed is opened with what is left.
    pub accept_loss: bool,
    /// Whether it drops what is too old and remembers how long it keeps; otherwise both stay as they are.
    pub expires: bool,
    /// How long passages are kept.
    pub retention: Keep,
    /// How long alerts are kept.
    pub alerts_retention: Keep,
    /// How long rejects are kept.
    pub rejects_retention: Keep,
    /// Seconds of the clock between the announcement of a shorter retention and its first drop.
    pub retention_grace: i64,
    /// Bytes that rejects may take; none = any.
    pub rejects_size: Option<u64>,
    /// Bytes of expired segments that may wait for mirrors.
    pub mirror_hold: u64,
    /// Whether there are readers, so that every commit publishes a view.
    pub publish: bool,
    /// Bytes of memory in which alerts are found; those that do not fit, the oldest, are read from the disk.
    pub alert_index: usize,
    /// The rule.
    pub detector: DetectorSettings,
    /// The clock, which retention never runs ahead of.
    pub clock: Clock,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            sync: true,
            compaction: true,
            accept_loss: false,
            expires: true,
            retention: Keep::by_default(),
            alerts_retention: Keep::by_default(),
            rejects_retention: Keep::by_default(),
            retention_grace: 0,
            rejects_size: None,
            mirror_hold: u64::MAX,
            publish: true,
            alert_index: 64 << 20,
            detector: DetectorSettings::default(),
            clock: Arc::new(|| CivilTime(i64::MAX)),
        }
    }
}

/// What readers share with the writer.
#[derive(Debug)]
pub struct Shared {
    database: Arc<Database>,
    cache: Arc<ColumnCache>,
    work: Arc<work::Work>,
    view: ArcSwap<View>,
    commits: watch::Sender<u64>,
    catalogue: ArcSwap<Catalogue>,
    reference: Mutex<Reference>,
    progress: Mutex<Progress>,
    queued: std::sync::atomic::AtomicUsize,
    holds: outlet::Holds,
    checkpoints: Mutex<CheckpointsOrigin>,
    /// What was found missing at this start and accepted.
    loss: Mutex<Option<String>>,
}

/// What the writer tells about itself after each commit.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Totals.
    pub totals: Totals,
    /// Commits of this process.
    pub commits: u64,
    /// Seconds the last commit took.
    pub last_commit_seconds: f64,
    /// Segments per shard.
    pub segments: Vec<u64>,
    /// Watermark and plates with state, by partition.
    pub partitions: BTreeMap<u32, (Option<CivilTime>, u64)>,
    /// How detection is.
    pub detection: DetectionStatus,
    /// How long everything is kept, and what retention dropped last.
    pub lifetimes: Lifetimes,
}

impl Shared {
    /// The newest view.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Wakes at every commit that publishes; the value is the newest alert's `seq`.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// The checkpoints that are known.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// The database, for its sizes and its failure.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Batches that wait for the writer.
    pub fn queued_batches(&self) -> usize {
        self.queued.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Notes that a batch has come to wait for the writer, or is taken by it.
    pub fn queue_changed(&self, waits: bool) {
        use std::sync::atomic::Ordering::Relaxed;
        if waits {
            self.queued.fetch_add(1, Relaxed);
        } else {
            self.queued.fetch_sub(1, Relaxed);
        }
    }

    /// Bytes of decoded columns held.
    pub fn column_cache_bytes(&self) -> u64 {
        self.cache.bytes()
    }

    /// The versions of the flow model that were noted, by version: the registry.
    ///
    /// # Errors
    /// [`StoreError`] if the reference data cannot be read.
    pub fn models(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.reference.lock().unwrap_or_else(PoisonError::into_inner).values(MODELS_TREE)?)
    }

    /// Replaces the registry of flow models.
    ///
    /// # Errors
    /// [`StoreError`] if the reference data cannot be written.
    pub fn set_models(&self, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        Ok(self.reference.lock().unwrap_or_else(PoisonError::into_inner).replace(MODELS_TREE, entries)?)
    }

    /// Where the checkpoints came from.
    pub fn checkpoints_origin(&self) -> CheckpointsOrigin {
        self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was found missing at this start and accepted, in words.
    pub fn accepted_loss(&self) -> Option<String> {
        self.loss.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the writer told last.
    pub fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The one writer of a data directory.
pub struct Store {
    shared: Arc<Shared>,
    settings: StoreSettings,
    totals: Totals,
    names: NameTable,
    facts: facts::NameFacts,
    logs: [Log; 2],
    rollups: Rollups,
    alerts: AlertIndex,
    counter: HourCounter,
    partitions: BTreeMap<u32, Partition>,
    rows_since_save: u64,
    saved_at: std::time::Instant,
    saving: write::Saving,
    recent: facts::RecentMinute,
    detection: detection::Detection,
    lifetimes: Lifetimes,
    /// The run of retention that is under way.
    dropping: Option<Dropped>,
    /// Bytes of the rejects that are kept.
    rejects_bytes: u64,
    /// It was said that rejects are dropped for their size.
    rejects_crowded: bool,
    /// A commit has begun and has not ended well.
    broken: bool,
}

/// A partition's detector and its place in event time.
#[derive(Debug)]
struct Partition {
    detector: Detector,
    state: PartitionState,
    /// Its stored state is of a layout that says too little; only while the store is opened.
    is_old: bool,
}

impl Partition {
    /// A partition without state; passages with an arrival number from `saved_arrival` on are to go through it.
    fn new(settings: DetectorSettings, saved_arrival: u64) -> Self {
        let state = PartitionState { saved_arrival, ..PartitionState::default() };
        Self { detector: Detector::new(settings), state, is_old: false }
    }

    /// Whether a passage with this arrival number and time must be taken again when the store is opened: for plate states
    /// that were saved before it, or for the duplicate guard.
    fn needs(&self, arrival: u64, time: i64, state_ttl: i64) -> bool {
        arrival >= self.state.saved_arrival || (!self.is_old && time >= self.state.guarded_from(state_ttl))
    }
}

const CATALOGUE_TREE: &str = "checkpoints";
const MODELS_TREE: &str = "models";

impl Store {
    /// Opens or creates the data directory at `path` and brings its detectors to where they were.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be used or holds damage.
    pub fn open(path: &Path, settings: StoreSettings) -> Result<Self, StoreError> {
        recover::open(path, settings)
    }

    /// What readers need.
    pub fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Totals after the last commit.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Names by number, to start a parser with.
    pub fn names(&self) -> &NameTable {
        &self.names
    }

    /// Passages per KKMC, busiest first, ties by name.
    pub fn checkpoint_counts(&self) -> Vec<(Arc<str>, u64)> {
        view::named(&self.names, traffic::Dimension::Checkpoint, &self.rollups.all.checkpoints)
    }

    /// The position that `source` committed last.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn position(&self, source: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.shared.database.get(storage::Family::Meta, &keys::position(source))?.map(|value| value.to_vec()))
    }

    /// Names that begin with `prefix` and the positions that were committed under them.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn positions(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let start = keys::position(prefix);
        let mut found = Vec::new();
        for item in self.shared.database.scan(storage::Family::Meta, &start) {
            let (key, value) = item?;
            let Some(rest) = key.strip_prefix(&*start) else { break };
            found.push((format!("{prefix}{}", String::from_utf8_lossy(rest)), value.to_vec()));
        }
        Ok(found)
    }

    /// Replaces the checkpoints that are known, here, in the reference data and in its copy. `source` says where they come
    /// from.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be written.
    pub fn set_catalogue(&mut self, catalogue: Catalogue, source: &str) -> Result<(), StoreError> {
        let copy = checkpoints::Copy::of(&catalogue, source, self.clock());
        let database = &self.shared.database;
        let known = checkpoints::load_copy(database)?;
        if !known.is_some_and(|known| known.holds_same(&copy)) {
            // The copy first: whatever happens to the reference data, it can be restored.
            let mut commit = database.begin();
            copy.write(&mut commit)?;
            database.commit(commit)?;
            copy.store(&self.shared.reference.lock().unwrap_or_else(PoisonError::into_inner))?;
        }
        *self.shared.checkpoints.lock().unwrap_or_else(PoisonError::into_inner) = copy.origin();
        self.facts.set_catalogue(&catalogue, &self.names);
        self.shared.catalogue.store(Arc::new(catalogue));
        Ok(())
    }
}
