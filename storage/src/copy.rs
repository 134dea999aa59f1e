//! Copies of what a data directory holds in its database and reference data, as of one moment, for backups. A directory that a
//! process has open is copied by that process ([`crate::Database::copy_to`], [`crate::Reference::copy_to`]); one that none has, by
//! whoever holds its lock ([`Held`]).
//!
//! Tables and blob files never change once they are written: they are hard links where the file system can. It does not know
//! where copies go from there.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::classify;
use crate::tally::Slots;
use crate::{StorageError, layout};

/// The lock of a data directory: as long as it lives no process opens the directory.
#[derive(Debug)]
pub struct Held {
    _slots: Slots,
}

/// Takes the lock of a data directory; none if a process has it.
///
/// # Errors
/// [`StorageError`] if there is no database, or the file system refuses.
pub fn hold(directory: &Path) -> Result<Option<Held>, StorageError> {
    if !directory.join(layout::DATABASE).is_dir() {
        let found = "there is no database in it".to_owned();
        return Err(StorageError::Foreign { path: directory.to_owned(), found });
    }
    let slots = Slots::lock(directory).map_err(|error| classify(directory, "open the tally", &error.to_string()))?;
    Ok(slots.map(|slots| Held { _slots: slots }))
}

impl Held {
    /// Copies database and reference data of `directory`, whose lock this is, into `folder`.
    ///
    /// # Errors
    /// [`StorageError`] if the file system refuses.
    pub fn copy_to(&self, directory: &Path, folder: &Path) -> Result<(), StorageError> {
        let database = || link_database(&directory.join(layout::DATABASE), &folder.join(layout::DATABASE));
        let reference = || copy_folder(&directory.join(layout::REFERENCE), &folder.join(layout::REFERENCE));
        database().and_then(|()| reference()).map_err(|error| classify(folder, "copy the database", &error.to_string()))
    }
}

/// Whether a file of the database is never changed once it is written.
pub fn is_unchanging(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "sst" || kind == "blob")
}

/// The files that make up the database; the others are its lock and its log in words.
fn is_of_the_database(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    is_unchanging(path)
        || path.extension().is_some_and(|kind| kind == "log")
        || name == "CURRENT"
        || name == "IDENTITY"
        || name.starts_with("MANIFEST-")
        || (name.starts_with("OPTIONS-") && !name.ends_with(".dbtmp"))
}

fn link_database(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if !is_of_the_database(&path) || !path.is_file() {
            continue;
        }
        let place = to.join(path.file_name().unwrap_or_default());
        if is_unchanging(&path) && fs::hard_link(&path, &place).is_ok() {
            continue;
        }
        fs::copy(&path, &place)?;
    }
    Ok(())
}

/// Copies a folder with all that is in it; nothing if there is none.
///
/// # Errors
/// The file system refuses.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), &place)?;
        }
    }
    Ok(())
}
