//! The imported checkpoints. The reference data holds them; `meta` holds a copy, from which they are restored if the
//! reference data was lost or damaged, so that they are never silently replaced by the built-in ones.

use serde::{Deserialize, Serialize};
use storage::{Commit, Database, Durability, Family, Reference, SetAside, codec};
use traffic::{Catalogue, Checkpoint};

use super::keys;
use crate::store::StoreError;

/// The tree of the reference data.
const CATALOGUE_TREE: &str = "checkpoints";

/// The copy in `meta`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Copy {
    /// Where they came from, in words.
    source: String,
    /// The clock's time of the import; none if it was not recorded.
    at: Option<i64>,
    /// Each as JSON, in their order.
    values: Vec<Vec<u8>>,
}

/// Where the known checkpoints came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointsOrigin {
    /// In words; none if they are the built-in ones.
    pub source: Option<String>,
    /// The clock's time of the import.
    pub imported_at: Option<i64>,
    /// The reference data had lost them at this start, and they were restored from the copy.
    pub restored: bool,
    /// The reference data was damaged at this start and there was no copy: imported checkpoints, if there were any, are lost.
    pub lost: bool,
}

impl Copy {
    pub(in crate::store) fn of(catalogue: &Catalogue, source: &str, at: i64) -> Result<Self, StoreError> {
        let values = catalogue.iter().map(serde_json::to_vec).collect::<Result<_, _>>();
        let values = values.map_err(|error| StoreError::Contradiction(format!("a checkpoint is no JSON: {error}")))?;
        Ok(Self { source: source.to_owned(), at: Some(at), values })
    }

    pub(in crate::store) fn holds_same(&self, other: &Self) -> bool {
        self.values == other.values
    }

    /// All of them, or what is wrong with the copy: a part of them would pass for all.
    pub(in crate::store) fn catalogue(&self, database: &Database) -> Result<Catalogue, StoreError> {
        let damaged = |error: &dyn std::fmt::Display| database.damaged("the copy of the checkpoints", error);
        let checkpoints = self.values.iter().map(|value| serde_json::from_slice(value)).collect::<Result<Vec<_>, _>>();
        let checkpoints = checkpoints.map_err(|error| damaged(&error))?;
        Catalogue::new(checkpoints).map_err(|error| damaged(&error).into())
    }

    pub(in crate::store) fn write(&self, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        commit.put(Family::Meta, keys::CHECKPOINTS_KEY, &codec::encode(keys::CHECKPOINTS, self)?);
        Ok(())
    }

    /// Puts them into the reference data.
    pub(in crate::store) fn store(&self, reference: &Reference) -> Result<(), StoreError> {
        let parsed = self.values.iter().map(|value| serde_json::from_slice::<Checkpoint>(value));
        let entries = self.values.iter().zip(parsed).zip(0u32..).map(|((value, checkpoint), place)| {
            let code = checkpoint.map(|checkpoint| checkpoint.code).unwrap_or_default();
            // The place comes first in the key, so that they are read in their order.
            ([&place.to_be_bytes(), code.as_bytes()].concat(), value.clone())
        });
        Ok(reference.replace(CATALOGUE_TREE, &entries.collect::<Vec<_>>())?)
    }

    pub(in crate::store) fn origin(&self) -> CheckpointsOrigin {
        CheckpointsOrigin { source: Some(self.source.clone()), imported_at: self.at, ..CheckpointsOrigin::default() }
    }
}

pub(in crate::store) fn load_copy(database: &Database) -> Result<Option<Copy>, StoreError> {
    let Some(bytes) = database.get(Family::Meta, keys::CHECKPOINTS_KEY)? else { return Ok(None) };
    let copy = codec::decode(keys::CHECKPOINTS, &bytes);
    Ok(Some(copy.map_err(|error| database.damaged("the copy of the checkpoints", &error))?))
}

/// The checkpoints of a directory that was just opened.
pub(in crate::store) fn load(
    database: &Database,
    reference: &Reference,
    aside: Option<&SetAside>,
) -> Result<(Catalogue, CheckpointsOrigin), StoreError> {
    if let Some(aside) = aside {
        tracing::warn!(
            moved_to = %aside.path.display(),
            cause = aside.cause,
            "reference data did not open and was set aside; the list of served models begins empty"
        );
    }
    let values = reference.values(CATALOGUE_TREE);
    let Some(copy) = load_copy(database)? else {
        let values = values?;
        if values.is_empty() {
            let lost = aside.is_some();
            if lost {
                tracing::warn!(
                    "the built-in checkpoints are used: if others were imported, import them again with import-checkpoints"
                );
            }
            return Ok((Catalogue::xuzhou(), CheckpointsOrigin { lost, ..CheckpointsOrigin::default() }));
        }
        // Written by a program that kept no copy.
        let copy = Copy { source: "an earlier import".to_owned(), at: None, values };
        let mut commit = database.begin();
        copy.write(&mut commit)?;
        database.commit(commit, Durability::AsConfigured)?;
        return Ok((copy.catalogue(database)?, copy.origin()));
    };
    // Unreadable data is replaced like missing data.
    let restored = values.ok().as_ref() != Some(&copy.values);
    if restored {
        copy.store(reference)?;
        tracing::warn!(
            checkpoints = copy.values.len(),
            source = copy.source,
            "the reference data did not hold the imported checkpoints: they were restored from their copy"
        );
    }
    Ok((copy.catalogue(database)?, CheckpointsOrigin { restored, ..copy.origin() }))
}
