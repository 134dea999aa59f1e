//! What can go wrong with durable bytes, in sentences that say what to do next.

use std::path::{Path, PathBuf};

use crate::layout;

/// A storage failure.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The directory belongs to another process.
    #[error(
        "data directory {path} is in use by another process: stop that process, or give this one its own data directory"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds something else.
    #[error("{path} is not a Platewatch data directory ({found}): give an empty or a new directory")]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What was found there.
        found: String,
    },
    /// The directory was written by a newer program.
    #[error(
        "data directory {path} has format version {found}, this program knows {known}: use the newer program that wrote \
         it, or another data directory"
    )]
    NewerFormat {
        /// The directory.
        path: PathBuf,
        /// Version found.
        found: u32,
        /// Version known.
        known: u32,
    },
    /// The directory was made for another number of shards.
    #[error(
        "data directory {path} has {found} local shards, not {wanted}: set store.shards (replay: --shards) to {found}, or build \
         a new directory with `platewatch export --data-dir {path} > passages.csv` and `platewatch replay passages.csv \
         --shards {wanted} --data-dir NEW --out RESULTS`"
    )]
    OtherShards {
        /// The directory.
        path: PathBuf,
        /// The number that it has.
        found: u8,
        /// The number that is configured.
        wanted: u8,
    },
    /// The disk is full.
    #[error("no space left on the disk of {path}: free some space and start again, nothing committed is lost")]
    DiskFull {
        /// The directory.
        path: PathBuf,
    },
    /// Bytes differ from what was written.
    #[error(
        "{what} in data directory {path} is damaged ({detail}): restore the directory from a backup or replay into a new one"
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What is damaged.
        what: String,
        /// What the damage looks like.
        detail: String,
    },
    /// Something that was committed is missing.
    #[error(
        "data directory {path} has lost committed data ({cause}){missing}: restore the directory from a backup or replay into a \
         new one, or take what is left with --accept-loss"
    )]
    Lost {
        /// The directory.
        path: PathBuf,
        /// How the loss was noticed.
        cause: String,
        /// What is missing, as the end of a sentence.
        missing: String,
    },
    /// An earlier write failed, so no more is accepted.
    #[error("an earlier write to {path} failed ({cause}): no more is written until a restart")]
    Latched {
        /// The directory.
        path: PathBuf,
        /// The first failure.
        cause: String,
    },
    /// Any other failure of the file system or the database.
    #[error("cannot {action} in data directory {path}: {detail}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        detail: String,
    },
}

/// A message of RocksDB or the file system as an error that says what to do.
pub(crate) fn classify(path: &Path, action: &'static str, detail: &str) -> StorageError {
    let path = path.to_owned();
    let lower = detail.to_lowercase();
    if lower.contains("no space left") || lower.contains("disk quota") {
        StorageError::DiskFull { path }
    } else if lower.contains("lock") && ["unavailable", "held by", "hold by"].iter().any(|words| lower.contains(words))
    {
        StorageError::InUse { path }
    } else if lower.starts_with("corruption") || (lower.contains("no such file") && lower.contains(layout::DATABASE)) {
        StorageError::Damaged { path, what: "the database".to_owned(), detail: detail.to_owned() }
    } else {
        StorageError::Io { path, action, detail: detail.to_owned() }
    }
}
