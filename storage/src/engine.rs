//! What the database asks of what is below it: RocksDB, or in the simulation of docs/simulation.md a simulated disk. In
//! the program there is only RocksDB, and nothing here costs anything.
//!
//! It knows families, keys and values, and which write was forced to the disk. It knows no tally, no format and no
//! settings.

use std::ops::Deref;
use std::path::Path;

#[cfg(feature = "simulated")]
use std::sync::Arc;

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    BottommostLevelCompaction, Cache, CompactOptions, DB, DBPinnableSlice, IteratorMode, WriteBatch, WriteOptions,
};

use crate::Family;
use crate::entry::Entry;
#[cfg(feature = "simulated")]
use crate::simulated;

/// Where keys and values are. Errors are the words of what is below.
pub(crate) enum Engine {
    Rocks {
        db: DB,
        cache: Cache,
    },
    #[cfg(feature = "simulated")]
    Simulated(simulated::Opened),
}

/// Changes that become one write.
pub(crate) enum Changes<'a> {
    Rocks(WriteBatch, &'a DB),
    #[cfg(feature = "simulated")]
    Simulated(Vec<simulated::Change>),
}

/// A value, where the engine holds it.
pub enum Value<'a> {
    /// In RocksDB's memory.
    Pinned(DBPinnableSlice<'a>),
    /// On a simulated disk.
    #[cfg(feature = "simulated")]
    Simulated(Arc<[u8]>),
}

impl Deref for Value<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Pinned(slice) => slice,
            #[cfg(feature = "simulated")]
            Self::Simulated(value) => value,
        }
    }
}

impl AsRef<[u8]> for Value<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(formatter)
    }
}

/// Keys and values in their order, or its reverse.
pub(crate) enum Scan<'a> {
    Rocks(rocksdb::DBIterator<'a>),
    #[cfg(feature = "simulated")]
    Simulated(simulated::Scan),
}

impl Iterator for Scan<'_> {
    type Item = Result<Entry, String>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Rocks(items) => Some(items.next()?.map_err(rocksdb::Error::into_string)),
            #[cfg(feature = "simulated")]
            Self::Simulated(items) => Some(Ok(items.next()?)),
        }
    }
}

impl Changes<'_> {
    pub(crate) fn put(&mut self, family: Family, key: &[u8], value: &[u8]) {
        match self {
            Self::Rocks(batch, db) => batch.put_cf(family.handle(db), key, value),
            #[cfg(feature = "simulated")]
            Self::Simulated(changes) => changes.push(simulated::Change::put(family, key, value)),
        }
    }

    pub(crate) fn delete(&mut self, family: Family, key: &[u8]) {
        match self {
            Self::Rocks(batch, db) => batch.delete_cf(family.handle(db), key),
            #[cfg(feature = "simulated")]
            Self::Simulated(changes) => changes.push(simulated::Change::delete(family, key)),
        }
    }

    pub(crate) fn delete_range(&mut self, family: Family, from: &[u8], to: &[u8]) {
        match self {
            Self::Rocks(batch, db) => batch.delete_range_cf(family.handle(db), from, to),
            #[cfg(feature = "simulated")]
            Self::Simulated(changes) => changes.push(simulated::Change::delete_range(family, from, to)),
        }
    }

    /// How many changes they are.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Rocks(batch, _) => batch.len() as u64,
            #[cfg(feature = "simulated")]
            Self::Simulated(changes) => changes.len() as u64,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Rocks(batch, _) => batch.size_in_bytes(),
            #[cfg(feature = "simulated")]
            Self::Simulated(changes) => changes.iter().map(simulated::Change::bytes).sum(),
        }
    }
}

