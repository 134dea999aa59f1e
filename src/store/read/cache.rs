//! Decoded columns of segments, kept within a budget of bytes so that a repeated query decodes nothing. Those that a search reads of
//! all segments have most of it: a row that is shown needs all columns of its segment, and rows from everywhere would push them out.
//! It does not know what a search is.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use shard::{Column, ColumnKind, ShardId};

/// Shard, first row, number of rows and column. A sealed segment never changes; a tail block's rows may come again in a
/// larger block with the same first row, so their number is part of the key.
pub(in crate::store) type ColumnKey = (ShardId, u64, u32, ColumnKind);

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<ColumnKey, Arc<Column>> for ByBytes {
    fn weight(&self, _key: &ColumnKey, column: &Arc<Column>) -> u64 {
        column.bytes() as u64
    }
}

/// What a column is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Use {
    /// To find or count rows.
    Search,
    /// To show rows, or to put some in order.
    Show,
}

/// One part in so many is for what is shown.
const SHOWN_PART: usize = 8;

#[derive(Debug)]
pub(in crate::store) struct ColumnCache {
    searched: Cache<ColumnKey, Arc<Column>, ByBytes>,
    shown: Cache<ColumnKey, Arc<Column>, ByBytes>,
}

/// What one segment's column weighs, for sizing the cache's table.
const TYPICAL_COLUMN_BYTES: usize = 256 << 10;

impl ColumnCache {
    pub(in crate::store) fn new(bytes: usize) -> Self {
        let of = |bytes: usize| Cache::with_weighter((bytes / TYPICAL_COLUMN_BYTES).max(64), bytes as u64, ByBytes);
        let shown = bytes / SHOWN_PART;
        Self { searched: of(bytes - shown), shown: of(shown) }
    }

    pub(in crate::store) fn get(&self, key: &ColumnKey) -> Option<Arc<Column>> {
        self.searched.get(key).or_else(|| self.shown.get(key))
    }

    pub(in crate::store) fn put(&self, key: ColumnKey, column: Arc<Column>, wanted: Use) {
        match wanted {
            Use::Search => self.searched.insert(key, column),
            Use::Show => self.shown.insert(key, column),
        }
    }

    pub(in crate::store) fn bytes(&self) -> u64 {
        self.searched.weight() + self.shown.weight()
    }
}
