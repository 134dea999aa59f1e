//! What has been committed, as far as readers see it.

use shard::{PerShard, ShardCount};
use traffic::{CivilTime, NameTable};

use super::alert_index::AlertIndex;
use super::case_index::CaseIndex;
use super::last_minute::LastMinute;
use super::learnt::Learnt;
use super::log::Log;
use super::rollups::Rollups;
use crate::store::disk::records::Totals;

/// All that a view is made of.
#[derive(Debug)]
pub(in crate::store) struct State {
    /// Names by number.
    pub(in crate::store) names: NameTable,
    /// Running totals.
    pub(in crate::store) totals: Totals,
    /// The log of each shard.
    pub(in crate::store) logs: PerShard<Log>,
    /// Counts by hour.
    pub(in crate::store) rollups: Rollups,
    /// The searchable part of alerts.
    pub(in crate::store) alerts: AlertIndex,
    /// The cases.
    pub(in crate::store) cases: CaseIndex,
    /// Travel times.
    pub(in crate::store) learnt: Learnt,
    /// The newest GCSJ that is not far ahead of the watermark.
    pub(in crate::store) newest: Option<CivilTime>,
    /// Passages of the last minute.
    pub(in crate::store) last_minute: LastMinute,
}

impl State {
    /// Of an empty data directory.
    pub(in crate::store) fn new(shards: ShardCount) -> Self {
        Self {
            names: NameTable::default(),
            totals: Totals::new(shards),
            logs: PerShard::new(shards, Log::new),
            rollups: Rollups::default(),
            alerts: AlertIndex::new(0),
            cases: CaseIndex::default(),
            learnt: Learnt::default(),
            newest: None,
            last_minute: LastMinute::default(),
        }
    }
}