impl Engine {
    pub(crate) fn begin(&self) -> Changes<'_> {
        match self {
            Self::Rocks { db, .. } => Changes::Rocks(WriteBatch::default(), db),
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => Changes::Simulated(Vec::new()),
        }
    }

    /// Writes all changes or none; `sync`: before it returns they and all before them are on the disk.
    pub(crate) fn write(&self, changes: Changes<'_>, sync: bool) -> Result<(), String> {
        match (self, changes) {
            (Self::Rocks { db, .. }, Changes::Rocks(batch, _)) => {
                let mut options = WriteOptions::default();
                options.set_sync(sync);
                db.write_opt(batch, &options).map_err(rocksdb::Error::into_string)
            }
            #[cfg(feature = "simulated")]
            (Self::Simulated(disk), Changes::Simulated(changes)) => disk.write(changes, sync),
            #[cfg(feature = "simulated")]
            _ => Err("the changes are of another engine".to_owned()),
        }
    }

    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Value<'_>>, String> {
        match self {
            Self::Rocks { db, .. } => {
                let found = db.get_pinned_cf(family.handle(db), key).map_err(rocksdb::Error::into_string)?;
                Ok(found.map(Value::Pinned))
            }
            #[cfg(feature = "simulated")]
            Self::Simulated(disk) => Ok(disk.get(family, key).map(Value::Simulated)),
        }
    }

    /// From `from` (inclusive) on, upwards or downwards, in the state of now.
    pub(crate) fn scan(&self, family: Family, from: &[u8], back: bool) -> Scan<'_> {
        match self {
            Self::Rocks { db, .. } => {
                let direction = if back { rocksdb::Direction::Reverse } else { rocksdb::Direction::Forward };
                Scan::Rocks(db.iterator_cf(family.handle(db), IteratorMode::From(from, direction)))
            }
            #[cfg(feature = "simulated")]
            Self::Simulated(disk) => Scan::Simulated(disk.scan(family, from, back)),
        }
    }

    /// The number of the newest change.
    pub(crate) fn latest_sequence_number(&self) -> u64 {
        match self {
            Self::Rocks { db, .. } => db.latest_sequence_number(),
            #[cfg(feature = "simulated")]
            Self::Simulated(disk) => disk.sequence(),
        }
    }

    /// Whether the family was made.
    pub(crate) fn has(&self, family: Family) -> bool {
        match self {
            Self::Rocks { db, .. } => db.cf_handle(&family.name()).is_some(),
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => true,
        }
    }

    /// Forces the write-ahead log to the disk.
    pub(crate) fn flush_wal(&self) -> Result<(), String> {
        match self {
            Self::Rocks { db, .. } => db.flush_wal(true).map_err(rocksdb::Error::into_string),
            #[cfg(feature = "simulated")]
            Self::Simulated(disk) => disk.sync(),
        }
    }

    /// Moves a family's memtable to its files.
    pub(crate) fn flush(&self, family: Family) -> Result<(), String> {
        match self {
            Self::Rocks { db, .. } => db.flush_cf(family.handle(db)).map_err(rocksdb::Error::into_string),
            #[cfg(feature = "simulated")]
            Self::Simulated(disk) => disk.sync(),
        }
    }

    pub(crate) fn compact(&self, family: Family, from: Option<&[u8]>, to: Option<&[u8]>) {
        match self {
            Self::Rocks { db, .. } => db.compact_range_cf(family.handle(db), from, to),
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => {}
        }
    }

    /// Writes all files of a family again.
    pub(crate) fn rewrite(&self, family: Family) {
        match self {
            Self::Rocks { db, .. } => {
                let mut options = CompactOptions::default();
                options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
                db.compact_range_cf_opt(family.handle(db), None::<&[u8]>, None::<&[u8]>, &options);
            }
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => {}
        }
    }

    /// A number of RocksDB about a family; none if it has none.
    pub(crate) fn property(&self, family: Family, name: &str) -> Option<u64> {
        match self {
            Self::Rocks { db, .. } => db.property_int_value_cf(family.handle(db), name).ok().flatten(),
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => None,
        }
    }

    /// The tables in use, by their names.
    pub(crate) fn tables(&self) -> Result<Vec<String>, String> {
        match self {
            Self::Rocks { db, .. } => {
                let files = db.live_files().map_err(rocksdb::Error::into_string)?;
                Ok(files.into_iter().map(|file| file.name).collect())
            }
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => Ok(Vec::new()),
        }
    }

    /// Lets a family's files be compacted from now on.
    pub(crate) fn start_compactions(&self, family: Family) -> Result<(), String> {
        match self {
            Self::Rocks { db, .. } => db
                .set_options_cf(family.handle(db), &[("disable_auto_compactions", "false")])
                .map_err(rocksdb::Error::into_string),
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => Ok(()),
        }
    }

    /// Makes a database of what is committed now in a folder that does not exist.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<(), String> {
        match self {
            Self::Rocks { db, .. } => Checkpoint::new(db)
                .and_then(|checkpoint| checkpoint.create_checkpoint(folder))
                .map_err(rocksdb::Error::into_string),
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => Err(format!("{} cannot hold a simulated disk", folder.display())),
        }
    }

    /// Bytes of the block cache.
    pub(crate) fn cached(&self) -> u64 {
        match self {
            Self::Rocks { cache, .. } => cache.get_usage() as u64,
            #[cfg(feature = "simulated")]
            Self::Simulated(_) => 0,
        }
    }
}
