//! The JSON of a change of work, the same in the API and in what mirrors write of a case. It does not know what was worked
//! on.

use serde::{Deserialize, Serialize};
use traffic::CivilTime;

use crate::alert_json::time_text;
use crate::work::{WorkEntry, WorkReason, WorkStatus};

/// A change of the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkEntryJson {
    /// When, civil time of the road.
    #[serde(with = "time_text")]
    at: CivilTime,
    /// Who.
    by: String,
    /// The state before.
    from: WorkStatus,
    /// The state after it; the same where only a note was added.
    to: WorkStatus,
    /// Why; may be empty.
    note: String,
    /// Why, as a code.
    reason: Option<WorkReason>,
}

impl From<WorkEntry> for WorkEntryJson {
    fn from(WorkEntry { at, by, from, to, note, reason }: WorkEntry) -> Self {
        Self { at, by, from, to, note, reason }
    }
}

impl From<WorkEntryJson> for WorkEntry {
    fn from(WorkEntryJson { at, by, from, to, note, reason }: WorkEntryJson) -> Self {
        Self { at, by, from, to, note, reason }
    }
}
