//! What a run is made of, drawn from its seed: how many appliances and partitions, how large batches are, which faults
//! may happen, and the faults that are planted to show that they are found.

use std::time::Duration;

use super::random::Random;

/// A fault that is put into the code under test on purpose (`SIMULATION_PLANT`), to show that seeds find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    /// The group gets the offset of a batch before the store has it.
    OffsetBeforeCommit,
    /// A mirror's cursor moves before the target has acknowledged.
    CursorBeforeAcknowledgement,
    /// Commits are not forced to the disk, while their offsets go to the group.
    OffsetOfUnforcedCommit,
    /// A batch is committed a second time, as another partition.
    AcceptedTwice,
    /// A process that slept commits what another owns by then.
    NoLease,
    /// A process goes on after a write of a mirror has failed, until a batch meets the latch.
    GoesOnAfterFailedWrite,
}

impl Planted {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "offset-before-commit" => Self::OffsetBeforeCommit,
            "cursor-before-acknowledgement" => Self::CursorBeforeAcknowledgement,
            "offset-of-unforced-commit" => Self::OffsetOfUnforcedCommit,
            "accepted-twice" => Self::AcceptedTwice,
            "no-lease" => Self::NoLease,
            "goes-on-after-failed-write" => Self::GoesOnAfterFailedWrite,
            other => panic!("no such fault: {other}"),
        }
    }
}

/// What a run is made of.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) appliances: usize,
    pub(super) partitions: i32,
    pub(super) records: usize,
    pub(super) batch_records: u64,
    pub(super) batch_interval: Duration,
    /// Rows between two saves of plate states.
    pub(super) saved_rows: u64,
    /// Rows of a statement of a mirror.
    pub(super) mirror_rows: u64,
    /// Steps with faults; then all becomes calm and the run has to come to its end.
    pub(super) steps: u64,
    pub(super) planted: Option<Planted>,
}

impl Plan {
    pub(super) fn of(random: &Random, planted: Option<Planted>) -> Self {
        Self {
            appliances: [1, 1, 2, 2, 3][random.below(5) as usize],
            partitions: random.between(2, 3) as i32,
            records: random.between(120, 360) as usize,
            batch_records: random.between(1, 40),
            batch_interval: Duration::from_millis(random.between(0, 300)),
            saved_rows: random.between(1, 200),
            mirror_rows: random.between(1, 50),
            steps: random.between(400, 1400),
            planted,
        }
    }
}
