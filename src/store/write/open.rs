//! Opening a data directory: committed data is read, and the detectors are restored.
//!
//! Plate states are those saved last; the log holds the passages that came after, and the detectors replay them in the
//! order of arrival, without output. The duplicate guard is filled from the passages within its reach.

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use shard::{Rows, ShardCount, ZoneMap};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use storage::{Database, Durability, Family, Horizons, Reference, StorageError, codec};
use tokio::sync::watch;
use traffic::{CivilTime, Detector, Dimension, NameTable, PassageBatch, PassageId, PlateType, Resolution, Sighting};

use super::loss;
use super::migrate::migrate;
use super::plate_key;
use super::store::{Saving, Store};
use crate::clock::moment;
use crate::store::disk::records::{
    Census, PartitionState, Rollup, decode_alert, decode_plate, encode_work_changes, shards_of, work_changes,
};
use crate::store::disk::segments::{Entry, Numbers, body, rows_of};
use crate::store::disk::{checkpoints, keys};
use crate::store::handle::StoreHandle;
use crate::store::read::{ColumnCache, Reading};
use crate::store::state::{
    AlertIndex, Detection, HourCounter, NameFacts, Partition, Rollups, SavedPart, State, Work, needed_for_recovery,
};
use crate::store::{Lifetimes, Progress, StoreError, StoreSettings, Totals, View};

/// Passages of an older program's directory that are replayed to find its watermarks; the newest.
const OLD_ROWS: u64 = 1 << 21;
/// At least this many of a partition, if it has them.
const OLD_PARTITION_ROWS: u64 = 1 << 14;
/// How many rows are given to a detector at a time.
const RECOVER_ROWS: usize = 65_536;

impl Store {
    /// Opens or creates the data directory at `path` and restores its detectors.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be used or holds damage.
    pub fn open(path: &Path, settings: StoreSettings) -> Result<Self, StoreError> {
        open(path, settings)
    }
}

fn open(path: &Path, mut settings: StoreSettings) -> Result<Store, StoreError> {
    if let (Some(evidence), Some(cipher)) = (&mut settings.evidence, &settings.plates) {
        evidence.neighbours = Some(cipher.clone());
    }
    // Half for the database, half for decoded columns.
    let budget = settings.memory / 2;
    let database = Database::open(
        path,
        storage::Settings {
            memory: budget,
            sync: settings.sync,
            compaction: settings.compaction,
            accept_loss: settings.accept_loss,
            shards: settings.shards.map(ShardCount::number),
        },
    )
    .map_err(|error| match error {
        StorageError::Lost { path, cause, .. } => loss::described(&path, cause),
        other => other,
    })?;
    let (reference, aside) = Reference::open(path)?;
    let (catalogue, origin) = checkpoints::load(&database, &reference, aside.as_ref())?;
    let shards = shards_of(&database)?;
    let totals = Totals::load(&database)?;
    let has_pseudonyms = plate_key::check(&database, &totals, settings.plates.as_deref())?;
    let names = load_names(&database)?;
    let rollups = load_rollups(&database)?;
    let rejects_bytes = super::rejects::load_bytes(&database)?;
    let mut facts = NameFacts::default();
    facts.set_catalogue(&catalogue, &names);
    let cache = Arc::new(ColumnCache::new(budget));
    let work = Arc::new(Work::default());
    let reading = Reading { database: database.clone(), shards, cache, work };
    // Without readers there are no searches.
    let alerts = AlertIndex::new(if settings.publish { settings.alert_index } else { 0 });
    let mut store = Store {
        shared: Arc::new(StoreHandle {
            view: ArcSwap::from_pointee(View::of(&reading, &State::new(shards))),
            reading,
            commits: watch::Sender::new(totals.alerts),
            catalogue: ArcSwap::from_pointee(catalogue),
            reference: Mutex::new(reference),
            progress: Mutex::new(Progress::default()),
            queued: Default::default(),
            holds: Default::default(),
            case_changes: Default::default(),
            checkpoints: Mutex::new(origin),
            loss: Mutex::default(),
        }),
        settings,
        state: State { totals, names, rollups, alerts, ..State::new(shards) },
        facts,
        counter: HourCounter::default(),
        partitions: BTreeMap::new(),
        rows_since_save: 0,
        saved_at: moment(),
        saving: Saving::default(),
        detection: Detection::default(),
        lifetimes: Lifetimes::default(),
        dropping: None,
        rejects_bytes,
        rejects_crowded: false,
        unsettled: None,
        has_pseudonyms,
        broken: false,
        fates: Vec::new(),
        unstorable: Vec::new(),
    };
    store.load_logs()?;
    store.load_partitions()?;
    let remembers = store.load_lifetimes()?;
    // Before anything is written.
    store.check_whole()?;
    migrate(&database)?;
    store.remember_plate_key()?;
    store.shared.reading.work.load(&database, store.state.totals.oldest_alert)?;
    store.load_alerts()?;
    store.delete_stray_bodies()?;
    store.load_cases()?;
    store.begin_evidence()?;
    store.load_plates()?;
    store.replay_log()?;
    fail::fail_point!("open::replayed");
    store.load_detection()?;
    store.settle_lifetimes(remembers)?;
    let work = encode_work_changes(work_changes(&database)?);
    fail::fail_point!("open::before-tally");
    database.begin_tally(Census::of(&store.state.totals).encode()?, work)?;
    // Now that all files exist: those of an earlier version, and those that the umask did not reach.
    storage::close_to_others(path);
    store.note_newest();
    store.place_cases();
    store.refresh_learnt();
    store.report_progress(None);
    store.publish();
    Ok(store)
}

