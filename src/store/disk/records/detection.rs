//! Counts of detection.

use serde::{Deserialize, Serialize};
use storage::codec::{self, CodecError};

use crate::store::disk::keys;

/// Counts since the data directory was made, or since it was first opened by a program that counts them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct DetectionTotals {
    /// Accepted passages that were far ahead of the watermark.
    pub(in crate::store) ahead: u64,
    /// Sightings that were dropped beyond the most that a plate may have.
    pub(in crate::store) forgotten: u64,
    /// The first GCXH that was rejected because it had been accepted with another GCSJ.
    pub(in crate::store) conflict_sample: Option<String>,
    /// Cases; also the newest number of one.
    pub(in crate::store) cases: u64,
}

impl DetectionTotals {
    /// Reads a stored value. Layout 1 knows no cases.
    pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        match codec::version(keys::DETECTION, bytes)? {
            1 => {
                let (ahead, forgotten, conflict_sample) = codec::decode(keys::DETECTION, bytes)?;
                Ok(Self { ahead, forgotten, conflict_sample, cases: 0 })
            }
            _ => codec::decode(keys::DETECTION, bytes),
        }
    }
}
