//! How long a line takes from its passage to its arrival.

use super::chance::Chance;

/// No line of a camera that sends at once arrives this many seconds after its passage, or later.
pub(super) const MAX_LATENESS_SECONDS: i64 = 60;
/// Every such line arrives less than this many milliseconds after its passage: GCSJ drops the milliseconds.
pub(super) const LATEST: u64 = (MAX_LATENESS_SECONDS as u64 - 1) * 1000;

/// Milliseconds from a passage to the arrival of its line: mostly under a second, rarely up to a minute.
#[inline]
pub(super) fn lateness(chance: &mut Chance) -> u64 {
    let limit = match chance.below(200) {
        0 => LATEST,
        1..10 => 20_000,
        10..60 => 5_000,
        _ => 1_000,
    };
    chance.below(limit)
}