/// Entries of `meta` whose keys begin with `prefix`.
fn prefixed(
    database: &Database,
    prefix: &'static [u8],
) -> impl Iterator<Item = Result<storage::Entry, storage::StorageError>> {
    database.scan(Family::Meta, prefix).take_while(move |item| match item {
        Ok((key, _)) => key.starts_with(prefix),
        Err(_) => true,
    })
}

fn load_names(database: &Database) -> Result<NameTable, StoreError> {
    let mut names = NameTable::default();
    for item in prefixed(database, keys::NAME_PREFIX) {
        let (key, value) = item?;
        let dimension = key.get(keys::NAME_PREFIX.len()).and_then(|number| Dimension::ALL.get(usize::from(*number)));
        let text = std::str::from_utf8(&value).map_err(|error| database.damaged("a name", &error))?;
        let (Some(&dimension), Some(id)) = (dimension, keys::last_u32(&key)) else {
            return Err(database.damaged("a name", &"unknown key").into());
        };
        if names.push(dimension, Arc::from(text)) != id {
            return Err(database.damaged("the names", &"a number is missing").into());
        }
    }
    Ok(names)
}

fn load_rollups(database: &Database) -> Result<Rollups, StoreError> {
    let mut rollups = Rollups::default();
    for item in database.scan(Family::Counters, &[]) {
        let (key, value) = item?;
        let rollup: Rollup = codec::decode(keys::HOUR, &value).map_err(|error| database.damaged("a rollup", &error))?;
        let hour = keys::split_hour(&key).ok_or_else(|| database.damaged("a rollup", &"unknown key"))?;
        rollups.add(hour, &rollup);
    }
    Ok(rollups)
}

impl Store {
    /// Reads the newest alerts into the index, as many as it holds.
    fn load_alerts(&mut self) -> Result<(), StoreError> {
        let newest = self.state.totals.alerts;
        let from = self.state.totals.oldest_alert.max((newest + 1).saturating_sub(self.state.alerts.capacity())).max(1);
        if from > newest {
            return Ok(());
        }
        let database = self.shared.reading.database.clone();
        let numbers = Numbers::of(&self.state.names);
        for (next, item) in (from..).zip(database.scan(Family::Alerts, &from.to_be_bytes())) {
            let (_, value) = item?;
            let damaged = |detail: &dyn std::fmt::Display| database.damaged("an alert", detail);
            let alert: traffic::Alert = decode_alert(&value).map_err(|error| damaged(&error))?;
            if alert.seq != next {
                return Err(damaged(&format!("number {next} is missing")).into());
            }
            let number = |kkmc: &String| numbers.number(Dimension::Checkpoint, kkmc);
            let (Some(prev), Some(curr)) = (number(&alert.earlier.checkpoint), number(&alert.later.checkpoint)) else {
                return Err(damaged(&"its checkpoint is not among the names").into());
            };
            self.state.alerts.push(&alert, [prev, curr]);
        }
        Ok(())
    }

