//! Counts of detection.

use serde::{Deserialize, Serialize};

/// Counts since the data directory was made, or since it was first opened by a program that counts them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct DetectionTotals {
    /// Accepted passages that were far ahead of the watermark.
    pub(in crate::store) ahead: u64,
    /// Sightings that were dropped beyond the most that a plate may have.
    pub(in crate::store) forgotten: u64,
    /// The first GCXH that was rejected because it had been accepted with another GCSJ.
    pub(in crate::store) conflict_sample: Option<String>,
}
