//! The one source of chance of a run.

use std::cell::Cell;
use std::rc::Rc;

/// SplitMix64. Clones share the state. Where it is calm, all that asks for something unusual gets none.
#[derive(Debug, Clone)]
pub(super) struct Random(Rc<(Cell<u64>, Cell<bool>)>);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Rc::new((Cell::new(seed.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ 0x5851_f42d_4c95_7f2d), Cell::new(false))))
    }

    pub(super) fn below(&self, limit: u64) -> u64 {
        let state = self.0.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.0.set(state);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % limit.max(1)
    }

    pub(super) fn between(&self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True once in `times` calls, on average; never where it is calm.
    pub(super) fn rarely(&self, times: u64) -> bool {
        !self.is_calm() && self.below(times) == 0
    }

    pub(super) fn one<'a, T: ?Sized>(&self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len() as u64) as usize]
    }

    /// From now on nothing unusual happens.
    pub(super) fn calm_down(&self) {
        self.0.1.set(true);
    }

    pub(super) fn is_calm(&self) -> bool {
        self.0.1.get()
    }

    /// As the broker takes it: 0 where it is calm.
    pub(super) fn unusual(&self, limit: u64) -> u64 {
        if self.is_calm() { 0 } else { self.below(limit) }
    }
}
