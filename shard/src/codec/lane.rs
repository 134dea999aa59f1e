//! A lane: a known number of bytes that belong together, such as one symbol position of all plates.
//!
//! ```text
//! lane     := constant | packed | raw | lz4 | zstd
//! raw      := 0x00 byte{n}
//! constant := 0x01 byte                                   every byte is this one
//! packed   := 0x02 width:u8 alphabet bits                 indices into the alphabet, width bits each, low bits first
//! alphabet := count-1:u8 byte{count}                      2 to 2^width bytes, increasing
//! lz4      := 0x03 length:varint byte{length}             decompresses to n bytes
//! zstd     := 0x04 length:varint byte{length}
//! ```
//!
//! The encoder takes the shortest.

use super::{Cursor, Method, Packer, decompress, put_varint};
use crate::SegmentError;

const RAW: u8 = 0;
const CONSTANT: u8 = 1;
const PACKED: u8 = 2;
const LZ4: u8 = 3;
const ZSTD: u8 = 4;

const MAX_PACKED_WIDTH: u8 = 7;
const DAMAGED: SegmentError = SegmentError::Damaged("lane");

/// A decoded lane.
pub(crate) enum Lane {
    Constant(u8),
    Bytes(Vec<u8>),
}

impl Lane {
    /// The byte of row `row`, which the lane has.
    pub(crate) fn get(&self, row: usize) -> u8 {
        match self {
            Self::Constant(byte) => *byte,
            Self::Bytes(bytes) => bytes.get(row).copied().unwrap_or_default(),
        }
    }
}

/// Appends a lane of these bytes to `out`.
pub(crate) fn encode_lane(bytes: impl Iterator<Item = u8>, packer: &mut Packer, out: &mut Vec<u8>) {
    let mut lane = std::mem::take(&mut packer.lane);
    lane.clear();
    lane.extend(bytes);
    encode_bytes(&lane, packer, out);
    packer.lane = lane;
}

fn encode_bytes(lane: &[u8], packer: &mut Packer, out: &mut Vec<u8>) {
    let mut present = [false; 256];
    for &byte in lane {
        if let Some(seen) = present.get_mut(usize::from(byte)) {
            *seen = true;
        }
    }
    let alphabet: Vec<u8> = (0u8..=255).filter(|byte| present.get(usize::from(*byte)) == Some(&true)).collect();
    if let ([only], true) = (alphabet.as_slice(), !lane.is_empty()) {
        out.extend_from_slice(&[CONSTANT, *only]);
        return;
    }
    let width = (8 - (alphabet.len().saturating_sub(1) as u8).leading_zeros()) as u8;
    let packed_size = 2 + alphabet.len() + (lane.len() * usize::from(width)).div_ceil(8);
    let can_pack = (1..=MAX_PACKED_WIDTH).contains(&width) && packed_size < lane.len();
    let plain_size = if can_pack { packed_size } else { lane.len() };
    match packer.compress(lane) {
        Some((method, compressed)) if compressed.len() + 4 < plain_size => {
            out.push(if method == Method::Zstd { ZSTD } else { LZ4 });
            put_varint(out, compressed.len() as u64);
            out.extend_from_slice(compressed);
        }
        _ if can_pack => encode_packed(lane, &alphabet, width, out),
        _ => {
            out.push(RAW);
            out.extend_from_slice(lane);
        }
    }
}

fn encode_packed(lane: &[u8], alphabet: &[u8], width: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[PACKED, width, (alphabet.len() - 1) as u8]);
    out.extend_from_slice(alphabet);
    let mut ranks = [0u8; 256];
    for (rank, &byte) in alphabet.iter().enumerate() {
        if let Some(slot) = ranks.get_mut(usize::from(byte)) {
            *slot = rank as u8;
        }
    }
    // Eight values are `width` whole bytes.
    for group in lane.chunks(8) {
        let mut bits = 0u64;
        for (at, &byte) in group.iter().enumerate() {
            let rank = ranks.get(usize::from(byte)).copied().unwrap_or(0);
            bits |= u64::from(rank) << (at * usize::from(width));
        }
        let length = (group.len() * usize::from(width)).div_ceil(8);
        out.extend(bits.to_le_bytes().into_iter().take(length));
    }
}

