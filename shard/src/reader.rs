//! Reading a segment column by column.
//!
//! The reader owns nothing: it decodes what it is asked for, and the caller keeps decoded [`Column`]s as long as it
//! likes. It does not know which query wants them.

use std::sync::Arc;

use traffic::{CivilTime, Dimension, NameId, PassageId, PlateCode, Resolution};

use crate::codec::{
    Codes, Cursor, combine_lanes, decode_codes, decode_deltas, decode_lane, decode_odd_texts, decode_texts,
    unpack_bits, unzigzag,
};
use crate::segment::{COARSE_COLUMNS, COLUMNS, MAGIC, VERSION, checksum, head_bytes};
use crate::{MAX_ROWS, Rows, SegmentError};

/// Row and text of the odd ids or plates of a segment, by row.
pub type OddTexts = Vec<(u32, Box<str>)>;

/// A column of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnKind {
    /// Arrival numbers.
    Arrivals,
    /// Partitions of the source.
    Partitions,
    /// GCSJ.
    Times,
    /// GCXH.
    Ids,
    /// HPHM.
    Plates,
    /// The names of a dimension; the route has none, since it is not stored.
    Names(Dimension),
    /// Texts of the odd GCXH.
    OddIds,
    /// Texts of the odd HPHM.
    OddPlates,
}

impl ColumnKind {
    /// All columns, in the order of the format.
    pub const ALL: [Self; COLUMNS] = [
        Self::Arrivals,
        Self::Partitions,
        Self::Times,
        Self::Ids,
        Self::Plates,
        Self::Names(Dimension::Checkpoint),
        Self::Names(Dimension::District),
        Self::Names(Dimension::Direction),
        Self::Names(Dimension::PlateType),
        Self::Names(Dimension::Model),
        Self::OddIds,
        Self::OddPlates,
    ];

    /// Its place in the format; none for the route.
    fn place(self) -> Option<usize> {
        let after_names = NAMES_PLACE + Dimension::STORED.len();
        Some(match self {
            Self::Arrivals => 0,
            Self::Partitions => 1,
            Self::Times => 2,
            Self::Ids => 3,
            Self::Plates => 4,
            Self::Names(dimension) => NAMES_PLACE + Dimension::STORED.iter().position(|stored| *stored == dimension)?,
            Self::OddIds => after_names,
            Self::OddPlates => after_names + 1,
        })
    }
}

/// The place of the first column of names.
const NAMES_PLACE: usize = 5;

/// Names of one dimension: the texts that occur, and for each row which of them it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictColumn {
    /// The distinct texts.
    pub texts: Vec<Arc<str>>,
    /// Each row's place in `texts`.
    pub codes: Codes,
}

impl DictColumn {
    /// The text of row `row`; empty if there is no such row.
    pub fn text(&self, row: usize) -> &str {
        self.codes.get(row).and_then(|code| self.texts.get(code as usize)).map_or("", |text| text)
    }
}

/// A decoded column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Arrival numbers.
    Arrivals(Vec<u64>),
    /// Partitions of the source.
    Partitions(Vec<u32>),
    /// GCSJ.
    Times(Vec<CivilTime>),
    /// GCXH.
    Ids(Vec<PassageId>),
    /// HPHM: [`PlateCode::as_u64`] of each.
    Plates(Vec<u64>),
    /// Any of the dictionary-coded columns.
    Names(DictColumn),
    /// Texts of odd ids or plates.
    OddTexts(OddTexts),
}

impl Column {
    /// Memory that the column takes, about, for a cache's budget.
    pub fn bytes(&self) -> usize {
        let contents = match self {
            Self::Arrivals(numbers) | Self::Plates(numbers) => 8 * numbers.len(),
            Self::Partitions(numbers) => 4 * numbers.len(),
            Self::Times(times) => 8 * times.len(),
            Self::Ids(ids) => size_of::<PassageId>() * ids.len(),
            Self::Names(names) => names.codes.bytes() + names.texts.iter().map(|text| text.len() + 32).sum::<usize>(),
            Self::OddTexts(texts) => texts.iter().map(|(_, text)| text.len() + size_of::<(u32, Box<str>)>()).sum(),
        };
        size_of::<Self>() + contents
    }

    pub(crate) fn as_times(&self) -> Result<&[CivilTime], SegmentError> {
        if let Self::Times(times) = self { Ok(times) } else { Err(SegmentError::WrongColumn("times")) }
    }

