//! What becomes of a passage in the detector.

/// What became of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fate {
    /// Stored, and compared if its plate is of a class that is compared.
    Accepted,
    /// Stored, but too old to be compared.
    Late,
    /// As accepted; its time is far ahead of the watermark.
    Ahead,
    /// Its GCXH was accepted already with the same GCSJ: not stored again.
    Duplicate,
    /// Its GCXH was accepted already with another GCSJ: to be rejected.
    Conflict,
}

impl Fate {
    /// Whether the passage is stored.
    #[inline]
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted | Self::Late | Self::Ahead)
    }
}
