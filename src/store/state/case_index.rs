//! Cases in memory: what filters compare and lists are ordered by. A view holds the index as it was at its commit; what
//! is shown of a case is read from the disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use traffic::{Cause, NameId, PlateCode};

use crate::case_json::rounded;
use crate::store::disk::records::StoredCase;

/// What is known of a case without reading it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) struct CaseRow {
    pub(in crate::store) seq: u64,
    pub(in crate::store) id: u64,
    pub(in crate::store) plate: PlateCode,
    /// As it is shown, so that a filter and an order agree with what is seen.
    pub(in crate::store) probability: f64,
    pub(in crate::store) cause: Cause,
    pub(in crate::store) contradictions: u32,
    /// Corrected time of the newest contradiction.
    pub(in crate::store) newest: i64,
    /// Event time at which it was opened.
    pub(in crate::store) opened_at: i64,
    /// Checkpoints of the contradictions that are kept.
    pub(in crate::store) checkpoints: Box<[NameId]>,
    /// The partition in which its plate is seen; none as long as that is not known.
    pub(in crate::store) partition: Option<u32>,
    /// The number of its newest change, see [`super::CaseChanges`].
    pub(in crate::store) change: u64,
}

impl CaseRow {
    fn of(stored: &StoredCase, partition: Option<u32>, change: u64) -> Self {
        let case = &stored.case;
        let sites = case.contradictions.iter().flat_map(|pair| [pair.from.spot.checkpoint, pair.to.spot.checkpoint]);
        let mut checkpoints: Vec<NameId> = sites.collect();
        checkpoints.sort_unstable();
        checkpoints.dedup();
        Self {
            seq: stored.seq,
            id: stored.id(),
            plate: case.plate,
            probability: rounded(case.explanations.clone),
            cause: case.explanations.likeliest(),
            contradictions: stored.contradictions(),
            newest: case.newest,
            opened_at: stored.opened_at,
            checkpoints: checkpoints.into(),
            partition,
            change,
        }
    }
}

/// All cases that are kept.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct CaseIndex {
    rows: Arc<BTreeMap<u64, CaseRow>>,
    /// The newest case of each plate.
    newest: Arc<FxHashMap<PlateCode, u64>>,
    /// The newest change of any case.
    changes: u64,
}

impl CaseIndex {
    /// Takes a case that is new or has changed; `change` is the number of that change.
    pub(in crate::store) fn put(&mut self, stored: &StoredCase, partition: Option<u32>, change: u64) {
        self.changes = self.changes.max(change);
        Arc::make_mut(&mut self.rows).insert(stored.seq, CaseRow::of(stored, partition, change));
        if self.newest.get(&stored.case.plate) != Some(&stored.seq) {
            Arc::make_mut(&mut self.newest).insert(stored.case.plate, stored.seq);
        }
    }

    /// Notes the partition of each case that `find` knows.
    pub(in crate::store) fn place(&mut self, find: impl Fn(PlateCode) -> Option<u32>) {
        for row in Arc::make_mut(&mut self.rows).values_mut() {
            row.partition = row.partition.or_else(|| find(row.plate));
        }
    }

    /// Drops a case.
    pub(in crate::store) fn remove(&mut self, seq: u64) {
        let Some(row) = Arc::make_mut(&mut self.rows).remove(&seq) else { return };
        if self.newest.get(&row.plate) == Some(&seq) {
            Arc::make_mut(&mut self.newest).remove(&row.plate);
        }
    }

    /// The newest case of a plate.
    pub(in crate::store) fn of_plate(&self, plate: PlateCode) -> Option<&CaseRow> {
        self.rows.get(self.newest.get(&plate)?)
    }

    /// All of them, in the order in which they were opened.
    pub(in crate::store) fn rows(&self) -> impl DoubleEndedIterator<Item = &CaseRow> {
        self.rows.values()
    }

    /// The number of the newest change of any case.
    pub(in crate::store) fn changes(&self) -> u64 {
        self.changes
    }

    /// How many there are.
    pub(in crate::store) fn len(&self) -> usize {
        self.rows.len()
    }
}
