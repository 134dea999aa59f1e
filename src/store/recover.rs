//! Opening a data directory: what was committed is read back, and the detectors are brought to where they were.
//!
//! Plate states are those saved last; the log holds the passages that came after, and the detectors take them again in
//! the order of arrival, without output. The duplicate guard is filled from the passages within its reach.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arc_swap::ArcSwap;
use shard::{Rows, SegmentReader, ZoneMap};
use storage::{Database, EXPIRY_BYTES, Family, Horizons, Reference, codec};
use tokio::sync::watch;
use traffic::{
    Catalogue, Checkpoint, CivilTime, Detector, Dimension, NameTable, PassageBatch, PassageId, Resolution, Sighting,
};

use super::alerts::AlertIndex;
use super::cache::ColumnCache;
use super::facts::{NameFacts, RecentMinute};
use super::log::{Entry, Log};
use super::rollup::{HourCounter, Rollup, Rollups};
use super::totals::PartitionState;
use super::view::View;
use super::work::Work;
use super::write::{Saving, StoredPlate};
use super::{CATALOGUE_TREE, Partition, Progress, Shared, Store, StoreError, StoreSettings, Totals, keys};

/// So many rows are given to a detector at a time.
const RECOVER_ROWS: usize = 65_536;

pub(super) fn open(path: &Path, settings: StoreSettings) -> Result<Store, StoreError> {
    // Half for the database, half for decoded columns.
    let budget = settings.memory / 2;
    let database = Database::open(
        path,
        storage::Settings { memory: budget, sync: settings.sync, compaction: settings.compaction },
    )?;
    let (reference, aside) = Reference::open(path)?;
    if let Some(aside) = aside {
        tracing::warn!(
            moved_to = %aside.path.display(),
            cause = aside.cause,
            "reference data did not open and was set aside, a new one is filled from the built-in checkpoints"
        );
    }
    let catalogue = load_catalogue(&reference)?;
    let totals = match database.get(Family::Meta, keys::TOTALS_KEY)? {
        Some(bytes) => codec::decode(keys::TOTALS, &bytes).map_err(|error| database.damaged("the totals", &error))?,
        None => Totals::default(),
    };
    let names = load_names(&database)?;
    let rollups = load_rollups(&database)?;
    let mut facts = NameFacts::default();
    facts.set_catalogue(&catalogue, &names);
    let cache = Arc::new(ColumnCache::new(budget));
    let work = Arc::new(Work::open(&database, totals.oldest_alert)?);
    let view = View::empty(database.clone(), cache.clone(), work.clone());
    // Without readers nobody searches.
    let alerts = AlertIndex::new(if settings.publish { settings.alert_index } else { 0 });
    let mut store = Store {
        shared: Arc::new(Shared {
            database: database.clone(),
            cache,
            work,
            view: ArcSwap::from_pointee(view),
            commits: watch::Sender::new(totals.alerts),
            catalogue: ArcSwap::from_pointee(catalogue),
            reference: Mutex::new(reference),
            progress: Mutex::new(Progress::default()),
            queued: Default::default(),
            holds: Default::default(),
        }),
        settings,
        totals,
        names,
        facts,
        logs: [Log::new(0), Log::new(1)],
        rollups,
        alerts,
        counter: HourCounter::default(),
        partitions: BTreeMap::new(),
        rows_since_save: 0,
        saved_at: Instant::now(),
        saving: Saving::default(),
        recent: RecentMinute::default(),
        broken: false,
    };
    store.load_alerts()?;
    store.load_logs()?;
    store.bury_strays()?;
    store.load_partitions()?;
    store.load_plates()?;
    store.replay_log()?;
    store.tell_progress(None);
    store.publish();
    Ok(store)
}

