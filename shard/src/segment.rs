//! The segment: consecutive rows of one shard as bytes, each column separately.
//!
//! Encoding is a pure function of rows and names. It does not know where segments are kept or when rows are sealed.

use traffic::{Dimension, NameTable, PassageId};
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::{
    Compression, Dictionary, Packer, bits_of, encode_codes, encode_deltas, encode_lane, encode_odd_texts, encode_texts,
    pack_bits, put_varint, zigzag,
};
use crate::{MAX_ROWS, Rows, SegmentError, ZoneMap};

/// An encoded segment and its zone map.
///
/// ```text
/// segment   := head column{columns}
/// head      := "PWSG" version:u16 columns:u8 rows:u32 first_row:u64 directory check:u32
/// directory := (length:u32 check:u32){columns}           in the order of the columns
/// columns   := arrivals partitions times ids plates checkpoints districts directions plate_types models
///              odd_ids odd_plates resolutions?
///
/// arrivals, times              := deltas                                                (see codec/numbers.rs)
/// partitions                   := count:varint partition:u32{count} codes               (see codec/dictionary.rs)
/// ids                          := tags:varint (tag:u32 base:varint){tags} codes mode:u8 width:u8 bits
/// plates                       := lane{8}              lane i: symbol i of each plate   (see codec/lane.rs)
/// checkpoints, … models        := texts codes                                           (see codec/text.rs)
/// odd_ids, odd_plates          := odd texts
/// resolutions                  := lane                 number of each row's resolution
/// ```
/// All numbers are little-endian. A `check` is the low half of the XXH3-64 of the column, or of the head up to there.
///
/// An id's tag is that of [`PassageId::tag`], its `bits` hold its number: in mode 0 as the distance from the tag's
/// base, in mode 1 as the zigzag-coded difference from the previous number of the same tag, the first of which is the
/// base. An odd id has tag 0 and bits 0, an odd plate eight symbols 0; both are packed again from their text when read.
///
/// Version 1 has the first 12 columns, version 2 all 13. A segment in which every GCSJ was written to the second is of
/// version 1, the only one before coarse times were kept.
///
/// A segment is broken if a checksum does not match, if the columns do not end where the bytes end, if a column is
/// longer or shorter than its contents, if it has no rows or more than [`MAX_ROWS`], if a code points outside its
/// dictionary, if a text is not UTF-8, if a resolution has no such number, if an id with tag 0 has no odd text, or if
/// an odd text belongs to an id or plate that is not 0. A version above 2 is refused by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What the segment can hold, kept separately.
    pub zone: ZoneMap,
    /// The segment itself.
    pub bytes: Vec<u8>,
}

pub(crate) const MAGIC: &[u8; 4] = b"PWSG";
/// The newest version.
pub(crate) const VERSION: u16 = 2;
/// Columns of every segment.
pub(crate) const COLUMNS: usize = 7 + Dimension::STORED.len();
/// Columns of a segment that has coarse times.
pub(crate) const COARSE_COLUMNS: usize = COLUMNS + 1;

/// Bytes of the head of a segment with this many columns.
pub(crate) const fn head_bytes(columns: usize) -> usize {
    MAGIC.len() + 2 + 1 + 4 + 8 + columns * 8 + 4
}

pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    xxh3_64(bytes) as u32
}

