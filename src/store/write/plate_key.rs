//! Whether a data directory holds plates or pseudonyms: it remembers the fingerprint of the key of its pseudonyms, and is never
//! mixed. It does not hold the key.

use storage::{Database, Durability, Family, codec};

use super::store::Store;
use crate::pseudonyms::{Fingerprint, PlateCipher};
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::records::Totals;

/// The key that the pseudonyms of a directory were made with.
fn remembered(database: &Database) -> Result<Option<Fingerprint>, StoreError> {
    let Some(bytes) = database.get(Family::Meta, keys::PLATE_KEY_KEY)? else { return Ok(None) };
    let fingerprint = codec::decode(keys::PLATE_KEY, &bytes);
    Ok(Some(fingerprint.map_err(|error| database.damaged("the fingerprint of the plate key", &error))?))
}

/// Compares the directory with the key that it is opened with, and changes nothing. Returns whether it has pseudonyms, or will have.
///
/// # Errors
/// [`StoreError::PlateKey`] if it holds plates, or pseudonyms of another key.
pub(super) fn check(database: &Database, totals: &Totals, cipher: Option<&PlateCipher>) -> Result<bool, StoreError> {
    let own = remembered(database)?;
    let Some(given) = cipher.map(PlateCipher::fingerprint) else { return Ok(own.is_some()) };
    match own {
        Some(own) if own == given => Ok(true),
        Some(own) => Err(StoreError::PlateKey(format!(
            "the pseudonyms in this data directory were made with the plate key {own}, and this is the key {given}: name the \
             file of that key in privacy.plate_key_file"
        ))),
        None if totals.lines == 0 && totals.accepted == 0 => Ok(true),
        None => Err(StoreError::PlateKey(
            "this data directory holds plates as they are, and a plate key is configured: remove privacy.plate_key_file, or \
             begin with an empty data directory and replay what `platewatch export` writes of this one"
                .to_owned(),
        )),
    }
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
        commit.put(Family::Meta, keys::PLATE_KEY_KEY, &codec::encode(keys::PLATE_KEY, &cipher.fingerprint())?);
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
