//! How a file is packed, detected from its first bytes, and its bytes unpacked. It knows no files and no text.

use std::io::{self, Read};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const PARQUET: &[u8] = b"PAR1";
/// Bytes that show how a file is packed.
pub(super) const HEAD_BYTES: usize = 4;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstandard,
    /// Its end is read first, so it is opened as a file ([`super::parquet`]).
    Parquet,
}

impl Packing {
    /// By the first bytes.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            head if head.starts_with(GZIP) => Self::Gzip,
            head if head.starts_with(ZSTANDARD) => Self::Zstandard,
            head if head.starts_with(PARQUET) => Self::Parquet,
            _ => Self::None,
        }
    }

    /// The bytes of the whole file, unpacked.
    pub(super) fn unpack(self, whole: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::None => Box::new(whole),
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, whole))),
            Self::Zstandard => Box::new(zstd::stream::read::Decoder::new(whole)?),
            Self::Parquet => {
                return Err(io::Error::other(
                    "Parquet is read from its end, so it cannot come through a pipe: name the file",
                ));
            }
        })
    }
}

/// Whether it is packed, or more bytes are needed to decide.
pub(super) fn could_be_packed(head: &[u8]) -> bool {
    GZIP.starts_with(head) || head.starts_with(GZIP) || ZSTANDARD.starts_with(head) || PARQUET.starts_with(head)
}
