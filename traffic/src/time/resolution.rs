//! How finely a GCSJ was written: one without seconds, or a date alone, is less exact than its seconds suggest.

use super::civil::{DAY, MINUTE};

/// The resolution of a GCSJ: the true time lies less than this away from the GCSJ as read.
///
/// The numbers of the variants are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Resolution {
    /// `2024-01-01 00:00:24`.
    #[default]
    Second = 0,
    /// `2024-01-01 00:00`.
    Minute = 1,
    /// `2024-01-01`.
    Day = 2,
}

impl Resolution {
    /// All resolutions, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Day];

    /// Its length in seconds.
    #[inline]
    pub fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => MINUTE,
            Self::Day => DAY,
        }
    }

    /// The resolution of a stored number; none for a number that no resolution has.
    #[inline]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_on_disk() {
        for (number, resolution) in (0u8..).zip(Resolution::ALL) {
            assert_eq!(resolution as u8, number);
            assert_eq!(Resolution::from_number(number), Some(resolution));
        }
        assert_eq!(Resolution::from_number(3), None);
        assert_eq!(Resolution::ALL.map(Resolution::seconds), [1, 60, 86_400]);
    }
}
