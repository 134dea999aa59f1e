//! How structured values become bytes: `[magic u8][version u8][crc32c u32 LE][payload]`, payload in bincode 2 (standard
//! configuration), with a limit on what decoding may allocate.
//!
//! The checksum covers magic, version and payload. A value with another magic, a newer version or a wrong checksum is
//! refused, never guessed. **Nothing is written that cannot be read back**: all values are encoded by [`encode_into`],
//! which refuses a payload over [`MAX_PAYLOAD`]; every smaller payload stays within what decoding may claim.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest payload that is written, in bytes.
pub const MAX_PAYLOAD: usize = 64 << 20;
/// Longest value that is written, in bytes: a file of one value is never longer.
pub const MAX_VALUE: usize = HEADER + MAX_PAYLOAD;

/// What decoding a payload of this many bytes at most may claim. bincode counts a number by its width in memory, at most 16
/// bytes for an encoded byte, so no payload that was written reaches this; and a length in a few damaged bytes cannot claim
/// what only a long payload could fill.
const fn claim(payload: usize) -> usize {
    16 * payload
}

const SHORT_PAYLOAD: usize = 64 << 10;
const LONG_PAYLOAD: usize = 4 << 20;
const HEADER: usize = 6;

/// What a value is, and the newest version of its layout that this program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// First byte, unique per kind.
    pub magic: u8,
    /// Layout version, from 1.
    pub version: u8,
}

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Too short or of another kind.
    #[error("not a value of kind {expected:#04x}")]
    WrongKind {
        /// The magic that was expected.
        expected: u8,
    },
    /// Written by a newer program.
    #[error("layout version {found} of kind {magic:#04x} is newer than {known}")]
    Newer {
        /// The kind.
        magic: u8,
        /// Version found.
        found: u8,
        /// Version known.
        known: u8,
    },
    /// The checksum does not match.
    #[error("checksum mismatch in a value of kind {magic:#04x}")]
    Checksum {
        /// The kind.
        magic: u8,
    },
    /// The value is too large to be read back.
    #[error(
        "a value of kind {magic:#04x} has at least {bytes} bytes, and at most {MAX_PAYLOAD} can be read back: it is not written"
    )]
    TooLarge {
        /// The kind.
        magic: u8,
        /// Length of the payload.
        bytes: usize,
    },
    /// The payload does not decode.
    #[error("value of kind {magic:#04x} does not decode: {detail}")]
    Payload {
        /// The kind.
        magic: u8,
        /// Why.
        detail: String,
    },
}

fn configuration<const CLAIM: usize>()
-> bincode::config::Configuration<bincode::config::LittleEndian, bincode::config::Varint, bincode::config::Limit<CLAIM>>
{
    bincode::config::standard().with_limit::<CLAIM>()
}

/// Appends to `out`, at most `room` bytes.
struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    room: usize,
    /// Bytes that were to be written, including those that did not fit.
    wanted: usize,
}

impl bincode::enc::write::Writer for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.wanted += bytes.len();
        if self.wanted > self.room {
            return Err(bincode::error::EncodeError::Other("too large"));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

/// Appends the encoded value to `out`; on an error `out` is unchanged.
///
/// # Errors
/// [`CodecError::TooLarge`] if the value could not be read back, [`CodecError::Payload`] if it cannot be serialised.
pub fn encode_into<T: Serialize>(kind: Kind, value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    encode_bounded(kind, value, MAX_PAYLOAD, out)
}

fn encode_bounded<T: Serialize>(kind: Kind, value: &T, room: usize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let magic = kind.magic;
    let start = out.len();
    out.extend_from_slice(&[magic, kind.version, 0, 0, 0, 0]);
    let mut writer = Bounded { out, room, wanted: 0 };
    if let Err(error) = bincode::serde::encode_into_writer(value, &mut writer, bincode::config::standard()) {
        let wanted = writer.wanted;
        out.truncate(start);
        return Err(if wanted > room {
            CodecError::TooLarge { magic, bytes: wanted }
        } else {
            CodecError::Payload { magic, detail: error.to_string() }
        });
    }
    let crc = checksum(kind, out.get(start + HEADER..).unwrap_or_default());
    if let Some(place) = out.get_mut(start + 2..start + HEADER) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
    Ok(())
}

/// The encoded value.
///
/// # Errors
/// As [`encode_into`].
pub fn encode<T: Serialize>(kind: Kind, value: &T) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::new();
    encode_into(kind, value, &mut out)?;
    Ok(out)
}

