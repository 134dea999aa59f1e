//! What the store cannot do.

use std::path::PathBuf;

use storage::StorageError;

/// What the store cannot do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A segment could not be made or read.
    #[error("a segment of the log: {0}")]
    Segment(#[from] shard::SegmentError),
    /// A value could not be made or read.
    #[error("a stored value: {0}")]
    Codec(#[from] storage::codec::CodecError),
    /// The program contradicts itself: a bug in it, not damage in the data.
    #[error(
        "a mistake in this program: {0}. Nothing of the batch was stored; please report it with the log, and restart: it \
         continues after the last commit"
    )]
    Contradiction(String),
    /// The directory must be opened for writing first.
    #[error(
        "data directory {0} is of an older version of this program: start `platewatch serve` with it once, which brings it to \
         the current format"
    )]
    OldFormat(PathBuf),
    /// The directory has other plates than the key says; the text says which.
    #[error("{0}")]
    PlateKey(String),
    /// An earlier commit failed.
    #[error("an earlier commit failed, so no more is taken: restart, and it continues after the last good commit")]
    Broken,
}
