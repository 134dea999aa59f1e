//! Numbers: differences with a few exceptions, and fields of a fixed count of bits.
//!
//! ```text
//! deltas    := signed:u8 width:u8 first:varint exceptions lane{width}
//! exceptions:= count:varint (gap:varint delta:varint){count}
//! ```
//! The lanes hold the n-1 differences of n numbers, lowest byte first; a signed difference is zigzag-coded. A
//! difference that needs more than `width` bytes (0, 1, 2, 4 or 8) is an exception, each `gap` places after the
//! previous one, and the lanes may hold anything in its place: a capture joined from many pieces jumps back in time
//! once a piece, and must not widen all other rows.
//!
//! ```text
//! bits      := byte{ceil(n × width / 8)}                        n numbers of width bits, low bits first
//! ```

use super::{Cursor, Lane, Packer, decode_lane, encode_lane, put_varint};
use crate::SegmentError;

const DAMAGED: SegmentError = SegmentError::Damaged("differences");

/// About what an exception takes, in bytes.
const EXCEPTION_SIZE: usize = 8;

pub(crate) fn zigzag(difference: u64) -> u64 {
    (difference << 1) ^ (((difference as i64) >> 63) as u64)
}

pub(crate) fn unzigzag(coded: u64) -> u64 {
    (coded >> 1) ^ (coded & 1).wrapping_neg()
}

