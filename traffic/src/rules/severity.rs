//! How strong the evidence of an alert is.

use serde::{Deserialize, Serialize};

/// How strong the evidence is. In JSON it is its name. Where travel times are learnt it follows from the probability, see
/// [`Severity::of_probability`]; elsewhere from the speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Even the lower speed, the least that must have been driven, is above `detect.max_speed_kmh`.
    High,
    /// The distance is not known, or only the nominal speed is above.
    Medium,
    /// A car could have driven it, or two vehicles may lawfully carry the number.
    Low,
}

impl Severity {
    /// All severities, the strongest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// The number in stored alerts: 0 for the strongest.
    pub const fn code(self) -> u8 {
        match self {
            Self::High => 0,
            Self::Medium => 1,
            Self::Low => 2,
        }
    }

    /// The severity with this code.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.code() == code)
    }

    /// Of an alert that two cars made with this probability.
    pub fn of_probability(probability: f64) -> Self {
        match probability {
            0.9.. => Self::High,
            0.5.. => Self::Medium,
            _ => Self::Low,
        }
    }

    /// The weaker of the two.
    pub fn at_most(self, strongest: Self) -> Self {
        if self.code() >= strongest.code() { self } else { strongest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back_and_order_by_strength() {
        for severity in Severity::ALL {
            assert_eq!(Severity::of_code(severity.code()), Some(severity));
            assert_eq!((severity.at_most(Severity::High), severity.at_most(Severity::Low)), (severity, Severity::Low));
        }
        assert_eq!(Severity::of_code(3), None);
        assert_eq!(Severity::ALL.map(Severity::code), [0, 1, 2], "stored alerts would change their severity");
    }
}