    fn load_logs(&mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        let numbers = Numbers::of(&self.state.names);
        for ((shard, sealed), log) in self.state.totals.sealed.iter().zip(self.state.logs.values_mut()) {
            let from = keys::zone(shard, 0);
            for item in database.scan(Family::Zones, &from) {
                let (key, value) = item?;
                if key.first() != from.first() {
                    break;
                }
                let zone = ZoneMap::decode(&value).map_err(|error| database.damaged("a zone map", &error))?;
                if zone.end_row() <= *sealed {
                    log.restore_sealed(zone);
                    continue;
                }
                let sealed = Entry { shard, zone, body: None };
                let entry = Entry { body: Some(body(&database, &sealed)?), ..sealed };
                let rows = rows_of(&database, &entry, &numbers)?;
                log.restore_tail(entry, rows);
            }
        }
        Ok(())
    }

    fn delete_stray_bodies(&self) -> Result<(), StoreError> {
        let database = &self.shared.reading.database;
        let mut commit = database.begin();
        for log in self.state.logs.values() {
            log.delete_stray_bodies(database, &mut commit)?;
        }
        fail::fail_point!("open::before-stray-bodies");
        Ok(database.commit(commit, Durability::AsConfigured)?)
    }

    fn begin_evidence(&mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        let mut commit = database.begin();
        self.load_evidence(&mut commit)?;
        Ok(database.commit(commit, Durability::AsConfigured)?)
    }

    fn load_partitions(&mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        for item in prefixed(&database, keys::PARTITION_PREFIX) {
            let (key, value) = item?;
            let state = PartitionState::decode(&value).map_err(|error| database.damaged("a watermark", &error))?;
            let id = keys::last_u32(&key).ok_or_else(|| database.damaged("a watermark", &"unknown key"))?;
            let mut detector = Detector::new(self.settings.detector);
            let is_old = state.is_none();
            let state = state.unwrap_or_default();
            detector.restore_watermark(&state.saved_watermark);
            self.partitions.insert(id, Partition { detector, evidence: None, state, is_old });
        }
        self.begin_old_partitions();
        Ok(())
    }

    /// Replays the passages of a partition of layout 1 through its detector: all of the newest [`OLD_ROWS`] of the data
    /// directory, and at least some of the partition's. Its watermark was the newest GCSJ, which one clock could spoil,
    /// and its plate states are what that watermark left of them.
    fn begin_old_partitions(&mut self) {
        if !self.partitions.values().any(|partition| partition.is_old) {
            return;
        }
        let from = self.state.totals.accepted.saturating_sub(OLD_ROWS);
        let mut zones: Vec<ZoneMap> = Vec::new();
        for log in self.state.logs.values() {
            zones.extend(log.iter().map(|entry| entry.zone.clone()));
        }
        zones.sort_unstable_by_key(|zone| std::cmp::Reverse(zone.max_arrival));
        for (id, partition) in self.partitions.iter_mut().filter(|(_, partition)| partition.is_old) {
            let (mut rows, mut first) = (0, self.state.totals.accepted);
            for zone in &zones {
                let Some((_, count)) = zone.partitions.iter().find(|(partition, _)| partition == id) else { continue };
                if zone.max_arrival < from && rows >= OLD_PARTITION_ROWS {
                    break;
                }
                rows += u64::from(*count);
                first = first.min(zone.min_arrival);
            }
            partition.state.saved_arrival = first;
        }
    }

    /// Writes the state of partitions that were of layout 1, in place of the old one.
    fn finish_old_partitions(&mut self) -> Result<(), StoreError> {
        let old = self.partitions.values().filter(|partition| partition.is_old).count();
        if old == 0 {
            return Ok(());
        }
        let database = self.shared.reading.database.clone();
        let mut commit = database.begin();
        for item in database.scan(Family::Plates, &[]) {
            let (key, _) = item?;
            let partition = keys::split_plate(&key).and_then(|(id, _)| self.partitions.get(&id));
            if partition.is_some_and(|partition| partition.is_old) {
                commit.delete(Family::Plates, &key);
            }
        }
        self.save_plates(&mut commit)?;
        self.write_state(&mut commit)?;
        database.commit(commit, Durability::AsConfigured)?;
        tracing::info!(
            partitions = old,
            watermark = %self.safe_newest(),
            "the data directory is of an older program: its watermarks were computed again from the newest passages"
        );
        self.partitions.values_mut().for_each(|partition| partition.is_old = false);
        Ok(())
    }

