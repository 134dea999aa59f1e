//! Running totals of a data directory and of its partitions: small values that change with every commit.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::codec::{self, CodecError};
use traffic::{CivilTime, RejectReason, WatermarkState};

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
    pub by_shard: [u64; 2],
    /// Rows of each shard that are in sealed segments (those before this row number).
    pub sealed: [u64; 2],
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

impl Totals {
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
