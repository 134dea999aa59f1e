//! Whether all passages of a plate come in one partition, as they must: plates are compared within a partition.
//!
//! A sample of the plates is remembered with the partition each was seen in last. It knows no broker.

use rustc_hash::FxHashMap;
use traffic::PassageBatch;

/// One plate in this many is sampled.
const SAMPLE: u64 = 32;
/// Plates remembered at most; then it starts again.
const MAX_PLATES: usize = 16_384;
/// At least this many of them must have changed their partition before advice is given …
const MIN_MOVES: u64 = 20;
/// … and at least one sighting in this many.
const MOVES_OF: u64 = 10;

/// What was seen of the sample.
#[derive(Debug, Default)]
pub(super) struct Keying {
    seen_in: FxHashMap<u64, i32>,
    again: u64,
    moves: u64,
    reported: bool,
}

impl Keying {
    /// Checks the rows of `batch` from `first` on.
    #[inline]
    pub(super) fn see(&mut self, partition: i32, batch: &PassageBatch, first: usize) {
        let plates = batch.plates.iter().zip(&batch.classes).skip(first);
        for (plate, class) in plates {
            let code = plate.as_u64();
            // Fibonacci hashing: the upper bits are mixed well.
            if code.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SAMPLE.ilog2()) == 0 && class.is_valid() {
                self.look(partition, code);
            }
        }
    }

    fn look(&mut self, partition: i32, code: u64) {
        if self.seen_in.len() >= MAX_PLATES {
            *self = Self { reported: self.reported, ..Self::default() };
        }
        match self.seen_in.insert(code, partition) {
            Some(before) if before != partition => self.moves += 1,
            Some(_) => self.again += 1,
            None => {}
        }
        if !self.reported && self.is_doubtful() {
            self.reported = true;
            tracing::warn!("{}", ADVICE);
        }
    }

    fn is_doubtful(&self) -> bool {
        self.moves >= MIN_MOVES && self.moves * MOVES_OF >= self.again + self.moves
    }

    /// What to do, if plates come in more than one partition.
    pub(super) fn advice(&self) -> Option<&'static str> {
        self.reported.then_some(ADVICE)
    }
}

const ADVICE: &str = "passages of one plate come in different partitions, where they are not compared, so clones are \
                      missed: let the producer use HPHM as the key of each message (as `platewatch ship` does); harmless \
                      for a while after partitions were added";

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::{PlateClass, PlateCode};

    /// 200 rows of other plates for each `round`.
    fn rows(round: u64) -> PassageBatch {
        let mut batch = PassageBatch::default();
        for number in 0..200 {
            let text = format!("苏C{:05}", round * 200 + number);
            batch.plates.push(PlateCode::pack(&text));
            batch.classes.push(PlateClass::Ordinary);
        }
        batch
    }

    #[test]
    fn keyed_traffic_is_quiet_and_unkeyed_traffic_is_told() {
        let (mut keyed, mut unkeyed) = (Keying::default(), Keying::default());
        for pass in 0..4u64 {
            for round in 0..40 {
                let batch = rows(round);
                keyed.see(round as i32 % 3, &batch, 0);
                unkeyed.see((round + pass) as i32 % 3, &batch, 0);
            }
        }
        assert!(keyed.again > 200, "the sample is too small: {keyed:?}");
        assert_eq!(keyed.advice(), None);
        assert!(unkeyed.advice().unwrap().contains("HPHM as the key"));
        assert!(unkeyed.seen_in.len() <= MAX_PLATES);
    }
}
