//! What is compared: groups of passages, and the sums of one group. It does not know where the rows are read from.

use std::sync::Arc;

use traffic::CivilTime;

/// Passages of one checkpoint in one hour, on one server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// Number of the server: that of the shard for instances, 0 for MyCat.
    pub server: usize,
    /// Hour since 1970, civil time of the road.
    pub hour: i64,
    /// KKMC.
    pub kkmc: Arc<str>,
}

impl Group {
    /// Its first and last second.
    pub fn span(&self) -> (CivilTime, CivilTime) {
        (CivilTime(self.hour * 3600), CivilTime(self.hour * 3600 + 3599))
    }
}

/// The number of passages, and order-independent sums over them: of the CRC-32 of GCXH, and of whole rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Passages.
    pub passages: u64,
    /// Over GCXH.
    pub ids: u64,
    /// Over all columns.
    pub contents: u64,
}

impl Sums {
    /// The sums without some of their rows.
    pub(super) fn without(self, other: Self) -> Self {
        Self {
            passages: self.passages.saturating_sub(other.passages),
            ids: self.ids.saturating_sub(other.ids),
            contents: self.contents.saturating_sub(other.contents),
        }
    }
}
