//! Decoded columns of segments, kept within a budget of bytes so that a repeated query decodes nothing. It does not
//! know what a column is needed for.

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

#[derive(Debug)]
pub(in crate::store) struct ColumnCache(Cache<ColumnKey, Arc<Column>, ByBytes>);

/// What one segment's column weighs, for sizing the cache's table.
const TYPICAL_COLUMN_BYTES: usize = 256 << 10;

impl ColumnCache {
    pub(in crate::store) fn new(bytes: usize) -> Self {
        Self(Cache::with_weighter((bytes / TYPICAL_COLUMN_BYTES).max(64), bytes as u64, ByBytes))
    }

    pub(in crate::store) fn get(&self, key: &ColumnKey) -> Option<Arc<Column>> {
        self.0.get(key)
    }

    pub(in crate::store) fn put(&self, key: ColumnKey, column: Arc<Column>) {
        self.0.insert(key, column);
    }

    pub(in crate::store) fn bytes(&self) -> u64 {
        self.0.weight()
    }
}
