//! What kind a plate is.

use serde::{Deserialize, Serialize};

/// What kind of plate a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PlateClass {
    /// Province, letter and five letters or digits, at most two of them letters.
    Ordinary = 0,
    /// New energy, small or large: eight symbols.
    NewEnergy = 1,
    /// Learner, police, trailer, consulate, test, oversize (学警挂领试超), Hong Kong and Macao (港澳), embassy (使),
    /// emergency (应急), armed police (WJ), military, civil aviation (民航).
    Special = 2,
    /// Holds `*`: the source hid a part of it.
    Masked = 3,
    /// All else: most often a misreading.
    Irregular = 4,
}

impl PlateClass {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Ordinary, Self::NewEnergy, Self::Special, Self::Masked, Self::Irregular];

    /// The name in JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::NewEnergy => "new_energy",
            Self::Special => "special",
            Self::Masked => "masked",
            Self::Irregular => "irregular",
        }
    }

    /// The class of a number written earlier (`class as u8`).
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether the grammar accepts it as the plate of one vehicle.
    #[inline]
    pub fn is_valid(self) -> bool {
        matches!(self, Self::Ordinary | Self::NewEnergy | Self::Special)
    }
}
