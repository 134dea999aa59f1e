//! Repeated numbers: the distinct ones once, and for each row a small code into them.
//!
//! ```text
//! codes := lane{w}        w = 0 if there is at most one distinct value, 1 up to 256, 2 up to 65,536, else 3
//! ```
//! Every code is below the number of distinct values.

use super::numbers::combine_lanes;
use super::{Cursor, Lane, Packer, decode_lane, encode_lane};
use crate::SegmentError;

/// The distinct values of a column, numbered from 0, and each row's number. It is reused for many columns.
#[derive(Default)]
pub(crate) struct Dictionary {
    pub(crate) distinct: Vec<u32>,
    pub(crate) codes: Vec<u32>,
    table: Vec<u32>,
}

/// Up to this value a table by value is always affordable.
const SMALL_VALUE: usize = 1 << 12;
/// A column of at most this many distinct values is looked up one by one.
const FEW: usize = 8;

impl Dictionary {
    /// The distinct values of `values`, and the place of each row's value among them.
    #[cfg(test)]
    pub(crate) fn of(values: &[u32]) -> Self {
        let mut dictionary = Self::default();
        dictionary.fill(values);
        dictionary
    }

    /// Becomes the dictionary of `values`.
    pub(crate) fn fill(&mut self, values: &[u32]) {
        self.distinct.clear();
        self.codes.clear();
        let largest = values.iter().copied().max().unwrap_or(0) as usize;
        if largest < SMALL_VALUE.max(4 * values.len()) {
            self.fill_by_table(values, largest);
        } else if !self.fill_if_few(values) {
            self.fill_by_sorting(values);
        }
    }

    fn fill_by_table(&mut self, values: &[u32], largest: usize) {
        const ABSENT: u32 = u32::MAX;
        let Self { distinct, codes, table } = self;
        table.clear();
        table.resize(largest + 1, ABSENT);
        codes.extend(values.iter().map(|&value| match table.get_mut(value as usize) {
            Some(code) => {
                if *code == ABSENT {
                    *code = distinct.len() as u32;
                    distinct.push(value);
                }
                *code
            }
            None => 0,
        }));
    }

    fn fill_if_few(&mut self, values: &[u32]) -> bool {
        for value in values {
            let code = match self.distinct.iter().position(|known| known == value) {
                Some(code) => code,
                None if self.distinct.len() == FEW => return false,
                None => {
                    self.distinct.push(*value);
                    self.distinct.len() - 1
                }
            };
            self.codes.push(code as u32);
        }
        true
    }

    fn fill_by_sorting(&mut self, values: &[u32]) {
        let Self { distinct, codes, .. } = self;
        distinct.clear();
        distinct.extend_from_slice(values);
        distinct.sort_unstable();
        distinct.dedup();
        codes.clear();
        codes.extend(values.iter().map(|value| distinct.binary_search(value).unwrap_or(0) as u32));
    }
}

/// Each row's number in a dictionary, as narrow as the dictionary allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codes {
    /// At most 256 distinct values.
    U8(Vec<u8>),
    /// At most 65,536.
    U16(Vec<u16>),
    /// More.
    U32(Vec<u32>),
}

impl Codes {
    /// The code of row `row`.
    #[inline]
    pub fn get(&self, row: usize) -> Option<u32> {
        match self {
            Self::U8(codes) => codes.get(row).map(|code| u32::from(*code)),
            Self::U16(codes) => codes.get(row).map(|code| u32::from(*code)),
            Self::U32(codes) => codes.get(row).copied(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(codes) => codes.len(),
            Self::U16(codes) => codes.len(),
            Self::U32(codes) => codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory that the codes take.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::U8(codes) => codes.len(),
            Self::U16(codes) => 2 * codes.len(),
            Self::U32(codes) => 4 * codes.len(),
        }
    }

    /// Calls `visit` with each row's code, in order.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(u32)) {
        match self {
            Self::U8(codes) => codes.iter().for_each(|code| visit(u32::from(*code))),
            Self::U16(codes) => codes.iter().for_each(|code| visit(u32::from(*code))),
            Self::U32(codes) => codes.iter().for_each(|code| visit(*code)),
        }
    }

    fn largest(&self) -> u32 {
        match self {
            Self::U8(codes) => codes.iter().copied().max().map_or(0, u32::from),
            Self::U16(codes) => codes.iter().copied().max().map_or(0, u32::from),
            Self::U32(codes) => codes.iter().copied().max().unwrap_or(0),
        }
    }
}

fn lanes_for(distinct: usize) -> usize {
    match distinct {
        0..=1 => 0,
        2..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 3,
    }
}

/// Appends the codes of a dictionary of `distinct` values.
pub(crate) fn encode_codes(codes: &[u32], distinct: usize, packer: &mut Packer, out: &mut Vec<u8>) {
    for byte in 0..lanes_for(distinct) {
        encode_lane(codes.iter().map(|code| (code >> (8 * byte)) as u8), packer, out);
    }
}

/// Reads the codes of `count` rows into a dictionary of `distinct` values.
pub(crate) fn decode_codes(cursor: &mut Cursor<'_>, count: usize, distinct: usize) -> Result<Codes, SegmentError> {
    let codes = match lanes_for(distinct) {
        0 => Codes::U8(vec![0; count]),
        1 => Codes::U8(match decode_lane(cursor, count)? {
            Lane::Constant(byte) => vec![byte; count],
            Lane::Bytes(bytes) => bytes,
        }),
        2 => Codes::U16(combine_lanes(cursor, 2, count, 0)?.into_iter().map(|code| code as u16).collect()),
        _ => Codes::U32(combine_lanes(cursor, 3, count, 0)?.into_iter().map(|code| code as u32).collect()),
    };
    if count > 0 && codes.largest() as usize >= distinct {
        return Err(SegmentError::Damaged("dictionary codes"));
    }
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Compression;

    proptest! {
        #[test]
        fn values_come_back(values: Vec<u32>, modulus in 1u32.., repeat in 1usize..400) {
            let values: Vec<u32> = values.iter().map(|value| value % modulus).collect::<Vec<_>>().repeat(repeat);
            let dictionary = Dictionary::of(&values);
            let mut bytes = Vec::new();
            encode_codes(&dictionary.codes, dictionary.distinct.len(), &mut Packer::new(Compression::Fast), &mut bytes);
            let codes = decode_codes(&mut Cursor(&bytes), values.len(), dictionary.distinct.len()).unwrap();
            for (row, value) in values.iter().enumerate() {
                prop_assert_eq!(dictionary.distinct[codes.get(row).unwrap() as usize], *value);
            }
        }
    }

    #[test]
    fn many_distinct_values_take_three_lanes() {
        let values: Vec<u32> = (0..70_000).map(|value| value * 40_000).collect();
        let dictionary = Dictionary::of(&values);
        let mut bytes = Vec::new();
        encode_codes(&dictionary.codes, dictionary.distinct.len(), &mut Packer::new(Compression::Dense), &mut bytes);
        let codes = decode_codes(&mut Cursor(&bytes), values.len(), dictionary.distinct.len()).unwrap();
        assert!(matches!(codes, Codes::U32(_)));
        assert_eq!(dictionary.distinct[codes.get(69_999).unwrap() as usize], 69_999 * 40_000);
    }

    #[test]
    fn a_code_outside_the_dictionary_is_damage() {
        let mut bytes = Vec::new();
        encode_codes(&[0, 1, 5], 6, &mut Packer::new(Compression::Fast), &mut bytes);
        assert!(decode_codes(&mut Cursor(&bytes), 3, 5).is_err());
    }
}
