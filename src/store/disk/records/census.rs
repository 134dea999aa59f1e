//! What the writer counts for the tally, which is kept outside the database.

use serde::{Deserialize, Serialize};
use shard::PerShard;
use storage::{Database, Family, StorageError, codec};

use super::Totals;
use super::totals::of_two;
use crate::store::disk::keys;

/// What the writer counts for the tally.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Census {
    pub(in crate::store) accepted: u64,
    pub(in crate::store) by_shard: PerShard<u64>,
    pub(in crate::store) alerts: u64,
    pub(in crate::store) rejects: u64,
    pub(in crate::store) last_time: Option<i64>,
}

impl Census {
    pub(in crate::store) fn of(totals: &Totals) -> Self {
        Self {
            accepted: totals.accepted,
            by_shard: totals.by_shard.clone(),
            alerts: totals.alerts,
            rejects: totals.rejects,
            last_time: totals.last_time,
        }
    }

    pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        if codec::version(keys::CENSUS, bytes)? > 1 {
            return codec::decode(keys::CENSUS, bytes);
        }
        // Layout 1, in which there were always two shards.
        let (accepted, by_shard, alerts, rejects, last_time) = codec::decode(keys::CENSUS, bytes)?;
        Ok(Self { accepted, by_shard: of_two(by_shard), alerts, rejects, last_time })
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
