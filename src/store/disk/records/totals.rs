//! Running totals of a data directory and of its partitions: small values that change with every commit.

use serde::{Deserialize, Serialize};
use shard::{PerShard, ShardCount};
use std::collections::BTreeMap;
use storage::codec::{self, CodecError};
use storage::{Database, Family};
use traffic::{CivilTime, RejectReason, WatermarkState};

use crate::store::StoreError;
use crate::store::disk::keys;

/// Counts since the data directory was made, and the next numbers to assign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Lines read.
    pub lines: u64,
    /// Header lines.
    pub headers: u64,
    /// Blank lines.
    pub blank: u64,
    /// Rejected lines by reason, in the order of [`RejectReason::ALL`].
    pub rejected: Vec<u64>,
    /// Passages whose GCXH was accepted already.
    pub duplicates: u64,
    /// Accepted passages; also the next arrival number.
    pub accepted: u64,
    /// Accepted passages that were too old to be compared.
    pub late: u64,
    /// Alerts; also the newest `seq`.
    pub alerts: u64,
    /// Accepted passages per shard; also the next row number of each.
    pub by_shard: PerShard<u64>,
    /// Rows of each shard that are in sealed segments (those before this row number).
    pub sealed: PerShard<u64>,
    /// Rejects that were numbered.
    pub rejects: u64,
    /// The oldest alert that is kept.
    pub oldest_alert: u64,
    /// The oldest reject that is kept.
    pub oldest_reject: u64,
    /// Earliest accepted GCSJ.
    pub first_time: Option<i64>,
    /// Newest accepted GCSJ.
    pub last_time: Option<i64>,
}

/// Layout 1, in which there were always two shards.
#[derive(Deserialize)]
struct TotalsOfTwo {
    lines: u64,
    headers: u64,
    blank: u64,
    rejected: Vec<u64>,
    duplicates: u64,
    accepted: u64,
    late: u64,
    alerts: u64,
    by_shard: [u64; 2],
    sealed: [u64; 2],
    rejects: u64,
    oldest_alert: u64,
    oldest_reject: u64,
    first_time: Option<i64>,
    last_time: Option<i64>,
}

impl Totals {
    /// Of a new data directory.
    pub(in crate::store) fn new(shards: ShardCount) -> Self {
        Self { by_shard: PerShard::new(shards, |_| 0), sealed: PerShard::new(shards, |_| 0), ..Self::default() }
    }

    /// Of a database: those that it holds, or those of a new one.
    pub(in crate::store) fn load(database: &Database) -> Result<Self, StoreError> {
        let shards = shards_of(database)?;
        let Some(bytes) = database.get(Family::Meta, keys::TOTALS_KEY)? else { return Ok(Self::new(shards)) };
        let damaged = |detail: &dyn std::fmt::Display| database.damaged("the totals", detail);
        let totals = Self::decode(&bytes).map_err(|error| damaged(&error))?;
        if [&totals.by_shard, &totals.sealed].iter().any(|rows| rows.shards() != Some(shards)) {
            return Err(damaged(&"they are of another number of shards").into());
        }
        Ok(totals)
    }

    pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        if codec::version(keys::TOTALS, bytes)? > 1 {
            return codec::decode(keys::TOTALS, bytes);
        }
        let old: TotalsOfTwo = codec::decode(keys::TOTALS, bytes)?;
        Ok(Self {
            lines: old.lines,
            headers: old.headers,
            blank: old.blank,
            rejected: old.rejected,
            duplicates: old.duplicates,
            accepted: old.accepted,
            late: old.late,
            alerts: old.alerts,
            by_shard: of_two(old.by_shard),
            sealed: of_two(old.sealed),
            rejects: old.rejects,
            oldest_alert: old.oldest_alert,
            oldest_reject: old.oldest_reject,
            first_time: old.first_time,
            last_time: old.last_time,
        })
    }

    /// Rejected lines.
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().sum()
    }

    /// Rejected lines by reason's name, those that occurred.
    pub fn rejected_by_reason(&self) -> BTreeMap<&'static str, u64> {
        let counts = RejectReason::ALL.iter().zip(&self.rejected).filter(|(_, count)| **count > 0);
        counts.map(|(reason, count)| (reason.as_str(), *count)).collect()
    }

    /// Counts a reject and returns its number.
    pub(in crate::store) fn reject(&mut self, reason: RejectReason) -> u64 {
        self.rejected.resize(RejectReason::ALL.len(), 0);
        if let Some(count) = self.rejected.get_mut(reason as usize) {
            *count += 1;
        }
        self.rejects += 1;
        self.rejects
    }

    pub(in crate::store) fn see(&mut self, time: CivilTime) {
        self.first_time = Some(self.first_time.map_or(time.0, |first| first.min(time.0)));
        self.last_time = Some(self.last_time.map_or(time.0, |last| last.max(time.0)));
    }

    /// Newest accepted GCSJ.
    pub fn newest(&self) -> Option<CivilTime> {
        self.last_time.map(CivilTime)
    }
}

/// Values of the layouts in which there were always two shards.
pub(super) fn of_two(values: [u64; 2]) -> PerShard<u64> {
    let [first, second] = values;
    PerShard::new(ShardCount::default(), |shard| if shard.index() == 0 { first } else { second })
}

/// How many shards a database has.
pub(in crate::store) fn shards_of(database: &Database) -> Result<ShardCount, StoreError> {
    let shards = usize::from(database.shards());
    let impossible = || database.damaged("the database", &format!("{shards} shards are not possible"));
    Ok(ShardCount::new(shards).ok_or_else(impossible)?)
}

/// A partition's place in event time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct PartitionState {
    /// The watermark after the last commit.
    pub(in crate::store) watermark: WatermarkState,
    /// The watermark when plate states were last saved.
    pub(in crate::store) saved_watermark: WatermarkState,
    /// Passages with an arrival number from this on are not in the saved plate states.
    pub(in crate::store) saved_arrival: u64,
}

impl PartitionState {
    /// Reads a stored value; none if it is of layout 1, whose watermark was the newest GCSJ of all and cannot be relied
    /// on.
    pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Option<Self>, CodecError> {
        match codec::version(keys::PARTITION, bytes)? {
            1 => codec::decode::<(Option<i64>, Option<i64>, u64)>(keys::PARTITION, bytes).map(|_| None),
            _ => codec::decode(keys::PARTITION, bytes).map(Some),
        }
    }

    /// A GCXH whose passage is older than this is no longer guarded.
    pub(in crate::store) fn guarded_from(&self, state_ttl: i64) -> i64 {
        self.watermark.time.map_or(i64::MIN, |watermark| watermark.saturating_sub(state_ttl))
    }
}