/// The layout version of a value, which is not newer than the known one.
///
/// # Errors
/// [`CodecError::WrongKind`] or [`CodecError::Newer`].
pub fn version(kind: Kind, bytes: &[u8]) -> Result<u8, CodecError> {
    match bytes {
        [magic, version, ..] if *magic == kind.magic && *version <= kind.version => Ok(*version),
        [magic, version, ..] if *magic == kind.magic => {
            Err(CodecError::Newer { magic: kind.magic, found: *version, known: kind.version })
        }
        _ => Err(CodecError::WrongKind { expected: kind.magic }),
    }
}

/// Decodes a value written by [`encode`].
///
/// # Errors
/// [`CodecError`] if the bytes are of another kind or version, or damaged.
pub fn decode<T: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<T, CodecError> {
    let magic = kind.magic;
    let Some((&[found_magic, version, a, b, c, d], payload)) = bytes.split_first_chunk::<HEADER>() else {
        return Err(CodecError::WrongKind { expected: magic });
    };
    if found_magic != magic {
        return Err(CodecError::WrongKind { expected: magic });
    }
    if version > kind.version {
        return Err(CodecError::Newer { magic, found: version, known: kind.version });
    }
    if checksum(Kind { magic, version }, payload) != u32::from_le_bytes([a, b, c, d]) {
        return Err(CodecError::Checksum { magic });
    }
    let decoded = if payload.len() <= SHORT_PAYLOAD {
        decode_payload::<T, { claim(SHORT_PAYLOAD) }>(payload)
    } else if payload.len() <= LONG_PAYLOAD {
        decode_payload::<T, { claim(LONG_PAYLOAD) }>(payload)
    } else {
        decode_payload::<T, { claim(MAX_PAYLOAD) }>(payload)
    };
    match decoded {
        Ok((value, read)) if read == payload.len() => Ok(value),
        Ok(_) => Err(CodecError::Payload { magic, detail: "bytes left over".to_owned() }),
        Err(error) => Err(CodecError::Payload { magic, detail: error.to_string() }),
    }
}

fn decode_payload<T: DeserializeOwned, const CLAIM: usize>(
    payload: &[u8],
) -> Result<(T, usize), bincode::error::DecodeError> {
    bincode::serde::decode_from_slice(payload, configuration::<CLAIM>())
}

/// The same payload under another kind; none if the value is not of `old`. For values whose magic byte changes and whose
/// payload does not.
///
/// # Errors
/// [`CodecError::Checksum`] if the value is damaged, [`CodecError::Newer`] if it is of a newer version.
pub fn with_kind(old: Kind, new: Kind, bytes: &[u8]) -> Result<Option<Vec<u8>>, CodecError> {
    let Some((&[magic, version, a, b, c, d], payload)) = bytes.split_first_chunk::<HEADER>() else {
        return Err(CodecError::WrongKind { expected: old.magic });
    };
    if magic != old.magic {
        return Ok(None);
    }
    if version > old.version {
        return Err(CodecError::Newer { magic, found: version, known: old.version });
    }
    if checksum(Kind { magic, version }, payload) != u32::from_le_bytes([a, b, c, d]) {
        return Err(CodecError::Checksum { magic });
    }
    let crc = checksum(new, payload).to_le_bytes();
    Ok(Some([&[new.magic, new.version], &crc[..], payload].concat()))
}

