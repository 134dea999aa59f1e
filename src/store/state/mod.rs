//! What the writer holds in memory. Each part knows the layout on disk and none knows another; [`State`] combines those
//! that a view is made of.

mod alert_index;
mod case_changes;
mod case_index;
mod committed;
mod detection;
mod holds;
mod last_minute;
mod learnt;
mod log;
mod name_facts;
mod partitions;
mod rollups;
mod work_states;

#[cfg(test)]
pub(super) use alert_index::ROW_BYTES;
pub(super) use alert_index::{AlertIndex, FoundAlerts, Row as AlertRow};
pub(super) use case_changes::CaseChanges;
pub(super) use case_index::{CaseIndex, CaseRow};
pub(super) use committed::State;
pub(super) use detection::Detection;
pub(super) use holds::Holds;
pub(super) use last_minute::LastMinute;
pub(super) use learnt::Learnt;
pub(super) use log::Log;
#[cfg(test)]
pub(super) use log::Sizes;
pub(super) use name_facts::NameFacts;
pub(super) use partitions::{Partition, PartitionEvidence, SavedPart, assessors, needed_for_recovery};
pub(super) use rollups::{HourCounter, Rollups};
pub(super) use work_states::{CaseWork, Work, WorkStates, load_numbers};
