//! How long a data directory keeps what it holds: recorded in the directory itself, so that a start with other settings
//! drops nothing unintentionally.
//!
//! **The rule.** An empty directory takes what it is opened with. Later a longer time takes effect at once. A shorter
//! one takes effect only if the user configured it, and is announced first: how much is dropped, from when to when, and
//! when at the earliest ([`Announcement`]). At that time exactly what was announced is dropped; from then on the
//! shorter time is the recorded one.
//!
//! Event time is measured from the newest watermark, never from the newest record: one wrong clock drops nothing.

use shard::PerShard;
use storage::{Durability, Family};
use traffic::CivilTime;

use super::store::Store;
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::records::{
    Announcement, Keep, Kept, Lifetime, Lifetimes, StoredReject, decode_alert, retention_text,
};
use crate::store::state::Log;

const DAY: i64 = 86_400;

/// Whether `left` keeps no longer than `right`.
fn is_shorter(left: Option<i64>, right: Option<i64>) -> bool {
    left.unwrap_or(i64::MAX) < right.unwrap_or(i64::MAX)
}

impl Store {
    fn wanted(&self, kept: Kept) -> Keep {
        match kept {
            Kept::Passages => self.settings.retention,
            Kept::Alerts => self.settings.alerts_retention,
            Kept::Rejects => self.settings.rejects_retention,
        }
    }

    /// What retention counts back from: the newest watermark. It is never ahead of the clock: records may be dated up
    /// to a day ahead, and one wrong clock must not empty the store. None before any partition has a watermark.
    pub(super) fn event_time(&self) -> Option<i64> {
        let newest = self.partitions.values().filter_map(|partition| partition.state.watermark.time).max()?;
        Some(newest.min(self.clock()))
    }

    pub(super) fn clock(&self) -> i64 {
        (self.settings.clock)().0
    }

    /// Reads the directory's record; returns whether it has one.
    pub(super) fn load_lifetimes(&mut self) -> Result<bool, StoreError> {
        let database = &self.shared.reading.database;
        let remembered = match database.get(Family::Meta, keys::LIFETIMES_KEY)? {
            Some(bytes) => Some(
                Lifetimes::decode(&bytes)
                    .map_err(|error| database.damaged("the retention that it remembers", &error))?,
            ),
            None => None,
        };
        let is_known = remembered.is_some();
        self.lifetimes = remembered.unwrap_or_else(|| Lifetimes::new(self.absent_rows()));
        Ok(is_known)
    }

    /// Reconciles the directory's record with what it is opened with.
    pub(super) fn settle_lifetimes(&mut self, is_known: bool) -> Result<(), StoreError> {
        if !self.settings.expires {
            return Ok(());
        }
        let before = self.lifetimes.clone();
        let is_empty = self.state.totals.accepted == 0 && self.state.totals.rejects == 0;
        for kept in Kept::ALL {
            let wanted = self.wanted(kept);
            if is_empty {
                *self.lifetimes.of_mut(kept) = Lifetime { seconds: wanted.seconds, announced: None };
                continue;
            }
            if !is_known {
                let seconds = self.guessed(kept, wanted)?;
                self.lifetimes.of_mut(kept).seconds = seconds;
            }
            self.settle(kept, wanted)?;
        }
        if !is_known || before != self.lifetimes {
            let database = self.shared.reading.database.clone();
            let mut commit = database.begin();
            self.lifetimes.write(&mut commit)?;
            fail::fail_point!("retention::before-announcement");
            database.commit(commit, Durability::AsConfigured)?;
            fail::fail_point!("retention::announced");
        }
        Ok(())
    }

    /// The retention of a directory that has no record of it: what it is opened with, unless it holds more.
    fn guessed(&self, kept: Kept, wanted: Keep) -> Result<Option<i64>, StoreError> {
        let (Some(seconds), Some(newest), Some(oldest)) = (wanted.seconds, self.event_time(), self.oldest(kept)?)
        else {
            return Ok(wanted.seconds);
        };
        Ok((newest - oldest <= seconds.saturating_add(DAY)).then_some(seconds))
    }

