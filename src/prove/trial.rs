//! The second pass: the traffic with the merges, through the whole detection.

use rustc_hash::FxHashMap;
use traffic::{Catalogue, CivilTime, PassageBatch, PlateCode};

use super::detection::{Detection, Settings};
use super::merged::Merged;
use super::others::Others;
use super::pairs::Pair;

/// A plate's place among the merged ones.
#[derive(Debug, Clone, Copy)]
struct Role {
    pair: usize,
    is_second: bool,
}

/// The traffic with the merges.
#[derive(Debug)]
pub struct Trial {
    detection: Detection,
    roles: FxHashMap<PlateCode, Role>,
    pub(super) merged: Vec<Merged>,
    pub(super) others: Others,
    pub(super) passages: u64,
    /// The first and the last GCSJ.
    pub(super) times: Option<(CivilTime, CivilTime)>,
    /// Rows of the second car of a pair in the batch at hand, in order.
    second_rows: Vec<usize>,
}

impl Trial {
    /// No passage yet.
    pub fn new(settings: Settings, catalogue: Catalogue, pairs: &[Pair]) -> Self {
        let mut roles = FxHashMap::default();
        for (number, pair) in pairs.iter().enumerate() {
            roles.insert(pair.plate, Role { pair: number, is_second: false });
            roles.insert(pair.other, Role { pair: number, is_second: true });
        }
        Self {
            detection: Detection::new(settings, catalogue),
            roles,
            merged: pairs.iter().map(|pair| Merged::new(*pair)).collect(),
            others: Others::default(),
            passages: 0,
            times: None,
            second_rows: Vec::new(),
        }
    }

    /// Merges the pairs in a batch, and takes its passages.
    pub fn take(&mut self, batch: &mut PassageBatch) {
        self.merge(batch);
        let Self { detection, roles, merged, others, passages, times, second_rows } = self;
        detection.take(batch, |seen| {
            *passages += 1;
            let time = CivilTime(seen.spot.time);
            let (first, last) = times.get_or_insert((time, time));
            *first = time.min(*first);
            *last = time.max(*last);
            match roles.get(&seen.plate).and_then(|role| merged.get_mut(role.pair)) {
                Some(merged) => merged.see(seen, second_rows.binary_search(&seen.row).is_ok()),
                None => others.see(seen),
            }
        });
    }

    /// Gives each second car the plate of the first.
    fn merge(&mut self, batch: &mut PassageBatch) {
        self.second_rows.clear();
        for (row, (plate, class)) in batch.plates.iter_mut().zip(&mut batch.classes).enumerate() {
            let Some(role) = self.roles.get(plate).filter(|role| role.is_second) else { continue };
            let Some(merged) = self.merged.get(role.pair) else { continue };
            // A plate that is incomplete beside its plate type stays so.
            if class.is_valid() {
                (*plate, *class) = (merged.pair.plate, merged.pair.class);
                self.second_rows.push(row);
            }
        }
    }
}
