//! The zone map: what a segment can hold, kept separately so that a query can skip the segment without reading it.
//!
//! It does not know the query: [`crate::Predicate::may_match`] does the pruning.

use std::collections::BTreeMap;
use std::sync::Arc;

use traffic::{CivilTime, Dimension, NameTable, TimeRange};
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::{Compression, Cursor, Packer, decode_texts, encode_texts, put_varint};
use crate::filter::PlateFilter;
use crate::{MAX_ROWS, Rows, SegmentError};

/// Summary of one segment.
///
/// ```text
/// zone map   := "PWZM" version:u16 fields filter check:u64
/// fields     := first_row:u64 rows:varint bytes:varint min_time:i64 max_time:i64 min_arrival:u64 max_arrival:u64
///               partitions incomplete:u8 texts
/// partitions := count:varint (partition:varint rows:varint){count}       increasing by partition
/// filter     := blocks:varint (word:u32){8 × blocks}                     0 blocks: there is no filter
/// ```
/// `check` is the XXH3-64 of everything before it. The map is broken if its checksum does not match, if a length points
/// beyond its end or bytes are left over, if it has no rows or more than [`MAX_ROWS`], or if a minimum is above its
/// maximum. A version above 1 is refused by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneMap {
    /// Number of the segment's first row in its shard.
    pub first_row: u64,
    /// How many rows the segment has.
    pub rows: u32,
    /// Length of the segment's body, in bytes.
    pub bytes: u64,
    /// Earliest GCSJ.
    pub min_time: CivilTime,
    /// Latest GCSJ.
    pub max_time: CivilTime,
    /// Smallest arrival number.
    pub min_arrival: u64,
    /// Largest arrival number.
    pub max_arrival: u64,
    /// The partitions and how many rows each has, by partition.
    pub partitions: Vec<(u32, u32)>,
    /// The KKMCs; at most [`ZoneMap::MAX_CHECKPOINTS`].
    pub checkpoints: Vec<Arc<str>>,
    /// Whether there are more KKMCs than that.
    pub checkpoints_incomplete: bool,
    /// The plates; none for a small segment, whose scan costs less than a filter.
    pub plates: Option<PlateFilter>,
}

const MAGIC: &[u8; 4] = b"PWZM";
const VERSION: u16 = 1;
const CHECK: usize = 8;
/// With this many rows or more there is a plate filter.
const MIN_FILTER_ROWS: usize = 1024;

const DAMAGED: SegmentError = SegmentError::Damaged("zone map");

impl ZoneMap {
    /// Whether every row is in the range.
    pub fn is_within(&self, range: TimeRange) -> bool {
        range.contains(self.min_time) && range.contains(self.max_time)
    }

    /// Whether a row can be in the range.
    pub fn touches(&self, range: TimeRange) -> bool {
        range.touches(self.min_time, self.max_time)
    }

    /// How many KKMCs are listed at most.
    pub const MAX_CHECKPOINTS: usize = 512;

    /// Summarises rows whose distinct checkpoints are `checkpoints`, all but the body's length.
    pub(crate) fn of(rows: &Rows, names: &NameTable, first_row: u64, checkpoints: &[u32]) -> Self {
        let mut partitions = BTreeMap::new();
        for run in rows.partitions.chunk_by(|one, next| one == next) {
            if let Some(partition) = run.first() {
                *partitions.entry(*partition).or_insert(0) += run.len() as u32;
            }
        }
        let name = |id: &u32| names.shared(Dimension::Checkpoint, *id);
        Self {
            first_row,
            rows: rows.len() as u32,
            bytes: 0,
            min_time: rows.times.iter().copied().min().unwrap_or_default(),
            max_time: rows.times.iter().copied().max().unwrap_or_default(),
            min_arrival: rows.arrivals.iter().copied().min().unwrap_or(0),
            max_arrival: rows.arrivals.iter().copied().max().unwrap_or(0),
            partitions: partitions.into_iter().collect(),
            checkpoints: checkpoints.iter().take(Self::MAX_CHECKPOINTS).map(name).collect(),
            checkpoints_incomplete: checkpoints.len() > Self::MAX_CHECKPOINTS,
            plates: (rows.len() >= MIN_FILTER_ROWS).then(|| PlateFilter::of(&rows.plates, &rows.odd_plates)).flatten(),
        }
    }