fn checksum(kind: Kind, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&[kind.magic, kind.version]), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind { magic: b'T', version: 2 };

    #[test]
    fn golden_bytes() {
        let bytes = encode(KIND, &(7u64, "苏C12345", vec![1u32, 300])).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN);
        assert_eq!(decode::<(u64, String, Vec<u32>)>(KIND, &bytes).unwrap(), (7, "苏C12345".to_owned(), vec![1, 300]));
    }

    const GOLDEN: &str = "540224c0207d0709e88b8f4331323334350201fb2c01";

    #[test]
    fn every_changed_bit_is_refused() {
        let bytes = encode(KIND, &(1u8, "text")).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode::<(u8, String)>(KIND, &damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let bytes = encode(Kind { version: 3, ..KIND }, &1u8).unwrap();
        assert_eq!(decode::<u8>(KIND, &bytes), Err(CodecError::Newer { magic: b'T', found: 3, known: 2 }));
    }

    #[test]
    fn what_cannot_be_read_back_is_not_written() {
        let mut out = b"before".to_vec();
        let value = vec![0u8; 100];
        encode_bounded(KIND, &value, 101, &mut out).unwrap();
        assert_eq!(decode::<Vec<u8>>(KIND, &out[6..]).unwrap(), value);
        out.truncate(6);
        let refused = encode_bounded(KIND, &value, 100, &mut out).unwrap_err();
        assert!(matches!(refused, CodecError::TooLarge { magic: b'T', bytes: 101 }), "{refused:?}");
        assert_eq!(out, b"before");
    }

    /// This many times the number 1: what claims the most for the bytes that it takes.
    #[derive(Debug, PartialEq)]
    struct Ones(usize);

    impl Serialize for Ones {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((0..self.0).map(|_| 1u64))
        }
    }

    impl<'de> serde::Deserialize<'de> for Ones {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Count;
            impl<'de> serde::de::Visitor<'de> for Count {
                type Value = Ones;
                fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    formatter.write_str("numbers")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut numbers: A) -> Result<Ones, A::Error> {
                    let mut count = 0;
                    while numbers.next_element::<u64>()?.is_some() {
                        count += 1;
                    }
                    Ok(Ones(count))
                }
            }
            deserializer.deserialize_seq(Count)
        }
    }

    #[test]
    fn the_largest_value_is_read_back_whatever_it_holds() {
        let largest = Ones(MAX_PAYLOAD - 5);
        let bytes = encode(KIND, &largest).unwrap();
        assert_eq!(bytes.len(), MAX_VALUE);
        assert_eq!(decode::<Ones>(KIND, &bytes).unwrap(), largest);
        assert!(matches!(encode(KIND, &Ones(MAX_PAYLOAD - 4)), Err(CodecError::TooLarge { .. })));
    }

    #[test]
    fn a_few_bytes_cannot_claim_what_only_many_could_fill() {
        // A text of 16 MiB, of which nothing follows.
        let bytes = encode(KIND, &(252u8, [0u8, 0, 0, 1])).unwrap();
        let refused = decode::<String>(KIND, &bytes).unwrap_err().to_string();
        assert!(refused.contains("imit"), "{refused}");
        // The longest of each step, in what claims the most.
        for length in [SHORT_PAYLOAD, SHORT_PAYLOAD + 1, LONG_PAYLOAD, LONG_PAYLOAD + 1] {
            let value = Ones(length - if length - 3 <= 0xffff { 3 } else { 5 });
            let bytes = encode(KIND, &value).unwrap();
            assert!(bytes.len() >= length + HEADER - 2);
            assert_eq!(decode::<Ones>(KIND, &bytes).unwrap(), value);
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused() {
        let mut bytes = encode(KIND, &vec![0u8; 3]).unwrap();
        bytes.truncate(HEADER);
        bytes.extend_from_slice(&[253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        let crc = checksum(KIND, &bytes[HEADER..]);
        bytes[2..HEADER].copy_from_slice(&crc.to_le_bytes());
        assert!(matches!(decode::<Vec<u8>>(KIND, &bytes), Err(CodecError::Payload { .. })));
    }
}
