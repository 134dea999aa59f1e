//! The watermark W of one partition: the newest GCSJ that three checkpoints have reached, so that one or two wrong clocks
//! move nothing.
//!
//! For each checkpoint above W, its newest GCSJ and the ordinal of its last such record are kept; one that was silent
//! for [`PATIENCE`] accepted records is forgotten. As soon as three are above, or when W has not moved for as many
//! records and any is above, W becomes the smallest of them, and those not above it are forgotten. So at most two are
//! left after each record, and the state is of constant size. W is undefined until its first move, which takes
//! [`PATIENCE`] records at most.

use serde::{Deserialize, Serialize};

use crate::{CivilTime, NameId};

/// Accepted records after which a silent checkpoint is forgotten, and after which W moves without a third.
const PATIENCE: u64 = 4096;
/// How many checkpoints move W.
const QUORUM: usize = 3;

/// A checkpoint above W.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reached {
    /// KKMC.
    pub checkpoint: NameId,
    /// Its newest GCSJ.
    pub newest: i64,
    /// Ordinal of its last record above W.
    pub last: u64,
}

/// The whole state of a watermark, to be kept and restored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WatermarkState {
    /// W; none before its first move.
    pub time: Option<i64>,
    /// Accepted records so far: the ordinal of the last.
    pub accepted: u64,
    /// Ordinal of the record that moved W last.
    pub moved: u64,
    /// The checkpoints above W, at most two.
    pub above: Vec<Reached>,
}

/// The watermark itself. It is stored as its [`WatermarkState`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "WatermarkState", into = "WatermarkState")]
pub struct Watermark {
    /// [`NEVER`] before its first move.
    time: i64,
    accepted: u64,
    moved: u64,
    /// Those above W, and [`VACANT`] in the places after them.
    above: [Reached; QUORUM - 1],
    /// Before this ordinal no checkpoint is due to be forgotten and W has not waited long. It may be too early.
    look_at: u64,
}

impl Reached {
    /// Takes a record of `checkpoint` if `is_its`.
    #[inline]
    fn put(&mut self, is_its: bool, checkpoint: NameId, time: i64, ordinal: u64) {
        self.checkpoint = if is_its { checkpoint } else { self.checkpoint };
        self.newest = if is_its { self.newest.max(time) } else { self.newest };
        self.last = if is_its { ordinal } else { self.last };
    }
}

impl PartialEq for Watermark {
    fn eq(&self, other: &Self) -> bool {
        self.state() == other.state()
    }
}

impl Eq for Watermark {}

const NEVER: i64 = i64::MIN;
const VACANT: Reached = Reached { checkpoint: NameId::MAX, newest: NEVER, last: 0 };

impl Default for Watermark {
    fn default() -> Self {
        Self { time: NEVER, accepted: 0, moved: 0, above: [VACANT; QUORUM - 1], look_at: PATIENCE }
    }
}

impl Watermark {
    /// W; none before its first move.
    #[inline]
    pub fn time(&self) -> Option<i64> {
        (self.time != NEVER).then_some(self.time)
    }

    /// What is older than this is expired, or no longer guarded.
    #[inline]
    pub(super) fn oldest(&self, state_ttl: i64) -> i64 {
        self.time.saturating_sub(state_ttl)
    }

    /// Takes the next accepted record.
    ///
    /// NOTE: which checkpoint comes next is as good as random, so nothing branches on it: a mispredicted branch costs
    /// more than all of this. Each number is read and written separately, since a wide read of what was just written in
    /// parts stalls until it is in memory.
    #[inline]
    pub fn see(&mut self, time: CivilTime, checkpoint: NameId) {
        self.accepted += 1;
        if self.accepted >= self.look_at {
            // If no checkpoint is above W, a look changes nothing.
            if time.0 > self.time || self.occupied().next().is_some() {
                self.see_and_look(time.0, checkpoint);
            }
            return;
        }
        let [first, second] = &mut self.above;
        let is_above = time.0 > self.time;
        // A free place has the number of `VACANT`; places are taken in order.
        let free = VACANT.checkpoint;
        let in_first = is_above & ((first.checkpoint == checkpoint) | (first.checkpoint == free));
        let in_second = is_above & !in_first & ((second.checkpoint == checkpoint) | (second.checkpoint == free));
        if is_above & !in_first & !in_second {
            return self.advance(Reached { checkpoint, newest: time.0, last: self.accepted });
        }
        first.put(in_first, checkpoint, time.0, self.accepted);
        second.put(in_second, checkpoint, time.0, self.accepted);
    }

    /// Moves W to the lowest of three, and forgets those that are not above it.
    fn advance(&mut self, third: Reached) {
        let [first, second] = self.above;
        self.time = first.newest.min(second.newest).min(third.newest);
        self.moved = self.accepted;
        self.above = [VACANT; QUORUM - 1];
        let kept = [first, second, third].into_iter().filter(|reached| reached.newest > self.time);
        for (place, reached) in self.above.iter_mut().zip(kept) {
            *place = reached;
        }
    }

