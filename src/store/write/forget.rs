//! Forgetting one plate: everything that a data directory holds of it goes, as retention drops what is old.
//!
//! **What goes.** Its passages leave the log: a segment that holds some is written again in pieces around them, so that all other
//! rows keep their numbers, and cursors of mirrors stay where they are. They leave the counts by hour, and count as dropped, as if
//! retention had dropped them; what was counted since the directory was made stays, since it holds no plate. Its plate states, cases, the work on
//! them, and what the evidence knows of it are removed. Its alerts and the rejected lines that hold it have numbers without gaps:
//! they stay as numbers without plate, GCXH and texts. Where other plates' alerts, cases and evidence name it as a neighbour, and
//! where notes name it, that is removed.
//!
//! **Killed at any moment** it is done again from the beginning: every commit leaves a directory that opens, and what is gone
//! is not found again. IMPORTANT: the store must not be closed afterwards, but dropped: in memory it still knows the plate, and
//! [`Store::close`] would save it.

mod found;
mod passages;
mod records;

pub use found::Forgotten;

use storage::{Durability, Family};

use super::store::Store;
use crate::mentions::Mentions;
use crate::store::StoreError;

impl Store {
    /// What the directory holds of a plate; changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] if something cannot be read.
    pub fn held_of(&mut self, plate: &Mentions) -> Result<Forgotten, StoreError> {
        let database = self.shared.reading.database.clone();
        let mut found = self.forget_records(plate, None, &mut database.begin())?;
        self.forget_passages(plate, &mut found, None)?;
        Ok(found)
    }

    /// Forgets a plate of which the directory holds what `held` says, and brings that to the disk.
    ///
    /// # Errors
    /// [`StoreError`]; then a part may be forgotten, and it can be called again after a restart.
    pub fn forget(mut self, plate: &Mentions, held: &Forgotten) -> Result<(), StoreError> {
        let database = self.shared.reading.database.clone();
        let mut commit = database.begin();
        let mut found = self.forget_records(plate, Some(held), &mut commit)?;
        database.commit(commit, Durability::AsConfigured)?;
        self.forget_passages(plate, &mut found, Some(&database))?;
        database.flush()?;
        for family in Family::all(database.shards()) {
            database.rewrite(family);
        }
        Ok(())
    }
}
