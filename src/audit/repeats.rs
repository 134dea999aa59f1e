//! Rows whose GCXH occurs earlier in the same shard. After the TTL a GCXH is accepted again; MySQL, where it is the
//! primary key, keeps the row that came first.
//!
//! All GCXHs are too many to hold, so their hashes are sorted first; only texts whose hash occurs twice are compared.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use shard::ShardId;
use traffic::CivilTime;

use crate::store::{Frozen, StoreError};

const EVER: (CivilTime, CivilTime) = (CivilTime(i64::MIN), CivilTime(i64::MAX));

/// Repeated rows by shard and number.
#[derive(Debug, Default)]
pub(super) struct Repeats(HashSet<(ShardId, u64)>);

impl Repeats {
    /// Of one state of the disk.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub(super) fn find(frozen: &Frozen) -> Result<Self, StoreError> {
        let hasher = std::hash::RandomState::new();
        let mut repeats = HashSet::new();
        for shard in frozen.shards() {
            let mut hashes = Vec::new();
            frozen.each_row(shard, EVER, |_, row| hashes.push(hasher.hash_one(&row.gcxh)))?;
            let twice = twice(hashes);
            if twice.is_empty() {
                continue;
            }
            let mut seen: HashMap<String, u64> = HashMap::new();
            frozen.each_row(shard, EVER, |number, row| {
                if twice.contains(&hasher.hash_one(&row.gcxh)) && *seen.entry(row.gcxh).or_insert(number) != number {
                    repeats.insert((shard, number));
                }
            })?;
        }
        Ok(Self(repeats))
    }

    /// Whether this row repeats an earlier one.
    pub(super) fn contains(&self, shard: ShardId, row: u64) -> bool {
        self.0.contains(&(shard, row))
    }
}

/// The hashes that occur more than once.
fn twice(mut hashes: Vec<u64>) -> HashSet<u64> {
    hashes.sort_unstable();
    let pairs = hashes.windows(2).filter_map(|pair| match pair {
        [first, second] if first == second => Some(*first),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_are_there_twice() {
        assert_eq!(twice(vec![3, 1, 2, 3, 3, 1]), HashSet::from([1, 3]));
        assert!(twice(vec![1, 2]).is_empty() && twice(Vec::new()).is_empty());
    }
}
