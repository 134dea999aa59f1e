//! Whether a data directory holds plates or pseudonyms: it is never mixed of both, nor of the pseudonyms of two keys. It does not
//! hold the key.

use storage::{Database, Durability};

use super::store::Store;
use crate::pseudonyms::PlateCipher;
use crate::store::StoreError;
use crate::store::disk::plate_key::{is_of, remember, remembered};
use crate::store::disk::records::Totals;

/// Compares the directory with the key that it is opened with, and changes nothing. Returns whether it has pseudonyms, or will have.
///
/// # Errors
/// [`StoreError::PlateKey`] if it holds plates, or pseudonyms of another key.
pub(super) fn check(database: &Database, totals: &Totals, cipher: Option<&PlateCipher>) -> Result<bool, StoreError> {
    let own = remembered(database)?;
    let Some(cipher) = cipher else { return Ok(own.is_some()) };
    let is_new = totals.lines == 0 && totals.accepted == 0;
    if is_of(own, cipher)? || is_new {
        return Ok(true);
    }
    Err(StoreError::PlateKey(
        "this data directory holds plates as they are, and a plate key is configured: remove privacy.plate_key_file, or begin with \
         an empty data directory and replay what `platewatch export` writes of this one"
            .to_owned(),
    ))
}

impl Store {
    /// Remembers the key of a directory that is new.
    pub(super) fn remember_plate_key(&self) -> Result<(), StoreError> {
        let database = &self.shared.reading.database;
        let Some(cipher) = self.settings.plates.as_deref() else { return Ok(()) };
        if remembered(database)?.is_some() {
            return Ok(());
        }
        let mut commit = database.begin();
        remember(&mut commit, cipher.fingerprint())?;
        Ok(database.commit(commit, Durability::AsConfigured)?)
    }

    /// Whether the directory has pseudonyms in the place of plates.
    pub fn has_pseudonyms(&self) -> bool {
        self.has_pseudonyms
    }

    /// The key with which what is taken in is hidden; none where plates are stored as they are.
    ///
    /// # Errors
    /// [`StoreError::PlateKey`] if the directory has pseudonyms, and there is no key.
    pub fn intake_key(&self) -> Result<Option<std::sync::Arc<PlateCipher>>, StoreError> {
        match &self.settings.plates {
            None if self.has_pseudonyms => Err(StoreError::PlateKey(
                "this data directory has pseudonyms in the place of plates, and takes nothing in without their key: name its \
                 file in privacy.plate_key_file. Without it the directory can be looked at with source.kind = \"none\""
                    .to_owned(),
            )),
            key => Ok(key.clone()),
        }
    }
}