/// Reads a lane of `count` bytes.
pub(crate) fn decode_lane(cursor: &mut Cursor<'_>, count: usize) -> Result<Lane, SegmentError> {
    Ok(match cursor.u8()? {
        RAW => Lane::Bytes(cursor.take(count)?.to_vec()),
        CONSTANT => Lane::Constant(cursor.u8()?),
        PACKED => Lane::Bytes(decode_packed(cursor, count)?),
        method @ (LZ4 | ZSTD) => {
            let length = cursor.count(cursor.0.len())?;
            let method = if method == ZSTD { Method::Zstd } else { Method::Lz4 };
            Lane::Bytes(decompress(method, cursor.take(length)?, count)?)
        }
        _ => return Err(DAMAGED),
    })
}

fn decode_packed(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u8>, SegmentError> {
    let width = cursor.u8()?;
    if !(1..=MAX_PACKED_WIDTH).contains(&width) {
        return Err(DAMAGED);
    }
    let letters = usize::from(cursor.u8()?) + 1;
    if letters > 1 << width {
        return Err(DAMAGED);
    }
    let mut alphabet = [0u8; 128];
    for (slot, letter) in alphabet.iter_mut().zip(cursor.take(letters)?) {
        *slot = *letter;
    }
    let width = usize::from(width);
    let body = cursor.take((count * width).div_ceil(8))?;
    let mut lane = vec![0; count];
    let mask = (1u64 << width) - 1;
    for (group, packed) in lane.chunks_mut(8).zip(body.chunks(width)) {
        let mut word = [0u8; 8];
        for (slot, byte) in word.iter_mut().zip(packed) {
            *slot = *byte;
        }
        let mut bits = u64::from_le_bytes(word);
        for value in group {
            *value = alphabet.get((bits & mask) as usize & 127).copied().unwrap_or(0);
            bits >>= width;
        }
    }
    Ok(lane)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Compression;

    fn round_trip(lane: &[u8], compression: Compression) -> usize {
        let mut bytes = Vec::new();
        encode_lane(lane.iter().copied(), &mut Packer::new(compression), &mut bytes);
        let mut cursor = Cursor(&bytes);
        let back = match decode_lane(&mut cursor, lane.len()).unwrap() {
            Lane::Constant(byte) => vec![byte; lane.len()],
            Lane::Bytes(bytes) => bytes,
        };
        cursor.finish().unwrap();
        assert_eq!(back, lane);
        bytes.len()
    }

    proptest! {
        #[test]
        fn lanes_come_back(lane: Vec<u8>, letters in 1u8..=255, repeat in 1usize..40) {
            let lane: Vec<u8> = lane.iter().map(|byte| byte % letters).collect::<Vec<_>>().repeat(repeat);
            round_trip(&lane, Compression::Fast);
            round_trip(&lane, Compression::Dense);
        }

        #[test]
        fn junk_never_panics(bytes: Vec<u8>, count in 0usize..5000) {
            let _ = decode_lane(&mut Cursor(&bytes), count);
        }
    }

    #[test]
    fn takes_the_shortest_form() {
        assert_eq!(round_trip(&[7; 1000], Compression::Fast), 2);
        let mut state = 1u64;
        let digits: Vec<u8> = (0..8000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                b'0' + ((state >> 33) % 10) as u8
            })
            .collect();
        // LZ4 finds nothing in random digits: four bits each. zstd's Huffman codes come to 3.4.
        assert_eq!(round_trip(&digits, Compression::Fast), 4000 + 3 + 10);
        let dense = round_trip(&digits, Compression::Dense);
        assert!(dense < 3600, "{dense}");
    }
}
