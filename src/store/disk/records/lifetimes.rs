//! How long a data directory keeps what it holds, as recorded in it.

use serde::{Deserialize, Serialize};
use shard::PerShard;
use storage::{Commit, Family, codec};

use super::totals::of_two;
use crate::store::StoreError;
use crate::store::disk::keys;

/// How long a user wants something kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Seconds of event time; none = forever.
    pub seconds: Option<i64>,
    /// Whether the user configured it; otherwise it is a default.
    pub written: bool,
}

impl Keep {
    /// Configured by the user.
    pub fn written(seconds: Option<i64>) -> Self {
        Self { seconds, written: true }
    }

    /// Not configured: forever, or what the data directory has recorded.
    pub fn by_default() -> Self {
        Self { seconds: None, written: false }
    }
}

/// What has a retention of its own.
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

    pub(in crate::store) fn setting(self) -> &'static str {
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
    /// What is older than this is dropped.
    pub older_than: i64,
    /// How many.
    pub count: u64,
    /// Event time of the oldest of them.
    pub from: i64,
    /// Event time of the newest of them.
    pub to: i64,
    /// The clock's time from which on they are dropped.
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

/// What a directory records about one of [`Kept`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetime {
    /// Seconds of event time; none = forever.
    pub seconds: Option<i64>,
    /// A shorter one that is to come into effect.
    pub announced: Option<Announcement>,
}

/// What a directory records about all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    passages: Lifetime,
    alerts: Lifetime,
    rejects: Lifetime,
    /// Passages that were dropped, by shard, ever.
    pub dropped_rows: PerShard<u64>,
    /// The newest run of retention that dropped passages.
    pub last_drop: Option<Dropped>,
}

impl Lifetimes {
    /// For a directory that has no record and from which this many rows of each shard are gone.
    pub(in crate::store) fn new(dropped_rows: PerShard<u64>) -> Self {
        Self { dropped_rows, ..Self::default() }
    }

    pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        if codec::version(keys::LIFETIMES, bytes)? > 1 {
            return codec::decode(keys::LIFETIMES, bytes);
        }
        // Layout 1, in which there were always two shards.
        let (passages, alerts, rejects, dropped_rows, last_drop) = codec::decode(keys::LIFETIMES, bytes)?;
        Ok(Self { passages, alerts, rejects, dropped_rows: of_two(dropped_rows), last_drop })
    }

    /// The record of one of them.
    pub fn of(&self, kept: Kept) -> &Lifetime {
        match kept {
            Kept::Passages => &self.passages,
            Kept::Alerts => &self.alerts,
            Kept::Rejects => &self.rejects,
        }
    }

    pub(in crate::store) fn of_mut(&mut self, kept: Kept) -> &mut Lifetime {
        match kept {
            Kept::Passages => &mut self.passages,
            Kept::Alerts => &mut self.alerts,
            Kept::Rejects => &mut self.rejects,
        }
    }

    /// The event time below which data may be dropped, and the retention that sets it. `newest` is the event time that
    /// retention counts back from, `now` the clock's.
    pub(in crate::store) fn limit(&self, kept: Kept, newest: i64, now: i64) -> Option<(i64, i64)> {
        let lifetime = self.of(kept);
        match &lifetime.announced {
            Some(announced) if now >= announced.acts_at => Some((announced.older_than, announced.seconds)),
            _ => lifetime.seconds.map(|seconds| (newest.saturating_sub(seconds), seconds)),
        }
    }

    /// Whether the announced drop of `kept` is due.
    fn is_due(&self, kept: Kept, now: i64) -> bool {
        self.of(kept).announced.as_ref().is_some_and(|announced| now >= announced.acts_at)
    }

    /// All that was announced for `kept` is gone: the shorter time now counts.
    pub(in crate::store) fn done(&mut self, kept: Kept, now: i64) -> bool {
        if !self.is_due(kept, now) {
            return false;
        }
        let lifetime = self.of_mut(kept);
        if let Some(announced) = lifetime.announced.take() {
            lifetime.seconds = Some(announced.seconds);
            tracing::info!(
                setting = kept.setting(),
                retention = retention_text(lifetime.seconds),
                "the retention that was announced is in force"
            );
        }
        true
    }

    pub(in crate::store) fn write(&self, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        commit.put(Family::Meta, keys::LIFETIMES_KEY, &codec::encode(keys::LIFETIMES, self)?);
        Ok(())
    }
}

/// A retention in words.
pub(in crate::store) fn retention_text(seconds: Option<i64>) -> String {
    match seconds {
        Some(seconds) => crate::config::duration_text(std::time::Duration::from_secs(seconds.unsigned_abs())),
        None => "forever".to_owned(),
    }
}
