//! What is learnt of travel times at a whole hour, for readers beside the one that learns: a copy without empty buckets,
//! and the travel times of a pair as they are drawn. It knows no clock and no names.
//!
//! **Bounds.** A bucket that is not empty takes four bytes: some 100 bytes for a pair and direction, at most 40 MB for all pairs.

use rustc_hash::FxHashMap;

use super::assessor::Assessor;
use super::buckets::{bounds, quantile};
use crate::NameId;

/// Fewer drives make no picture.
const MIN_DRIVES: u32 = 30;
/// The most buckets that are drawn.
const MAX_SHOWN: usize = 40;
/// Widths of drawn buckets, in seconds: what people count in.
const WIDTHS: [u32; 12] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600];

/// Buckets that are not empty, and their counts.
type Counts = Box<[(u8, u16)]>;

/// The travel times of all pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LearntTimes {
    pairs: FxHashMap<(NameId, NameId), Counts>,
}

/// How long cars take from one checkpoint to another, in buckets of one width from 0 on.
#[derive(Debug, Clone, PartialEq)]
pub struct DriveTimes {
    /// How many drives there are; recent ones count more, everything is halved weekly.
    pub drives: u32,
    /// Seconds of a bucket.
    pub width: u32,
    /// The share of each bucket, 0 to 1.
    pub shares: Vec<f64>,
    /// The share beyond the last bucket.
    pub longer: f64,
    /// The share that is quicker than the gap.
    pub quicker: f64,
}

impl LearntTimes {
    /// Copies what an assessor has learnt.
    pub(super) fn of(assessor: &Assessor, name: impl Fn(NameId) -> NameId) -> Self {
        let directed = assessor
            .times
            .pairs
            .iter()
            .flat_map(|pair| [((pair.low, pair.high), &pair.up), ((pair.high, pair.low), &pair.down)]);
        let counted = directed.filter(|(_, times)| times.total >= MIN_DRIVES).map(|(pair, times)| {
            let counts = (0u8..).zip(times.counts).filter(|(_, count)| *count > 0);
            ((name(pair.0), name(pair.1)), counts.collect())
        });
        Self { pairs: counted.collect() }
    }

    /// How many drives from one checkpoint to another are known; 0 where too few are to be drawn.
    pub fn drives(&self, from: NameId, to: NameId) -> u32 {
        self.pairs.get(&(from, to)).map_or(0, |counts| total(counts))
    }

    /// Travel times from one checkpoint to another, with room for a gap and the fastest credible time, both in seconds; none
    /// where too few are known.
    pub fn between(&self, from: NameId, to: NameId, gap: f64, fastest: f64) -> Option<DriveTimes> {
        let counts = self.pairs.get(&(from, to))?;
        let drives = total(counts);
        let most = quantile_of(counts, f64::from(drives) * 0.95).max(1.5 * fastest).max(1.2 * gap);
        let fits = |width: &u32| most <= f64::from(*width) * MAX_SHOWN as f64;
        let width = WIDTHS.into_iter().find(fits).unwrap_or(600);
        let shown = ((most / f64::from(width)).ceil() as usize).clamp(1, MAX_SHOWN);
        let parts = |from: f64, to: f64| below(counts, to) - below(counts, from);
        let share = |part: f64| (part / f64::from(drives) * 10_000.0).round() / 10_000.0;
        let edge = |place: usize| f64::from(width) * place as f64;
        let shares = (0..shown).map(|place| share(parts(edge(place), edge(place + 1)))).collect();
        let longer = share(parts(edge(shown), f64::INFINITY));
        Some(DriveTimes { drives, width, shares, longer, quicker: share(below(counts, gap)) })
    }
}

fn total(counts: &[(u8, u16)]) -> u32 {
    counts.iter().map(|(_, count)| u32::from(*count)).sum()
}

fn quantile_of(counts: &[(u8, u16)], wanted: f64) -> f64 {
    let mut all = [0u16; super::buckets::BUCKETS];
    for (bucket, count) in counts {
        if let Some(place) = all.get_mut(usize::from(*bucket)) {
            *place = *count;
        }
    }
    quantile(all.into_iter(), wanted).unwrap_or(0.0)
}

/// How many are shorter than this, each bucket spread evenly.
fn below(counts: &[(u8, u16)], seconds: f64) -> f64 {
    let part = |(bucket, count): &(u8, u16)| {
        let (from, to) = bounds(usize::from(*bucket));
        f64::from(*count) * ((seconds - from) / (to - from)).clamp(0.0, 1.0)
    };
    counts.iter().map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::super::travel_times::TravelTimes;
    use super::*;

    fn learnt(gaps: &[(NameId, NameId, i64, u32)]) -> LearntTimes {
        let mut times = TravelTimes::default();
        for &(from, to, gap, count) in gaps {
            (0..count).for_each(|_| times.see(from, to, gap, 0));
        }
        times.fold(0, |_, _| Some(0.0));
        let assessor = Assessor { times, ..Assessor::default() };
        LearntTimes::of(&assessor, |own| own)
    }

    #[test]
    fn the_shares_of_a_direction_are_one() {
        let learnt = learnt(&[(3, 5, 1290, 80), (3, 5, 1500, 20), (5, 3, 2000, 40)]);
        let times = learnt.between(3, 5, 240.0, 1250.0).unwrap();
        assert_eq!((learnt.drives(3, 5), learnt.drives(5, 3), times.drives, times.width), (100, 40, 100, 60));
        assert!(times.shares.len() <= MAX_SHOWN, "{times:?}");
        let sum = times.shares.iter().sum::<f64>() + times.longer;
        assert!((sum - 1.0).abs() < 1e-3, "{times:?}");
        // Nobody is as quick as 4 minutes, and four fifths take 20 to 23.
        assert_eq!(times.quicker, 0.0);
        let peak: f64 = times.shares.iter().skip(20).take(3).sum();
        assert!((0.75..=0.81).contains(&peak), "{times:?}");
    }

    #[test]
    fn the_gap_and_the_fastest_time_lie_within_what_is_drawn() {
        let learnt = learnt(&[(0, 1, 60, 100)]);
        for (gap, fastest) in [(1.0, 5.0), (600.0, 50.0), (30.0, 3_600.0), (10_800.0, 10_800.0)] {
            let times = learnt.between(0, 1, gap, fastest).unwrap();
            let end = f64::from(times.width) * times.shares.len() as f64;
            assert!(end >= gap && end >= fastest && times.shares.len() <= MAX_SHOWN, "{gap} {fastest} {times:?}");
        }
        assert_eq!(learnt.between(0, 1, 600.0, 50.0).map(|times| times.quicker), Some(1.0));
    }

    #[test]
    fn few_drives_and_unknown_pairs_are_not_drawn() {
        let learnt = learnt(&[(0, 1, 60, 29)]);
        assert_eq!((learnt.drives(0, 1), learnt.between(0, 1, 1.0, 1.0)), (0, None));
        assert_eq!(learnt.between(7, 8, 1.0, 1.0), None);
        assert_eq!(learnt, LearntTimes::default());
    }
}
