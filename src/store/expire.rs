//! Retention: what a commit drops because it is older than the store keeps. A commit drops a bounded part, so that none is
//! long; the rest goes with later ones.

use std::collections::BTreeSet;

use shard::{Rows, ZoneMap};
use storage::{Commit, Family, codec};
use traffic::{CivilTime, NameTable};

use super::facts::NameFacts;
use super::outlet::drop_refused;
use super::recover::{Numbers, needed_for_recovery, rows_of};
use super::rollup::{HourCounter, Rollup};
use super::write::StoredReject;
use super::{Store, StoreError, keys, stored_alert};

/// Alerts and rejects that a commit drops at most, so that no commit is long.
const EXPIRE_AT_ONCE: usize = 4096;
/// Segments that a commit drops at most: each is read once more, to be taken out of the rollups.
pub(super) const EXPIRE_SEGMENTS_AT_ONCE: usize = 8;

impl Store {
    /// Drops what is older than the retention times, up to a bound per commit.
    pub(super) fn expire(&mut self, segments_at_once: usize, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let Some(newest) = self.event_time() else { return Ok(()) };
        if let Some(retention) = self.settings.retention {
            self.expire_segments(CivilTime(newest - retention), segments_at_once, commit)?;
        }
        if let Some(retention) = self.settings.alerts_retention {
            let oldest = CivilTime(newest - retention).to_string();
            let first_held = self.shared.holds.first_alert(self.totals.alerts);
            let expired = |value: &[u8]| {
                stored_alert::decode(value).is_ok_and(|alert| alert.curr_time < oldest && alert.seq < first_held)
            };
            let before = self.totals.oldest_alert;
            let oldest = drop_expired(&self.shared.database, Family::Alerts, before, expired, commit)?;
            self.totals.oldest_alert = oldest;
            self.alerts.forget_below(oldest);
            self.shared.work.drop_range(before..oldest, commit);
        }
        if let Some(retention) = self.settings.rejects_retention {
            // What was rejected before the first passage is as old as that.
            let first = self.totals.first_time;
            let expired = |value: &[u8]| {
                codec::decode::<StoredReject>(keys::REJECT, value)
                    .is_ok_and(|reject| reject.near.or(first).is_some_and(|near| near < newest - retention))
            };
            self.totals.oldest_reject =
                drop_expired(&self.shared.database, Family::Rejects, self.totals.oldest_reject, expired, commit)?;
            drop_refused(&self.shared.database, newest - retention, EXPIRE_AT_ONCE, commit)?;
        }
        Ok(())
    }

    /// What retention counts back from: the newest watermark. It is never ahead of the clock, since records may be dated up
    /// to a day ahead of it, and one wrong clock must not empty the store. None before any partition has a watermark.
    pub(super) fn event_time(&self) -> Option<i64> {
        let newest = self.partitions.values().filter_map(|partition| partition.state.watermark.time).max()?;
        Some(newest.min(self.clock_limit()))
    }

    fn clock_limit(&self) -> i64 {
        (self.settings.clock)().0
    }

    /// Drops whole segments and takes their rows out of the rollups. What a restart would need stays, however old it is.
    fn expire_segments(
        &mut self,
        oldest: CivilTime,
        at_once: usize,
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        let ttl = self.settings.detector.state_ttl;
        let partitions = &self.partitions;
        let expired = |zone: &ZoneMap| zone.max_time < oldest && !needed_for_recovery(partitions, ttl, zone);
        let holds = &self.shared.holds;
        let release = holds.release(&self.logs, |entry| expired(&entry.zone), self.settings.mirror_hold);
        let mut gone = Vec::new();
        for (log, release) in self.logs.iter_mut().zip(release) {
            log.bury(commit);
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
            return Ok(());
        }
        let numbers = Numbers::of(&self.names);
        let mut touched = BTreeSet::new();
        for entry in gone {
            let rows = rows_of(&self.shared.database, &entry, &numbers)?;
            count_rows(&rows, &mut self.facts, &self.names, |hour, rollup| {
                self.rollups.subtract(hour, &rollup);
                touched.insert(hour);
            });
        }
        self.write_hours(touched, commit)
    }
}

/// Rollups of rows by hour, an hour perhaps in several parts.
fn count_rows(rows: &Rows, facts: &mut NameFacts, names: &NameTable, mut done: impl FnMut(i64, Rollup)) {
    let mut counter = HourCounter::default();
    let columns =
        rows.times.iter().zip(&rows.checkpoints).zip(&rows.districts).zip(&rows.plate_types).zip(&rows.models);
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
