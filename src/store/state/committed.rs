//! What has been committed, as far as readers see it.

use traffic::NameTable;

use super::alert_index::AlertIndex;
use super::last_minute::LastMinute;
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
    pub(in crate::store) logs: [Log; 2],
    /// Counts by hour.
    pub(in crate::store) rollups: Rollups,
    /// The searchable part of alerts.
    pub(in crate::store) alerts: AlertIndex,
    /// Passages of the last minute.
    pub(in crate::store) last_minute: LastMinute,
}

impl Default for State {
    fn default() -> Self {
        Self {
            names: NameTable::default(),
            totals: Totals::default(),
            logs: [Log::new(0), Log::new(1)],
            rollups: Rollups::default(),
            alerts: AlertIndex::new(0),
            last_minute: LastMinute::default(),
        }
    }
}
