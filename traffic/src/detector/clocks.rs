//! The state of the checkpoints' clocks: how many records came late or ahead, and how far a checkpoint's times lie from
//! the watermark. It sees every accepted record, judges nothing and changes no alert.
//!
//! **Lead**: a record's GCSJ minus W after that record. With a correct clock and immediate reporting it is a few
//! seconds; with a clock five minutes fast, 300 more. The newest [`SAMPLES`] of each checkpoint are kept, of a busy one
//! only every eighth; whenever they are full, their median and the distance between their quartiles are kept. Compare
//! leads of different checkpoints only with one another: W itself may be that of three fast clocks.

use serde::{Deserialize, Serialize};

use super::fate::Fate;
use crate::NameId;

const SAMPLES: usize = 31;
/// How many records of a checkpoint are all sampled; after them one in [`THINNING`] is.
const EAGER: u64 = 248;
const THINNING: u64 = 8;

/// How far the times of a checkpoint lie from W, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lead {
    /// The median.
    pub median: i32,
    /// The distance between the quartiles.
    pub spread: i32,
}

/// The counts of one checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClockCount {
    /// Accepted records.
    pub accepted: u64,
    /// Late ones among them.
    pub late: u64,
    /// Those ahead among them.
    pub ahead: u64,
    /// How far its times lie from W; none before there are enough.
    pub lead: Option<Lead>,
}

#[derive(Debug, Clone, Default)]
struct Clock {
    count: ClockCount,
    samples: [i32; SAMPLES],
    next: usize,
    /// The samples have changed since they were last drained.
    is_changed: bool,
}

#[derive(Debug, Default)]
pub(super) struct Clocks {
    /// By number of the checkpoint.
    clocks: Vec<Clock>,
}

impl Clocks {
    #[inline]
    pub(super) fn see(&mut self, checkpoint: NameId, fate: Fate, lead: Option<i64>) {
        let at = checkpoint as usize;
        if at >= self.clocks.len() {
            self.clocks.resize_with(at + 1, Clock::default);
        }
        let Some(clock) = self.clocks.get_mut(at) else { return };
        let count = &mut clock.count;
        count.accepted += 1;
        count.late += u64::from(fate == Fate::Late);
        count.ahead += u64::from(fate == Fate::Ahead);
        if (count.accepted <= EAGER || count.accepted.is_multiple_of(THINNING))
            && let Some(lead) = lead
        {
            clock.sample(lead);
        }
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = ClockCount> + '_ {
        self.clocks.iter().map(|clock| clock.count)
    }

    pub(super) fn restore(&mut self, counts: &[ClockCount]) {
        self.clocks = counts.iter().map(|&count| Clock { count, ..Clock::default() }).collect();
    }

    /// Gives `save` the leads since the last median, of each checkpoint for which they changed since the last call.
    pub(super) fn drain_samples(&mut self, mut save: impl FnMut(NameId, &[i32])) {
        for (checkpoint, clock) in (0..).zip(&mut self.clocks) {
            if std::mem::take(&mut clock.is_changed) {
                save(checkpoint, clock.samples.get(..clock.next).unwrap_or_default());
            }
        }
    }

    /// Puts a checkpoint's samples back, after its count.
    pub(super) fn restore_samples(&mut self, checkpoint: NameId, samples: &[i32]) {
        let Some(clock) = self.clocks.get_mut(checkpoint as usize) else { return };
        clock.next = 0;
        for (place, sample) in clock.samples.iter_mut().zip(samples) {
            *place = *sample;
            clock.next += 1;
        }
        // As many as are never left over.
        clock.next %= SAMPLES;
    }
}

impl Clock {
    fn sample(&mut self, lead: i64) {
        if let Some(place) = self.samples.get_mut(self.next) {
            *place = lead.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        }
        self.next += 1;
        self.is_changed = true;
        if self.next == SAMPLES {
            self.next = 0;
            self.samples.sort_unstable();
            let [low, median, high] = [SAMPLES / 4, SAMPLES / 2, SAMPLES - 1 - SAMPLES / 4]
                .map(|rank| self.samples.get(rank).copied().unwrap_or_default());
            self.count.lead = Some(Lead { median, spread: high.saturating_sub(low) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_is_that_of_most_records() {
        let mut clocks = Clocks::default();
        for record in 0..1000i64 {
            clocks.see(2, Fate::Accepted, Some(if record % 10 == 3 { 40_000 } else { 300 + record % 3 }));
            clocks.see(0, if record % 5 == 0 { Fate::Late } else { Fate::Accepted }, Some(-record % 4));
            if record == 20 {
                assert!(clocks.counts().all(|count| count.lead.is_none()));
            }
        }
        let counts: Vec<_> = clocks.counts().collect();
        assert_eq!(counts[2].lead.map(|lead| (lead.median / 10, lead.spread <= 2)), Some((30, true)));
        assert_eq!((counts[0].accepted, counts[0].late, counts[0].ahead), (1000, 200, 0));
        assert_eq!(counts[1], ClockCount::default());
        let mut restored = Clocks::default();
        restored.restore(&counts);
        assert!(restored.counts().eq(counts));
    }

    #[test]
    fn restored_after_any_record_the_leads_are_the_same() {
        let lead = |record: i64| Some(record * 7919 % 613);
        let mut whole = Clocks::default();
        let mut saved: Vec<Vec<i32>> = vec![Vec::new(); 3];
        let mut restarted = Clocks::default();
        for record in 0..2000 {
            let checkpoint = (record % 3) as NameId;
            whole.see(checkpoint, Fate::Accepted, lead(record));
            restarted.see(checkpoint, Fate::Accepted, lead(record));
            restarted.drain_samples(|checkpoint, samples| saved[checkpoint as usize] = samples.to_vec());
            let counts: Vec<_> = restarted.counts().collect();
            restarted = Clocks::default();
            restarted.restore(&counts);
            (0..).zip(&saved).for_each(|(checkpoint, samples)| restarted.restore_samples(checkpoint, samples));
            assert!(restarted.counts().eq(whole.counts()), "after record {record}");
        }
        restarted.drain_samples(|_, _| panic!("nothing has changed"));
        restarted.restore_samples(99, &[1]);
        restarted.restore_samples(0, &[1; 100]);
    }
}