    /// Number of the row after the segment's last.
    pub fn end_row(&self) -> u64 {
        self.first_row + u64::from(self.rows)
    }

    /// Memory that the map takes, about.
    pub fn memory(&self) -> usize {
        let texts: usize = self.checkpoints.iter().map(|text| text.len() + size_of::<Arc<str>>()).sum();
        size_of::<Self>() + texts + 8 * self.partitions.len() + self.plates.as_ref().map_or(0, PlateFilter::bytes)
    }

    /// The map as bytes.
    ///
    /// # Errors
    /// [`SegmentError::Rows`] if the checkpoints' names are unreasonably long.
    pub fn encode(&self) -> Result<Vec<u8>, SegmentError> {
        let mut out = Vec::with_capacity(128 + self.plates.as_ref().map_or(0, PlateFilter::bytes));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.first_row.to_le_bytes());
        put_varint(&mut out, u64::from(self.rows));
        put_varint(&mut out, self.bytes);
        for number in [self.min_time.0 as u64, self.max_time.0 as u64, self.min_arrival, self.max_arrival] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        put_varint(&mut out, self.partitions.len() as u64);
        for (partition, rows) in &self.partitions {
            put_varint(&mut out, u64::from(*partition));
            put_varint(&mut out, u64::from(*rows));
        }
        out.push(u8::from(self.checkpoints_incomplete));
        let texts = self.checkpoints.iter().map(|text| &**text);
        encode_texts(texts, &mut Packer::new(Compression::Fast), &mut out)?;
        match &self.plates {
            Some(filter) => filter.encode(&mut out),
            None => out.push(0),
        }
        out.extend_from_slice(&xxh3_64(&out).to_le_bytes());
        Ok(out)
    }

    /// The map of bytes that [`ZoneMap::encode`] made.
    ///
    /// # Errors
    /// [`SegmentError::Unknown`] if the bytes are something else, [`SegmentError::Newer`] if a later version made them,
    /// [`SegmentError::Damaged`] if they are broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, SegmentError> {
        let mut head = Cursor(bytes);
        if head.take(MAGIC.len()).ok() != Some(MAGIC) {
            return Err(SegmentError::Unknown("zone map"));
        }
        let found = head.u16()?;
        if found > VERSION {
            return Err(SegmentError::Newer { what: "a zone map", found, known: VERSION });
        }
        let (body, check) = bytes.split_last_chunk::<CHECK>().ok_or(DAMAGED)?;
        if found == 0 || xxh3_64(body) != u64::from_le_bytes(*check) {
            return Err(DAMAGED);
        }
        let mut cursor = Cursor(body.get(MAGIC.len() + size_of::<u16>()..).ok_or(DAMAGED)?);
        let first_row = cursor.u64()?;
        let rows = cursor.count(MAX_ROWS)?;
        let length = cursor.varint()?;
        let [min_time, max_time] = [CivilTime(cursor.u64()? as i64), CivilTime(cursor.u64()? as i64)];
        let [min_arrival, max_arrival] = [cursor.u64()?, cursor.u64()?];
        let count = cursor.count(rows)?;
        let mut partitions = Vec::with_capacity(count.min(cursor.0.len()));
        for _ in 0..count {
            let partition = u32::try_from(cursor.varint()?).map_err(|_| DAMAGED)?;
            partitions.push((partition, cursor.count(rows)? as u32));
        }
        let checkpoints_incomplete = cursor.u8()? != 0;
        let checkpoints = decode_texts(&mut cursor, Self::MAX_CHECKPOINTS)?;
        let plates = if cursor.0 == [0] {
            cursor.u8()?;
            None
        } else {
            Some(PlateFilter::decode(&mut cursor)?)
        };
        cursor.finish()?;
        if rows == 0 || min_time > max_time || min_arrival > max_arrival || first_row.checked_add(rows as u64).is_none()
        {
            return Err(DAMAGED);
        }
        Ok(Self {
            first_row,
            rows: rows as u32,
            bytes: length,
            min_time,
            max_time,
            min_arrival,
            max_arrival,
            partitions,
            checkpoints,
            checkpoints_incomplete,
            plates,
        })
    }
}
