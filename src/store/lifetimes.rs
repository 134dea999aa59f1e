//! How long a data directory keeps what it holds: remembered in the directory itself, so that a start with other settings
//! drops nothing that nobody asked to drop.
//!
//! **The rule.** An empty directory takes what it is opened with. Later a longer time takes effect at once. A shorter one
//! takes effect only where the user wrote it down, and is announced first: how much goes, from when to when, and
//! when at the earliest ([`Announcement`]). When that time has come what was announced is dropped and no more; from then on
//! the shorter time is the one that is remembered.
//!
//! Event time is measured from the newest watermark, never from the newest record: one wrong clock drops nothing.

use serde::{Deserialize, Serialize};
use storage::{Commit, Family, codec};
use traffic::CivilTime;

use super::rejects::StoredReject;
use super::{Store, StoreError, keys, stored_alert};

const DAY: i64 = 86_400;

/// How long a user wants something kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Seconds of event time; none = for ever.
    pub seconds: Option<i64>,
    /// Whether the user wrote it down; otherwise it is a default.
    pub written: bool,
}

impl Keep {
    /// Written down by the user.
    pub fn written(seconds: Option<i64>) -> Self {
        Self { seconds, written: true }
    }

    /// Not written down: for ever, or what the data directory remembers.
    pub fn by_default() -> Self {
        Self { seconds: None, written: false }
    }
}

/// What has a time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    /// Passages.
    Passages,
    /// Alerts, and the work on them.
    Alerts,
    /// Rejected lines.
    Rejects,
}

impl Kept {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Passages, Self::Alerts, Self::Rejects];

    /// The name in logs and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passages => "passages",
            Self::Alerts => "alerts",
            Self::Rejects => "rejects",
        }
    }

    fn setting(self) -> &'static str {
        match self {
            Self::Passages => "store.retention",
            Self::Alerts => "store.alerts_retention",
            Self::Rejects => "store.rejects_retention",
        }
    }
}

/// What a shorter retention will drop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The retention, in seconds.
    pub seconds: i64,
    /// What is older than this goes.
    pub older_than: i64,
    /// How many.
    pub count: u64,
    /// Event time of the oldest of them.
    pub from: i64,
    /// Event time of the newest of them.
    pub to: i64,
    /// The clock's time from which on they go.
    pub acts_at: i64,
}

/// What retention dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The clock's time.
    pub at: i64,
    /// How many passages.
    pub rows: u64,
    /// Event time of the oldest of them.
    pub from: i64,
    /// Event time of the newest of them.
    pub to: i64,
    /// They were older than this.
    pub older_than: i64,
    /// The retention, in seconds.
    pub seconds: i64,
}

/// What a directory remembers of one of [`Kept`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetime {
    /// Seconds of event time; none = for ever.
    pub seconds: Option<i64>,
    /// A shorter one that is to come.
    pub announced: Option<Announcement>,
}

/// What a directory remembers of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    passages: Lifetime,
    alerts: Lifetime,
    rejects: Lifetime,
    /// Passages that were dropped, by shard, ever.
    pub dropped_rows: [u64; 2],
    /// The newest run of retention that dropped passages.
    pub last_drop: Option<Dropped>,
}

impl Lifetimes {
    /// One of them.
    pub fn of(&self, kept: Kept) -> &Lifetime {
        match kept {
            Kept::Passages => &self.passages,
            Kept::Alerts => &self.alerts,
            Kept::Rejects => &self.rejects,
        }
    }

    fn of_mut(&mut self, kept: Kept) -> &mut Lifetime {
        match kept {
            Kept::Passages => &mut self.passages,
            Kept::Alerts => &mut self.alerts,
            Kept::Rejects => &mut self.rejects,
        }
    }

    /// What is older may go: its event time, and the retention that says so. `newest` is the event time that retention
    /// counts back from, `now` the clock's.
    pub(super) fn limit(&self, kept: Kept, newest: i64, now: i64) -> Option<(i64, i64)> {
        let lifetime = self.of(kept);
        match &lifetime.announced {
            Some(announced) if now >= announced.acts_at => Some((announced.older_than, announced.seconds)),
            _ => lifetime.seconds.map(|seconds| (newest.saturating_sub(seconds), seconds)),
        }
    }

    /// Whether what was announced of `kept` is due.
    fn is_due(&self, kept: Kept, now: i64) -> bool {
        self.of(kept).announced.as_ref().is_some_and(|announced| now >= announced.acts_at)
    }

    /// All that was announced of `kept` is gone: the shorter time is the one that counts.
    pub(super) fn done(&mut self, kept: Kept, now: i64) -> bool {
        if !self.is_due(kept, now) {
            return false;
        }
        let lifetime = self.of_mut(kept);
        if let Some(announced) = lifetime.announced.take() {
            lifetime.seconds = Some(announced.seconds);
            tracing::info!(
                setting = kept.setting(),
                retention = text(lifetime.seconds),
                "the retention that was announced is in force"
            );
        }
        true
    }

    pub(super) fn write(&self, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        commit.put(Family::Meta, keys::LIFETIMES_KEY, &codec::encode(keys::LIFETIMES, self)?);
        Ok(())
    }
}

