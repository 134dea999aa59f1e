//! What is kept about mirrors: how far each has come, and the rows that its target refused.

use serde::{Deserialize, Serialize};
use storage::{Database, Family, codec};

use crate::store::StoreError;
use crate::store::disk::keys;

/// How far a mirror has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorCursor {
    /// The first row (or alert) that its target has not acknowledged.
    pub next: u64,
    /// The newest event time among those it has acknowledged.
    pub time: Option<i64>,
    /// Rows that the target refused.
    pub refused: u64,
    /// Rows that were gone before the target could take them.
    pub lost: u64,
    /// How often the target was found to lack what it had acknowledged, so that it was sent again.
    pub refilled: u64,
}

/// A row that a target refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// Shard.
    pub shard: u32,
    /// Row number in it.
    pub row: u64,
    /// GCXH.
    pub gcxh: String,
    /// Event time.
    pub gcsj: i64,
    /// The row as a line: its columns in their default order, TAB-separated.
    pub line: String,
    /// The target's error message.
    pub error: String,
}

impl MirrorCursor {
    /// Where the mirror `name` was; none if there was none of this name.
    pub(in crate::store) fn load(database: &Database, name: &str) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = database.get(Family::Meta, &keys::mirror(name))? else { return Ok(None) };
        let cursor = codec::decode(keys::MIRROR, &bytes);
        Ok(Some(cursor.map_err(|error| database.damaged("a mirror's cursor", &error))?))
    }
}
