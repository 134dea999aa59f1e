//! Where the stream of records is in event time: the upper quartile of the newest corrected times of the checkpoints
//! that report. It does not go back, unless it was an hour ahead of them for thousands of records: then it began wrong,
//! or the records are pieces of several days.
//!
//! The watermark of the cloned-plate rule is the newest time that three checkpoints have reached, so three fast clocks
//! carry it off. Here every checkpoint has one vote, its newest record, and a quarter of them may be wrong by any
//! amount. It is looked at every eight records, or as many as there are checkpoints if these are more.

use serde::{Deserialize, Serialize};

use crate::NameId;

/// The first look comes after so many records, and the others every so many at least.
const FIRST_LOOK: u64 = 64;
const LOOK: u64 = 8;
const HOUR: i64 = 3600;
/// A checkpoint without a record among this many newest has no vote; with many checkpoints it is 16 times their number.
const PATIENCE: u64 = 4096;

/// The newest record of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Latest {
    /// Its corrected time in seconds.
    time: i64,
    /// Its ordinal among all records; 0 before the first.
    ordinal: u64,
}

/// The clock, which is its own saved form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct StreamClock {
    /// Newest record of each checkpoint, by number.
    latest: Vec<Latest>,
    ordinal: u64,
    look_at: u64,
    now: Option<i64>,
    /// Ordinal since which the checkpoints have been an hour below it.
    below_since: Option<u64>,
    /// Memory for the votes of a look; empty between two of them.
    #[serde(skip)]
    votes: Vec<i64>,
}

impl StreamClock {
    /// Where the stream is; none before the first look.
    #[inline]
    pub(super) fn now(&self) -> Option<i64> {
        self.now
    }

    /// How many records have come since the newest one of a checkpoint; none if it had none.
    pub(super) fn since(&self, checkpoint: NameId) -> Option<(u64, i64)> {
        let latest = self.latest.get(checkpoint as usize).filter(|latest| latest.ordinal > 0)?;
        Some((self.ordinal - latest.ordinal, latest.time))
    }

    /// How many records were seen.
    #[inline]
    pub(super) fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// Takes a record; true if the clock was looked at.
    #[inline]
    pub(super) fn see(&mut self, checkpoint: NameId, time: i64) -> bool {
        self.ordinal += 1;
        let latest = Latest { time, ordinal: self.ordinal };
        match self.latest.get_mut(checkpoint as usize) {
            Some(place) => *place = latest,
            None => {
                self.latest.resize(checkpoint as usize + 1, Latest::default());
                if let Some(place) = self.latest.last_mut() {
                    *place = latest;
                }
            }
        }
        self.ordinal >= self.look_at.max(FIRST_LOOK) && self.look()
    }

    fn look(&mut self) -> bool {
        let checkpoints = self.latest.len() as u64;
        self.look_at = self.ordinal + LOOK.max(checkpoints);
        let oldest = self.ordinal.saturating_sub(PATIENCE.max(16 * checkpoints));
        let votes = self.latest.iter().filter(|latest| latest.ordinal > oldest);
        self.votes.extend(votes.map(|latest| latest.time));
        let Some(last) = self.votes.len().checked_sub(1) else { return false };
        let upper = *self.votes.select_nth_unstable(last * 3 / 4).1;
        self.votes.clear();
        let is_below = self.now.is_some_and(|now| upper < now - HOUR);
        self.below_since = self.below_since.or(Some(self.ordinal)).filter(|_| is_below);
        let waited = self.below_since.is_some_and(|since| self.ordinal - since >= PATIENCE);
        self.now = if waited { Some(upper) } else { self.now.max(Some(upper)) };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_checkpoints_may_be_wrong() {
        let mut clock = StreamClock::default();
        for second in 0..10_000i64 {
            let checkpoint = (second % 12) as u32;
            let wrong = [36_000, -50_000, 400_000].get(checkpoint as usize).copied().unwrap_or(0);
            clock.see(checkpoint, second + wrong);
        }
        let now = clock.now().unwrap();
        assert!((9_900..10_000).contains(&now), "{now}");
    }

    #[test]
    fn it_goes_back_only_if_it_was_wrong_for_long() {
        let mut clock = StreamClock::default();
        (0..5000).for_each(|record| {
            clock.see(record % 4, 1_000_000);
        });
        (0..3000i64).for_each(|record| {
            clock.see(record as u32 % 4, 500_000 + record);
        });
        assert_eq!(clock.now(), Some(1_000_000));
        (3000..9000i64).for_each(|record| {
            clock.see(record as u32 % 4, 500_000 + record);
        });
        assert!((508_900..509_000).contains(&clock.now().unwrap()), "{clock:?}");
    }

    #[test]
    fn a_silent_checkpoint_loses_its_vote() {
        let mut clock = StreamClock::default();
        (0..5000).for_each(|record| {
            clock.see(record % 4, 1_000_000);
        });
        (0..9000i64).for_each(|record| {
            clock.see(record as u32 % 4 + 4, 900_000 + record * 20);
        });
        assert!((1_079_000..1_080_000).contains(&clock.now().unwrap()), "{clock:?}");
    }
}
