//! The local side of a comparison: sums over the rows of one state of the disk.

use std::collections::HashMap;

use flate2::Crc;
use shard::{PerShard, ShardId};
use traffic::CivilTime;

use super::group::{Group, Sums};
use crate::mysql::table::joined;
use crate::reader::PassageRow;
use crate::store::{Frozen, StoreError};

/// Local groups in the state of one commit.
#[derive(Debug, Default)]
pub(super) struct Local {
    pub(super) groups: HashMap<Group, Sums>,
    /// Rows by group that their mirror has not acknowledged.
    waiting: HashMap<Group, u64>,
    /// Number of the row after the last, by shard.
    pub(super) end_rows: PerShard<u64>,
    /// Number of the first row that is not acknowledged, by shard.
    pub(super) acknowledged: PerShard<u64>,
}

impl Local {
    /// Sums over the rows within `span`.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub(super) fn read(
        frozen: &Frozen,
        span: (CivilTime, CivilTime),
        server_of: impl Fn(ShardId) -> usize,
    ) -> Result<Self, StoreError> {
        let end_rows = frozen.end_rows();
        let mut local = Self { acknowledged: end_rows.map_ref(|_| 0), end_rows, ..Self::default() };
        for shard in frozen.shards() {
            let cursor = frozen.mirror_cursor(&format!("mysql/{shard}"))?.map_or(0, |cursor| cursor.next);
            if let Some(acknowledged) = local.acknowledged.get_mut(shard) {
                *acknowledged = cursor;
            }
            let server = server_of(shard);
            frozen.each_row(shard, span, |number, row| {
                let group = Group { server, hour: row.gcsj.hour(), kkmc: row.kkmc.clone() };
                if number >= cursor {
                    *local.waiting.entry(group.clone()).or_default() += 1;
                }
                local.groups.entry(group).or_default().add(&row);
            })?;
        }
        Ok(local)
    }

    /// Sums over those rows within `span` that are `wanted` by shard and number.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub(super) fn sums_of(
        frozen: &Frozen,
        span: (CivilTime, CivilTime),
        server_of: impl Fn(ShardId) -> usize,
        wanted: impl Fn(ShardId, u64) -> bool,
    ) -> Result<HashMap<Group, Sums>, StoreError> {
        let mut groups: HashMap<Group, Sums> = HashMap::new();
        for shard in frozen.shards() {
            let server = server_of(shard);
            frozen.each_row(shard, span, |number, row| {
                if wanted(shard, number) {
                    let group = Group { server, hour: row.gcsj.hour(), kkmc: row.kkmc.clone() };
                    groups.entry(group).or_default().add(&row);
                }
            })?;
        }
        Ok(groups)
    }

    pub(super) fn sums(&self, group: &Group) -> Sums {
        self.groups.get(group).copied().unwrap_or_default()
    }

    pub(super) fn waiting(&self, group: &Group) -> u64 {
        self.waiting.get(group).copied().unwrap_or_default()
    }
}

impl Sums {
    /// Adds a row in the same way as the statement of [`super::target`] does in MySQL.
    fn add(&mut self, row: &PassageRow) {
        self.passages += 1;
        self.ids += crc32(&row.gcxh);
        self.contents += crc32(&joined(row, ','));
    }
}

/// MySQL's CRC32().
fn crc32(text: &str) -> u64 {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    u64::from(crc.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_mysqls() {
        // SELECT CRC32('MySQL'): the example of MySQL's manual.
        assert_eq!(crc32("MySQL"), 3_259_397_556);
        assert_eq!(crc32(""), 0);
    }
}
