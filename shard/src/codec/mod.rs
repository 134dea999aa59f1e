//! How columns become bytes: lanes, numbers, dictionaries and texts, each bounded when read.
//!
//! Everything is little-endian; `varint` is LEB128 of at most ten bytes. Decoders take the number of values to expect
//! from the segment's head and never reserve memory by a number from a column that may be damaged. These modules do not
//! know which column they encode.

mod dictionary;
mod lane;
mod numbers;
mod text;

pub use dictionary::Codes;
pub(crate) use dictionary::{Dictionary, decode_codes, encode_codes};
pub(crate) use lane::{Lane, decode_lane, encode_lane};
pub(crate) use numbers::{
    bits_of, combine_lanes, decode_deltas, encode_deltas, pack_bits, unpack_bits, unzigzag, zigzag,
};
pub(crate) use text::{decode_odd_texts, decode_texts, encode_odd_texts, encode_texts};

use crate::SegmentError;

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// LZ4: for the small blocks of a live commit, which are soon rewritten.
    Fast,
    /// zstd at level 1, whose entropy coding halves what LZ4 cannot shrink: for sealed segments.
    Dense,
}

/// The compressor of one encoding: its context and buffers serve all lanes.
pub(crate) struct Packer {
    zstd: Option<zstd::bulk::Compressor<'static>>,
    buffer: Vec<u8>,
    /// The lane that is being encoded.
    lane: Vec<u8>,
}

/// How a compressed lane is compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Lz4,
    Zstd,
}

/// Shorter input is not worth compressing.
const WORTH_COMPRESSING: usize = 64;

impl Packer {
    pub(crate) fn new(compression: Compression) -> Self {
        let zstd = match compression {
            Compression::Fast => None,
            // NOTE: without memory for zstd's context LZ4 still works; a reader takes either.
            Compression::Dense => zstd::bulk::Compressor::new(1).ok(),
        };
        Self { zstd, buffer: Vec::new(), lane: Vec::new() }
    }

    /// `bytes` compressed, if that makes them shorter.
    pub(crate) fn compress(&mut self, bytes: &[u8]) -> Option<(Method, &[u8])> {
        if bytes.len() < WORTH_COMPRESSING {
            return None;
        }
        let (method, written) = match &mut self.zstd {
            Some(zstd) => {
                self.buffer.clear();
                self.buffer.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
                (Method::Zstd, zstd.compress_to_buffer(bytes, &mut self.buffer).ok()?)
            }
            None => {
                let bound = lz4::block::compress_bound(bytes.len()).ok()?;
                if self.buffer.len() < bound {
                    self.buffer.resize(bound, 0);
                }
                (Method::Lz4, lz4::block::compress_to_buffer(bytes, None, false, &mut self.buffer).ok()?)
            }
        };
        let packed = self.buffer.get(..written)?;
        (packed.len() < bytes.len()).then_some((method, packed))
    }
}

/// Decompresses exactly `length` bytes.
pub(crate) fn decompress(method: Method, bytes: &[u8], length: usize) -> Result<Vec<u8>, SegmentError> {
    let mut plain = vec![0; length];
    let written = match method {
        Method::Lz4 => i32::try_from(length)
            .ok()
            .and_then(|length| lz4::block::decompress_to_buffer(bytes, Some(length), &mut plain).ok()),
        Method::Zstd => zstd::bulk::decompress_to_buffer(bytes, plain.as_mut_slice()).ok(),
    };
    if written == Some(length) { Ok(plain) } else { Err(SegmentError::Damaged("compressed bytes")) }
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// What is left to read of a piece of bytes.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

/// The bytes end too early or too late.
const SHORT: SegmentError = SegmentError::Damaged("length");

impl<'a> Cursor<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], SegmentError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], SegmentError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, SegmentError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, SegmentError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, SegmentError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, SegmentError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, SegmentError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(SegmentError::Damaged("number"))
    }

    /// A varint that is a count of at most `limit`.
    pub(crate) fn count(&mut self, limit: usize) -> Result<usize, SegmentError> {
        let count = self.varint()?;
        usize::try_from(count).ok().filter(|count| *count <= limit).ok_or(SegmentError::Damaged("count"))
    }

    /// Everything must have been read.
    pub(crate) fn finish(self) -> Result<(), SegmentError> {
        if self.0.is_empty() { Ok(()) } else { Err(SHORT) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn varints_come_back(value: u64, tail: Vec<u8>) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            bytes.extend_from_slice(&tail);
            let mut cursor = Cursor(&bytes);
            prop_assert_eq!(cursor.varint().unwrap(), value);
            prop_assert_eq!(cursor.0, &tail[..]);
        }
    }

    #[test]
    fn a_varint_beyond_64_bits_is_damage() {
        let mut cursor = Cursor(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]);
        assert!(cursor.varint().is_err());
        assert!(Cursor(&[0x80; 20]).varint().is_err());
        assert!(Cursor(&[0x80]).varint().is_err());
    }
}