fn load_catalogue(reference: &Reference) -> Result<Catalogue, StoreError> {
    let checkpoints: Vec<Checkpoint> =
        reference.values(CATALOGUE_TREE)?.iter().filter_map(|value| serde_json::from_slice(value).ok()).collect();
    Ok(if checkpoints.is_empty() { Catalogue::xuzhou() } else { Catalogue::new(checkpoints).unwrap_or_default() })
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

/// The body of a segment.
pub(super) fn body(database: &Database, entry: &Entry) -> Result<Arc<[u8]>, StoreError> {
    if let Some(body) = &entry.body {
        return Ok(body.clone());
    }
    let bytes = database.get(Family::of_shard(entry.shard), &entry.zone.first_row.to_be_bytes())?;
    let bytes = bytes.ok_or_else(|| database.damaged("the log", &"a segment is missing"))?;
    Ok(Arc::from(&*bytes))
}

/// Numbers of names by text.
pub(super) struct Numbers(traffic::Interner);

impl Numbers {
    pub(super) fn of(names: &NameTable) -> Self {
        Self(traffic::Interner::new(names, usize::MAX))
    }
}

/// The rows of a segment.
pub(super) fn rows_of(database: &Database, entry: &Entry, numbers: &Numbers) -> Result<Rows, StoreError> {
    let mut unknown = None;
    let rows = SegmentReader::open(&body(database, entry)?)?.rows(|dimension, text| {
        numbers.0.number(dimension, text).unwrap_or_else(|| {
            unknown = Some(text.clone());
            0
        })
    })?;
    match unknown {
        Some(text) => Err(database.damaged("the log", &format!("{text:?} is not among the names")).into()),
        None => Ok(rows),
    }
}

/// Whether rows of a segment would be replayed at the next start: for plate states that were saved before them, or for
/// the duplicate guard.
pub(super) fn needed_for_recovery(partitions: &BTreeMap<u32, Partition>, ttl: i64, zone: &ZoneMap) -> bool {
    let states = zone.partitions.iter().filter_map(|(id, _)| partitions.get(id)).map(|partition| &partition.state);
    states
        .into_iter()
        .any(|state| zone.max_arrival >= state.saved_arrival || zone.max_time.0 >= guarded_from(state, ttl))
}

/// A GCXH whose passage is older than this is guarded no more.
fn guarded_from(state: &PartitionState, ttl: i64) -> i64 {
    state.watermark.map_or(i64::MAX, |watermark| watermark.saturating_sub(ttl))
}

impl Store {
    /// Reads the newest alerts into the index, as many as it holds.
    fn load_alerts(&mut self) -> Result<(), StoreError> {
        let newest = self.totals.alerts;
        let from = self.totals.oldest_alert.max((newest + 1).saturating_sub(self.alerts.capacity())).max(1);
        if from > newest {
            return Ok(());
        }
        let database = self.shared.database.clone();
        let numbers = Numbers::of(&self.names);
        for (next, item) in (from..).zip(database.scan(Family::Alerts, &from.to_be_bytes())) {
            let (_, value) = item?;
            let damaged = |detail: &dyn std::fmt::Display| database.damaged("an alert", detail);
            let alert: traffic::Alert = codec::decode(keys::ALERT, &value).map_err(|error| damaged(&error))?;
            if alert.seq != next {
                return Err(damaged(&format!("number {next} is missing")).into());
            }
            let number = |kkmc: &String| numbers.0.number(Dimension::Checkpoint, kkmc);
            let (Some(prev), Some(curr)) = (number(&alert.prev_kkmc), number(&alert.curr_kkmc)) else {
                return Err(damaged(&"its checkpoint is not among the names").into());
            };
            self.alerts.push(&alert, [prev, curr]);
        }
        Ok(())
    }

    fn load_logs(&mut self) -> Result<(), StoreError> {
        let database = self.shared.database.clone();
        let numbers = Numbers::of(&self.names);
        let sealed = self.totals.sealed;
        for ((shard, log), sealed) in self.logs.iter_mut().enumerate().zip(sealed) {
            let from = keys::zone(shard, 0);
            for item in database.scan(Family::Zones, &from) {
                let (key, value) = item?;
                if key.first() != from.first() {
                    break;
                }
                let zone = ZoneMap::decode(&value).map_err(|error| database.damaged("a zone map", &error))?;
                if zone.end_row() <= sealed {
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

    fn bury_strays(&self) -> Result<(), StoreError> {
        let database = &self.shared.database;
        let mut commit = database.begin();
        for log in &self.logs {
            log.bury_strays(database, &mut commit)?;
        }
        Ok(database.commit(commit)?)
    }

    fn load_partitions(&mut self) -> Result<(), StoreError> {
        let database = self.shared.database.clone();
        for item in prefixed(&database, keys::PARTITION_PREFIX) {
            let (key, value) = item?;
            let state: PartitionState =
                codec::decode(keys::PARTITION, &value).map_err(|error| database.damaged("a watermark", &error))?;
            let id = keys::last_u32(&key).ok_or_else(|| database.damaged("a watermark", &"unknown key"))?;
            let mut detector = Detector::new(self.settings.detector);
            detector.restore_watermark(state.saved_watermark.map(CivilTime));
            self.partitions.insert(id, Partition { detector, state });
        }
        Ok(())
    }

    fn load_plates(&mut self) -> Result<(), StoreError> {
        let database = self.shared.database.clone();
        for item in database.scan(Family::Plates, &[]) {
            let (key, value) = item?;
            let damaged = |detail: &dyn std::fmt::Display| database.damaged("a plate state", detail);
            let (id, plate) = keys::split_plate(&key).ok_or_else(|| damaged(&"unknown key"))?;
            let Some(partition) = self.partitions.get_mut(&id) else { continue };
            let oldest = partition.state.watermark.unwrap_or(i64::MIN).saturating_sub(self.settings.detector.state_ttl);
            let (sightings, odd): StoredPlate =
                codec::decode(keys::PLATE, value.get(EXPIRY_BYTES..).unwrap_or_default())
                    .map_err(|error| damaged(&error))?;
            // Expiry is decided here, by event time; compaction may or may not have been there first.
            let live: Vec<_> = sightings
                .into_iter()
                .filter(|(time, ..)| *time >= oldest)
                .map(|(time, checkpoint, number, tag)| {
                    Sighting::new(CivilTime(time), checkpoint, PassageId { number, tag })
                })
                .collect();
            let odd = odd.into_iter().map(|(number, tag, text)| (PassageId { number, tag }, text.into())).collect();
            partition.detector.restore_plate(plate, live, odd);
        }
        Ok(())
    }

    /// Brings the detectors from the saved plate states to the last commit, and fills the duplicate guards.
    fn replay_log(&mut self) -> Result<(), StoreError> {
        let ttl = self.settings.detector.state_ttl;
        let recent = self.totals.last_time.map_or(i64::MAX, |newest| newest - 60);
        let numbers = Numbers::of(&self.names);
        let database = self.shared.database.clone();

        // Rows of both shards come together by arrival number.
        let mut pending: Vec<Rows> = Vec::new();
        for log in &self.logs {
            let (sealed, tail) = log.entries();
            for entry in sealed.iter().chain(&tail) {
                let zone = &entry.zone;
                if zone.max_time.0 > recent || needed_for_recovery(&self.partitions, ttl, zone) {
                    pending.push(rows_of(&database, entry, &numbers)?);
                }
            }
        }
        let mut order: Vec<(u64, u32, u32)> = Vec::new();
        for (block, rows) in pending.iter().enumerate() {
            order.extend(rows.arrivals.iter().enumerate().map(|(row, arrival)| (*arrival, block as u32, row as u32)));
        }
        order.sort_unstable();

        let mut batches: BTreeMap<u32, PassageBatch> = BTreeMap::new();
        for (arrival, block, row) in order {
            let (Some(rows), row) = (pending.get(block as usize), row as usize) else { continue };
            let (Some(&time), Some(&id), Some(partition_id)) =
                (rows.times.get(row), rows.ids.get(row), rows.partitions.get(row))
            else {
                continue;
            };
            if time.0 > recent {
                self.recent.see(time);
            }
            let Some(partition) = self.partitions.get_mut(partition_id) else { continue };
            if time.0 >= guarded_from(&partition.state, ttl) {
                partition.detector.restore_guard(id, time);
            }
            if arrival >= partition.state.saved_arrival {
                let batch = batches.entry(*partition_id).or_default();
                push_row(batch, rows, row);
                if batch.len() >= RECOVER_ROWS {
                    partition.detector.recover(batch);
                    *batch = PassageBatch::default();
                }
            }
        }
        for (id, batch) in batches {
            if let Some(partition) = self.partitions.get_mut(&id) {
                partition.detector.recover(&batch);
            }
        }
        for partition in self.partitions.values_mut() {
            partition.detector.restore_watermark(partition.state.watermark.map(CivilTime));
        }
        advance_horizons(self.shared.database.horizons(), &self.partitions, ttl);
        let saved = self.partitions.values().map(|partition| partition.state.saved_arrival).min();
        self.rows_since_save = self.totals.accepted - saved.unwrap_or(self.totals.accepted);
        Ok(())
    }
}

fn advance_horizons(horizons: &Horizons, partitions: &BTreeMap<u32, Partition>, ttl: i64) {
    for (&id, partition) in partitions {
        if let Some(watermark) = partition.state.watermark {
            horizons.advance(id, watermark - ttl);
        }
    }
}

/// Adds what the detector needs of a row.
fn push_row(batch: &mut PassageBatch, rows: &Rows, row: usize) {
    let (Some(&time), Some(&id), Some(&plate), Some(&checkpoint)) =
        (rows.times.get(row), rows.ids.get(row), rows.plates.get(row), rows.checkpoints.get(row))
    else {
        return;
    };
    let here = batch.len() as u32;
    if id.is_odd() {
        batch.odd_ids.push((here, rows.id_text(row).into()));
    }
    batch.times.push(time);
    batch.resolutions.push(Resolution::Second);
    batch.ids.push(id);
    batch.classes.push(plate.class(&rows.plate_text(row)));
    batch.plates.push(plate);
    batch.checkpoints.push(checkpoint);
}
