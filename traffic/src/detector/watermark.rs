//! The watermark W of one partition: the newest GCSJ that three checkpoints have reached, so that one or two wrong clocks
//! move nothing.
//!
//! Each checkpoint above W has its newest GCSJ and the ordinal of its last such record; one that was silent for
//! [`PATIENCE`] accepted records is forgotten. As soon as three are above, or when W has not moved for as many records and
//! any is above, W becomes the smallest of them, and those not above it are forgotten. So at most two are left behind each
//! record, and the state is of constant size. Before the first move W is undefined, which lasts [`PATIENCE`] records at
//! most.

use serde::{Deserialize, Serialize};

use crate::{CivilTime, NameId};

/// Accepted records after which a silent checkpoint is forgotten, and after which W moves without a third.
const PATIENCE: u64 = 4096;
/// So many checkpoints move W.
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "WatermarkState", into = "WatermarkState")]
pub struct Watermark {
    time: Option<i64>,
    accepted: u64,
    moved: u64,
    above: [Reached; QUORUM],
    /// How many of `above` are in use: less than [`QUORUM`] but within [`Watermark::see`].
    count: usize,
}

impl Watermark {
    /// W; none before its first move.
    #[inline]
    pub fn time(&self) -> Option<i64> {
        self.time
    }

    /// What is older than this is expired, or guarded no more.
    #[inline]
    pub(crate) fn oldest(&self, state_ttl: i64) -> i64 {
        self.time.map_or(i64::MIN, |time| time.saturating_sub(state_ttl))
    }

    /// Takes the next accepted record.
    #[inline]
    pub fn see(&mut self, time: CivilTime, checkpoint: NameId) {
        self.accepted += 1;
        if self.time.is_none_or(|watermark| time.0 > watermark) {
            self.reach(time.0, checkpoint);
        }
        self.forget_silent();
        if self.count >= QUORUM || (self.count > 0 && self.accepted - self.moved >= PATIENCE) {
            self.advance();
        }
    }

    #[inline]
    fn reach(&mut self, time: i64, checkpoint: NameId) {
        for reached in self.above.iter_mut().take(self.count) {
            if reached.checkpoint == checkpoint {
                reached.newest = reached.newest.max(time);
                reached.last = self.accepted;
                return;
            }
        }
        if let Some(place) = self.above.get_mut(self.count) {
            *place = Reached { checkpoint, newest: time, last: self.accepted };
            self.count += 1;
        }
    }

    #[inline]
    fn forget_silent(&mut self) {
        let oldest = self.accepted.saturating_sub(PATIENCE - 1);
        if self.above.iter().take(self.count).any(|reached| reached.last < oldest) {
            self.keep(|reached| reached.last >= oldest);
        }
    }

    #[inline]
    fn advance(&mut self) {
        let lowest = self.above.iter().take(self.count).map(|reached| reached.newest).min();
        // All of them are above W, so that it never goes back.
        self.time = self.time.max(lowest);
        self.moved = self.accepted;
        let watermark = self.time.unwrap_or(i64::MIN);
        self.keep(|reached| reached.newest > watermark);
    }

    #[inline]
    fn keep(&mut self, stays: impl Fn(&Reached) -> bool) {
        let mut kept = 0;
        for at in 0..self.count {
            let Some(reached) = self.above.get(at).copied() else { break };
            if stays(&reached) {
                if let Some(place) = self.above.get_mut(kept) {
                    *place = reached;
                }
                kept += 1;
            }
        }
        // What is not in use is empty, so that equal states are equal.
        self.above.iter_mut().skip(kept).for_each(|place| *place = Reached::default());
        self.count = kept;
    }

    /// All of it.
    pub fn state(&self) -> WatermarkState {
        WatermarkState {
            time: self.time,
            accepted: self.accepted,
            moved: self.moved,
            above: self.above.iter().take(self.count).copied().collect(),
        }
    }

    /// The watermark of a state; what no such state can hold is left out.
    pub fn of(state: &WatermarkState) -> Self {
        let mut watermark = Self {
            time: state.time,
            accepted: state.accepted,
            moved: state.moved.min(state.accepted),
            ..Self::default()
        };
        let above = state.above.iter().filter(|reached| state.time.is_none_or(|time| reached.newest > time));
        for (place, reached) in watermark.above.iter_mut().zip(above).take(QUORUM - 1) {
            *place = Reached { last: reached.last.min(state.accepted), ..*reached };
            watermark.count += 1;
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
        assert!(watermark.count < QUORUM);
    }

    #[test]
    fn it_moves_without_a_third_when_it_waited_long() {
        let alone = (1..PATIENCE as i64).map(|second| (second, 0));
        let mut watermark = run(alone);
        assert_eq!(watermark.time(), None);
        watermark.see(CivilTime(7), 0);
        assert_eq!(watermark.time(), Some(PATIENCE as i64 - 1));
        // Only what is above counts, and a clock that leapt once is forgotten before W may follow it.
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
        assert_eq!((watermark.time(), watermark.count), (Some(12), 2));
        // Above are checkpoint 0 since ordinal 4 and checkpoint 1 since ordinal 5.
        for ordinal in 6..=5 + PATIENCE {
            watermark.see(CivilTime(9), 3);
            let above = 2 - usize::from(ordinal >= 4 + PATIENCE) - usize::from(ordinal >= 5 + PATIENCE);
            assert_eq!(watermark.count, above, "{ordinal}");
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