    pub(crate) fn as_plates(&self) -> Result<&[u64], SegmentError> {
        if let Self::Plates(codes) = self { Ok(codes) } else { Err(SegmentError::WrongColumn("plates")) }
    }

    pub(crate) fn as_names(&self) -> Result<&DictColumn, SegmentError> {
        if let Self::Names(names) = self { Ok(names) } else { Err(SegmentError::WrongColumn("names")) }
    }

    pub(crate) fn as_odd_texts(&self) -> Result<&[(u32, Box<str>)], SegmentError> {
        if let Self::OddTexts(texts) = self { Ok(texts) } else { Err(SegmentError::WrongColumn("odd texts")) }
    }
}

/// Where a scan gets its columns. [`SegmentReader`] decodes them each time; a cache may be in front of it.
pub trait ColumnLoader {
    /// The decoded column.
    ///
    /// # Errors
    /// [`SegmentError::Load`] or the decoder's error.
    fn load(&self, kind: ColumnKind) -> Result<Arc<Column>, SegmentError>;
}

/// An opened segment; see [`crate::Segment`] for its grammar.
#[derive(Debug, Clone, Copy)]
pub struct SegmentReader<'a> {
    rows: usize,
    first_row: u64,
    columns: [(&'a [u8], u32); COLUMNS],
    /// None if every GCSJ was written to the second.
    resolutions: Option<(&'a [u8], u32)>,
}

const DAMAGED: SegmentError = SegmentError::Damaged("head");

impl<'a> SegmentReader<'a> {
    /// Opens a segment: reads and checks its head, no column.
    ///
    /// # Errors
    /// [`SegmentError::Unknown`] if the bytes are something else, [`SegmentError::Newer`] if a later version made them,
    /// [`SegmentError::Damaged`] if the head is broken or the bytes are not as long as it says.
    pub fn open(bytes: &'a [u8]) -> Result<Self, SegmentError> {
        let mut cursor = Cursor(bytes);
        if cursor.take(MAGIC.len()).ok() != Some(MAGIC) {
            return Err(SegmentError::Unknown("segment"));
        }
        let found = cursor.u16()?;
        if found > VERSION {
            return Err(SegmentError::Newer { what: "a segment", found, known: VERSION });
        }
        let expected = if found < VERSION { COLUMNS } else { COARSE_COLUMNS };
        let (head, body) = bytes.split_at_checked(head_bytes(expected)).ok_or(DAMAGED)?;
        let (head, check) = head.split_last_chunk().ok_or(DAMAGED)?;
        if found == 0 || checksum(head) != u32::from_le_bytes(*check) || usize::from(cursor.u8()?) != expected {
            return Err(DAMAGED);
        }
        let rows = cursor.u32()? as usize;
        let first_row = cursor.u64()?;
        if rows == 0 || rows > MAX_ROWS || first_row.checked_add(rows as u64).is_none() {
            return Err(DAMAGED);
        }
        let mut columns = [(&[][..], 0); COLUMNS];
        let mut body = Cursor(body);
        let mut take = |cursor: &mut Cursor<'a>| {
            let length = cursor.u32()?;
            Ok::<_, SegmentError>((body.take(length as usize)?, cursor.u32()?))
        };
        for column in &mut columns {
            *column = take(&mut cursor)?;
        }
        let resolutions = if expected == COLUMNS { None } else { Some(take(&mut cursor)?) };
        body.finish()?;
        Ok(Self { rows, first_row, columns, resolutions })
    }

    /// How many rows the segment has.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Always false: a segment has rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Number of the first row in its shard.
    pub fn first_row(&self) -> u64 {
        self.first_row
    }

    /// How many bytes a column takes in the segment.
    pub fn column_bytes(&self, kind: ColumnKind) -> usize {
        self.column(kind).map_or(0, |(bytes, _)| bytes.len())
    }

    /// Arrival numbers.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`], as for every column.
    pub fn arrivals(&self) -> Result<Vec<u64>, SegmentError> {
        self.read(ColumnKind::Arrivals, |cursor| decode_deltas(cursor, self.rows))
    }

    /// Partitions of the source.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn partitions(&self) -> Result<Vec<u32>, SegmentError> {
        self.read(ColumnKind::Partitions, |cursor| {
            let count = cursor.count(self.rows)?;
            let mut distinct = Vec::with_capacity(count.min(cursor.0.len()));
            for _ in 0..count {
                distinct.push(cursor.u32()?);
            }
            let codes = decode_codes(cursor, self.rows, count)?;
            let mut partitions = Vec::with_capacity(self.rows);
            codes.for_each(|code| {
                if let Some(partition) = distinct.get(code as usize) {
                    partitions.push(*partition);
                }
            });
            if partitions.len() == self.rows { Ok(partitions) } else { Err(SegmentError::Damaged("partitions")) }
        })
    }

    /// GCSJ.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn times(&self) -> Result<Vec<CivilTime>, SegmentError> {
        let seconds = self.read(ColumnKind::Times, |cursor| decode_deltas(cursor, self.rows))?;
        Ok(seconds.into_iter().map(|seconds| CivilTime(seconds as i64)).collect())
    }

    /// GCXH.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn ids(&self) -> Result<Vec<PassageId>, SegmentError> {
        const DAMAGED_ODD: SegmentError = SegmentError::Damaged("odd ids");
        let mut ids = self.read(ColumnKind::Ids, |cursor| decode_ids(cursor, self.rows))?;
        // An odd id has the tag 0 here, and follows from its text.
        let odd = ids.iter().filter(|id| id.is_odd()).count();
        let texts = self.odd_ids()?;
        if texts.len() != odd {
            return Err(DAMAGED_ODD);
        }
        for (row, text) in texts {
            let id = ids.get_mut(row as usize).filter(|id| id.tag == 0).ok_or(DAMAGED_ODD)?;
            *id = Some(PassageId::pack(&text)).filter(|id| id.is_odd()).ok_or(DAMAGED_ODD)?;
        }
        Ok(ids)
    }

    /// HPHM: [`PlateCode::as_u64`] of each.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn plates(&self) -> Result<Vec<u64>, SegmentError> {
        const DAMAGED_ODD: SegmentError = SegmentError::Damaged("odd plates");
        let mut plates = self.read(ColumnKind::Plates, |cursor| combine_lanes(cursor, 8, self.rows, 0))?;
        // An odd plate is a 0 here, and its code follows from its text.
        if plates.iter().any(|plate| PlateCode::from_u64(*plate).is_odd()) {
            return Err(DAMAGED_ODD);
        }
        for (row, text) in self.odd_plates()? {
            let plate = plates.get_mut(row as usize).filter(|plate| **plate == 0).ok_or(DAMAGED_ODD)?;
            *plate = Some(PlateCode::pack(&text)).filter(|plate| plate.is_odd()).ok_or(DAMAGED_ODD)?.as_u64();
        }
        Ok(plates)
    }

    /// The names of a dimension.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`]; [`SegmentError::WrongColumn`] for the route, which is not stored.
    pub fn names(&self, dimension: Dimension) -> Result<DictColumn, SegmentError> {
        self.read(ColumnKind::Names(dimension), |cursor| {
            let texts = decode_texts(cursor, self.rows)?;
            let codes = decode_codes(cursor, self.rows, texts.len())?;
            Ok(DictColumn { texts, codes })
        })
    }

    /// Texts of the odd GCXH.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn odd_ids(&self) -> Result<OddTexts, SegmentError> {
        self.read(ColumnKind::OddIds, |cursor| decode_odd_texts(cursor, self.rows))
    }

    /// Texts of the odd HPHM.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn odd_plates(&self) -> Result<OddTexts, SegmentError> {
        self.read(ColumnKind::OddPlates, |cursor| decode_odd_texts(cursor, self.rows))
    }

    /// Row and resolution of every GCSJ that was not written to the second, by row.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn coarse_times(&self) -> Result<Vec<(u32, Resolution)>, SegmentError> {
        let Some(column) = self.resolutions else { return Ok(Vec::new()) };
        let lane = read(column, |cursor| decode_lane(cursor, self.rows))?;
        let mut coarse = Vec::new();
        for row in 0..self.rows {
            let resolution = Resolution::from_number(lane.get(row)).ok_or(SegmentError::Damaged("resolutions"))?;
            if resolution != Resolution::Second {
                coarse.push((row as u32, resolution));
            }
        }
        Ok(coarse)
    }

    /// All columns as rows again; `number` gives each distinct text of a dimension its number, once.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`].
    pub fn rows(&self, mut number: impl FnMut(Dimension, &Arc<str>) -> NameId) -> Result<Rows, SegmentError> {
        let mut rows = Rows {
            arrivals: self.arrivals()?,
            partitions: self.partitions()?,
            times: self.times()?,
            ids: self.ids()?,
            plates: self.plates()?.into_iter().map(PlateCode::from_u64).collect(),
            coarse_times: self.coarse_times()?,
            odd_ids: self.odd_ids()?,
            odd_plates: self.odd_plates()?,
            ..Rows::default()
        };
        for dimension in Dimension::STORED {
            let column = self.names(dimension)?;
            let numbers: Vec<NameId> = column.texts.iter().map(|text| number(dimension, text)).collect();
            let mut ids = Vec::with_capacity(self.rows);
            column.codes.for_each(|code| {
                if let Some(number) = numbers.get(code as usize) {
                    ids.push(*number);
                }
            });
            if ids.len() != self.rows {
                return Err(SegmentError::Damaged("names"));
            }
            rows.columns[dimension] = ids;
        }
        Ok(rows)
    }

    fn read<T>(
        &self,
        kind: ColumnKind,
        decode: impl FnOnce(&mut Cursor<'a>) -> Result<T, SegmentError>,
    ) -> Result<T, SegmentError> {
        read(self.column(kind).ok_or(SegmentError::WrongColumn("names"))?, decode)
    }

    /// The bytes of a column and their checksum; none for the route.
    fn column(&self, kind: ColumnKind) -> Option<(&'a [u8], u32)> {
        self.columns.get(kind.place()?).copied()
    }
}