/// How many bits `value` needs.
pub(crate) fn bits_of(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// Appends `values`: any sequence can be encoded, and a slowly growing one is small.
pub(crate) fn encode_deltas(values: impl Iterator<Item = u64> + Clone, packer: &mut Packer, out: &mut Vec<u8>) {
    let first = values.clone().next().unwrap_or(0);
    let mut deltas: Vec<u64> =
        values.clone().skip(1).zip(values).map(|(value, before)| value.wrapping_sub(before)).collect();
    let signed = deltas.iter().any(|delta| (*delta as i64) < 0);
    if signed {
        deltas.iter_mut().for_each(|delta| *delta = zigzag(*delta));
    }
    let size = |width: u32| {
        let beyond = deltas.iter().filter(|delta| !fits(**delta, width)).count();
        deltas.len() * width as usize + beyond * EXCEPTION_SIZE
    };
    let width = [0, 1, 2, 4, 8].into_iter().min_by_key(|width| size(*width)).unwrap_or(8);
    out.extend_from_slice(&[u8::from(signed), width as u8]);
    put_varint(out, first);
    let mut exceptions = Vec::new();
    let mut count = 0;
    let mut last = 0;
    // In an exception's place the lanes repeat the difference before it: an even sequence stays even.
    let mut before = 0;
    for (at, delta) in deltas.iter_mut().enumerate() {
        if fits(*delta, width) {
            before = *delta;
        } else {
            put_varint(&mut exceptions, (at - last) as u64);
            put_varint(&mut exceptions, *delta);
            (last, *delta, count) = (at, before, count + 1);
        }
    }
    put_varint(out, count);
    out.extend_from_slice(&exceptions);
    for byte in 0..width {
        encode_lane(deltas.iter().map(|delta| (delta >> (8 * byte)) as u8), packer, out);
    }
}

fn fits(delta: u64, width: u32) -> bool {
    delta.checked_shr(8 * width).unwrap_or(0) == 0
}

/// Reads `count` numbers.
pub(crate) fn decode_deltas(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u64>, SegmentError> {
    let signed = match cursor.u8()? {
        0 => false,
        1 => true,
        _ => return Err(DAMAGED),
    };
    let width @ (0 | 1 | 2 | 4 | 8) = cursor.u8()? else { return Err(DAMAGED) };
    let first = cursor.varint()?;
    let deltas = count.saturating_sub(1);
    let exceptions = cursor.count(deltas)?;
    let mut patches = Vec::with_capacity(exceptions.min(cursor.0.len()));
    let mut at = 0usize;
    for _ in 0..exceptions {
        at += cursor.count(deltas)?;
        patches.push((at, cursor.varint()?));
    }
    // The first place holds the first number itself, so that the running sum starts with it.
    let mut numbers = combine_lanes(cursor, usize::from(width), deltas, 1)?;
    for (at, delta) in patches {
        *numbers.get_mut(at + 1).ok_or(DAMAGED)? = delta;
    }
    if signed {
        numbers.iter_mut().for_each(|coded| *coded = unzigzag(*coded));
    }
    if let Some(slot) = numbers.first_mut() {
        *slot = first;
    }
    numbers.truncate(count);
    let mut sum = 0u64;
    for number in &mut numbers {
        sum = sum.wrapping_add(*number);
        *number = sum;
    }
    Ok(numbers)
}

/// Reads `lanes` lanes of `count` bytes and puts each row's bytes together, lowest first, after `head` zeros.
pub(crate) fn combine_lanes(
    cursor: &mut Cursor<'_>,
    lanes: usize,
    count: usize,
    head: usize,
) -> Result<Vec<u64>, SegmentError> {
    let mut constant = 0u64;
    let mut varying = Vec::with_capacity(lanes);
    for position in 0..lanes {
        let shift = 8 * position as u32;
        match decode_lane(cursor, count)? {
            Lane::Constant(byte) => constant |= u64::from(byte) << shift,
            Lane::Bytes(bytes) => varying.push((shift, bytes)),
        }
    }
    let mut numbers = vec![constant; head + count];
    let (zeros, body) = numbers.split_at_mut(head);
    zeros.fill(0);
    // In pieces that stay in the L1 cache while each lane is added.
    const PIECE: usize = 2048;
    for (piece, out) in body.chunks_mut(PIECE).enumerate() {
        for (shift, lane) in &varying {
            let lane = lane.get(piece * PIECE..).unwrap_or(&[]);
            for (number, byte) in out.iter_mut().zip(lane) {
                *number |= u64::from(*byte) << shift;
            }
        }
    }
    Ok(numbers)
}

/// Appends the low `width` bits (0 to 64) of each value.
pub(crate) fn pack_bits(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let mut pending = 0u128;
    let mut bits = 0;
    for value in values {
        pending |= u128::from(value) << bits;
        bits += width;
        if bits >= 64 {
            out.extend_from_slice(&(pending as u64).to_le_bytes());
            pending >>= 64;
            bits -= 64;
        }
    }
    out.extend(pending.to_le_bytes().into_iter().take(bits.div_ceil(8) as usize));
}

/// Reads `count` values of `width` bits.
pub(crate) fn unpack_bits(cursor: &mut Cursor<'_>, width: u32, count: usize) -> Result<Vec<u64>, SegmentError> {
    if width > 64 {
        return Err(SegmentError::Damaged("bit width"));
    }
    let body = cursor.take((count * width as usize).div_ceil(8))?;
    if width == 0 {
        return Ok(vec![0; count]);
    }
    let mask = u64::MAX >> (64 - width);
    let mut words = body.chunks(8).map(|bytes| {
        let mut word = [0u8; 8];
        for (slot, byte) in word.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        u64::from_le_bytes(word)
    });
    let mut pending = 0u128;
    let mut bits = 0;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        if bits < width {
            pending |= u128::from(words.next().unwrap_or(0)) << bits;
            bits += 64;
        }
        values.push(pending as u64 & mask);
        pending >>= width;
        bits -= width;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Compression;

    fn size_of_deltas(values: &[u64]) -> usize {
        let mut bytes = Vec::new();
        encode_deltas(values.iter().copied(), &mut Packer::new(Compression::Dense), &mut bytes);
        let mut cursor = Cursor(&bytes);
        assert_eq!(decode_deltas(&mut cursor, values.len()).unwrap(), values);
        cursor.finish().unwrap();
        bytes.len()
    }

    proptest! {
        #[test]
        fn any_numbers_come_back(values: Vec<u64>, bits in 0u32..64) {
            size_of_deltas(&values);
            let small: Vec<u64> = values.iter().map(|value| value >> bits).collect();
            size_of_deltas(&small);
            let width = bits_of(small.iter().copied().max().unwrap_or(0));
            let mut bytes = Vec::new();
            pack_bits(small.iter().copied(), width, &mut bytes);
            let mut cursor = Cursor(&bytes);
            prop_assert_eq!(unpack_bits(&mut cursor, width, small.len()).unwrap(), small);
            cursor.finish().unwrap();
        }

        #[test]
        fn junk_never_panics(bytes: Vec<u8>, count in 0usize..5000) {
            let _ = decode_deltas(&mut Cursor(&bytes), count);
        }

        #[test]
        fn zigzag_is_undone(value: u64) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn a_jump_does_not_widen_the_rest() {
        let mut values: Vec<u64> = (0..10_000).collect();
        assert!(size_of_deltas(&values) < 12);
        values.extend(0..10_000);
        values.extend(0..10_000);
        assert!(size_of_deltas(&values) < 40);
    }
}
