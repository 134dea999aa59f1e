//! Work on alerts and cases, as it is stored: one value for each whose work was changed, under `work/` and `case-work/` in `meta`, written at
//! once and forced to the disk. It is the one write that does not come from the writer's thread.
//!
//! This is safe: the writer touches these keys only to remove those of alerts that it drops, and RocksDB serialises the
//! writes of two threads. Changes of work wait for one another; the writer does not wait for them. If an alert is
//! dropped while its work changes, a value may be left without an alert; the next opening removes it.

use arc_swap::ArcSwap;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use storage::{Commit, Database, Durability, Family};

use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::records::decode_work_of_alert;
use crate::work::WorkStatus;

/// Alerts of a page of [`WorkStates`].
const PAGE: u64 = 4096;

/// The state of the work on each alert: a byte for each alert of a page that has changed work.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct WorkStates(BTreeMap<u64, Arc<Vec<u8>>>);

impl WorkStates {
    /// The state of an alert whose work was changed.
    pub(in crate::store) fn of(&self, seq: u64) -> Option<WorkStatus> {
        let byte = *self.0.get(&(seq / PAGE))?.get((seq % PAGE) as usize)?;
        WorkStatus::ALL.get(usize::from(byte).checked_sub(1)?).copied()
    }

    fn set(&mut self, seq: u64, status: WorkStatus) {
        let page = self.0.entry(seq / PAGE).or_insert_with(|| Arc::new(vec![0; PAGE as usize]));
        if let Some(byte) = Arc::make_mut(page).get_mut((seq % PAGE) as usize) {
            *byte = status as u8 + 1;
        }
    }

    /// Drops pages of which every alert is older than `oldest`.
    fn forget_below(&mut self, oldest: u64) {
        self.0 = self.0.split_off(&(oldest / PAGE));
    }

    /// Alerts of a range whose work was changed.
    fn touched(&self, range: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        let pages = self.0.range(range.start / PAGE..=range.end / PAGE);
        let touched = pages.flat_map(|(page, bytes)| {
            let bytes = bytes.iter().enumerate().filter(|(_, byte)| **byte > 0);
            bytes.map(move |(at, _)| page * PAGE + at as u64)
        });
        touched.filter(move |seq| range.contains(seq))
    }
}

/// The work on cases: how far it is, and which change of it was the newest.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct CaseWork {
    pub(in crate::store) states: WorkStates,
    /// By number of the case, see [`super::CaseChanges`]; none where work was never changed.
    changes: BTreeMap<u64, u64>,
}

impl CaseWork {
    /// The number of the newest change of the work on a case; 0 without any.
    pub(in crate::store) fn change(&self, seq: u64) -> u64 {
        self.changes.get(&seq).copied().unwrap_or(0)
    }

    /// The number of the newest change of any work.
    pub(in crate::store) fn newest_change(&self) -> u64 {
        self.changes.values().copied().max().unwrap_or(0)
    }
}

/// The work of all alerts, shared between readers and the threads that change it.
#[derive(Debug, Default)]
pub(in crate::store) struct Work {
    /// Of alerts.
    states: ArcSwap<WorkStates>,
    /// Of cases.
    cases: ArcSwap<CaseWork>,
    /// Held while work is changed.
    changing: Mutex<()>,
}

impl Work {
    /// Reads the states of all work, and removes what belongs to alerts and cases that are no longer kept. Before any
    /// change.
    pub(in crate::store) fn load(&self, database: &Database, oldest_alert: u64) -> Result<(), StoreError> {
        let is_alert = |seq: u64| Ok(seq >= oldest_alert);
        let is_case = |seq: u64| Ok(database.get(Family::Cases, &seq.to_be_bytes())?.is_some());
        let (alerts, mut strays) = load_states(database, keys::WORK_PREFIX, "the work on an alert", is_alert)?;
        let (states, of_cases) = load_states(database, keys::CASE_WORK_PREFIX, "the work on a case", is_case)?;
        strays.extend(of_cases);
        let mut changes = BTreeMap::new();
        for (seq, change) in load_numbers(database, keys::CASE_WORK_CHANGE_PREFIX)? {
            match is_case(seq)? {
                true => drop(changes.insert(seq, change)),
                false => strays.push(keys::case_work_change(seq).into()),
            }
        }
        if !strays.is_empty() {
            let mut commit = database.begin();
            strays.iter().for_each(|key| commit.delete(Family::Meta, key));
            database.commit(commit, Durability::AsConfigured)?;
        }
        self.states.store(Arc::new(alerts));
        self.cases.store(Arc::new(CaseWork { states, changes }));
        Ok(())
    }

