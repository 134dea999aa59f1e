//! Why a lake cannot be written, in words that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

/// A lake cannot be written; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The operating system refuses.
    #[error("cannot write {}: {error}; {}", path.display(), advice(error))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file could not be made.
    #[error("cannot write {}: {why}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is no place for this lake.
    #[error("{0}")]
    Unfit(String),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room there, or name another folder in lake.dir"
        }
        io::ErrorKind::PermissionDenied => "let the account of the service write there",
        // Under systemd everything but the data directory is, unless the unit says otherwise.
        io::ErrorKind::ReadOnlyFilesystem => {
            "it is mounted for reading only, or the unit of the service lacks a line ReadWritePaths with lake.dir"
        }
        io::ErrorKind::NotFound => "is the disk mounted?",
        _ => "it is tried again",
    }
}

impl LakeError {
    /// The operating system refuses something at `path`.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |error| Self::Io { path: path.to_owned(), error }
    }

    /// The file at `path` could not be made. What the disk said is said as of the disk.
    pub fn parquet(path: &Path, error: ParquetError) -> Self {
        let why = error.to_string();
        let source = match error {
            ParquetError::External(source) => source.downcast::<io::Error>().ok(),
            _ => None,
        };
        match source {
            Some(error) => Self::Io { path: path.to_owned(), error: *error },
            None => Self::Parquet { path: path.to_owned(), why },
        }
    }

    /// Whether somebody must change something there first.
    pub fn is_blocking(&self) -> bool {
        !matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::Interrupted)
    }
}
