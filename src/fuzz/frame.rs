//! Bytes as the payload of a stored value, with a right checksum: so that the decoders meet what the fuzzer made. It knows no
//! kind of value.

use serde::ser::SerializeTuple as _;
use serde::{Serialize, Serializer};
use storage::codec::{self, CodecError, Kind};

use super::outcome::{kind as words, outcome, size};

/// Bytes as they are: bincode writes a tuple without a length, and a `u8` as itself.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

/// The value of this kind and layout version with this payload.
pub(crate) fn framed(kind: Kind, version: u8, payload: &[u8]) -> Vec<u8> {
    codec::encode(Kind { version, ..kind }, &Raw(payload)).unwrap_or_default()
}

/// Reads `payload` as a value of `kind` in each of its layouts (`which` chooses). What can be read can be written, is read
/// back as the same, and is no longer than before; if it is as long, it is the same bytes, unless reading brings the value into
/// a form of its own (`is_exact` is false). The outcome is an error if the payload
/// cannot be read.
pub(crate) fn check<T>(
    kind: Kind,
    which: u8,
    is_exact: bool,
    payload: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, CodecError>,
    encode: impl Fn(&T) -> Result<Vec<u8>, CodecError>,
) -> Result<u64, u64> {
    // The newest layout most often.
    let version = if which < 128 { kind.version } else { 1 + which % kind.version };
    let bytes = framed(kind, version, payload);
    let value = match decode(&bytes) {
        Ok(value) => value,
        Err(error) => return Err(outcome((kind.magic, version, words(error)))),
    };
    let written = encode(&value);
    assert!(written.is_ok(), "what was read cannot be written: {:?}", written.err());
    let written = written.unwrap_or_default();
    let again = decode(&written).and_then(|value| encode(&value));
    assert_eq!(again.as_ref(), Ok(&written), "what was written is not read back");
    if version == kind.version {
        assert!(written.len() <= bytes.len(), "it was written in more bytes");
        assert!(!is_exact || written.len() < bytes.len() || written == bytes, "it was written as other bytes");
    }
    Ok(outcome((kind.magic, version, size(written.len()))))
}