    /// The current work on cases.
    pub(in crate::store) fn of_cases(&self) -> Arc<CaseWork> {
        self.cases.load_full()
    }

    /// As [`Work::set`], for a case; `change` is the number of the change.
    pub(in crate::store) fn set_case(&self, seq: u64, status: WorkStatus, change: u64) {
        let mut work = CaseWork::clone(&self.cases.load());
        work.states.set(seq, status);
        work.changes.insert(seq, change);
        self.cases.store(Arc::new(work));
    }

    /// Removes the work on a case that a commit drops.
    pub(in crate::store) fn drop_case(&self, seq: u64, commit: &mut Commit<'_>) {
        if self.cases.load().states.of(seq).is_some() {
            commit.delete(Family::Meta, &keys::case_work(seq));
            commit.delete(Family::Meta, &keys::case_work_change(seq));
        }
    }

    /// The current states.
    pub(in crate::store) fn states(&self) -> Arc<WorkStates> {
        self.states.load_full()
    }

    /// Prevents other changes until it is dropped. A panic while it was held has changed nothing or everything.
    pub(in crate::store) fn alone(&self) -> MutexGuard<'_, ()> {
        self.changing.lock()
    }

    /// Records a change that is on the disk, and drops alerts older than `oldest`; only while no other change runs.
    pub(in crate::store) fn set(&self, seq: u64, status: WorkStatus, oldest: u64) {
        let mut states = WorkStates::clone(&self.states.load());
        states.set(seq, status);
        states.forget_below(oldest);
        self.states.store(Arc::new(states));
    }

    /// Removes the work on alerts that a commit drops.
    pub(in crate::store) fn drop_range(&self, alerts: Range<u64>, commit: &mut Commit<'_>) {
        for seq in self.states.load().touched(alerts) {
            commit.delete(Family::Meta, &keys::work(seq));
        }
    }
}

/// States, and keys of what no longer counts.
type Loaded = (WorkStates, Vec<Box<[u8]>>);

/// The states of the work below `prefix` on what is kept, and the keys of the work on what is not; `what` names it where
/// it is damaged.
fn load_states(
    database: &Database,
    prefix: &'static [u8],
    what: &str,
    is_kept: impl Fn(u64) -> Result<bool, StoreError>,
) -> Result<Loaded, StoreError> {
    let (mut states, mut strays) = (WorkStates::default(), Vec::new());
    for item in database.scan(Family::Meta, prefix) {
        let (key, value) = item?;
        if !key.starts_with(prefix) {
            break;
        }
        let damaged = |detail: &dyn std::fmt::Display| database.damaged(what, detail);
        let seq = keys::last_u64(&key).ok_or_else(|| damaged(&"unknown key"))?;
        if is_kept(seq)? {
            states.set(seq, decode_work_of_alert(&value).map_err(|error| damaged(&error))?.status);
        } else {
            strays.push(key);
        }
    }
    Ok((states, strays))
}

/// The numbers below `prefix`, by the number that ends their key.
pub(in crate::store) fn load_numbers(
    database: &Database,
    prefix: &'static [u8],
) -> Result<BTreeMap<u64, u64>, StoreError> {
    let mut numbers = BTreeMap::new();
    for item in database.scan(Family::Meta, prefix) {
        let (key, value) = item?;
        if !key.starts_with(prefix) {
            break;
        }
        let (Some(seq), Some(bytes)) = (keys::last_u64(&key), value.first_chunk()) else {
            return Err(database.damaged("a change of a case", &"it is no number").into());
        };
        numbers.insert(seq, u64::from_be_bytes(*bytes));
    }
    Ok(numbers)
}