    fn load_plates(&mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        for item in database.scan(Family::Plates, &[]) {
            let (key, value) = item?;
            let damaged = |detail: &dyn std::fmt::Display| database.damaged("a plate state", detail);
            let (id, plate) = keys::split_plate(&key).ok_or_else(|| damaged(&"unknown key"))?;
            let Some(partition) = self.partitions.get_mut(&id).filter(|partition| !partition.is_old) else {
                continue;
            };
            let oldest = partition.state.guarded_from(self.settings.detector.state_ttl);
            let (sightings, odd) = decode_plate(&value).map_err(|error| damaged(&error))?;
            // Expiry is decided here, by event time; compaction may or may not have run before.
            let mut live = Vec::with_capacity(sightings.len());
            for (time, checkpoint, number, tag, resolution, plate_type) in sightings {
                let Some(resolution) = Resolution::from_number(resolution) else {
                    return Err(damaged(&format!("resolution {resolution} is not known")).into());
                };
                if time >= oldest {
                    let plate_type = PlateType::from_number(plate_type);
                    let id = PassageId { number, tag };
                    live.push(Sighting::new(CivilTime(time), resolution, checkpoint, plate_type, id));
                }
            }
            let odd = odd.into_iter().map(|(number, tag, text)| (PassageId { number, tag }, text.into())).collect();
            partition.detector.restore_plate(plate, live, odd);
        }
        Ok(())
    }

    /// Brings the detectors from the saved plate states to the last commit, and fills the duplicate guards.
    fn replay_log(&mut self) -> Result<(), StoreError> {
        let ttl = self.settings.detector.state_ttl;
        let mut replayed = Replayed { recent: self.safe_newest().0 - 60, ..Replayed::default() };
        let numbers = Numbers::of(&self.state.names);
        let database = self.shared.reading.database.clone();
        for log in self.state.logs.values() {
            for entry in log.iter() {
                let zone = &entry.zone;
                if zone.max_time.0 > replayed.recent || needed_for_recovery(&self.partitions, ttl, zone) {
                    replayed.keep(&self.partitions, ttl, rows_of(&database, entry, &numbers)?);
                }
            }
        }
        replayed.order.sort_unstable();
        self.replay_rows(&replayed, ttl);
        for partition in self.partitions.values_mut() {
            if partition.is_old {
                partition.state.watermark = partition.detector.watermark_state();
            }
            partition.detector.restore_watermark(&partition.state.watermark);
        }
        self.fill_guards(&replayed, ttl);
        self.finish_old_partitions()?;
        advance_horizons(self.shared.reading.database.horizons(), &self.partitions, ttl);
        let saved = self.partitions.values().map(|partition| partition.state.saved_arrival).min();
        self.rows_since_save = self.state.totals.accepted - saved.unwrap_or(self.state.totals.accepted);
        Ok(())
    }

    /// Gives rows of both shards, merged by arrival number, to whatever needs them.
    fn replay_rows(&mut self, replayed: &Replayed, ttl: i64) {
        let ahead = replayed.recent + 60 + ttl - self.settings.detector.window;
        let mut batches: BTreeMap<(u32, SavedPart), PassageBatch> = BTreeMap::new();
        for &(arrival, block, row) in &replayed.order {
            let (Some(rows), row) = (replayed.blocks.get(block as usize), row as usize) else { continue };
            let (Some(&time), Some(partition_id)) = (rows.times.get(row), rows.partitions.get(row)) else { continue };
            if (replayed.recent + 1..=ahead).contains(&time.0) {
                self.state.last_minute.see(time);
            }
            let Some(partition) = self.partitions.get_mut(partition_id) else { continue };
            for part in SavedPart::ALL {
                if !partition.lacks(part, arrival) {
                    continue;
                }
                let batch = batches.entry((*partition_id, part)).or_default();
                push_row(batch, rows, row, &self.state.names);
                if batch.len() >= RECOVER_ROWS {
                    partition.recover(part, batch, self.facts.knowledge());
                    *batch = PassageBatch::default();
                }
            }
        }
        for ((id, part), batch) in batches {
            if let Some(partition) = self.partitions.get_mut(&id) {
                partition.recover(part, &batch, self.facts.knowledge());
            }
        }
    }

