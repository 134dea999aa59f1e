//! A rejected line as bytes.

use serde::{Deserialize, Serialize};
use storage::codec::{self, CodecError};
use traffic::RejectReason;

use crate::store::disk::keys;

/// A reject as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReject {
    /// Name of the file or topic.
    pub origin: String,
    /// Number of the line in it, from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
    /// The line, or its beginning ([`Reject::MAX_RAW_BYTES`](traffic::Reject::MAX_RAW_BYTES)).
    pub raw: Vec<u8>,
    /// Newest event time when it came.
    pub near: Option<i64>,
    /// Bytes of the whole line.
    pub bytes: u64,
}

/// Layout 1: the line was kept up to 64 KiB, and how long it was is not known.
type First = (String, u64, RejectReason, Vec<u8>, Option<i64>);

impl StoredReject {
    /// Reads a stored value.
    ///
    /// # Errors
    /// [`CodecError`] if it is damaged or of a newer layout.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        if codec::version(keys::REJECT, bytes)? > 1 {
            return codec::decode(keys::REJECT, bytes);
        }
        let (origin, line, reason, raw, near) = codec::decode::<First>(keys::REJECT, bytes)?;
        let bytes = raw.len() as u64;
        Ok(Self { origin, line, reason, raw, near, bytes })
    }
}
