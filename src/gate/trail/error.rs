//! Why the audit log cannot be written or read.

use std::io;
use std::path::{Path, PathBuf};

use crate::gate::random::NoRandomness;

/// The audit log cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What was written before may not be on the disk, so nothing more is written.
    #[error("the audit log could not be brought to the disk, and nothing is recorded until a restart: {0}")]
    Unsynced(String),
    /// There are no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// Names the file of an error.
pub(super) trait At<T> {
    /// The error with this path.
    fn at(self, path: &Path) -> Result<T, TrailError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, TrailError> {
        self.map_err(|error| TrailError::Io { path: path.to_owned(), error })
    }
}
