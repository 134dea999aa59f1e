//! Work on alerts, as it is kept: one value per alert that somebody has touched, under `work/` in `meta`, written at once
//! and forced to the disk. It is the one write that does not come from the writer's thread.
//!
//! It may: the writer never writes these keys but to remove those of alerts that it drops, and RocksDB puts the writes of
//! two threads one behind the other. Changes of work wait for one another, never the writer for them. If an alert is
//! dropped while its work changes, a value may be left without an alert; the next opening removes it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use storage::{Commit, Database, Family, StorageError, codec};
use traffic::CivilTime;

use super::{Shared, StoreError, View, keys};
use crate::reader::{ReadError, Snapshot as _};
use crate::work::{AlertWork, WorkChange, WorkEntry, WorkError, WorkStatus, WorkedAlert};

/// Alerts of a page of [`WorkStates`].
const PAGE: u64 = 4096;

/// How far the work on each alert is: a byte for each alert of a page on which somebody has touched one.
#[derive(Debug, Clone, Default)]
pub(super) struct WorkStates(BTreeMap<u64, Arc<Vec<u8>>>);

impl WorkStates {
    /// The state of an alert that was touched.
    pub(super) fn of(&self, seq: u64) -> Option<WorkStatus> {
        let byte = *self.0.get(&(seq / PAGE))?.get((seq % PAGE) as usize)?;
        WorkStatus::ALL.get(usize::from(byte).checked_sub(1)?).copied()
    }

    fn set(&mut self, seq: u64, status: WorkStatus) {
        let page = self.0.entry(seq / PAGE).or_insert_with(|| Arc::new(vec![0; PAGE as usize]));
        if let Some(byte) = Arc::make_mut(page).get_mut((seq % PAGE) as usize) {
            *byte = status as u8 + 1;
        }
    }

    /// Forgets pages of which every alert is older than `oldest`.
    fn forget_below(&mut self, oldest: u64) {
        self.0 = self.0.split_off(&(oldest / PAGE));
    }

    /// Alerts of a range that were touched.
    fn touched(&self, range: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        let pages = self.0.range(range.start / PAGE..=range.end / PAGE);
        let touched = pages.flat_map(|(page, bytes)| {
            let bytes = bytes.iter().enumerate().filter(|(_, byte)| **byte > 0);
            bytes.map(move |(at, _)| page * PAGE + at as u64)
        });
        touched.filter(move |seq| range.contains(seq))
    }
}

/// The work of all alerts, shared between readers and whoever changes it.
#[derive(Debug, Default)]
pub(super) struct Work {
    states: ArcSwap<WorkStates>,
    /// Held by the one who changes.
    changing: Mutex<()>,
}

/// An [`AlertWork`] as it is stored: state, version, then when, who, from, to and why of each change.
pub(super) type StoredWork = (WorkStatus, u64, Vec<(i64, String, WorkStatus, WorkStatus, String)>);

pub(super) fn encode(work: &AlertWork) -> Result<Vec<u8>, codec::CodecError> {
    let entry = |entry: &WorkEntry| (entry.at.0, entry.by.clone(), entry.from, entry.to, entry.note.clone());
    let stored: StoredWork = (work.status, work.version, work.history.iter().map(entry).collect());
    codec::encode(keys::WORK, &stored)
}

pub(super) fn decode(bytes: &[u8]) -> Result<AlertWork, codec::CodecError> {
    let (status, version, history) = codec::decode::<StoredWork>(keys::WORK, bytes)?;
    let entry = |(at, by, from, to, note)| WorkEntry { at: CivilTime(at), by, from, to, note };
    Ok(AlertWork { status, version, history: history.into_iter().map(entry).collect() })
}

/// The work on an alert; that of one nobody has touched is the default.
pub(super) fn load(database: &Database, seq: u64) -> Result<AlertWork, StoreError> {
    match database.get(Family::Meta, &keys::work(seq))? {
        Some(bytes) => decode(&bytes).map_err(|error| database.damaged("the work on an alert", &error).into()),
        None => Ok(AlertWork::default()),
    }
}

impl Work {
    /// Reads the states of all work, and removes what belongs to alerts that are no longer kept.
    pub(super) fn open(database: &Database, oldest_alert: u64) -> Result<Self, StoreError> {
        let mut states = WorkStates::default();
        let (mut strays, mut any) = (database.begin(), false);
        for item in database.scan(Family::Meta, keys::WORK_PREFIX) {
            let (key, value) = item?;
            if !key.starts_with(keys::WORK_PREFIX) {
                break;
            }
            let damaged = |detail: &dyn std::fmt::Display| database.damaged("the work on an alert", detail);
            let seq = keys::last_u64(&key).ok_or_else(|| damaged(&"unknown key"))?;
            if seq < oldest_alert {
                strays.delete(Family::Meta, &key);
                any = true;
                continue;
            }
            states.set(seq, decode(&value).map_err(|error| damaged(&error))?.status);
        }
        if any {
            database.commit(strays)?;
        }
        Ok(Self { states: ArcSwap::from_pointee(states), changing: Mutex::default() })
    }

    /// The states of now.
    pub(super) fn states(&self) -> Arc<WorkStates> {
        self.states.load_full()
    }

    /// Removes the work on alerts that a commit drops.
    pub(super) fn drop_range(&self, alerts: Range<u64>, commit: &mut Commit<'_>) {
        for seq in self.states.load().touched(alerts) {
            commit.delete(Family::Meta, &keys::work(seq));
        }
    }
}

impl Shared {
    /// Changes the work on the newest alert with this id; when it returns, the change is on the disk.
    ///
    /// # Errors
    /// [`WorkError`]; nothing has changed then.
    pub fn change_work(&self, id: &str, change: &WorkChange) -> Result<WorkedAlert, WorkError> {
        let work = &self.work;
        // A panic while it was held has changed nothing or everything.
        let _alone = work.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let view: Arc<View> = self.view();
        let failed = |error: ReadError| WorkError::Failed(error.to_string());
        let mut worked = view.alert(id).map_err(failed)?.ok_or_else(|| WorkError::NotFound(id.to_owned()))?;
        worked.work.change(change)?;
        let seq = worked.alert.seq;
        let value = encode(&worked.work).map_err(|error| WorkError::Failed(error.to_string()))?;
        let mut commit = self.database.begin();
        commit.put(Family::Meta, &keys::work(seq), &value);
        let changes =
            super::loss::work_changes(&self.database).map_err(|error| WorkError::Failed(error.to_string()))?;
        let changes = super::loss::encode_work(changes + 1);
        commit.put(Family::Meta, keys::WORK_CHANGES_KEY, &changes);
        // The tally knows of it before the caller does: if it is ever lost, the store says so.
        commit.tally(changes);
        self.database.commit_synced(commit).map_err(|error: StorageError| WorkError::Failed(error.to_string()))?;
        let mut states = WorkStates::clone(&work.states.load());
        states.set(seq, worked.work.status);
        states.forget_below(view.oldest_alert());
        work.states.store(Arc::new(states));
        Ok(worked)
    }
}
