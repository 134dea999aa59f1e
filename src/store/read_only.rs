//! A data directory as it was at one moment, read while another process writes it.
//!
//! For checks that must not stop the appliance: it takes no lock, writes nothing and starts no detector. What the other
//! process drops meanwhile (retention, merged tails) may become unreadable: the caller then opens it again.

use shard::ZoneMap;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use storage::{Database, Family};
use traffic::CivilTime;

use super::disk::keys;
use super::disk::records::MirrorCursor;
use super::disk::segments::LogBlock;
use super::error::StoreError;
use crate::reader::PassageRow;

/// Memory for reading.
const MEMORY: usize = 64 << 20;
const SHARDS: usize = 2;

/// The rows of a data directory at one moment.
#[derive(Debug)]
pub struct Frozen {
    database: Arc<Database>,
    /// By shard, in the order of their rows.
    zones: [Vec<ZoneMap>; SHARDS],
}

impl Frozen {
    /// The data directory at `path` as of its last commit.
    ///
    /// # Errors
    /// [`StoreError`] if there is none or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::open_frozen(path, MEMORY)?;
        let mut zones: [Vec<ZoneMap>; SHARDS] = Default::default();
        for (shard, zones) in zones.iter_mut().enumerate() {
            let from = keys::zone(shard, 0);
            for item in database.scan(Family::Zones, &from) {
                let (key, value) = item?;
                if key.first() != from.first() {
                    break;
                }
                zones.push(ZoneMap::decode(&value).map_err(|error| database.damaged("a zone map", &error))?);
            }
        }
        Ok(Self { database, zones })
    }

    /// The number of the row after the last, by shard.
    pub fn end_rows(&self) -> [u64; SHARDS] {
        self.zones.each_ref().map(|zones| zones.last().map_or(0, ZoneMap::end_row))
    }

    /// The newest event time.
    pub fn newest(&self) -> Option<CivilTime> {
        self.zones.iter().flatten().map(|zone| zone.max_time).max()
    }

    /// Where the mirror `name` was; none if there was none of this name.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn mirror_cursor(&self, name: &str) -> Result<Option<MirrorCursor>, StoreError> {
        MirrorCursor::load(&self.database, name)
    }

    /// Visits the rows of `shard` whose GCSJ may lie from `from` to `to`, in the order of their numbers, without those that
    /// a mirror's target refused.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn each_row(
        &self,
        shard: usize,
        (from, to): (CivilTime, CivilTime),
        mut visit: impl FnMut(u64, PassageRow),
    ) -> Result<(), StoreError> {
        let refused = self.refused(shard)?;
        let zones = self.zones.get(shard).into_iter().flatten();
        for zone in zones.filter(|zone| zone.max_time >= from && zone.min_time <= to) {
            let body = self.database.get(Family::of_shard(shard), &zone.first_row.to_be_bytes())?;
            let body = body.ok_or_else(|| self.database.damaged("the log", &"a segment is missing"))?;
            let block = LogBlock::read(&body)?;
            for number in block.first_row()..block.end_row() {
                if let Some(row) = block.row(number)
                    && (from..=to).contains(&row.gcsj)
                    && !refused.contains(&number)
                {
                    visit(number, row);
                }
            }
        }
        Ok(())
    }

    fn refused(&self, shard: usize) -> Result<HashSet<u64>, StoreError> {
        let (from, to) = (keys::refused(shard, 0), keys::refused(shard, u64::MAX));
        let mut rows = HashSet::new();
        for item in self.database.scan(Family::Rejects, &from) {
            let (key, _) = item?;
            if *key > to[..] {
                break;
            }
            rows.extend(keys::last_u64(&key));
        }
        Ok(rows)
    }
}
