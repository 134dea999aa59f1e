//! The rule `speed`: one plate at two checkpoints that no car can have driven between in the time, even beyond the window.

use super::definition::Definition;
use super::severity::Severity;

pub(super) static SPEED: Definition = Definition {
    name: "speed",
    code: 1,
    sentence: "One plate at two checkpoints less than `detect.speed_window` apart, with a lower speed above `detect.max_speed_kmh`.",
    severity: Severity::High,
    farthest_gap: |settings| settings.speed_window,
    raises: |settings, measured| measured.too_fast && measured.gap_seconds < settings.speed_window,
};
