//! What an alert says about its pair of sightings. It does not know how that was found.

use serde::{Deserialize, Serialize};

use crate::{Cause, PlateCode, Severity};

/// What the traffic says about a pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PairFinding {
    /// Nothing is learnt of it yet.
    #[default]
    Unknown,
    /// Nothing is learnt of it yet, but a clock is likely to be wrong: with what the clocks may be wrong a car can have made
    /// it by the great circle, or the same two cameras made such a pair before.
    Doubtful,
    /// What it is worth.
    Weighed(PairEvidence),
}

/// Why a pair is weighed so.
///
/// Stored alerts hold it: variants keep their order, and new ones come last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    /// The corrected gap in seconds, and the fastest credible time.
    Gap(i64, f64),
    /// By how many seconds the clocks changed the gap.
    ClockCorrection(i64),
    /// Contradictions of the plate so far.
    Contradictions(u32),
    /// Sightings of the second car in the last day, and in how many stretches of driving.
    SecondCar(u32, u32),
    /// Sightings of the second car with another brand.
    BrandDiffers(u32),
    /// A plate that differs in one character and was due at one of the two.
    NeighbourDue(PlateCode),
    /// Sightings of another plate type that the first car cannot have made.
    OtherPlateType(u32),
}

impl Reason {
    /// The code in the alert's JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gap(..) => "gap",
            Self::ClockCorrection(_) => "clock_correction",
            Self::Contradictions(_) => "contradictions",
            Self::SecondCar(..) => "second_car",
            Self::BrandDiffers(_) => "brand_differs",
            Self::NeighbourDue(_) => "neighbour_due",
            Self::OtherPlateType(_) => "other_plate_type",
        }
    }
}

/// What a pair is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairEvidence {
    /// That two cars made it, 0 to 1.
    pub probability: f64,
    /// The likeliest explanation.
    pub cause: Cause,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The hour since 1970 of the model in force.
    pub model: i64,
}

impl PairEvidence {
    /// As it is stored and shown: the probability to four decimals, times to 0.1 s.
    pub fn rounded(self) -> Self {
        let to = |number: f64, parts: f64| (number * parts).round() / parts;
        let reason = |reason| match reason {
            Reason::Gap(gap, fastest) => Reason::Gap(gap, to(fastest, 10.0)),
            other => other,
        };
        Self {
            probability: to(self.probability, 10_000.0),
            reasons: self.reasons.into_iter().map(reason).collect(),
            ..self
        }
    }

    /// How strong it is.
    pub fn severity(&self) -> Severity {
        Severity::of_probability(self.probability)
    }
}