/// Encodes `rows`, whose names are in `names` and the first of which has number `first_row` in its shard.
///
/// # Errors
/// [`SegmentError::Rows`] if there are none or more than [`MAX_ROWS`], if the columns differ in length, if an odd id or
/// plate has no text, or if the texts are over 1 GiB.
pub fn encode(
    rows: &Rows,
    names: &NameTable,
    first_row: u64,
    compression: Compression,
) -> Result<Segment, SegmentError> {
    check(rows)?;
    let mut packer = Packer::new(compression);
    let mut dictionary = Dictionary::default();
    let mut checkpoints = Vec::new();
    let is_coarse = !rows.coarse_times.is_empty();
    let mut body = Body::with_room_for(rows.len(), if is_coarse { COARSE_COLUMNS } else { COLUMNS });

    encode_deltas(rows.arrivals.iter().copied(), &mut packer, &mut body.bytes);
    body.end_column()?;
    encode_partitions(&rows.partitions, &mut dictionary, &mut packer, &mut body.bytes);
    body.end_column()?;
    encode_deltas(rows.times.iter().map(|time| time.0 as u64), &mut packer, &mut body.bytes);
    body.end_column()?;
    encode_ids(&rows.ids, &mut dictionary, &mut packer, &mut body.bytes);
    body.end_column()?;
    encode_plates(rows, &mut packer, &mut body.bytes);
    body.end_column()?;
    for dimension in Dimension::STORED {
        dictionary.fill(rows.names(dimension));
        if dimension == Dimension::Checkpoint {
            checkpoints.clone_from(&dictionary.distinct);
        }
        let known = names.all(dimension).len();
        if dictionary.distinct.iter().any(|id| *id as usize >= known) {
            return Err(SegmentError::Rows("a row has a name without a text"));
        }
        let texts = dictionary.distinct.iter().map(|id| names.text(dimension, *id));
        encode_texts(texts, &mut packer, &mut body.bytes)?;
        encode_codes(&dictionary.codes, dictionary.distinct.len(), &mut packer, &mut body.bytes);
        body.end_column()?;
    }
    for texts in [&rows.odd_ids, &rows.odd_plates] {
        encode_odd_texts(texts, &mut packer, &mut body.bytes)?;
        body.end_column()?;
    }
    if is_coarse {
        let resolutions = (0..rows.len()).map(|row| rows.resolution(row) as u8);
        encode_lane(resolutions, &mut packer, &mut body.bytes);
        body.end_column()?;
    }

    let bytes = body.finish(rows.len() as u32, first_row);
    let mut zone = ZoneMap::of(rows, names, first_row, &checkpoints);
    zone.bytes = bytes.len() as u64;
    Ok(Segment { zone, bytes })
}

fn check(rows: &Rows) -> Result<(), SegmentError> {
    let count = rows.len();
    if count == 0 || count > MAX_ROWS {
        return Err(SegmentError::Rows("a segment has from 1 to 1,048,576 rows"));
    }
    let names_fit = Dimension::STORED.iter().all(|dimension| rows.names(*dimension).len() == count);
    let others = [rows.arrivals.len(), rows.partitions.len(), rows.ids.len(), rows.plates.len()];
    if !names_fit || others.iter().any(|length| *length != count) {
        return Err(SegmentError::Rows("their columns differ in length"));
    }
    let in_order = rows.coarse_times.is_sorted_by(|(one, _), (next, _)| one < next);
    if !in_order || rows.coarse_times.last().is_some_and(|(row, _)| *row as usize >= count) {
        return Err(SegmentError::Rows("a coarse time has no row"));
    }
    let texts_fit = |texts: &[(u32, Box<str>)], odd: usize, is_odd: &dyn Fn(usize) -> bool| {
        texts.len() == odd
            && texts.is_sorted_by(|(one, _), (next, _)| one < next)
            && texts.iter().all(|(row, _)| is_odd(*row as usize))
    };
    let odd_ids = rows.ids.iter().filter(|id| id.is_odd()).count();
    let odd_plates = rows.plates.iter().filter(|plate| plate.is_odd()).count();
    if !texts_fit(&rows.odd_ids, odd_ids, &|row| rows.ids.get(row).is_some_and(|id| id.is_odd()))
        || !texts_fit(&rows.odd_plates, odd_plates, &|row| rows.plates.get(row).is_some_and(|plate| plate.is_odd()))
    {
        return Err(SegmentError::Rows("an odd id or plate has no text, or a text has no odd row"));
    }
    Ok(())
}

/// A segment that is being written: room for the head, and the columns so far.
struct Body {
    bytes: Vec<u8>,
    columns: usize,
    directory: Vec<(u32, u32)>,
}

impl Body {
    fn with_room_for(rows: usize, columns: usize) -> Self {
        const USUAL_ROW: usize = 12;
        let head = head_bytes(columns);
        let mut bytes = Vec::with_capacity(head + 256 + USUAL_ROW * rows);
        bytes.resize(head, 0);
        Self { bytes, columns, directory: Vec::with_capacity(columns) }
    }

    fn end_column(&mut self) -> Result<(), SegmentError> {
        let start = head_bytes(self.columns) + self.directory.iter().map(|(length, _)| *length as usize).sum::<usize>();
        let column = self.bytes.get(start..).unwrap_or(&[]);
        let length = u32::try_from(column.len()).map_err(|_| SegmentError::Rows("a column is over 4 GiB"))?;
        self.directory.push((length, checksum(column)));
        Ok(())
    }

