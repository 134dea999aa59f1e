//! Requests to the group: commit what is stored, and whether this process is still a member. It decides nothing.

use std::sync::Weak;

use rdkafka::error::KafkaResult;

use super::asked::Group;
use super::ledger::Ledger;
use super::position::PartitionPosition;

/// Commits to the group the stored positions that it does not have yet. It may refuse them later.
pub(super) fn commit_hints(group: &impl Group, ledger: &Ledger) -> KafkaResult<()> {
    let hints = ledger.hints();
    if hints.is_empty() {
        return Ok(());
    }
    group.commit(&hints, false)
}

/// Commits the stored positions of revoked partitions, and waits until the group has them.
pub(super) fn commit_last(group: &impl Group, ledger: &Ledger, partitions: &[i32]) -> KafkaResult<()> {
    let last = ledger.last(partitions);
    if last.is_empty() {
        return Ok(());
    }
    group.commit(&last, true)
}

/// Whether the group takes a commit from this member, so that its partitions are its own.
pub(super) fn is_member<G: Group>(group: &Weak<G>, partition: i32, stored: &PartitionPosition) -> bool {
    let Some(group) = group.upgrade() else { return false };
    group.commit(&[(partition, stored.clone())], true).is_ok()
}