/// A retention in words.
pub(super) fn text(seconds: Option<i64>) -> String {
    match seconds {
        Some(seconds) => crate::config::duration_text(std::time::Duration::from_secs(seconds.unsigned_abs())),
        None => "forever".to_owned(),
    }
}

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

    /// What retention counts back from: the newest watermark. It is never ahead of the clock, since records may be dated up
    /// to a day ahead of it, and one wrong clock must not empty the store. None before any partition has a watermark.
    pub(super) fn event_time(&self) -> Option<i64> {
        let newest = self.partitions.values().filter_map(|partition| partition.state.watermark.time).max()?;
        Some(newest.min(self.clock()))
    }

    pub(super) fn clock(&self) -> i64 {
        (self.settings.clock)().0
    }

    /// Reads what the directory remembers; returns whether it does.
    pub(super) fn load_lifetimes(&mut self) -> Result<bool, StoreError> {
        let database = &self.shared.database;
        let remembered = match database.get(Family::Meta, keys::LIFETIMES_KEY)? {
            Some(bytes) => Some(
                codec::decode(keys::LIFETIMES, &bytes)
                    .map_err(|error| database.damaged("the retention that it remembers", &error))?,
            ),
            None => None,
        };
        let is_known = remembered.is_some();
        self.lifetimes =
            remembered.unwrap_or_else(|| Lifetimes { dropped_rows: self.absent_rows(), ..Lifetimes::default() });
        Ok(is_known)
    }

    /// Brings what the directory remembers together with what it is opened with.
    pub(super) fn settle_lifetimes(&mut self, is_known: bool) -> Result<(), StoreError> {
        if !self.settings.expires {
            return Ok(());
        }
        let before = self.lifetimes.clone();
        let is_empty = self.totals.accepted == 0 && self.totals.rejects == 0;
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
            let database = self.shared.database.clone();
            let mut commit = database.begin();
            self.lifetimes.write(&mut commit)?;
            database.commit(commit)?;
        }
        Ok(())
    }

    /// What a directory was kept under that does not say so: what it is opened with, unless it holds more.
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
                    remembered = text(remembered.seconds),
                    default = text(wanted.seconds),
                    "the data directory remembers its retention; a default does not change it, what is written down does"
                );
            }
            self.withdraw(kept);
        } else if !is_shorter(wanted.seconds, remembered.seconds) {
            self.withdraw(kept);
            self.lifetimes.of_mut(kept).seconds = wanted.seconds;
            tracing::info!(
                setting,
                before = text(remembered.seconds),
                now = text(wanted.seconds),
                "more is kept from now on"
            );
        } else if let Some(seconds) = wanted.seconds
            && remembered.announced.is_none_or(|announced| announced.seconds != seconds)
        {
            let announced = self.announcement(kept, seconds)?;
            let lifetime = self.lifetimes.of_mut(kept);
            if announced.count == 0 {
                *lifetime = Lifetime { seconds: Some(seconds), announced: None };
                tracing::info!(setting, now = text(Some(seconds)), "less is kept from now on; nothing is that old yet");
            } else {
                lifetime.announced = Some(announced);
            }
        }
        if let Some(announced) = &self.lifetimes.of(kept).announced {
            tracing::warn!(
                setting,
                before = text(remembered.seconds),
                now = text(Some(announced.seconds)),
                count = announced.count,
                from = %CivilTime(announced.from),
                to = %CivilTime(announced.to),
                not_before = %CivilTime(announced.acts_at),
                "a shorter retention is going to drop {}: to keep them, write \"{}\" again and restart before that time",
                kept.as_str(),
                text(remembered.seconds),
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
        self.logs.iter().flat_map(|log| {
            let (sealed, tail) = log.entries();
            let zones = sealed.iter().chain(&tail).map(|entry| &entry.zone);
            zones.map(|zone| (u64::from(zone.rows), zone.min_time.0, zone.max_time.0)).collect::<Vec<_>>()
        })
    }

    /// Rows by shard that were stored once and are not there now.
    pub(super) fn absent_rows(&self) -> [u64; 2] {
        let mut absent = self.totals.by_shard;
        for (log, absent) in self.logs.iter().zip(&mut absent) {
            let (sealed, tail) = log.entries();
            let there: u64 = sealed.iter().chain(&tail).map(|entry| u64::from(entry.zone.rows)).sum();
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

    /// Gives the event times of alerts or rejects, oldest number first, until `visit` has enough.
    fn each_time(&self, kept: Kept, mut visit: impl FnMut(i64) -> bool) -> Result<(), StoreError> {
        let alerts = kept == Kept::Alerts;
        let (family, first) = match alerts {
            true => (Family::Alerts, self.totals.oldest_alert),
            false => (Family::Rejects, self.totals.oldest_reject),
        };
        for item in self.shared.database.scan(family, &first.max(1).to_be_bytes()) {
            let (key, value) = item?;
            if keys::is_refused(&key) {
                break;
            }
            let time = match alerts {
                true => super::alerts::time_of(&stored_alert::decode(&value)?.curr_time),
                false => {
                    let near = StoredReject::decode(&value)?.near;
                    near.or(self.totals.first_time).unwrap_or(i64::MAX)
                }
            };
            if !visit(time) {
                break;
            }
        }
        Ok(())
    }
}
