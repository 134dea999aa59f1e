//! The rule `window`: one plate at two checkpoints within a few minutes.

use super::definition::Definition;
use super::severity::Severity;

pub(super) static WINDOW: Definition = Definition {
    name: "window",
    code: 0,
    sentence: "One plate at two checkpoints less than `detect.window` apart.",
    severity: Severity::High,
    farthest_gap: |settings| settings.window,
    raises: |settings, measured| measured.gap_seconds < settings.window,
};
