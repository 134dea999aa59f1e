//! What the writer counts for the tally, which is kept outside the database.

use serde::{Deserialize, Serialize};
use storage::{Database, Family, StorageError, codec};

use super::Totals;
use crate::store::disk::keys;

/// What the writer counts for the tally.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Census {
    pub(in crate::store) accepted: u64,
    pub(in crate::store) by_shard: [u64; 2],
    pub(in crate::store) alerts: u64,
    pub(in crate::store) rejects: u64,
    pub(in crate::store) last_time: Option<i64>,
}

impl Census {
    pub(in crate::store) fn of(totals: &Totals) -> Self {
        Self {
            accepted: totals.accepted,
            by_shard: totals.by_shard,
            alerts: totals.alerts,
            rejects: totals.rejects,
            last_time: totals.last_time,
        }
    }

    pub(in crate::store) fn encode(&self) -> Result<Vec<u8>, codec::CodecError> {
        codec::encode(keys::CENSUS, self)
    }
}

/// Changes of work on alerts, as the tally and `meta` hold them.
pub(in crate::store) fn encode_work(changes: u64) -> Vec<u8> {
    changes.to_be_bytes().to_vec()
}

pub(in crate::store) fn decode_work(bytes: &[u8]) -> u64 {
    keys::last_u64(bytes).unwrap_or(0)
}

/// How many changes of work on alerts a database holds.
pub(in crate::store) fn work_changes(database: &Database) -> Result<u64, StorageError> {
    Ok(database.get(Family::Meta, keys::WORK_CHANGES_KEY)?.map_or(0, |bytes| decode_work(&bytes)))
}
