//! HPZL as one byte, so that the plate states can hold it. It knows two digits (GA 24.7) and nothing of their meaning but
//! which of them are new energy.

use serde::{Deserialize, Serialize};

/// A plate type 号牌种类. The number is stored: 0 is unknown, a code of two digits is that number plus 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct PlateType(u8);

impl PlateType {
    /// The type that `hpzl` names; anything but two digits is unknown.
    pub fn of(hpzl: &str) -> Self {
        match hpzl.as_bytes() {
            &[tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Self((tens - b'0') * 10 + (ones - b'0') + 1),
            _ => Self(0),
        }
    }

    /// The type of a stored number.
    #[inline]
    pub fn from_number(number: u8) -> Self {
        Self(if number > 100 { 0 } else { number })
    }

    /// The number that is stored.
    #[inline]
    pub fn number(self) -> u8 {
        self.0
    }

    /// Small (52) or large (51) new energy.
    #[inline]
    pub fn is_new_energy(self) -> bool {
        matches!(self.0, 52 | 53)
    }

    /// Whether two vehicles may lawfully carry the same number under these types: both are known and differ. The two
    /// types of new energy do not count, since their numbers are of different lengths and a camera confuses them.
    #[inline]
    pub fn are_twins(self, other: Self) -> bool {
        self.0 != other.0 && self.0 != 0 && other.0 != 0 && !(self.is_new_energy() && other.is_new_energy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_on_disk() {
        let cases = [("00", 1), ("02", 3), ("51", 52), ("99", 100), ("-", 0), ("", 0), ("2", 0), ("A1", 0), ("002", 0)];
        for (text, number) in cases {
            assert_eq!(PlateType::of(text).number(), number, "{text}");
            assert_eq!(PlateType::from_number(number), PlateType::of(text));
        }
        assert_eq!(PlateType::from_number(101).number(), 0);
    }

    #[test]
    fn twins_are_known_and_differ() {
        let twins = |one, other| PlateType::of(one).are_twins(PlateType::of(other));
        assert!(twins("01", "02") && twins("02", "07") && twins("52", "02"));
        assert!(!twins("02", "02") && !twins("02", "-") && !twins("-", "01") && !twins("51", "52"));
    }
}