/// Decodes a column and checks that nothing of it is left over.
fn read<'a, T>(
    (bytes, check): (&'a [u8], u32),
    decode: impl FnOnce(&mut Cursor<'a>) -> Result<T, SegmentError>,
) -> Result<T, SegmentError> {
    if checksum(bytes) != check {
        return Err(SegmentError::Damaged("checksum of a column"));
    }
    let mut cursor = Cursor(bytes);
    let column = decode(&mut cursor)?;
    cursor.finish()?;
    Ok(column)
}

impl ColumnLoader for SegmentReader<'_> {
    fn load(&self, kind: ColumnKind) -> Result<Arc<Column>, SegmentError> {
        Ok(Arc::new(match kind {
            ColumnKind::Arrivals => Column::Arrivals(self.arrivals()?),
            ColumnKind::Partitions => Column::Partitions(self.partitions()?),
            ColumnKind::Times => Column::Times(self.times()?),
            ColumnKind::Ids => Column::Ids(self.ids()?),
            ColumnKind::Plates => Column::Plates(self.plates()?),
            ColumnKind::Names(dimension) => Column::Names(self.names(dimension)?),
            ColumnKind::OddIds => Column::OddTexts(self.odd_ids()?),
            ColumnKind::OddPlates => Column::OddTexts(self.odd_plates()?),
        }))
    }
}

