//! The fingerprint that a data directory remembers: of the key that its pseudonyms were made with. The key itself is never in it.

use storage::{Commit, Database, Family, codec};

use super::keys;
use crate::pseudonyms::{Fingerprint, PlateCipher};
use crate::store::error::StoreError;

/// Which key the pseudonyms of a directory were made with; none where it holds plates, or nothing yet.
pub(in crate::store) fn remembered(database: &Database) -> Result<Option<Fingerprint>, StoreError> {
    let Some(bytes) = database.get(Family::Meta, keys::PLATE_KEY_KEY)? else { return Ok(None) };
    let fingerprint = codec::decode(keys::PLATE_KEY, &bytes);
    Ok(Some(fingerprint.map_err(|error| database.damaged("the fingerprint of the plate key", &error))?))
}

/// Remembers a key.
pub(in crate::store) fn remember(commit: &mut Commit<'_>, fingerprint: Fingerprint) -> Result<(), StoreError> {
    commit.put(Family::Meta, keys::PLATE_KEY_KEY, &codec::encode(keys::PLATE_KEY, &fingerprint)?);
    Ok(())
}

/// Whether a directory has pseudonyms of this key.
///
/// # Errors
/// [`StoreError::PlateKey`] if they are of another one.
pub(in crate::store) fn is_of(own: Option<Fingerprint>, cipher: &PlateCipher) -> Result<bool, StoreError> {
    let given = cipher.fingerprint();
    match own {
        Some(own) if own != given => Err(StoreError::PlateKey(format!(
            "the pseudonyms in this data directory were made with the plate key {own}, and this is the key {given}: name the \
             file of that key (privacy.plate_key_file or --plate-key)"
        ))),
        own => Ok(own.is_some()),
    }
}
