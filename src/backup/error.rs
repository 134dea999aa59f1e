//! Why a backup cannot be taken or restored, in sentences that say what to do next.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use storage::StorageError;

use crate::store::StoreError;

/// A backup that cannot be taken or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another backup of the same directory is under way.
    #[error("another backup of {0} is under way: wait until it has ended")]
    Busy(PathBuf),
    /// The process that has the directory open does not take part.
    #[error(
        "the process that has {0} open does not answer: `serve` and `demo` of this version do. Wait until a command such as \
         `replay` has ended, or stop the process and try again"
    )]
    NoAnswer(PathBuf),
    /// It cannot make a copy.
    #[error("the process that has {path} open cannot copy its database: {why}")]
    Refused {
        /// The data directory.
        path: PathBuf,
        /// Its words.
        why: String,
    },
    /// Files change faster than they are copied.
    #[error(
        "files of {0} change faster than they can be copied: try again when fewer users are changed or models trained"
    )]
    Restless(PathBuf),
    /// The name of a file cannot be written down.
    #[error("{0} has a name that is not UTF-8: rename or remove it")]
    Name(PathBuf),
    /// A link to a folder.
    #[error("{0} is a link to a folder, which a backup does not follow: move the folder here, or remove the link")]
    Link(PathBuf),
    /// The folder is not free.
    #[error("{0} is not empty: give a new folder, or remove what is left of an earlier attempt")]
    NotEmpty(PathBuf),
    /// The place lies within what is copied.
    #[error("{0} lies in the data directory: put backups elsewhere, best on another disk")]
    Inside(PathBuf),
    /// No backup.
    #[error(
        "{0} holds no backup.json: it is no backup, or one that was interrupted. Use another one, and remove it if it was \
         interrupted"
    )]
    Unfinished(PathBuf),
    /// The manifest cannot be used.
    #[error("{path} is damaged ({detail}): use another backup")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Written by a newer program.
    #[error("{path} has format {found}, and this program knows {known}: use the program that wrote it, or a newer one")]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The format known.
        known: u32,
    },
    /// Files are not as they were written.
    #[error(
        "backup {path} is damaged, and nothing was restored: {}. Use another backup, or bring these files back and try again",
        problems.join("; ")
    )]
    Damaged {
        /// The backup.
        path: PathBuf,
        /// A file each.
        problems: Vec<String>,
    },
    /// Too little room.
    #[error(
        "the disk of {path} has room for {free} bytes, and {needed} are needed: free some space, or name another folder"
    )]
    Room {
        /// The folder.
        path: PathBuf,
        /// What is needed.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// No space left.
    #[error("no space left on the disk of {0}: free some space, or name another folder. What was begun is removed")]
    Full(PathBuf),
    /// The copy is not whole, since its source is not.
    #[error("nothing was kept, because the copy is not whole: {0}")]
    NotWhole(String),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Any other failure of the file system.
    #[error("cannot {action} {path}: {error}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Says with which file something failed.
pub(super) trait At<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, BackupError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, BackupError> {
        self.map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => BackupError::Full(path.to_owned()),
            _ => BackupError::Io { action, path: path.to_owned(), error },
        })
    }
}
