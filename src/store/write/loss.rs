//! What a store has lost of what was committed: the counts that the tally keeps outside the database, compared with
//! what the database holds.

use std::path::Path;
use storage::{Database, Mark, StorageError};
use traffic::CivilTime;

use super::store::Store;
use crate::store::disk::records::{Census, decode_work_changes, work_changes};
use crate::store::{StoreError, Totals};

/// Memory for reading what is left.
const MEMORY: usize = 16 << 20;

/// What `known` has and `totals` and `work` lack, in words; none if nothing is missing.
fn missing(known: &Mark, totals: &Totals, work: u64) -> Option<String> {
    let mut parts = Vec::new();
    // Before the first commit there is none.
    let counts = match known.main.is_empty() {
        true => Census::default(),
        false => Census::decode(&known.main).unwrap_or_else(|error| {
            parts.push(format!("the counts that tell what there should be ({error})"));
            Census::default()
        }),
    };
    if counts.accepted > totals.accepted {
        let shards = counts.by_shard.iter().zip(totals.by_shard.values());
        let rows: Vec<String> = shards
            .filter(|((_, known), held)| known > held)
            .map(|((shard, known), held)| format!("rows {held} to {} of shard {shard}", known - 1))
            .collect();
        let time = |time: Option<i64>| time.map_or("none".to_owned(), |time| CivilTime(time).to_string());
        parts.push(format!(
            "{} of {} passages ({}; newest passage time known {}, held {})",
            counts.accepted - totals.accepted,
            counts.accepted,
            rows.join(", "),
            time(counts.last_time),
            time(totals.last_time),
        ));
    }
    let mut numbered = |known: u64, held: u64, what: &str| {
        if known > held {
            parts.push(format!("{what} {} to {known}", held + 1));
        }
    };
    numbered(counts.alerts, totals.alerts, "alerts");
    numbered(counts.rejects, totals.rejects, "rejected lines");
    let changes = decode_work_changes(&known.beside);
    if changes > work {
        parts.push(format!("{} of {changes} changes of the work on alerts", changes - work));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The refusal of a directory, with what is missing as far as that can be found; changes nothing.
pub(super) fn described(path: &Path, cause: String) -> StorageError {
    let look = || -> Result<Option<String>, StoreError> {
        let known = Database::known_of(path)?;
        let database = Database::open_salvaged(path, MEMORY)?;
        let totals = Totals::load(&database)?;
        let work = work_changes(&database)?;
        Ok(known.and_then(|known| missing(&known, &totals, work)))
    };
    let missing = match look() {
        Ok(Some(missing)) => format!(": missing are {missing}"),
        Ok(None) => ": how much is missing is not known".to_owned(),
        Err(_) => ": what is left cannot be read".to_owned(),
    };
    StorageError::Lost { path: path.to_owned(), cause, missing }
}

impl Store {
    /// Compares what was read with what is known independently. A loss is an error unless it was accepted.
    pub(super) fn check_whole(&mut self) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        let work = work_changes(&database)?;
        let mut parts = Vec::new();
        parts.extend(database.known().and_then(|known| missing(known, &self.state.totals, work)));
        let absent = self.absent_rows();
        let dropped = self.lifetimes.dropped_rows.values();
        let holes: u64 = absent.values().zip(dropped).map(|(absent, dropped)| absent.saturating_sub(*dropped)).sum();
        if holes > 0 {
            parts.push(format!("{holes} passages in the middle of the log"));
        }
        if parts.is_empty() && database.loss().is_none() {
            return Ok(());
        }
        let cause = database.loss().unwrap_or("it holds less than was committed").to_owned();
        let missing = if parts.is_empty() { "nothing that is counted".to_owned() } else { parts.join(", ") };
        if !self.settings.accept_loss {
            let missing = format!(": missing are {missing}");
            return Err(StorageError::Lost { path: database.path().to_owned(), cause, missing }.into());
        }
        tracing::warn!(cause, missing, "the loss is accepted: what is left is taken, and counts from now on");
        *self.shared.loss.lock() = Some(format!("{missing} ({cause})"));
        if holes > 0 {
            self.lifetimes.dropped_rows = absent;
            self.recount()?;
        }
        Ok(())
    }
}