    fn settle(&mut self, kept: Kept, wanted: Keep) -> Result<(), StoreError> {
        let remembered = self.lifetimes.of(kept).clone();
        let setting = kept.setting();
        if !wanted.written || wanted.seconds == remembered.seconds {
            if wanted.seconds != remembered.seconds {
                tracing::info!(
                    setting,
                    remembered = retention_text(remembered.seconds),
                    default = retention_text(wanted.seconds),
                    "the data directory remembers its retention; a default does not change it, what is written down does"
                );
            }
            self.withdraw(kept);
        } else if !is_shorter(wanted.seconds, remembered.seconds) {
            self.withdraw(kept);
            self.lifetimes.of_mut(kept).seconds = wanted.seconds;
            tracing::info!(
                setting,
                before = retention_text(remembered.seconds),
                now = retention_text(wanted.seconds),
                "more is kept from now on"
            );
        } else if let Some(seconds) = wanted.seconds
            && remembered.announced.is_none_or(|announced| announced.seconds != seconds)
        {
            let announced = self.announcement(kept, seconds)?;
            let lifetime = self.lifetimes.of_mut(kept);
            if announced.count == 0 {
                *lifetime = Lifetime { seconds: Some(seconds), announced: None };
                tracing::info!(
                    setting,
                    now = retention_text(Some(seconds)),
                    "less is kept from now on; nothing is that old yet"
                );
            } else {
                lifetime.announced = Some(announced);
            }
        }
        if let Some(announced) = &self.lifetimes.of(kept).announced {
            tracing::warn!(
                setting,
                before = retention_text(remembered.seconds),
                now = retention_text(Some(announced.seconds)),
                count = announced.count,
                from = %CivilTime(announced.from),
                to = %CivilTime(announced.to),
                not_before = %CivilTime(announced.acts_at),
                "a shorter retention is going to drop {}: to keep them, write \"{}\" again and restart before that time",
                kept.as_str(),
                retention_text(remembered.seconds),
            );
        }
        Ok(())
    }

    fn withdraw(&mut self, kept: Kept) {
        if self.lifetimes.of_mut(kept).announced.take().is_some() {
            tracing::info!(setting = kept.setting(), "the shorter retention that was announced is withdrawn");
        }
    }

    fn announcement(&self, kept: Kept, seconds: i64) -> Result<Announcement, StoreError> {
        let older_than = self.event_time().map_or(i64::MIN, |newest| newest.saturating_sub(seconds));
        let mut announced = Announcement {
            seconds,
            older_than,
            count: 0,
            from: i64::MAX,
            to: i64::MIN,
            acts_at: self.clock().saturating_add(self.settings.retention_grace),
        };
        let mut add = |count: u64, from: i64, to: i64| {
            announced.count += count;
            announced.from = announced.from.min(from);
            announced.to = announced.to.max(to);
        };
        match kept {
            Kept::Passages => {
                let old = self.segments().filter(|(_, _, newest)| *newest < older_than);
                old.for_each(|(rows, oldest, newest)| add(rows, oldest, newest));
            }
            Kept::Alerts | Kept::Rejects => {
                self.each_time(kept, |time| {
                    if time < older_than {
                        add(1, time, time);
                    }
                    time < older_than
                })?;
            }
        }
        Ok(announced)
    }

    /// Rows, earliest and latest event time of each segment.
    fn segments(&self) -> impl Iterator<Item = (u64, i64, i64)> + '_ {
        let zones = self.state.logs.values().flat_map(Log::iter).map(|entry| &entry.zone);
        zones.map(|zone| (u64::from(zone.rows), zone.min_time.0, zone.max_time.0))
    }

    /// Rows by shard that were stored once and are no longer there.
    pub(super) fn absent_rows(&self) -> PerShard<u64> {
        let mut absent = self.state.totals.by_shard.clone();
        for (log, absent) in self.state.logs.values().zip(absent.values_mut()) {
            let there: u64 = log.iter().map(|entry| u64::from(entry.zone.rows)).sum();
            *absent = absent.saturating_sub(there);
        }
        absent
    }

    fn oldest(&self, kept: Kept) -> Result<Option<i64>, StoreError> {
        let mut oldest = None;
        match kept {
            Kept::Passages => oldest = self.segments().map(|(_, oldest, _)| oldest).min(),
            Kept::Alerts | Kept::Rejects => self.each_time(kept, |time| {
                oldest = Some(time);
                false
            })?,
        }
        Ok(oldest)
    }

    /// Gives `visit` the event times of alerts or rejects, oldest number first, until it has enough.
    fn each_time(&self, kept: Kept, mut visit: impl FnMut(i64) -> bool) -> Result<(), StoreError> {
        let alerts = kept == Kept::Alerts;
        let (family, first) = match alerts {
            true => (Family::Alerts, self.state.totals.oldest_alert),
            false => (Family::Rejects, self.state.totals.oldest_reject),
        };
        for item in self.shared.reading.database.scan(family, &first.max(1).to_be_bytes()) {
            let (key, value) = item?;
            if keys::is_refused(&key) {
                break;
            }
            let time = match alerts {
                true => decode_alert(&value)?.later.passed_at.0,
                false => {
                    let near = StoredReject::decode(&value)?.near;
                    near.or(self.state.totals.first_time).unwrap_or(i64::MAX)
                }
            };
            if !visit(time) {
                break;
            }
        }
        Ok(())
    }
}
