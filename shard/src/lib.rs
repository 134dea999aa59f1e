//! Pure placement: which shard a passage belongs to, and the columnar segment in which a shard keeps its rows.
//!
//! - [`Ring`] is MyCat's consistent-hash ring, bit for bit. A [`ShardId`] is one of [`ShardCount`] local shards, and
//!   [`PerShard`] holds a value for each.
//! - [`Rows`] are one shard's accepted passages in columns; [`encode`] turns them into a [`Segment`]: a self-contained
//!   body and a [`ZoneMap`] that is kept separately, so that pruning never reads the body.
//! - [`SegmentReader`] decodes single columns of a body. [`scan()`] finds the rows that meet a [`Predicate`], and
//!   [`count_names`] and its like count them, through a [`ColumnLoader`] that the caller may back with a cache.
//!
//! This crate knows no file, database or thread, and cannot fail on what it is given: damaged bytes are an error, never a
//! panic. It does not know where segments are kept or what a query looks like outside.

mod aggregate;
mod codec;
mod error;
mod filter;
mod id;
mod pattern;
mod predicate;
mod reader;
mod ring;
mod rows;
mod scan;
mod segment;
mod vehicles;
mod zone;

pub use aggregate::{PairCount, count_hours, count_names, count_pairs, count_vehicle_types};
pub use codec::{Codes, Compression};
pub use error::SegmentError;
pub use filter::PlateFilter;
pub use id::{PerShard, ShardCount, ShardId};
pub use pattern::PlatePattern;
pub use predicate::{Predicate, TextTest};
pub use reader::{Column, ColumnKind, ColumnLoader, DictColumn, OddTexts, SegmentReader};
pub use ring::{Ring, RingError, murmur3_32};
pub use rows::{MAX_ROWS, Rows};
pub use scan::{Matches, scan, scan_segment};
pub use segment::{Segment, encode};
pub use zone::ZoneMap;
