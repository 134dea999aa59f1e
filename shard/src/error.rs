//! What can be wrong with a segment, its zone map or the columns that a scan asks for.

use std::error::Error as StdError;

use thiserror::Error;

/// Why a segment or zone map cannot be written or read.
#[derive(Debug, Error)]
pub enum SegmentError {
    /// The bytes do not start as a segment or a zone map does.
    #[error("these bytes are not a {0}: check that the data directory belongs to platewatch")]
    Unknown(&'static str),
    /// Written by a later version of Platewatch.
    #[error(
        "{what} has format version {found}, and this program knows versions up to {known}: \
         start the newer platewatch that wrote it"
    )]
    Newer {
        /// A segment or a zone map.
        what: &'static str,
        /// Version in the bytes.
        found: u16,
        /// Newest version that this program reads.
        known: u16,
    },
    /// A checksum, length or value is impossible.
    #[error("damaged segment, in its {0}: restore the data directory from a copy, or let retention drop the segment")]
    Damaged(&'static str),
    /// The rows to encode contradict one another.
    #[error("these rows cannot be a segment: {0}")]
    Rows(&'static str),
    /// The column that a loader returned is not of the kind that was asked for.
    #[error("the column loader returned another column than {0}: this is a bug, please report it")]
    WrongColumn(&'static str),
    /// The loader could not get the bytes of a column.
    #[error("cannot load a column: {0}")]
    Load(#[source] Box<dyn StdError + Send + Sync>),
}
