//! From domain to durable bytes and back: one writer that commits, and immutable views that readers query.
//!
//! **Commit.** One [`Store::commit`] turns a batch and the detector's verdict on it into one RocksDB write over all
//! families: segment blocks of both shards, zone maps, rollups, alerts, rejects, new names, totals, watermarks and the
//! source's position; from time to time also the changed plate states. All of it is written or none, so a process
//! killed at any point finds the source's position and its own state consistent.
//!
//! **Plate states** are saved when enough rows have come since the last time, not with every commit: the log holds the
//! passages since then, and [`Store::open`] replays them through the detectors without output. The duplicate guard is
//! rebuilt from the log alone.
//!
//! This module does not know where batches come from or who reads the views.

mod disk;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod handle;
mod mirror_feed;
mod read;
mod read_only;
mod settings;
mod state;
#[cfg(test)]
pub(crate) mod tests;
mod verify;
mod write;

pub use disk::checkpoints::CheckpointsOrigin;
pub use disk::records::{Dropped, Keep, Kept, Lifetimes, MirrorCursor, RefusedRow, StoredReject, Totals};
pub use disk::segments::LogBlock;
pub use error::StoreError;
pub use handle::{Progress, StoreHandle};
pub use mirror_feed::{CaseSample, Sample, distances};
pub use read::{ChangedCase, View};
pub use read_only::Frozen;
pub use settings::StoreSettings;
pub use write::{Forgotten, Store};
