//! From domain to durable bytes and back: one writer that commits, and immutable views that readers ask.
//!
//! **Commit.** One [`Store::commit`] turns a batch and what the detector said of it into one RocksDB write over all
//! families: segment blocks of both shards, zone maps, rollups, alerts, rejects, new names, totals, watermarks and the
//! source's position; now and then the plate states that changed. Either all of it happened or none of it, so a process
//! killed anywhere finds the source's position and its own state in step.
//!
//! **Plate states** are saved when enough rows have come since the last time, not with every commit: the log holds the
//! passages between, and [`Store::open`] lets the detectors take those again, without output. The duplicate guard is
//! rebuilt from the log alone.
//!
//! This module does not know where batches come from or who reads the views.

mod disk;
mod error;
mod handle;
mod mirror_feed;
mod read;
mod read_only;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use disk::checkpoints::CheckpointsOrigin;
pub use disk::records::{
    Announcement, Dropped, Keep, Kept, Lifetime, Lifetimes, MirrorCursor, RefusedRow, StoredReject, Totals,
};
pub use disk::segments::LogBlock;
pub use error::StoreError;
pub use handle::{Progress, StoreHandle};
pub use mirror_feed::Sample;
pub use read::View;
pub use read_only::Frozen;
pub use settings::StoreSettings;
pub use write::Store;
