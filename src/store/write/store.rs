//! The writer of a data directory and its queries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shard::ShardCount;
use storage::{Durability, Family};
use traffic::{Catalogue, Dimension, Fate, NameTable};

use crate::batch::Outcome;
use crate::store::disk::{checkpoints, keys};
use crate::store::handle::StoreHandle;
use crate::store::read::named;
use crate::store::state::{Detection, HourCounter, NameFacts, Partition, State};
use crate::store::{Dropped, Lifetimes, StoreError, StoreSettings, Totals};

/// When plate states are saved.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Saving {
    /// At once if at most this many changed, which is so when records come in real time.
    pub(in crate::store) at_once_changes: usize,
    /// After a burst, when this many passages have come since the last time …
    pub(in crate::store) rows: u64,
    /// … or when this much time has passed.
    pub(in crate::store) interval: Duration,
}

impl Default for Saving {
    fn default() -> Self {
        Self { at_once_changes: 8192, rows: 1 << 21, interval: Duration::from_secs(10) }
    }
}

/// The one writer of a data directory.
pub struct Store {
    pub(in crate::store) shared: Arc<StoreHandle>,
    pub(in crate::store) settings: StoreSettings,
    pub(in crate::store) state: State,
    pub(in crate::store) facts: NameFacts,
    pub(in crate::store) counter: HourCounter,
    pub(in crate::store) partitions: BTreeMap<u32, Partition>,
    pub(in crate::store) rows_since_save: u64,
    pub(in crate::store) saved_at: Instant,
    pub(in crate::store) saving: Saving,
    pub(in crate::store) detection: Detection,
    pub(in crate::store) lifetimes: Lifetimes,
    /// The current run of retention.
    pub(in crate::store) dropping: Option<Dropped>,
    /// Bytes of the rejects that are kept.
    pub(in crate::store) rejects_bytes: u64,
    /// It was logged that rejects are dropped for their size.
    pub(in crate::store) rejects_crowded: bool,
    /// The first number of the changes of cases that readers do not see yet.
    pub(in crate::store) unsettled: Option<u64>,
    /// The directory has pseudonyms in the place of plates.
    pub(in crate::store) has_pseudonyms: bool,
    /// A commit has begun and has not ended successfully.
    pub(in crate::store) broken: bool,
    /// What became of the rows of the last batch.
    pub(in crate::store) fates: Vec<Fate>,
    /// Its rows that could not be stored.
    pub(in crate::store) unstorable: Vec<usize>,
}

impl Store {
    /// What readers need.
    pub fn shared(&self) -> Arc<StoreHandle> {
        self.shared.clone()
    }

    /// How many local shards the data directory has.
    pub fn shards(&self) -> ShardCount {
        self.shared.reading.shards
    }

    /// Totals after the last commit.
    pub fn totals(&self) -> &Totals {
        &self.state.totals
    }

    /// What became of the rows of the batch that was committed last; nothing after a part of a takeover.
    pub fn outcome(&self) -> Outcome<'_> {
        Outcome { fates: &self.fates, unstorable: &self.unstorable }
    }

    /// Names by number, to start a parser with.
    pub fn names(&self) -> &NameTable {
        &self.state.names
    }

    /// Passages per KKMC, busiest first, ties by name.
    pub fn checkpoint_counts(&self) -> Vec<(Arc<str>, u64)> {
        named(&self.state.names, Dimension::Checkpoint, &self.state.rollups.all.checkpoints)
    }

    /// The position that `source` committed last.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn position(&self, source: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.shared.reading.database.get(Family::Meta, &keys::position(source))?.map(|value| value.to_vec()))
    }

    /// Names that begin with `prefix` and the positions that were committed under them.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn positions(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let start = keys::position(prefix);
        let mut found = Vec::new();
        for item in self.shared.reading.database.scan(Family::Meta, &start) {
            let (key, value) = item?;
            let Some(rest) = key.strip_prefix(&*start) else { break };
            found.push((format!("{prefix}{}", String::from_utf8_lossy(rest)), value.to_vec()));
        }
        Ok(found)
    }

    /// Replaces the known checkpoints, here, in the reference data and in its copy. `source` says where they come from.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be written.
    pub fn set_catalogue(&mut self, catalogue: Catalogue, source: &str) -> Result<(), StoreError> {
        let copy = checkpoints::Copy::of(&catalogue, source, self.clock())?;
        let database = &self.shared.reading.database;
        let known = checkpoints::load_copy(database)?;
        if !known.is_some_and(|known| known.holds_same(&copy)) {
            // The copy first: whatever happens to the reference data, it can be restored.
            let mut commit = database.begin();
            copy.write(&mut commit)?;
            database.commit(commit, Durability::AsConfigured)?;
            copy.store(&self.shared.reference.lock())?;
        }
        *self.shared.checkpoints.lock() = copy.origin();
        self.facts.set_catalogue(&catalogue, &self.state.names);
        self.shared.catalogue.store(Arc::new(catalogue));
        Ok(())
    }
}
