//! Partitions that come to this process and go: in which order their accounts, the writer and the group are asked. It
//! calls no library, and decides nothing of where a partition resumes.

use std::collections::BTreeMap;

use super::asked::Group;
use super::group::commit_last;
use super::ledger::Ledger;

/// The group has given partitions to this process. Returns where each resumes that is decided already; the consuming
/// thread decides the others, and reads nothing of them before.
pub(super) fn come(group: &impl Group, ledger: &Ledger, partitions: &[i32]) -> BTreeMap<i32, i64> {
    ledger.rebalanced();
    partitions.iter().for_each(|partition| ledger.assign(*partition));
    let mut resumed = BTreeMap::new();
    match group.committed(partitions) {
        Ok(committed) => {
            for partition in partitions {
                let of_group = committed.get(partition).copied();
                if let Ok(Some(next)) = ledger.begin_at(*partition, of_group, |_| Err(())) {
                    resumed.insert(*partition, next);
                }
            }
        }
        Err(error) => tracing::warn!(%error, "the group does not tell how far it was consumed, asking again"),
    }
    tracing::info!(partitions = numbers(partitions), topic = ledger.topic(), "partitions come");
    resumed
}

/// The group takes partitions away. IMPORTANT: what was given to the writer is stored before the group learns of it, and
/// the group learns of it before the partitions go.
pub(super) fn go(group: &impl Group, ledger: &Ledger, partitions: &[i32]) {
    ledger.rebalanced();
    partitions.iter().for_each(|partition| ledger.drop_hand(*partition));
    for partition in partitions {
        if !group.wait_until_stored(ledger, *partition) {
            tracing::error!(partition, "a partition goes before its last batch is stored: the disk is too slow");
        }
    }
    // The next owner begins at the group's offset, so that must be where this one ended.
    if !group.assignment_lost()
        && let Err(error) = commit_last(group, ledger, partitions)
    {
        tracing::warn!(%error, "offsets of partitions that move away were not committed to the group");
    }
    partitions.iter().for_each(|partition| ledger.revoked(*partition));
    tracing::info!(partitions = numbers(partitions), topic = ledger.topic(), "partitions go");
}

fn numbers(partitions: &[i32]) -> String {
    partitions.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}
