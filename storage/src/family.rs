//! The column families: which they are and how each is tuned. The names are part of the on-disk format.

use rocksdb::{BlockBasedOptions, Cache, ColumnFamily, DB, DBCompressionType, MemtableFactory, Options};

use crate::expiry::Horizons;

/// A column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Segment bodies of shard 0 by first row number.
    Shard0,
    /// Segment bodies of shard 1 by first row number.
    Shard1,
    /// Zone maps of all segments by shard and first row number.
    Zones,
    /// Plate states; expired by event time, see [`Horizons`].
    Plates,
    /// Alerts by sequence number.
    Alerts,
    /// Rejected lines by sequence number.
    Rejects,
    /// Rollups.
    Counters,
    /// Positions, watermarks, names, totals, format version.
    Meta,
}

/// Values from this size on are kept in blob files, which compaction does not rewrite.
const MIN_BLOB_BYTES: u64 = 4096;

impl Family {
    /// All families.
    pub const ALL: [Self; 8] = [
        Self::Shard0,
        Self::Shard1,
        Self::Zones,
        Self::Plates,
        Self::Alerts,
        Self::Rejects,
        Self::Counters,
        Self::Meta,
    ];

    /// The family of shard `shard`'s segments; there are two.
    pub fn of_shard(shard: usize) -> Self {
        if shard == 0 { Self::Shard0 } else { Self::Shard1 }
    }

    /// The name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shard0 => "shard_0",
            Self::Shard1 => "shard_1",
            Self::Zones => "zones",
            Self::Plates => "plates",
            Self::Alerts => "alerts",
            Self::Rejects => "rejects",
            Self::Counters => "counters",
            Self::Meta => "meta",
        }
    }

    /// Where the family is in an open database.
    #[expect(clippy::expect_used, reason = "opening creates every family or fails, and families are never dropped")]
    pub(crate) fn handle(self, db: &DB) -> &ColumnFamily {
        db.cf_handle(self.name()).expect("every family is open")
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
            Self::Shard0 | Self::Shard1 | Self::Zones => {
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
            Self::Alerts | Self::Rejects | Self::Counters | Self::Meta => {}
        }
        options
    }
}
