//! Retention: what a commit drops because it is older than the store keeps. A commit drops a bounded part, so that none
//! is long; later ones drop the rest.

use shard::{PerShard, Rows, ShardId, ZoneMap};
use std::collections::BTreeSet;
use storage::{Commit, Durability, Family};
use traffic::{CivilTime, Dimension, NameTable};

use super::store::Store;
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::records::{Dropped, Kept, Rollup, decode_alert, retention_text};
use crate::store::disk::segments::{Numbers, rows_of};
use crate::store::state::{HourCounter, Log, NameFacts, Rollups, needed_for_recovery};

/// Alerts that a commit drops at most, so that no commit is long.
const EXPIRE_AT_ONCE: usize = 4096;
/// Segments that a commit drops at most: each is read once more, to be subtracted from the rollups.
pub(super) const EXPIRE_SEGMENTS_AT_ONCE: usize = 8;

impl Store {
    /// Drops what is older than the retention times, up to a bound per commit.
    pub(super) fn expire(&mut self, segments_at_once: usize, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        if !self.settings.expires {
            return Ok(());
        }
        let Some(newest) = self.event_time() else { return Ok(()) };
        let now = self.clock();
        let limit = |store: &Self, kept| store.lifetimes.limit(kept, newest, now);
        let mut changed = false;
        if let Some((oldest, seconds)) = limit(self, Kept::Passages) {
            if self.evidence_pins(CivilTime(oldest)) {
                self.save_evidence(true, commit)?;
            }
            let dropped = self.expire_segments(CivilTime(oldest), segments_at_once, commit)?;
            changed |= self.note_dropped(&dropped, oldest, seconds, now);
            if dropped.len() < segments_at_once {
                changed |= self.lifetimes.done(Kept::Passages, now);
            }
        }
        if let Some((oldest, _)) = limit(self, Kept::Alerts) {
            let alerts_from = CivilTime(oldest);
            let first_held = self.shared.holds.first_alert(self.state.totals.alerts);
            let expired = |value: &[u8]| {
                decode_alert(value).is_ok_and(|alert| alert.later.passed_at < alerts_from && alert.seq < first_held)
            };
            let before = self.state.totals.oldest_alert;
            let oldest = drop_expired(&self.shared.reading.database, Family::Alerts, before, expired, commit)?;
            self.state.totals.oldest_alert = oldest;
            self.state.alerts.forget_below(oldest);
            self.shared.reading.work.drop_range(before..oldest, commit);
            self.expire_cases(alerts_from.0, EXPIRE_AT_ONCE, commit);
            changed |= self.log_numbered(Kept::Alerts, before, oldest, now);
        }
        if let Some((oldest, _)) = limit(self, Kept::Rejects) {
            let before = self.state.totals.oldest_reject;
            let oldest = self.expire_rejects(oldest, commit)?;
            changed |= self.log_numbered(Kept::Rejects, before, oldest, now);
        }
        if changed { self.lifetimes.write(commit) } else { Ok(()) }
    }

    /// Counts what retention dropped, and logs each run of it: at its beginning, and the rest when it has ended. A run
    /// is a series of consecutive commits that drop something.
    fn note_dropped(&mut self, gone: &[Gone], older_than: i64, seconds: i64, now: i64) -> bool {
        if gone.is_empty() {
            if let Some(run) = self.dropping.take() {
                log_run(&run);
            }
            return false;
        }
        let mut run =
            self.dropping.unwrap_or(Dropped { at: now, rows: 0, from: i64::MAX, to: i64::MIN, older_than, seconds });
        run.older_than = older_than;
        for gone in gone {
            run.rows += gone.rows;
            run.from = run.from.min(gone.from);
            run.to = run.to.max(gone.to);
            debug_assert!(self.lifetimes.dropped_rows.get(gone.shard).is_some(), "every shard has a count");
            if let Some(dropped) = self.lifetimes.dropped_rows.get_mut(gone.shard) {
                *dropped += gone.rows;
            }
        }
        self.dropping = Some(run);
        self.lifetimes.last_drop = Some(run);
        true
    }

    fn log_numbered(&mut self, kept: Kept, before: u64, oldest: u64, now: i64) -> bool {
        let count = oldest.saturating_sub(before.max(1));
        if count > 0 {
            tracing::info!(count, first = before.max(1), last = oldest - 1, "retention dropped {}", kept.as_str());
        }
        count < EXPIRE_AT_ONCE as u64 && self.lifetimes.done(kept, now)
    }

    /// Logs what has not been logged yet of the run of retention.
    pub(super) fn log_dropped(&mut self) {
        if let Some(run) = self.dropping.take() {
            log_run(&run);
        }
    }

