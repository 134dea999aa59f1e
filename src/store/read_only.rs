//! A data directory as it was at one moment, read while another process writes it.
//!
//! For checks that must not stop the appliance: it takes no lock, writes nothing and starts no detector. What the other
//! process drops meanwhile (retention, merged tails) may become unreadable: the caller then opens it again.

use shard::{PerShard, ShardCount, ShardId, ZoneMap};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use storage::{Database, Family, Mark};
use traffic::{Catalogue, CivilTime, Resolution};

use super::disk::checkpoints;
use super::disk::keys;
use super::disk::plate_key::{is_of, remembered};
use super::disk::records::{MirrorCursor, shards_of};
use super::disk::segments::LogBlock;
use super::error::StoreError;
use crate::pseudonyms::PlateCipher;
use crate::reader::PassageRow;

/// Memory for reading.
const MEMORY: usize = 64 << 20;

/// The rows of a data directory at one moment.
#[derive(Debug)]
pub struct Frozen {
    database: Arc<Database>,
    shards: ShardCount,
    /// By shard, in the order of their rows.
    zones: PerShard<Vec<ZoneMap>>,
}

impl Frozen {
    /// The data directory at `path` as of its last commit.
    ///
    /// # Errors
    /// [`StoreError`] if there is none or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::open_frozen(path, MEMORY)?;
        if database.is_of_old_format() {
            return Err(StoreError::OldFormat(path.to_owned()));
        }
        let shards = shards_of(&database)?;
        let mut zones = PerShard::new(shards, |_| Vec::new());
        for (shard, zones) in shards.ids().zip(zones.values_mut()) {
            let from = keys::zone(shard, 0);
            for item in database.scan(Family::Zones, &from) {
                let (key, value) = item?;
                if key.first() != from.first() {
                    break;
                }
                zones.push(ZoneMap::decode(&value).map_err(|error| database.damaged("a zone map", &error))?);
            }
        }
        Ok(Self { database, shards, zones })
    }

    /// What it lacks of what was committed.
    pub fn lacks(&self, known: &Mark) -> Option<String> {
        self.database.shortage(known)
    }

    /// The number of the row after the last, by shard.
    pub fn end_rows(&self) -> PerShard<u64> {
        self.zones.map_ref(|zones| zones.last().map_or(0, ZoneMap::end_row))
    }

    /// The imported checkpoints; the built-in ones if none were imported, or by a program that kept no copy and has not been
    /// replaced since.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn catalogue(&self) -> Result<Catalogue, StoreError> {
        match checkpoints::load_copy(&self.database)? {
            Some(copy) => copy.catalogue(&self.database),
            None => Ok(Catalogue::xuzhou()),
        }
    }

    /// Whether it has pseudonyms in the place of plates.
    ///
    /// # Errors
    /// [`StoreError::PlateKey`] if it has those of another key than the given one, or a key is given and it holds plates.
    pub fn has_pseudonyms(&self, cipher: Option<&PlateCipher>) -> Result<bool, StoreError> {
        let own = remembered(&self.database)?;
        let Some(cipher) = cipher else { return Ok(own.is_some()) };
        if is_of(own, cipher)? {
            return Ok(true);
        }
        let sentence = "this data directory holds plates as they are, so a plate key has no use: leave --plate-key out";
        Err(StoreError::PlateKey(sentence.to_owned()))
    }

    /// The shards.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> + use<> {
        self.shards.ids()
    }

    /// The newest event time.
    pub fn newest(&self) -> Option<CivilTime> {
        self.zones.values().flatten().map(|zone| zone.max_time).max()
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
        shard: ShardId,
        (from, to): (CivilTime, CivilTime),
        mut visit: impl FnMut(u64, PassageRow),
    ) -> Result<(), StoreError> {
        let refused = self.refused(shard)?;
        let zones = self.zones.get(shard).into_iter().flatten();
        for zone in zones.filter(|zone| zone.max_time >= from && zone.min_time <= to) {
            let block = self.block(shard, zone)?;
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

    /// Visits all rows of all shards in the order in which they arrived, with the resolution of their times.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read, or what `visit` returns.
    pub fn each_arrival<E: From<StoreError>>(
        &self,
        mut visit: impl FnMut(PassageRow, Resolution) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut cursors = Vec::new();
        for (shard, zones) in self.zones.iter() {
            let mut cursor = ShardCursor { frozen: self, shard, zones: zones.iter(), block: None, row: 0 };
            if let Some(arrival) = cursor.arrival()? {
                cursors.push((Reverse(arrival), cursor));
            }
        }
        while let Some((place, _)) = cursors.iter().enumerate().max_by_key(|(_, (arrival, _))| *arrival) {
            let Some((arrival, cursor)) = cursors.get_mut(place) else { break };
            if let Some((row, resolution)) = cursor.take() {
                visit(row, resolution)?;
            }
            match cursor.arrival()? {
                Some(next) => *arrival = Reverse(next),
                None => drop(cursors.swap_remove(place)),
            }
        }
        Ok(())
    }

    /// All rows that [`Frozen::each_arrival`] visits.
    pub fn rows(&self) -> u64 {
        self.zones.values().flatten().map(|zone| u64::from(zone.rows)).sum()
    }

    fn block(&self, shard: ShardId, zone: &ZoneMap) -> Result<LogBlock, StoreError> {
        let body = self.database.get(Family::Rows(shard.number()), &zone.first_row.to_be_bytes())?;
        let body = body.ok_or_else(|| self.database.damaged("the log", &"a segment is missing"))?;
        LogBlock::read(&body)
    }

    fn refused(&self, shard: ShardId) -> Result<HashSet<u64>, StoreError> {
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

/// The rows of one shard, one after the other.
struct ShardCursor<'a> {
    frozen: &'a Frozen,
    shard: ShardId,
    /// Segments that are not begun.
    zones: std::slice::Iter<'a, ZoneMap>,
    block: Option<LogBlock>,
    /// Number of the next row.
    row: u64,
}

impl ShardCursor<'_> {
    /// The arrival number of the next row; none at the end.
    fn arrival(&mut self) -> Result<Option<u64>, StoreError> {
        loop {
            if let Some(arrival) = self.block.as_ref().and_then(|block| block.arrival(self.row)) {
                return Ok(Some(arrival));
            }
            let Some(zone) = self.zones.next() else { return Ok(None) };
            self.row = zone.first_row;
            self.block = Some(self.frozen.block(self.shard, zone)?);
        }
    }

    /// The next row.
    fn take(&mut self) -> Option<(PassageRow, Resolution)> {
        let block = self.block.as_ref()?;
        let taken = block.row(self.row).zip(block.resolution(self.row));
        self.row += 1;
        taken
    }
}
