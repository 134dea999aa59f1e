//! What a rule consists of. It knows no rule.

use super::severity::Severity;
use crate::DetectorSettings;

/// What a rule sees: two sightings of one plate at different checkpoints, as far as rules compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Seconds between the two GCSJ; not negative.
    pub gap_seconds: i64,
    /// Whether even the lower speed, the least that must have been driven, is above `detect.max_speed_kmh`.
    pub too_fast: bool,
}

/// A rule.
#[derive(Debug)]
pub(super) struct Definition {
    /// In JSON.
    pub(super) name: &'static str,
    /// In stored alerts.
    pub(super) code: u8,
    /// What it looks for.
    pub(super) sentence: &'static str,
    /// The strongest severity that its alerts may have.
    pub(super) severity: Severity,
    /// Sightings at least this many seconds apart never raise an alert.
    pub(super) farthest_gap: fn(&DetectorSettings) -> i64,
    /// Whether two sightings raise an alert.
    pub(super) raises: fn(&DetectorSettings, &Measured) -> bool,
}
