//! A range of event time.

use super::CivilTime;

/// A range of event time, both ends included; an absent end is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first second that counts.
    pub start: Option<CivilTime>,
    /// The last second that counts.
    pub end: Option<CivilTime>,
}

impl TimeRange {
    /// Whether a time is in the range.
    #[inline]
    pub fn contains(&self, time: CivilTime) -> bool {
        self.start.is_none_or(|start| time >= start) && self.end.is_none_or(|end| time <= end)
    }

    /// Whether the range has a second in common with the one from `first` to `last`.
    #[inline]
    pub fn touches(&self, first: CivilTime, last: CivilTime) -> bool {
        self.start.is_none_or(|start| last >= start) && self.end.is_none_or(|end| first <= end)
    }
}
