//! How long a mirror pauses between attempts. It does not know targets.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The first pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Pauses between attempts: each twice as long as the one before, up to the longest, then spread at random over the upper
/// half, so that several mirrors that lost the same target do not return together.
#[derive(Debug)]
pub(super) struct Pauses {
    longest: Duration,
    next: Duration,
    random: RandomState,
    count: u64,
}

impl Pauses {
    pub(super) fn new(longest: Duration) -> Self {
        Self { longest, next: FIRST_PAUSE.min(longest), random: RandomState::new(), count: 0 }
    }

    /// The target made progress: the next failure is a new one.
    pub(super) fn reset(&mut self) {
        self.next = FIRST_PAUSE.min(self.longest);
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        self.count += 1;
        let share = self.random.hash_one(self.count) as f64 / u64::MAX as f64;
        pause.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_begin_again() {
        let mut pauses = Pauses::new(Duration::from_secs(1));
        for most in [100, 200, 400, 800, 1000, 1000, 1000] {
            let (pause, most) = (pauses.next(), Duration::from_millis(most));
            assert!(pause >= most / 2 && pause <= most, "{pause:?} of {most:?}");
        }
        pauses.reset();
        assert!(pauses.next() <= FIRST_PAUSE);
        let mut short = Pauses::new(Duration::from_millis(10));
        assert!(short.next() <= Duration::from_millis(10));
    }

    #[test]
    fn two_mirrors_do_not_pause_alike() {
        let mut two = [Pauses::new(Duration::from_secs(60)), Pauses::new(Duration::from_secs(60))];
        let [one, other] = two.each_mut().map(|pauses| (0..8).map(|_| pauses.next()).collect::<Vec<_>>());
        assert_ne!(one, other);
    }
}
