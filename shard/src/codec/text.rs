//! Texts: the entries of a dictionary, and the few that belong to single rows.
//!
//! ```text
//! texts     := count:varint block                        block holds (length:varint){count} utf8{…}
//! odd texts := count:varint block                        block holds (gap:varint length:varint){count} utf8{…}
//! block     := length:varint lane…                       lanes of 1 MiB and one of what is left
//! ```
//! An odd text's row is `gap` rows after the one that follows the previous; the texts follow end to end in that order.

use std::sync::Arc;

use super::{Cursor, Lane, Packer, decode_lane, encode_lane, put_varint};
use crate::SegmentError;

/// One lane of a block, so that a damaged length costs no more than this before it is noticed.
const LANE: usize = 1 << 20;
/// Longest block: more text than any segment can reasonably hold.
const MAX_BLOCK: usize = 1 << 30;

const DAMAGED: SegmentError = SegmentError::Damaged("texts");

pub(crate) fn encode_texts<'a>(
    texts: impl ExactSizeIterator<Item = &'a str> + Clone,
    packer: &mut Packer,
    out: &mut Vec<u8>,
) -> Result<(), SegmentError> {
    put_varint(out, texts.len() as u64);
    let mut block = Vec::new();
    texts.clone().for_each(|text| put_varint(&mut block, text.len() as u64));
    texts.for_each(|text| block.extend_from_slice(text.as_bytes()));
    encode_block(&block, packer, out)
}

/// Reads at most `limit` texts.
pub(crate) fn decode_texts(cursor: &mut Cursor<'_>, limit: usize) -> Result<Vec<Arc<str>>, SegmentError> {
    let count = cursor.count(limit)?;
    let block = decode_block(cursor)?;
    let mut heads = Cursor(&block);
    let mut lengths = Vec::with_capacity(count.min(block.len()));
    for _ in 0..count {
        lengths.push(heads.count(MAX_BLOCK)?);
    }
    let mut body = heads;
    let mut texts = Vec::with_capacity(lengths.len());
    for length in lengths {
        texts.push(Arc::from(utf8(body.take(length)?)?));
    }
    body.finish()?;
    Ok(texts)
}

pub(crate) fn encode_odd_texts(
    texts: &[(u32, Box<str>)],
    packer: &mut Packer,
    out: &mut Vec<u8>,
) -> Result<(), SegmentError> {
    put_varint(out, texts.len() as u64);
    let mut block = Vec::new();
    let mut next = 0;
    for (row, text) in texts {
        put_varint(&mut block, u64::from(row.wrapping_sub(next)));
        put_varint(&mut block, text.len() as u64);
        next = row + 1;
    }
    texts.iter().for_each(|(_, text)| block.extend_from_slice(text.as_bytes()));
    encode_block(&block, packer, out)
}

/// Reads the odd texts of a segment of `rows` rows, by row.
pub(crate) fn decode_odd_texts(cursor: &mut Cursor<'_>, rows: usize) -> Result<Vec<(u32, Box<str>)>, SegmentError> {
    let count = cursor.count(rows)?;
    let block = decode_block(cursor)?;
    let mut heads = Cursor(&block);
    let mut places = Vec::with_capacity(count.min(block.len()));
    let mut next = 0usize;
    for _ in 0..count {
        let row = next + heads.count(rows)?;
        if row >= rows {
            return Err(DAMAGED);
        }
        places.push((row as u32, heads.count(MAX_BLOCK)?));
        next = row + 1;
    }
    let mut body = heads;
    let mut texts = Vec::with_capacity(places.len());
    for (row, length) in places {
        texts.push((row, Box::from(utf8(body.take(length)?)?)));
    }
    body.finish()?;
    Ok(texts)
}

fn utf8(bytes: &[u8]) -> Result<&str, SegmentError> {
    std::str::from_utf8(bytes).map_err(|_| DAMAGED)
}

fn encode_block(block: &[u8], packer: &mut Packer, out: &mut Vec<u8>) -> Result<(), SegmentError> {
    if block.len() > MAX_BLOCK {
        return Err(SegmentError::Rows("their texts are longer than 1 GiB: seal fewer rows at a time"));
    }
    put_varint(out, block.len() as u64);
    block.chunks(LANE).for_each(|lane| encode_lane(lane.iter().copied(), packer, out));
    Ok(())
}

fn decode_block(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, SegmentError> {
    let length = cursor.count(MAX_BLOCK)?;
    let mut block = Vec::new();
    while block.len() < length {
        let count = LANE.min(length - block.len());
        match decode_lane(cursor, count)? {
            Lane::Constant(byte) => block.resize(block.len() + count, byte),
            Lane::Bytes(bytes) if block.is_empty() => block = bytes,
            Lane::Bytes(bytes) => block.extend_from_slice(&bytes),
        }
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Compression;

    proptest! {
        #[test]
        fn texts_come_back(texts: Vec<String>, gaps in proptest::collection::vec(0u32..1000, 0..50)) {
            let mut packer = Packer::new(Compression::Dense);
            let mut bytes = Vec::new();
            encode_texts(texts.iter().map(String::as_str), &mut packer, &mut bytes).unwrap();
            let mut row = 0;
            let odd: Vec<(u32, Box<str>)> = gaps
                .iter()
                .zip(&texts)
                .map(|(gap, text)| {
                    row += gap + 1;
                    (row, Box::from(text.as_str()))
                })
                .collect();
            encode_odd_texts(&odd, &mut packer, &mut bytes).unwrap();
            let mut cursor = Cursor(&bytes);
            let back = decode_texts(&mut cursor, texts.len()).unwrap();
            prop_assert_eq!(back.iter().map(|text| text.to_string()).collect::<Vec<_>>(), texts);
            prop_assert_eq!(decode_odd_texts(&mut cursor, row as usize + 1).unwrap(), odd);
            cursor.finish().unwrap();
        }

        #[test]
        fn junk_never_panics(bytes: Vec<u8>) {
            let _ = decode_texts(&mut Cursor(&bytes), 1000);
            let _ = decode_odd_texts(&mut Cursor(&bytes), 1000);
        }
    }

    #[test]
    fn a_text_of_several_lanes_comes_back() {
        let long = "车".repeat(1_000_000);
        let mut bytes = Vec::new();
        encode_texts([long.as_str()].into_iter(), &mut Packer::new(Compression::Fast), &mut bytes).unwrap();
        assert_eq!(&*decode_texts(&mut Cursor(&bytes), 1).unwrap()[0], long);
    }
}
