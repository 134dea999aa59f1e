//! The column families: which they are and how each is tuned. The names are part of the on-disk format.

use std::borrow::Cow;

use rocksdb::{BlockBasedOptions, Cache, ColumnFamily, DB, DBCompressionType, MemtableFactory, Options};

use crate::expiry::Horizons;

/// A column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Segment bodies of one local shard, by its number, by first row number.
    Rows(u8),
    /// Zone maps of all segments by shard and first row number.
    Zones,
    /// Plate states; expired by event time, see [`Horizons`].
    Plates,
    /// Alerts by sequence number.
    Alerts,
    /// Cases by sequence number.
    Cases,
    /// What the traffic has taught, by partition.
    Evidence,
    /// Rejected lines by sequence number.
    Rejects,
    /// Rollups.
    Counters,
    /// Positions, watermarks, names, totals, format version.
    Meta,
}

/// The names of [`Family::Rows`] are this and the shard's number.
const ROWS_PREFIX: &str = "shard_";
/// Values from this size on are kept in blob files, which compaction does not rewrite.
const MIN_BLOB_BYTES: u64 = 4096;

impl Family {
    /// The families that a database has once, however many shards it has.
    const SINGLE: [Self; 8] = [
        Self::Zones,
        Self::Plates,
        Self::Alerts,
        Self::Cases,
        Self::Evidence,
        Self::Rejects,
        Self::Counters,
        Self::Meta,
    ];

    /// Those of them that a database of format version 1 or 2 lacks; opening one makes them.
    const SINCE_3: [Self; 2] = [Self::Cases, Self::Evidence];

    /// Whether every database has this family, whatever its format.
    pub(crate) fn is_of_every_format(self) -> bool {
        !Self::SINCE_3.contains(&self)
    }

    /// All families of a database of `shards` shards.
    pub fn all(shards: u8) -> impl Iterator<Item = Self> + Clone {
        (0..shards).map(Self::Rows).chain(Self::SINGLE)
    }

    /// The family with this name on disk; none if no program has made it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.strip_prefix(ROWS_PREFIX) {
            // The name is the number without leading zeros.
            Some(number) => number.parse().ok().map(Self::Rows).filter(|family| *family.name() == *name),
            None => Self::SINGLE.into_iter().find(|family| *family.name() == *name),
        }
    }

    /// The name on disk.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Rows(shard) => return Cow::Owned(format!("{ROWS_PREFIX}{shard}")),
            Self::Zones => "zones",
            Self::Plates => "plates",
            Self::Alerts => "alerts",
            Self::Cases => "cases",
            Self::Evidence => "evidence",
            Self::Rejects => "rejects",
            Self::Counters => "counters",
            Self::Meta => "meta",
        })
    }

    /// Where the family is in an open database.
    #[expect(clippy::expect_used, reason = "opening creates every family or fails, and families are never dropped")]
    pub(crate) fn handle(self, db: &DB) -> &ColumnFamily {
        db.cf_handle(&self.name()).expect("every family is open")
    }

    pub(crate) fn options(self, cache: &Cache, write_buffer: usize, horizons: &Horizons) -> Options {
        let mut options = Options::default();
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_cache_index_and_filter_blocks(true);
        options.set_block_based_table_factory(&table);
        options.set_write_buffer_size(write_buffer);
        options.set_max_write_buffer_number(3);
        options.set_compression_type(DBCompressionType::Lz4);
        match self {
            Self::Rows(_) | Self::Zones => {
                // Segments are compressed already, and large: keep them out of the merge tree.
                options.set_compression_type(DBCompressionType::None);
                options.set_enable_blob_files(true);
                options.set_min_blob_size(MIN_BLOB_BYTES);
                options.set_blob_compression_type(DBCompressionType::None);
                options.set_enable_blob_gc(true);
                options.set_blob_gc_age_cutoff(1.0);
            }
            Self::Plates => {
                // Written in sorted bursts and read only at start: appending to a vector is the cheapest memtable.
                options.set_memtable_factory(MemtableFactory::Vector);
                horizons.install(&mut options);
            }
            Self::Alerts | Self::Cases | Self::Evidence | Self::Rejects | Self::Counters | Self::Meta => {}
        }
        options
    }
}
