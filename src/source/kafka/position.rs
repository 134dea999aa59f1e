//! How far a partition was consumed: what is committed to the store together with everything that it led to.
//!
//! It knows no broker. Gaps are part of it, so that what is missing is never forgotten by a restart.

use serde::{Deserialize, Serialize};
use storage::codec::{self, CodecError, Kind};

const KIND: Kind = Kind { magic: b'K', version: 1 };
/// Gaps that are kept in detail; all are counted.
const RECENT_GAPS: usize = 16;
/// Names of positions in the store begin with this, the topic and the partition follow.
pub(super) const PREFIX: &str = "kafka/";

/// The place in one partition, and what was odd on the way there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Offset of the first record that was not consumed yet.
    pub(super) next: i64,
    /// Gaps so far.
    pub(super) gaps: u64,
    /// Offsets that were deleted before they could be read.
    pub(super) missing: u64,
    /// Messages without a value; each also counts as a blank line.
    pub(super) nulls: u64,
    /// The newest gaps, oldest first.
    pub(super) recent: Vec<Gap>,
}

/// Offsets that the broker no longer had when they were to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The first offset of it.
    pub first: i64,
    /// The last offset of it.
    pub last: i64,
    /// When it was found, in seconds since 1970 UTC.
    pub found: i64,
    /// What happened.
    pub cause: GapCause,
}

/// Why offsets are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GapCause {
    /// They were deleted, by retention or by hand, before they were read.
    Deleted,
    /// The partition ended before the position: it was cut off, or the topic made anew. These had been read.
    Truncated,
}

impl GapCause {
    /// The word in `/api/status` and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Truncated => "truncated",
        }
    }
}

impl Position {
    /// A position without a past.
    pub(super) fn at(next: i64) -> Self {
        Self { next, ..Self::default() }
    }

    /// Compares with what the broker has, from `low` to before `high`. If the position is outside, records the gap,
    /// moves to the oldest record there is, and returns the gap.
    pub(super) fn skip_to(&mut self, low: i64, high: i64, found: i64) -> Option<Gap> {
        let gap = if self.next < low {
            self.missing += (low - self.next).unsigned_abs();
            Gap { first: self.next, last: low - 1, found, cause: GapCause::Deleted }
        } else if self.next > high {
            Gap { first: high, last: self.next - 1, found, cause: GapCause::Truncated }
        } else {
            return None;
        };
        self.next = low;
        self.gaps += 1;
        if self.recent.len() >= RECENT_GAPS {
            self.recent.remove(0);
        }
        self.recent.push(gap.clone());
        Some(gap)
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(KIND, self)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(KIND, bytes)
    }
}

/// The name of a partition's position in the store.
pub(super) fn name(topic: &str, partition: i32) -> String {
    format!("{PREFIX}{topic}/{partition}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_position_outside_is_a_gap() {
        let mut position = Position::at(10);
        for (low, high) in [(0, 10), (10, 10), (10, 11), (3, 12)] {
            assert_eq!(position.skip_to(low, high, 7), None, "{low} {high}");
        }
        let gap = position.skip_to(15, 20, 7);
        assert_eq!(gap, Some(Gap { first: 10, last: 14, found: 7, cause: GapCause::Deleted }));
        assert_eq!((position.next, position.gaps, position.missing), (15, 1, 5));
        let gap = position.skip_to(2, 4, 8);
        assert_eq!(gap, Some(Gap { first: 4, last: 14, found: 8, cause: GapCause::Truncated }));
        assert_eq!((position.next, position.gaps, position.missing), (2, 2, 5), "what was read is not missing");
        assert_eq!(position.recent.len(), 2);
        assert_eq!(Position::decode(&position.encode().unwrap()).unwrap(), position);
    }

    #[test]
    fn details_of_gaps_are_bounded() {
        let mut position = Position::at(0);
        for low in 1..=100 {
            position.skip_to(low, 1000, low);
        }
        assert_eq!((position.gaps, position.missing, position.recent.len()), (100, 100, RECENT_GAPS));
        assert_eq!(position.recent.last().unwrap().last, 99);
    }
}
