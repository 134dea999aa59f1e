//! The rules that raise alerts: what each looks for stands in a file of its own, and [`Rule`] lists them all.
//!
//! A rule sees only what was measured of two sightings of one plate at different checkpoints, and the settings. It does
//! not know how sightings are found, how they are weighed, or what becomes of an alert.
//!
//! A new rule is a file with its [`Definition`], a variant of [`Rule`] and its place in [`Rule::ALL`]. Codes are part of
//! the on-disk format: a code is never given to another rule.

mod definition;
mod severity;
mod speed;
mod window;

use serde::{Deserialize, Serialize};

use crate::DetectorSettings;
use definition::Definition;
pub use definition::Measured;
pub use severity::Severity;

/// Which rule raised an alert. In JSON it is its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Rule {
    /// Two checkpoints less than `detect.window` apart.
    Window,
    /// A lower speed above `detect.max_speed_kmh` within `detect.speed_window`.
    Speed,
}

/// A name or a code that belongs to no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no rule is called {0}")]
pub struct UnknownRule(pub String);

impl Rule {
    /// All rules, in the order in which they are tried: the first that finds something raises the alert.
    pub const ALL: [Self; 2] = [Self::Window, Self::Speed];

    const fn definition(self) -> &'static Definition {
        match self {
            Self::Window => &window::WINDOW,
            Self::Speed => &speed::SPEED,
        }
    }

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// The number in stored alerts.
    pub const fn code(self) -> u8 {
        self.definition().code
    }

    /// What it looks for, in one sentence.
    pub const fn sentence(self) -> &'static str {
        self.definition().sentence
    }

    /// The strongest severity that its alerts may have; the evidence of a pair may be weaker.
    pub const fn severity(self) -> Severity {
        self.definition().severity
    }

    /// The rule with this code.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }

    /// The rule with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// The first rule that raises an alert for what was measured.
    #[inline]
    pub fn raised_by(settings: &DetectorSettings, measured: &Measured) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| (rule.definition().raises)(settings, measured))
    }

    /// Sightings at least this many seconds apart raise no alert by any rule.
    pub fn farthest_gap(settings: &DetectorSettings) -> i64 {
        Self::ALL.into_iter().map(|rule| (rule.definition().farthest_gap)(settings)).fold(0, i64::max)
    }
}

impl From<Rule> for &'static str {
    fn from(rule: Rule) -> Self {
        rule.name()
    }
}

impl TryFrom<String> for Rule {
    type Error = UnknownRule;

    fn try_from(name: String) -> Result<Self, UnknownRule> {
        Self::of_name(&name).ok_or(UnknownRule(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_unique_and_lead_back() {
        for (index, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!((Rule::of_code(rule.code()), Rule::of_name(rule.name())), (Some(rule), Some(rule)));
            assert!(Rule::ALL[..index].iter().all(|other| other.code() != rule.code() && other.name() != rule.name()));
            assert!(rule.sentence().ends_with('.'), "{}", rule.sentence());
        }
        assert_eq!((Rule::of_code(200), Rule::of_name("none")), (None, None));
        assert_eq!(Rule::ALL.map(Rule::code), [0, 1], "stored alerts would change their rule");
    }

    #[test]
    fn no_rule_raises_beyond_the_farthest_gap() {
        for (window, speed_window) in [(300, 300), (60, 3_600), (600, 60)] {
            let settings = DetectorSettings { window, speed_window, ..DetectorSettings::default() };
            let farthest = Rule::farthest_gap(&settings);
            for too_fast in [false, true] {
                let raised = |gap_seconds| Rule::raised_by(&settings, &Measured { gap_seconds, too_fast });
                assert_eq!(raised(farthest), None);
                assert_eq!(raised(window - 1), Some(Rule::Window));
                let by_speed = (too_fast && speed_window > window).then_some(Rule::Speed);
                assert_eq!(raised(window), by_speed);
            }
        }
    }
}