    /// As [`Watermark::see`], step by step: a checkpoint may have been silent too long, or W has waited.
    #[cold]
    fn see_and_look(&mut self, time: i64, checkpoint: NameId) {
        let mut above: Vec<Reached> = self.occupied().collect();
        if time > self.time {
            match above.iter_mut().find(|reached| reached.checkpoint == checkpoint) {
                Some(reached) => (reached.newest, reached.last) = (reached.newest.max(time), self.accepted),
                None => above.push(Reached { checkpoint, newest: time, last: self.accepted }),
            }
        }
        above.retain(|reached| self.accepted - reached.last < PATIENCE);
        let waited = self.accepted - self.moved >= PATIENCE;
        if above.len() >= QUORUM || waited {
            // All of them are above W, so that it never goes back.
            if let Some(lowest) = above.iter().map(|reached| reached.newest).min() {
                self.time = lowest;
                self.moved = self.accepted;
            }
        }
        above.retain(|reached| reached.newest > self.time);
        let oldest = above.iter().map(|reached| reached.last).min().unwrap_or(self.accepted);
        let next = oldest.min(self.moved.max((self.accepted + 1).saturating_sub(PATIENCE)));
        self.look_at = next + PATIENCE;
        for (at, place) in self.above.iter_mut().enumerate() {
            *place = above.get(at).copied().unwrap_or(VACANT);
        }
    }

    /// The checkpoints above W.
    fn occupied(&self) -> impl Iterator<Item = Reached> + '_ {
        self.above.iter().copied().filter(|reached| reached.checkpoint != VACANT.checkpoint)
    }

    /// All of it.
    pub fn state(&self) -> WatermarkState {
        WatermarkState {
            time: self.time(),
            accepted: self.accepted,
            moved: self.moved,
            above: self.occupied().collect(),
        }
    }

    /// The watermark of a state; entries that no such state can hold are left out.
    pub fn of(state: &WatermarkState) -> Self {
        let mut watermark = Self {
            time: state.time.unwrap_or(NEVER),
            accepted: state.accepted,
            moved: state.moved.min(state.accepted),
            // The next record looks.
            look_at: 0,
            ..Self::default()
        };
        let above = state.above.iter().filter(|reached| state.time.is_none_or(|time| reached.newest > time));
        for (place, reached) in watermark.above.iter_mut().zip(above) {
            *place = Reached { last: reached.last.min(state.accepted), ..*reached };
        }
        watermark
    }
}

impl From<WatermarkState> for Watermark {
    fn from(state: WatermarkState) -> Self {
        Self::of(&state)
    }
}

impl From<Watermark> for WatermarkState {
    fn from(watermark: Watermark) -> Self {
        watermark.state()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(records: impl IntoIterator<Item = (i64, NameId)>) -> Watermark {
        let mut watermark = Watermark::default();
        for (time, checkpoint) in records {
            watermark.see(CivilTime(time), checkpoint);
        }
        watermark
    }

    #[test]
    fn three_checkpoints_move_it_and_one_or_two_do_not() {
        assert_eq!(run([(10, 0), (20, 1), (1_000_000, 0)]).time(), None);
        assert_eq!(run([(10, 0), (20, 1), (1_000_000, 0), (15, 2)]).time(), Some(15));
        let mut watermark = run([(10, 0), (20, 1), (15, 2)]);
        assert_eq!(watermark.time(), Some(10));
        // Two clocks a day ahead: W follows the others.
        for second in 11..2000 {
            for (time, checkpoint) in [(second + 86_400, 7), (second + 80_000, 8), (second, (second % 4) as NameId)] {
                watermark.see(CivilTime(time), checkpoint);
            }
        }
        assert_eq!(watermark.time(), Some(1999));
        assert!(watermark.occupied().count() < QUORUM);
    }

    #[test]
    fn it_moves_without_a_third_when_it_waited_long() {
        let alone = (1..PATIENCE as i64).map(|second| (second, 0));
        let mut watermark = run(alone);
        assert_eq!(watermark.time(), None);
        watermark.see(CivilTime(7), 0);
        assert_eq!(watermark.time(), Some(PATIENCE as i64 - 1));
        // Only what is above counts, and a clock that jumped once is forgotten before W may follow it.
        for _ in 0..3 * PATIENCE {
            watermark.see(CivilTime(5), 1);
        }
        assert_eq!(watermark.time(), Some(PATIENCE as i64 - 1));
        watermark.see(CivilTime(1_000_000), 2);
        assert_eq!(watermark.time(), Some(1_000_000), "W had not moved for long, and one is above");
    }

    #[test]
    fn a_silent_checkpoint_is_forgotten() {
        let mut watermark = run([(10, 0), (11, 1), (12, 2), (900, 0), (901, 1)]);
        assert_eq!((watermark.time(), watermark.occupied().count()), (Some(12), 2));
        // Above are checkpoint 0 since ordinal 4 and checkpoint 1 since ordinal 5.
        for ordinal in 6..=5 + PATIENCE {
            watermark.see(CivilTime(9), 3);
            let above = 2 - usize::from(ordinal >= 4 + PATIENCE) - usize::from(ordinal >= 5 + PATIENCE);
            assert_eq!(watermark.occupied().count(), above, "{ordinal}");
        }
        assert_eq!(watermark.time(), Some(12), "nobody is left to move it");
    }

    #[test]
    fn a_state_goes_and_comes_back() {
        let mut whole = Watermark::default();
        let mut pieces = Watermark::default();
        for record in 0..20_000i64 {
            let (time, checkpoint) = (record / 7 + record * 7919 % 900, (record * 31 % 5) as NameId);
            whole.see(CivilTime(time), checkpoint);
            pieces.see(CivilTime(time), checkpoint);
            if record % 13 == 0 {
                pieces = Watermark::of(&pieces.state());
            }
        }
        assert_eq!(whole.state(), pieces.state());
    }
}
