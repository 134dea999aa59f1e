//! Reference data in sled: small, rarely written, and always possible to rebuild from files. If sled does not open, its
//! folder is set aside and a new one is made; the caller learns of it, so that it can fill the new one.

use std::io;
use std::path::{Path, PathBuf};

use crate::StorageError;
use crate::copy::copy_folder;
use crate::error::classify;
use crate::layout::REFERENCE;
#[cfg(feature = "simulated")]
use crate::simulated::{self, Disk};

const CACHE_BYTES: u64 = 8 << 20;

/// A folder that did not open and was moved out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// Why it did not open.
    pub cause: String,
}

/// Named trees of keys and values.
#[derive(Debug)]
pub struct Reference {
    trees: Trees,
    directory: PathBuf,
}

#[derive(Debug)]
enum Trees {
    Sled(sled::Db),
    #[cfg(feature = "simulated")]
    Simulated(Disk),
}

impl Reference {
    /// Opens or creates the reference data of a data directory.
    ///
    /// # Errors
    /// [`StorageError`] if even a new folder cannot be made.
    pub fn open(directory: &Path) -> Result<(Self, Option<SetAside>), StorageError> {
        let of = |trees| Self { trees, directory: directory.to_owned() };
        #[cfg(feature = "simulated")]
        if let Some(disk) = simulated::at(directory) {
            return Ok((of(Trees::Simulated(disk)), None));
        }
        let folder = directory.join(REFERENCE);
        let cause = match open(&folder) {
            Ok(db) => return Ok((of(Trees::Sled(db)), None)),
            // Nothing is wrong with the data, so it must not be set aside.
            Err(sled::Error::Io(error)) if cannot_write(&error) => {
                return Err(classify(directory, "open the reference data", &error.to_string()));
            }
            Err(error) => error.to_string(),
        };
        let io = |action, detail: String| classify(directory, action, &detail);
        let aside = (1..)
            .map(|number| directory.join(format!("{REFERENCE}.damaged-{number}")))
            .find(|path| !path.exists())
            .unwrap_or_else(|| directory.join(format!("{REFERENCE}.damaged")));
        std::fs::rename(&folder, &aside).map_err(|error| io("set the reference data aside", error.to_string()))?;
        let db = open(&folder).map_err(|error| io("make new reference data", error.to_string()))?;
        Ok((of(Trees::Sled(db)), Some(SetAside { path: aside, cause })))
    }

    /// Replaces a whole tree.
    ///
    /// # Errors
    /// [`StorageError`] if the disk refuses.
    pub fn replace(&self, tree: &str, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StorageError> {
        let db = match &self.trees {
            Trees::Sled(db) => db,
            #[cfg(feature = "simulated")]
            Trees::Simulated(disk) => {
                disk.replace_tree(tree, entries);
                return Ok(());
            }
        };
        let write = || -> sled::Result<()> {
            let tree = db.open_tree(tree)?;
            let mut batch = sled::Batch::default();
            for key in tree.iter().keys() {
                batch.remove(key?);
            }
            for (key, value) in entries {
                batch.insert(key.as_slice(), value.as_slice());
            }
            tree.apply_batch(batch)?;
            db.flush().map(|_| ())
        };
        write().map_err(|error| self.io("write reference data", &error))
    }

    /// All values of a tree, by key.
    ///
    /// # Errors
    /// [`StorageError`] if it cannot be read.
    pub fn values(&self, tree: &str) -> Result<Vec<Vec<u8>>, StorageError> {
        let db = match &self.trees {
            Trees::Sled(db) => db,
            #[cfg(feature = "simulated")]
            Trees::Simulated(disk) => return Ok(disk.tree(tree)),
        };
        let read = || -> sled::Result<Vec<Vec<u8>>> {
            db.open_tree(tree)?.iter().values().map(|value| value.map(|value| value.to_vec())).collect()
        };
        read().map_err(|error| self.io("read reference data", &error))
    }

    /// Copies its files into `folder`. IMPORTANT: nothing is replaced meanwhile.
    ///
    /// # Errors
    /// [`StorageError`] if the disk refuses.
    pub fn copy_to(&self, folder: &Path) -> Result<(), StorageError> {
        match &self.trees {
            Trees::Sled(db) => {
                db.flush().map_err(|error| self.io("write reference data", &error))?;
                copy_folder(&self.directory.join(REFERENCE), &folder.join(REFERENCE))
                    .map_err(|error| classify(&self.directory, "copy the reference data", &error.to_string()))
            }
            #[cfg(feature = "simulated")]
            Trees::Simulated(_) => Ok(()),
        }
    }

    fn io(&self, action: &'static str, error: &sled::Error) -> StorageError {
        classify(&self.directory, action, &error.to_string())
    }
}

/// Whether the disk refuses every write.
fn cannot_write(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem | PermissionDenied)
}

fn open(folder: &Path) -> sled::Result<sled::Db> {
    sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None).open()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_tree_whole_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let entry = |key: &str| (key.as_bytes().to_vec(), vec![1]);
        {
            let (reference, aside) = Reference::open(folder.path()).unwrap();
            assert_eq!(aside, None);
            reference.replace("checkpoints", &[entry("a"), entry("b")]).unwrap();
            reference.replace("checkpoints", &[entry("c")]).unwrap();
        }
        let (reference, _) = Reference::open(folder.path()).unwrap();
        assert_eq!(reference.values("checkpoints").unwrap(), vec![vec![1]]);
        assert!(reference.values("other").unwrap().is_empty());
    }

    #[test]
    fn damaged_reference_data_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(REFERENCE), b"not a folder").unwrap();
        let (reference, aside) = Reference::open(folder.path()).unwrap();
        assert!(aside.unwrap().path.exists());
        assert!(reference.values("checkpoints").unwrap().is_empty());
    }
}
