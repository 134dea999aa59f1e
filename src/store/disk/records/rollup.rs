//! Counts of one hour.

use serde::{Deserialize, Serialize};
use traffic::NameId;

/// Counts by number, sorted by number, without zeros.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Counts(Vec<(NameId, u64)>);

impl Counts {
    /// From pairs sorted by their number, without zeros.
    pub(in crate::store) fn sorted(counts: impl Iterator<Item = (NameId, u64)>) -> Self {
        Self(counts.collect())
    }

    pub(in crate::store) fn add(&mut self, id: NameId, count: u64) {
        match self.0.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(at) => {
                if let Some((_, known)) = self.0.get_mut(at) {
                    *known += count;
                }
            }
            Err(at) => self.0.insert(at, (id, count)),
        }
    }

    pub(in crate::store) fn subtract(&mut self, other: &Self) {
        for (id, count) in &other.0 {
            if let Ok(at) = self.0.binary_search_by_key(id, |(known, _)| *known)
                && let Some((_, known)) = self.0.get_mut(at)
            {
                *known = known.saturating_sub(*count);
            }
        }
        self.0.retain(|(_, count)| *count > 0);
    }

    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = (NameId, u64)> + '_ {
        self.0.iter().copied()
    }
}

/// Counts of one hour, or of all hours together. An hour with all names that `store.max_names` can allow is within what the
/// codec writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Rollup {
    pub(in crate::store) total: u64,
    pub(in crate::store) checkpoints: Counts,
    pub(in crate::store) districts: Counts,
    pub(in crate::store) models: Counts,
    /// By [`traffic::VehicleType`], in the order of its numbers.
    pub(in crate::store) vehicle_types: [u64; 4],
}

impl Rollup {
    pub(in crate::store) fn add(&mut self, other: &Self) {
        self.total += other.total;
        for (mine, theirs) in self.parts_mut().into_iter().zip([&other.checkpoints, &other.districts, &other.models]) {
            for (id, count) in theirs.iter() {
                mine.add(id, count);
            }
        }
        for (mine, theirs) in self.vehicle_types.iter_mut().zip(&other.vehicle_types) {
            *mine += theirs;
        }
    }

    pub(in crate::store) fn subtract(&mut self, other: &Self) {
        self.total = self.total.saturating_sub(other.total);
        for (mine, theirs) in self.parts_mut().into_iter().zip([&other.checkpoints, &other.districts, &other.models]) {
            mine.subtract(theirs);
        }
        for (mine, theirs) in self.vehicle_types.iter_mut().zip(&other.vehicle_types) {
            *mine = mine.saturating_sub(*theirs);
        }
    }

    fn parts_mut(&mut self) -> [&mut Counts; 3] {
        [&mut self.checkpoints, &mut self.districts, &mut self.models]
    }
}