    /// Fills the duplicate guards.
    ///
    /// IMPORTANT: only once the watermarks are those of the last commit. An id may be accepted a second time after the
    /// first has expired: only one of the two is within the TTL of that watermark, and that one is guarded.
    fn fill_guards(&mut self, replayed: &Replayed, ttl: i64) {
        for &(_, block, row) in &replayed.order {
            let (Some(rows), row) = (replayed.blocks.get(block as usize), row as usize) else { continue };
            let (Some(&time), Some(&id), Some(partition)) =
                (rows.times.get(row), rows.ids.get(row), rows.partitions.get(row))
            else {
                continue;
            };
            if let Some(partition) = self.partitions.get_mut(partition)
                && time.0 >= partition.state.guarded_from(ttl)
            {
                partition.detector.restore_guard(id, time);
            }
        }
    }
}

/// Rows that are replayed when the store is opened.
#[derive(Default)]
struct Replayed {
    /// Rows that are newer count in the last minute.
    recent: i64,
    blocks: Vec<Rows>,
    /// Arrival number, block and row of each.
    order: Vec<(u64, u32, u32)>,
}

impl Replayed {
    /// Keeps those rows of a segment that are needed. A segment may be needed for one passage that is far ahead: the
    /// rest of it takes no memory.
    fn keep(&mut self, partitions: &BTreeMap<u32, Partition>, ttl: i64, rows: Rows) {
        let block = self.blocks.len() as u32;
        let before = self.order.len();
        let columns = rows.arrivals.iter().zip(&rows.times).zip(&rows.partitions);
        for (row, ((&arrival, time), id)) in columns.enumerate() {
            let needed = partitions.get(id).is_some_and(|partition| partition.needs(arrival, time.0, ttl));
            if needed || time.0 > self.recent {
                self.order.push((arrival, block, row as u32));
            }
        }
        let kept = self.order.get_mut(before..).unwrap_or_default();
        if kept.len() * 4 >= rows.len() {
            self.blocks.push(rows);
        } else if !kept.is_empty() {
            let mut few = Rows::default();
            for (at, (_, _, row)) in kept.iter_mut().enumerate() {
                few.push_row(&rows, *row as usize);
                *row = at as u32;
            }
            self.blocks.push(few);
        }
    }
}

fn advance_horizons(horizons: &Horizons, partitions: &BTreeMap<u32, Partition>, ttl: i64) {
    for (&id, partition) in partitions {
        horizons.advance(id, partition.state.guarded_from(ttl));
    }
}

/// Adds what detector and evidence need of a row.
fn push_row(batch: &mut PassageBatch, rows: &Rows, row: usize, names: &NameTable) {
    let (Some(&time), Some(&id), Some(&plate), Some(&checkpoint), Some(&plate_type), Some(&model)) = (
        rows.times.get(row),
        rows.ids.get(row),
        rows.plates.get(row),
        rows.columns[Dimension::Checkpoint].get(row),
        rows.columns[Dimension::PlateType].get(row),
        rows.columns[Dimension::Model].get(row),
    ) else {
        return;
    };
    let here = batch.len() as u32;
    if id.is_odd() {
        batch.odd_ids.push((here, rows.id_text(row).into()));
    }
    batch.times.push(time);
    batch.resolutions.push(rows.resolution(row));
    batch.ids.push(id);
    let text = rows.plate_text(row);
    let hpzl = names.text(Dimension::PlateType, plate_type);
    batch.classes.push(plate.class(&text).beside_plate_type(plate, &text, hpzl));
    batch.plates.push(plate);
    batch.columns[Dimension::Checkpoint].push(checkpoint);
    batch.columns[Dimension::PlateType].push(plate_type);
    batch.columns[Dimension::Model].push(model);
}
