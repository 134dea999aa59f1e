//! How often a target that loses what it has acknowledged is filled again: at once the first time, then after pauses
//! that double as long as it keeps losing. It does not know targets.

use std::time::{Duration, Instant};

/// The longest pause before a target that loses everything repeatedly is filled again.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// After a target kept everything for this long, or for the pause if that is longer, the next loss is a new one.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// When the target was filled again, and how long not to do so again.
#[derive(Debug)]
pub(super) struct Refills {
    shortest: Duration,
    pause: Duration,
    at: Option<Instant>,
    /// Refills in a row, without the target having kept what it got for a while.
    count: u64,
}

impl Refills {
    /// The first pause is `shortest`.
    pub(super) fn new(shortest: Duration) -> Self {
        Self { shortest, pause: Duration::ZERO, at: None, count: 0 }
    }

    /// How long it must still wait; zero if it may be filled now.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.at.map_or(Duration::ZERO, |at| self.pause.saturating_sub(now.saturating_duration_since(at)))
    }

    /// How often it was filled without keeping it.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// It is being filled now.
    pub(super) fn begin(&mut self, now: Instant) {
        self.at = Some(now);
        self.count += 1;
        self.pause = (self.pause * 2).clamp(self.shortest, LONGEST_PAUSE.max(self.shortest));
    }

    /// It has everything. If it kept it for a while, the next loss is a new one.
    pub(super) fn intact(&mut self, now: Instant) {
        if self.at.is_some_and(|at| now.saturating_duration_since(at) >= self.pause.max(KEPT_FOR)) {
            (self.pause, self.count) = (Duration::ZERO, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_the_target_keeps_what_it_got() {
        let second = Duration::from_secs(1);
        let mut now = Instant::now();
        let mut refills = Refills::new(second);
        for expected in [0, 1, 2, 4, 8] {
            assert_eq!(refills.wait(now), second * expected);
            now += second * expected;
            refills.begin(now);
            // It is intact for a moment, and loses everything again before the pause is over.
            refills.intact(now);
        }
        assert_eq!(refills.count(), 5);
        now += second * 60;
        refills.intact(now);
        assert_eq!((refills.wait(now), refills.count()), (Duration::ZERO, 0));
        for _ in 0..40 {
            refills.begin(now);
        }
        assert_eq!(refills.wait(now), LONGEST_PAUSE);
    }
}