fn decode_ids(cursor: &mut Cursor<'_>, rows: usize) -> Result<Vec<PassageId>, SegmentError> {
    const DAMAGED_IDS: SegmentError = SegmentError::Damaged("ids");
    let count = cursor.count(rows)?;
    let mut tags = Vec::with_capacity(count.min(cursor.0.len()));
    for _ in 0..count {
        tags.push((cursor.u32()?, cursor.varint()?));
    }
    let codes = decode_codes(cursor, rows, count)?;
    let by_difference = match cursor.u8()? {
        0 => false,
        1 => true,
        _ => return Err(DAMAGED_IDS),
    };
    let width = u32::from(cursor.u8()?);
    let bits = unpack_bits(cursor, width, rows)?;
    let mut ids = Vec::with_capacity(rows);
    let mut bits = bits.into_iter();
    codes.for_each(|code| {
        let (Some((tag, base)), Some(bits)) = (tags.get_mut(code as usize), bits.next()) else { return };
        let number = base.wrapping_add(if by_difference { unzigzag(bits) } else { bits });
        if by_difference {
            *base = number;
        }
        ids.push(PassageId { number, tag: *tag });
    });
    if ids.len() == rows { Ok(ids) } else { Err(DAMAGED_IDS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_in_the_order_of_the_format() {
        let places = ColumnKind::ALL.map(ColumnKind::place);
        assert_eq!(places, std::array::from_fn(Some));
        assert_eq!(ColumnKind::Names(Dimension::Route).place(), None);
    }
}
