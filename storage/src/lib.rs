//! Durable bytes: one RocksDB of known column families with atomic commits, event-time expiry by compaction filter, and a
//! sled tree for reference data that can be rebuilt.
//!
//! This crate knows keys, values, families and a format version. It does not know what a passage, a plate or an alert
//! is; all it knows about time is the horizon below which values of [`Family::Plates`] may be dropped.

mod arenas;
pub mod codec;
mod commit;
mod copy;
mod database;
mod engine;
mod entry;
mod error;
mod expiry;
mod family;
mod intact;
mod layout;
mod manifest;
mod private;
mod reference;
#[cfg(feature = "simulated")]
pub mod simulated;
mod tally;
mod wal;

pub use arenas::limit_arenas;
pub use commit::Commit;
pub use copy::{Held, hold, is_unchanging};
pub use database::{Database, Durability, Settings, Usage};
pub use engine::Value;
pub use entry::Entry;
pub use error::StorageError;
pub use expiry::{EXPIRY_BYTES, Horizons};
pub use family::Family;
pub use layout::{ACCESS, BACKUP_WORK, DATABASE, IN_USE, REFERENCE, TALLY};
pub use private::{close_to_others, make_folder as make_private_folder, set_private_umask};
pub use reference::{Reference, SetAside};
pub use tally::Mark;
