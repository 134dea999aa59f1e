//! What explains two sightings of one plate. It does not know how that was found.

use serde::{Deserialize, Serialize};

/// The likeliest explanation of two sightings of one plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Two vehicles carry the number lawfully, under two plate types.
    PlateTypes,
    /// Two cars wear the plate.
    Clone,
    /// Another plate was read as this one.
    Misread,
    /// A camera's clock is wrong: after correction the gap is one that cars make.
    Clock,
    /// One car was quick, or took a way that is not known.
    Fast,
    /// The gap is one that cars make.
    Feasible,
}

impl Cause {
    /// All causes, in the order of their codes.
    pub const ALL: [Self; 6] = [Self::PlateTypes, Self::Clone, Self::Misread, Self::Clock, Self::Fast, Self::Feasible];

    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlateTypes => "plate_types",
            Self::Clone => "clone",
            Self::Misread => "misread",
            Self::Clock => "clock",
            Self::Fast => "fast",
            Self::Feasible => "feasible",
        }
    }

    /// The number in stored alerts.
    pub const fn code(self) -> u8 {
        match self {
            Self::PlateTypes => 0,
            Self::Clone => 1,
            Self::Misread => 2,
            Self::Clock => 3,
            Self::Fast => 4,
            Self::Feasible => 5,
        }
    }

    /// The cause with this code.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }
}
