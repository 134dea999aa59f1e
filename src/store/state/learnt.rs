//! What each partition has learnt of travel times, as readers see it: a copy, made again when an hour was learnt.

use std::collections::BTreeMap;
use std::sync::Arc;

use traffic::NameId;
use traffic::evidence::{LearntTimes, PartitionAssessor};

/// The travel times of a partition.
#[derive(Debug, Clone)]
pub(in crate::store) struct LearntHour {
    /// The hour that was learnt last, in hours since 1970.
    pub(in crate::store) hour: i64,
    pub(in crate::store) times: Arc<LearntTimes>,
}

/// The travel times of all partitions.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Learnt(Arc<BTreeMap<u32, LearntHour>>);

impl Learnt {
    /// Copies what the partitions have learnt since the last call.
    pub(in crate::store) fn refresh<'a>(&mut self, assessors: impl Iterator<Item = (u32, &'a PartitionAssessor)>) {
        let learnt = assessors.filter_map(|(id, assessor)| Some((id, assessor, assessor.learnt_hour()?)));
        let learnt: Vec<(u32, &PartitionAssessor, i64)> = learnt.collect();
        let is_learnt = |id: &u32| learnt.iter().any(|(other, ..)| other == id);
        if !self.0.keys().all(is_learnt) {
            Arc::make_mut(&mut self.0).retain(|id, _| is_learnt(id));
        }
        for (id, assessor, hour) in learnt {
            if self.0.get(&id).is_none_or(|known| known.hour != hour) {
                let times = Arc::new(assessor.learnt_times());
                Arc::make_mut(&mut self.0).insert(id, LearntHour { hour, times });
            }
        }
    }

    /// What a partition has learnt; without one, the partition with the most drives from one checkpoint to another.
    pub(in crate::store) fn of(&self, partition: Option<u32>, from: NameId, to: NameId) -> Option<&LearntHour> {
        match partition {
            Some(partition) => self.0.get(&partition),
            None => self.0.values().max_by_key(|learnt| learnt.times.drives(from, to)),
        }
    }
}