    fn finish(mut self, rows: u32, first_row: u64) -> Vec<u8> {
        let version: u16 = if self.columns == COLUMNS { 1 } else { VERSION };
        let mut head = Vec::with_capacity(head_bytes(self.columns));
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&version.to_le_bytes());
        head.push(self.columns as u8);
        head.extend_from_slice(&rows.to_le_bytes());
        head.extend_from_slice(&first_row.to_le_bytes());
        for (length, check) in &self.directory {
            head.extend_from_slice(&length.to_le_bytes());
            head.extend_from_slice(&check.to_le_bytes());
        }
        head.extend_from_slice(&checksum(&head).to_le_bytes());
        self.bytes.iter_mut().zip(head).for_each(|(slot, byte)| *slot = byte);
        self.bytes
    }
}

fn encode_partitions(partitions: &[u32], dictionary: &mut Dictionary, packer: &mut Packer, out: &mut Vec<u8>) {
    dictionary.fill(partitions);
    let Dictionary { distinct, codes, .. } = dictionary;
    put_varint(out, distinct.len() as u64);
    out.extend(distinct.iter().flat_map(|partition| partition.to_le_bytes()));
    encode_codes(codes, distinct.len(), packer, out);
}

fn encode_ids(ids: &[PassageId], dictionary: &mut Dictionary, packer: &mut Packer, out: &mut Vec<u8>) {
    let tags: Vec<u32> = ids.iter().map(|id| if id.is_odd() { 0 } else { id.tag }).collect();
    dictionary.fill(&tags);
    let Dictionary { distinct, codes, .. } = &*dictionary;
    let numbers = || ids.iter().map(|id| if id.is_odd() { 0 } else { id.number });

    let mut lowest = vec![u64::MAX; distinct.len()];
    let mut highest = vec![0u64; distinct.len()];
    let mut firsts = vec![None; distinct.len()];
    for (code, number) in codes.iter().zip(numbers()) {
        let code = *code as usize;
        if let (Some(low), Some(high), Some(first)) =
            (lowest.get_mut(code), highest.get_mut(code), firsts.get_mut(code))
        {
            *low = number.min(*low);
            *high = number.max(*high);
            first.get_or_insert(number);
        }
    }
    let firsts: Vec<u64> = firsts.into_iter().map(Option::unwrap_or_default).collect();
    let spread = highest.iter().zip(&lowest).map(|(high, low)| high - low).max().unwrap_or(0);
    // From the lowest number of the tag, or from the previous number: whichever takes fewer bits. One bit is lost to
    // the sign, so the second is tried only where it can win.
    let differences = Differences { befores: firsts.clone(), rows: codes.iter().zip(numbers()) };
    let all_bits = differences.fold(0, |all, difference| all | difference);
    let by_difference = bits_of(all_bits) < bits_of(spread);
    let (bases, width) = if by_difference { (&firsts, bits_of(all_bits)) } else { (&lowest, bits_of(spread)) };

    put_varint(out, distinct.len() as u64);
    for (tag, base) in distinct.iter().zip(bases) {
        out.extend_from_slice(&tag.to_le_bytes());
        put_varint(out, *base);
    }
    encode_codes(codes, distinct.len(), packer, out);
    out.extend_from_slice(&[u8::from(by_difference), width as u8]);
    if by_difference {
        pack_bits(Differences { befores: firsts, rows: codes.iter().zip(numbers()) }, width, out);
    } else {
        let distance = |(code, number): (&u32, u64)| number - lowest.get(*code as usize).copied().unwrap_or(0);
        pack_bits(codes.iter().zip(numbers()).map(distance), width, out);
    }
}

/// Zigzag-coded differences from the previous number of the same tag.
struct Differences<I> {
    befores: Vec<u64>,
    rows: I,
}

impl<'a, I: Iterator<Item = (&'a u32, u64)>> Iterator for Differences<I> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        let (code, number) = self.rows.next()?;
        let before = self.befores.get_mut(*code as usize)?;
        Some(zigzag(number.wrapping_sub(std::mem::replace(before, number))))
    }
}

fn encode_plates(rows: &Rows, packer: &mut Packer, out: &mut Vec<u8>) {
    for symbol in 0..8 {
        let packed = rows.plates.iter().map(|plate| if plate.is_odd() { 0 } else { plate.as_u64() });
        encode_lane(packed.map(|code| (code >> (8 * symbol)) as u8), packer, out);
    }
}
