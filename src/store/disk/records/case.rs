//! A case as bytes, and the evidence of a partition as it is saved.

use serde::{Deserialize, Serialize};
use storage::codec::{self, CodecError};
use traffic::PlateCode;
use traffic::evidence::{Case, SavedPartition, SavedSegment, Spot};
use xxhash_rust::xxh64::Xxh64;

use crate::store::disk::keys;

/// A case, as it was after the newest commit that changed it. Checkpoints and models are numbers of names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::store) struct StoredCase {
    /// Number of the case in its data directory, from 1.
    pub(in crate::store) seq: u64,
    /// Event time at which it was opened first; the evidence may have forgotten since.
    pub(in crate::store) opened_at: i64,
    /// Corrected time of its first contradiction.
    pub(in crate::store) first: i64,
    /// Contradictions that the evidence has forgotten.
    pub(in crate::store) forgotten: u32,
    /// What is known of it.
    pub(in crate::store) case: Case,
}

impl StoredCase {
    /// What the case is found by: XXH64 (seed 0) over the plate, a zero byte and the second in which it was opened.
    pub(in crate::store) fn id(&self) -> u64 {
        case_id(self.case.plate, self.opened_at)
    }

    /// Contradictions in all.
    pub(in crate::store) fn contradictions(&self) -> u32 {
        self.forgotten.saturating_add(self.case.found)
    }
}

fn case_id(plate: PlateCode, opened_at: i64) -> u64 {
    let mut hash = Xxh64::new(0);
    hash.update(plate.unpack().as_bytes());
    hash.update(&[0]);
    hash.update(&opened_at.to_be_bytes());
    hash.digest()
}

pub(in crate::store) fn encode_case(case: &StoredCase) -> Result<Vec<u8>, CodecError> {
    codec::encode(keys::CASE, case)
}

pub(in crate::store) fn decode_case(bytes: &[u8]) -> Result<StoredCase, CodecError> {
    codec::decode(keys::CASE, bytes)
}

/// The evidence of a partition but for the last sightings, which follow in parts.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct SavedHead {
    /// Passages with an arrival number from this on are not in it.
    pub(in crate::store) saved_arrival: u64,
    /// How many parts of sightings follow.
    pub(in crate::store) parts: u32,
    /// The evidence.
    pub(in crate::store) evidence: SavedPartition,
}

/// The segments of a partition. They are kept beside the evidence, whose layout does not know them: a directory of an
/// earlier program has none, and an earlier program leaves those that it finds, which then are older than the evidence.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct SavedSegments {
    /// As in [`SavedHead`]: they belong to the evidence with the same number.
    pub(in crate::store) saved_arrival: u64,
    /// The segments.
    pub(in crate::store) segments: Vec<SavedSegment>,
}

/// Last sightings of a part, so that no value nears the longest that can be read back.
pub(in crate::store) const SIGHTINGS_OF_A_PART: usize = 1 << 18;

pub(in crate::store) fn encode_sightings(sightings: &[(PlateCode, Spot)]) -> Result<Vec<u8>, CodecError> {
    codec::encode(keys::LAST_SIGHTINGS, &sightings)
}

pub(in crate::store) fn decode_sightings(bytes: &[u8]) -> Result<Vec<(PlateCode, Spot)>, CodecError> {
    codec::decode(keys::LAST_SIGHTINGS, bytes)
}