    /// Drops whole segments and subtracts their rows from the rollups. Rows that a restart would need stay, at any age.
    fn expire_segments(
        &mut self,
        oldest: CivilTime,
        at_once: usize,
        commit: &mut Commit<'_>,
    ) -> Result<Vec<Gone>, StoreError> {
        let ttl = self.settings.detector.state_ttl;
        let partitions = &self.partitions;
        let expired = |zone: &ZoneMap| zone.max_time < oldest && !needed_for_recovery(partitions, ttl, zone);
        let holds = &self.shared.holds;
        let logs = &self.state.logs;
        let waiting = |first_needed: &PerShard<u64>| {
            let held = logs
                .values()
                .zip(first_needed.values())
                .flat_map(|(log, needed)| log.iter().filter(move |entry| entry.zone.end_row() > *needed));
            held.filter(|entry| expired(&entry.zone)).cloned().collect()
        };
        let release = holds.release(self.shards(), waiting, self.settings.mirror_hold);
        let mut gone = Vec::new();
        for (log, release) in self.state.logs.values_mut().zip(release) {
            log.delete_bodies(commit);
            let may_go = |zone: &ZoneMap| zone.end_row() <= release && expired(zone);
            gone.extend(log.expire(may_go, at_once - gone.len(), commit));
        }
        let lost = holds.lost(&gone);
        if lost > 0 {
            tracing::error!(
                rows = lost,
                "retention drops passages that a mirror has not taken: bring its target back, or raise store.mirror_hold"
            );
        }
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        fail::fail_point!("retention::dropped");
        let dropped = gone.iter().map(|entry| Gone {
            shard: entry.shard,
            rows: u64::from(entry.zone.rows),
            from: entry.zone.min_time.0,
            to: entry.zone.max_time.0,
        });
        let dropped = dropped.collect();
        let numbers = Numbers::of(&self.state.names);
        let mut touched = BTreeSet::new();
        for entry in gone {
            let rows = rows_of(&self.shared.reading.database, &entry, &numbers)?;
            count_rows(&rows, &mut self.facts, &self.state.names, |hour, rollup| {
                self.state.rollups.subtract(hour, &rollup);
                touched.insert(hour);
            });
        }
        self.write_hours(touched, commit)?;
        Ok(dropped)
    }

    /// Recounts the counters from the log.
    pub(super) fn recount(&mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        let numbers = Numbers::of(&self.state.names);
        let mut hours: BTreeSet<i64> = self.state.rollups.hours.keys().copied().collect();
        self.state.rollups = Rollups::default();
        for entry in self.state.logs.values().flat_map(Log::iter) {
            let rows = rows_of(&database, entry, &numbers)?;
            count_rows(&rows, &mut self.facts, &self.state.names, |hour, rollup| {
                self.state.rollups.add(hour, &rollup);
                hours.insert(hour);
            });
        }
        let mut commit = database.begin();
        self.write_hours(hours, &mut commit)?;
        self.lifetimes.write(&mut commit)?;
        Ok(database.commit(commit, Durability::AsConfigured)?)
    }
}

/// A segment that was dropped.
#[derive(Debug, Clone, Copy)]
struct Gone {
    shard: ShardId,
    rows: u64,
    from: i64,
    to: i64,
}

fn log_run(run: &Dropped) {
    tracing::info!(
        rows = run.rows,
        from = %CivilTime(run.from),
        to = %CivilTime(run.to),
        older_than = %CivilTime(run.older_than),
        retention = retention_text(Some(run.seconds)),
        "retention dropped passages"
    );
}

/// Rollups of rows by hour, an hour perhaps in several parts.
pub(super) fn count_rows(rows: &Rows, facts: &mut NameFacts, names: &NameTable, mut done: impl FnMut(i64, Rollup)) {
    let mut counter = HourCounter::default();
    let [checkpoints, districts, plate_types, models] =
        [Dimension::Checkpoint, Dimension::District, Dimension::PlateType, Dimension::Model]
            .map(|dimension| rows.names(dimension));
    let columns = rows.times.iter().zip(checkpoints).zip(districts).zip(plate_types).zip(models);
    for ((((time, checkpoint), district), plate_type), model) in columns {
        let vehicle_type = facts.vehicle_type(names, *plate_type, *model);
        counter.add(*time, [*checkpoint, *district, *model], vehicle_type, &mut done);
    }
    counter.finish(&mut done);
}

/// Removes the oldest values of a family while `expired` says so; returns the number of the oldest that stays.
fn drop_expired(
    database: &storage::Database,
    family: Family,
    oldest: u64,
    expired: impl Fn(&[u8]) -> bool,
    commit: &mut Commit<'_>,
) -> Result<u64, StoreError> {
    let from = oldest.max(1);
    let mut next = from;
    for item in database.scan(family, &from.to_be_bytes()).take(EXPIRE_AT_ONCE) {
        let (key, value) = item?;
        if !expired(&value) {
            break;
        }
        commit.delete(family, &key);
        next = keys::last_u64(&key).map_or(next, |seq| seq + 1);
    }
    Ok(next)
}
