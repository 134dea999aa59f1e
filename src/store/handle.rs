//! What threads share: the newest view, the signal of a commit, the checkpoints, and the work on alerts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use shard::ShardCount;
use storage::{Database, Durability, Family, Reference, StorageError};
use tokio::sync::watch;
use traffic::{AlertId, Catalogue, CivilTime};

use super::disk::checkpoints::CheckpointsOrigin;
use super::disk::keys;
use super::disk::records::{Lifetimes, Totals, encode_work, encode_work_changes, work_changes};
use super::error::StoreError;
use super::read::{Reading, View};
use super::state::{CaseChanges, Holds};
use crate::camera_clocks::DetectionStatus;
use crate::cameras::CameraReport;
use crate::case_json::WorkedCase;
use crate::clock::unix_micros;
use crate::reader::{ReadError, Snapshot as _};
use crate::roads::Roads;
use crate::work::{AlertWork, WorkChange, WorkError, WorkedAlert};

/// The tree of the reference data that holds the versions of the flow model.
const MODELS_TREE: &str = "models";

/// What readers share with the writer.
#[derive(Debug)]
pub struct StoreHandle {
    pub(super) reading: Reading,
    pub(super) view: ArcSwap<View>,
    pub(super) commits: watch::Sender<u64>,
    pub(super) catalogue: ArcSwap<Catalogue>,
    pub(super) reference: Mutex<Reference>,
    pub(super) progress: Mutex<Progress>,
    pub(super) queued: AtomicUsize,
    pub(super) holds: Holds,
    pub(super) case_changes: CaseChanges,
    pub(super) checkpoints: Mutex<CheckpointsOrigin>,
    /// What was found missing at this start and accepted.
    pub(super) loss: Mutex<Option<String>>,
}

/// What the writer reports about itself after each commit.
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
    /// The state of detection.
    pub detection: DetectionStatus,
    /// What the traffic says about each camera.
    pub cameras: CameraReport,
    /// How the roads flow.
    pub roads: Arc<Roads>,
    /// How long everything is kept, and what retention dropped last.
    pub lifetimes: Lifetimes,
}

impl StoreHandle {
    /// The newest view.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Wakes at every commit that publishes; the value is the newest alert's `seq`.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// The known checkpoints.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// The database, for its sizes and its failure.
    pub fn database(&self) -> &Database {
        &self.reading.database
    }

    /// How many local shards there are.
    pub fn shards(&self) -> ShardCount {
        self.reading.shards
    }

    /// Batches that wait for the writer.
    pub fn queued_batches(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Records that a batch has begun to wait for the writer, or was taken by it.
    pub fn queue_changed(&self, waits: bool) {
        if waits {
            self.queued.fetch_add(1, Ordering::Relaxed);
        } else {
            self.queued.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Bytes of decoded columns held.
    pub fn column_cache_bytes(&self) -> u64 {
        self.reading.cache.bytes()
    }

    /// The recorded versions of the flow model, by version: the registry.
    ///
    /// # Errors
    /// [`StoreError`] if the reference data cannot be read.
    pub fn models(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.reference.lock().values(MODELS_TREE)?)
    }

    /// Replaces the registry of flow models.
    ///
    /// # Errors
    /// [`StoreError`] if the reference data cannot be written.
    pub fn set_models(&self, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        Ok(self.reference.lock().replace(MODELS_TREE, entries)?)
    }

    /// Where the checkpoints came from.
    pub fn checkpoints_origin(&self) -> CheckpointsOrigin {
        self.checkpoints.lock().clone()
    }

    /// What was found missing at this start and accepted, in words.
    pub fn accepted_loss(&self) -> Option<String> {
        self.loss.lock().clone()
    }

    /// Copies database and reference data, as they are now, into a folder, which must not hold them. Commits go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if the disk refuses.
    pub fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        self.reading.database.copy_to(&folder.join(storage::DATABASE))?;
        Ok(self.reference.lock().copy_to(folder)?)
    }

    /// What the writer reported last.
    pub fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }
}

impl StoreHandle {
    /// Changes the work on the newest alert with this id; when it returns, the change is on the disk.
    ///
    /// # Errors
    /// [`WorkError`]; nothing has changed then.
    pub fn change_work(&self, id: AlertId, change: &WorkChange) -> Result<WorkedAlert, WorkError> {
        let work = &self.reading.work;
        let _alone = work.alone();
        let view: Arc<View> = self.view();
        let failed = |error: ReadError| WorkError::Failed(error.to_string());
        let mut worked = view.alert(id).map_err(failed)?.ok_or(WorkError::NotFound(id))?;
        worked.work.change(change)?;
        let seq = worked.alert.seq;
        self.write_work(&keys::work(seq), &worked.work, None)?;
        work.set(seq, worked.work.status, view.oldest_alert());
        Ok(worked)
    }

    /// Changes the work on the case with this id; when it returns, the change is on the disk.
    ///
    /// # Errors
    /// As [`StoreHandle::change_work`].
    pub fn change_case(&self, id: u64, change: &WorkChange) -> Result<WorkedCase, WorkError> {
        let work = &self.reading.work;
        let _alone = work.alone();
        let failed = |error: ReadError| WorkError::Failed(error.to_string());
        let found = self.view().case(id).map_err(failed)?;
        let mut worked = found.ok_or(WorkError::NoCase(AlertId(id)))?;
        worked.work.change(change)?;
        let (seq, status) = (worked.case.seq, worked.work.status);
        let number = self.case_changes.begin(unix_micros(), 1);
        let number_key = keys::case_work_change(seq);
        let written = self.write_work(&keys::case_work(seq), &worked.work, Some((&number_key, number)));
        if written.is_ok() {
            work.set_case(seq, status, number);
        }
        self.case_changes.settle(number);
        written?;
        worked.case.status = status;
        Ok(worked)
    }

    /// Writes the work on an alert or a case, with the number of the change of a case; only while no other change runs.
    fn write_work(&self, key: &[u8], work: &AlertWork, number: Option<(&[u8], u64)>) -> Result<(), WorkError> {
        let value = encode_work(work).map_err(|error| WorkError::Failed(error.to_string()))?;
        let mut commit = self.reading.database.begin();
        commit.put(Family::Meta, key, &value);
        if let Some((key, number)) = number {
            commit.put(Family::Meta, key, &number.to_be_bytes());
        }
        let changes = work_changes(&self.reading.database).map_err(|error| WorkError::Failed(error.to_string()))?;
        let changes = encode_work_changes(changes + 1);
        commit.put(Family::Meta, keys::WORK_CHANGES_KEY, &changes);
        // The tally knows of it before the caller does: if it is ever lost, the store reports it.
        commit.tally(changes);
        fail::fail_point!("work::before-write");
        self.reading
            .database
            .commit(commit, Durability::Forced)
            .map_err(|error: StorageError| WorkError::Failed(error.to_string()))?;
        fail::fail_point!("work::after-write");
        Ok(())
    }
}
