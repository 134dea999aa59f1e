//! The clock of a camera: what it shows at a true time.
//!
//! It does not know why it is wrong; see the faults.

use traffic::CivilTime;

use super::super::chance::{Chance, Probability};

/// A clock that is off by `offset_ms`, gains `drift_ms_a_day`, was set wrong for a while, and leaps now and then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) offset_ms: i64,
    pub(super) drift_ms_a_day: i64,
    pub(super) step: Option<Step>,
    /// How often a single reading is hours off.
    pub(super) leaps: Probability,
    /// Whether it shows whole minutes only.
    pub(super) is_to_the_minute: bool,
}

/// From when to when a clock is set wrong, in milliseconds since the start, and by how much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) ms: i64,
}

const DAY: u64 = 86_400_000;
/// A drifting clock is set right this often, in milliseconds.
pub(super) const SET_RIGHT: u64 = 5 * DAY;
/// A leap is at least and at most this far, in milliseconds.
const LEAPS: (u64, u64) = (3_600_000, 20 * 3_600_000);

impl Clock {
    /// By how much it is fast at `at` milliseconds since the start, leaps aside.
    pub(super) fn error_ms(&self, at: u64) -> i64 {
        let drifted = self.drift_ms_a_day * (at % SET_RIGHT) as i64 / DAY as i64;
        let stepped = self.step.filter(|step| (step.from..step.until).contains(&at)).map_or(0, |step| step.ms);
        self.offset_ms + drifted + stepped
    }

    /// What it shows at `at` milliseconds since the start of the traffic.
    pub(super) fn reading(&self, at: u64, start: CivilTime, chance: &mut Chance) -> CivilTime {
        let leap = if chance.happens(self.leaps) {
            let far = chance.between(LEAPS.0, LEAPS.1) as i64;
            if chance.below(4) == 0 { -far } else { far }
        } else {
            0
        };
        let shown = start.0 + (at as i64 + self.error_ms(at) + leap).div_euclid(1000);
        CivilTime(if self.is_to_the_minute { shown - shown.rem_euclid(60) } else { shown })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: CivilTime = CivilTime(1_704_067_200);
    const HOUR: u64 = 3_600_000;

    fn right() -> Clock {
        Clock { offset_ms: 0, drift_ms_a_day: 0, step: None, leaps: Probability::new(0.0), is_to_the_minute: false }
    }

    fn seconds(clock: &Clock, at: u64) -> i64 {
        clock.reading(at, START, &mut Chance::new(1)).0 - START.0
    }

    #[test]
    fn a_right_clock_drops_the_milliseconds() {
        assert_eq!([0, 999, 1_000, 59_999].map(|at| seconds(&right(), at)), [0, 0, 1, 59]);
        let slow = Clock { offset_ms: -1, ..right() };
        assert_eq!([0, 1, 1_001].map(|at| seconds(&slow, at)), [-1, 0, 1]);
    }

    #[test]
    fn drift_and_step_are_added() {
        let clock = Clock {
            offset_ms: 2_000,
            drift_ms_a_day: 240_000,
            step: Some(Step { from: HOUR, until: 2 * HOUR, ms: -600_000 }),
            ..right()
        };
        let errors = [0, HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR, SET_RIGHT].map(|at| clock.error_ms(at) / 1_000);
        assert_eq!(errors, [2, 11, -588, -578, 22, 2]);
    }

    #[test]
    fn minutes_only() {
        let clock = Clock { is_to_the_minute: true, ..right() };
        assert_eq!([0, 59_999, 60_000, 119_000].map(|at| seconds(&clock, at)), [0, 0, 60, 60]);
    }

    #[test]
    fn leaps_are_hours_either_way_and_as_often_as_said() {
        let clock = Clock { leaps: Probability::new(0.05), ..right() };
        let mut chance = Chance::new(3);
        let shown: Vec<i64> = (0..20_000).map(|_| clock.reading(0, START, &mut chance).0 - START.0).collect();
        let (ahead, behind) = (shown.iter().filter(|it| **it > 0).count(), shown.iter().filter(|it| **it < 0).count());
        assert!((650..850).contains(&ahead) && (180..320).contains(&behind), "{ahead} {behind}");
        assert!(shown.iter().all(|it| *it == 0 || (3_600..72_000).contains(&it.abs())));
    }
}
