//! Travel times of pairs of checkpoints: the gaps between a plate's consecutive sightings, in histograms.
//!
//! An hour's gaps are signed (from the lower-numbered checkpoint to the higher is positive) and wait until the clock
//! offsets of that hour are solved; only then they are folded, corrected, into the travel times. So a clock that was
//! wrong for an hour leaves nothing in them. Recent traffic counts more: everything is halved weekly.
//!
//! **Bounds.** A pair takes about 1.1 KB, and there are at most [`MAX_PAIRS`]; beyond that those with the least
//! traffic are dropped at the end of the hour. Pairs that are roads have [`segments`](super::segments) beside.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::buckets::{BUCKETS, bounds, bucket_of, quantile};
use super::segments::{MAX_FROM_ONE, MAX_SEGMENTS, MIN_CARS, PART, SavedSegment, Segment};
use crate::NameId;

/// The most pairs that are kept, some 36 MB.
pub(super) const MAX_PAIRS: usize = 1 << 15;

/// Gaps of one direction.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    pub(super) counts: [u16; BUCKETS],
    pub(super) total: u32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    /// These counts.
    pub(super) fn of(counts: [u16; BUCKETS]) -> Self {
        Self { counts, total: counts.iter().map(|count| u32::from(*count)).sum() }
    }

    /// Adds `count` gaps of this length in seconds; one that is out of range is left out.
    pub(super) fn add(&mut self, gap: f64, count: u16) {
        let Some(place) = bucket_of(gap as i64).and_then(|bucket| self.counts.get_mut(bucket)) else { return };
        *place = place.saturating_add(count);
        self.total += u32::from(count);
        if *place > u16::MAX / 2 {
            self.halve();
        }
    }

    pub(super) fn halve(&mut self) {
        self.counts.iter_mut().for_each(|count| *count /= 2);
        self.total = self.counts.iter().map(|count| u32::from(*count)).sum();
    }

    /// The gap below which this share lies, but at least that of the `least`-th shortest.
    pub(super) fn quantile(&self, share: f64, least: f64) -> Option<f64> {
        quantile(self.counts.iter().copied(), (f64::from(self.total) * share).max(least))
    }

    /// Buckets that are not empty: from which second, to which, how many.
    pub(super) fn counted(&self) -> impl Iterator<Item = (f64, f64, u16)> {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(bucket, count)| {
            let (from, to) = bounds(bucket);
            (from, to, *count)
        })
    }

    /// The `wanted`-th shortest of the first gaps that lie within a factor of `width`, if that many do.
    pub(super) fn cluster(&self, width: f64, wanted: f64) -> Option<f64> {
        (0..BUCKETS).find_map(|first| {
            let (from, _) = bounds(first);
            let count = *self.counts.get(first)?;
            let is_start = count > 0 && f64::from(self.between(from, from.max(10.0) * width)) >= wanted;
            is_start.then(|| {
                let rest = self.counts.iter().enumerate().map(|(at, count)| if at < first { 0 } else { *count });
                quantile(rest, wanted)
            })?
        })
    }

    /// How many gaps lie between two lengths, to the bucket.
    pub(super) fn between(&self, from: f64, to: f64) -> u32 {
        let [first, last] = [from, to].map(|gap| bucket_of(gap.max(0.0) as i64).unwrap_or(BUCKETS - 1));
        self.counts.get(first..=last).unwrap_or_default().iter().map(|count| u32::from(*count)).sum()
    }
}

/// A pair of checkpoints, the lower number first.
#[derive(Debug, Clone)]
pub(super) struct PairTimes {
    pub(super) low: NameId,
    pub(super) high: NameId,
    /// Gaps of this hour from low to high, as measured with the offsets in force.
    pub(super) hour_up: [u16; BUCKETS],
    /// The same from high to low.
    pub(super) hour_down: [u16; BUCKETS],
    /// Travel times from low to high.
    pub(super) up: Histogram,
    /// The same from high to low.
    pub(super) down: Histogram,
    /// The segments from low to high and back, where they are followed.
    segments: [Option<Box<Segment>>; 2],
}

impl PairTimes {
    pub(super) fn new(low: NameId, high: NameId) -> Self {
        Self::of(low, high, [[0; BUCKETS]; 2], [Histogram::default(), Histogram::default()])
    }

    /// The hour's gaps and the travel times, each from low to high and back.
    pub(super) fn of(low: NameId, high: NameId, hour: [[u16; BUCKETS]; 2], times: [Histogram; 2]) -> Self {
        let ([hour_up, hour_down], [up, down]) = (hour, times);
        Self { low, high, hour_up, hour_down, up, down, segments: [None, None] }
    }

    /// First and last checkpoint, travel times and segment of each direction.
    pub(super) fn directions(&self) -> [(NameId, NameId, &Histogram, Option<&Segment>); 2] {
        let [up, down] = &self.segments;
        [(self.low, self.high, &self.up, up.as_deref()), (self.high, self.low, &self.down, down.as_deref())]
    }

    /// Moves the hour's gaps to the travel times. `shift` is by how much the offset of the higher checkpoint less that
    /// of the lower was larger in this hour than was assumed; without it, the gaps are dropped.
    fn fold(&mut self, hour: i64, shift: Option<f64>) {
        if let Some(shift) = shift {
            let mut ended = [[0u16; BUCKETS]; 2];
            for (counts, sign) in [(&self.hour_up, 1.0), (&self.hour_down, -1.0)] {
                for (bucket, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    let (from, to) = bounds(bucket);
                    let gap = sign * f64::midpoint(from, to) - shift;
                    let ([up, down], length) = (&mut ended, gap.abs());
                    let (times, ended) = if gap >= 0.0 { (&mut self.up, up) } else { (&mut self.down, down) };
                    times.add(length, count);
                    if let Some(place) = bucket_of(length as i64).and_then(|bucket| ended.get_mut(bucket)) {
                        *place = place.saturating_add(count);
                    }
                }
            }
            for ((segment, counts), sign) in self.segments.iter_mut().zip(&ended).zip([1.0, -1.0]) {
                if let Some(segment) = segment {
                    segment.end_hour(hour, counts, sign * shift);
                }
            }
        } else {
            self.segments.iter_mut().flatten().for_each(|segment| segment.skip_hour());
        }
        self.hour_up = [0; BUCKETS];
        self.hour_down = [0; BUCKETS];
    }
}

impl PairTimes {
    fn counted_below(&self, seconds: f64) -> u32 {
        let hour = [&self.hour_up, &self.hour_down].into_iter().chain([&self.up.counts, &self.down.counts]);
        let short = |counts: &[u16; BUCKETS]| {
            let below = counts.iter().enumerate().filter(|(bucket, _)| bounds(*bucket).1 <= seconds);
            below.map(|(_, count)| u32::from(*count)).sum::<u32>()
        };
        hour.map(short).sum()
    }
}

/// All pairs.
#[derive(Debug, Default)]
pub(super) struct TravelTimes {
    pub(super) pairs: Vec<PairTimes>,
    at: FxHashMap<u64, u32>,
}

#[inline]
fn key(low: NameId, high: NameId) -> u64 {
    u64::from(low) << 32 | u64::from(high)
}

impl TravelTimes {
    /// Counts a gap of this hour, in seconds after correction, between two different checkpoints, which ended at `ended`.
    #[inline]
    pub(super) fn see(&mut self, from: NameId, to: NameId, gap: i64, ended: i64) {
        let Some(bucket) = bucket_of(gap) else { return };
        let (low, high) = (from.min(to), from.max(to));
        let at = match self.at.get(&key(low, high)) {
            Some(at) => *at as usize,
            None if self.pairs.len() < MAX_PAIRS => {
                self.at.insert(key(low, high), self.pairs.len() as u32);
                self.pairs.push(PairTimes::new(low, high));
                self.pairs.len() - 1
            }
            None => return,
        };
        let Some(pair) = self.pairs.get_mut(at) else { return };
        let [up, down] = &mut pair.segments;
        let (counts, segment) = if from < to { (&mut pair.hour_up, up) } else { (&mut pair.hour_down, down) };
        if let Some(count) = counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
        if let Some(segment) = segment {
            segment.arrive(ended, gap);
        }
    }

    /// The travel times from one checkpoint to another.
    pub(super) fn between(&self, from: NameId, to: NameId) -> Option<&Histogram> {
        let at = *self.at.get(&key(from.min(to), from.max(to)))?;
        let pair = self.pairs.get(at as usize)?;
        Some(if from < to { &pair.up } else { &pair.down })
    }

    /// Gaps of a pair in either direction that are shorter than this, this hour and before.
    pub(super) fn counted_below(&self, from: NameId, to: NameId, seconds: f64) -> u32 {
        let at = self.at.get(&key(from.min(to), from.max(to)));
        at.and_then(|at| self.pairs.get(*at as usize)).map_or(0, |pair| pair.counted_below(seconds))
    }

    /// Ends an hour since 1970: folds its gaps, each pair shifted by what `shift` says of (low, high), or dropped.
    pub(super) fn fold(&mut self, hour: i64, shift: impl Fn(NameId, NameId) -> Option<f64>) {
        for pair in &mut self.pairs {
            pair.fold(hour, shift(pair.low, pair.high));
        }
        if self.pairs.len() >= MAX_PAIRS {
            self.drop_rare();
        }
    }

    /// Halves everything.
    pub(super) fn halve(&mut self) {
        for pair in &mut self.pairs {
            pair.up.halve();
            pair.down.halve();
        }
    }

    /// The same without the gaps of this hour.
    pub(super) fn without_hour(&self) -> Self {
        let pair = |pair: &PairTimes| PairTimes {
            up: pair.up.clone(),
            down: pair.down.clone(),
            ..PairTimes::new(pair.low, pair.high)
        };
        Self { pairs: self.pairs.iter().map(pair).collect(), at: self.at.clone() }
    }

    /// All directions of all pairs.
    pub(super) fn directions(&self) -> impl Iterator<Item = (NameId, NameId, &Histogram, Option<&Segment>)> {
        self.pairs.iter().flat_map(PairTimes::directions)
    }

    /// Follows the pairs that have become segments, and drops those that carry nothing any more.
    pub(super) fn follow_segments(&mut self) {
        let mut leaving: FxHashMap<NameId, u32> = FxHashMap::default();
        self.directions().for_each(|(from, _, times, _)| *leaving.entry(from).or_default() += times.total);
        let mut busy: Vec<_> = self
            .directions()
            .enumerate()
            .filter(|(_, (from, _, times, _))| {
                times.total >= MIN_CARS && times.total >= leaving.get(from).copied().unwrap_or(0) / PART
            })
            .map(|(place, (from, to, times, _))| (Reverse(times.total), from, to, place))
            .collect();
        busy.sort_unstable();
        let mut followed = 0;
        for pair in &mut self.pairs {
            for (segment, times) in pair.segments.iter_mut().zip([&pair.up, &pair.down]) {
                let is_idle = segment.as_ref().is_some_and(|segment| segment.is_empty());
                if is_idle && times.total < MIN_CARS / 2 {
                    *segment = None;
                }
                followed += usize::from(segment.is_some());
            }
        }
        let mut from_one: FxHashMap<NameId, usize> = FxHashMap::default();
        for (_, from, _, place) in busy {
            let of_one = from_one.entry(from).or_default();
            let pair = self.pairs.get_mut(place / 2);
            let Some(segment) = pair.and_then(|pair| pair.segments.get_mut(place % 2)) else { continue };
            if segment.is_none() && *of_one < MAX_FROM_ONE && followed < MAX_SEGMENTS {
                *segment = Some(Box::default());
                followed += 1;
            }
            *of_one += 1;
        }
    }

    /// Takes segments back; one of a pair that is not known is left out.
    pub(super) fn restore_segments(&mut self, saved: &[SavedSegment]) {
        for saved in saved {
            let at = self.at.get(&key(saved.from.min(saved.to), saved.from.max(saved.to)));
            let pair = at.and_then(|at| self.pairs.get_mut(*at as usize));
            let place = usize::from(saved.from > saved.to);
            if let Some(segment) = pair.and_then(|pair| pair.segments.get_mut(place)) {
                *segment = Some(Box::new(Segment::restore(saved)));
            }
        }
    }

    fn drop_rare(&mut self) {
        let traffic = |pair: &PairTimes| pair.up.total + pair.down.total;
        let mut totals: Vec<u32> = self.pairs.iter().map(traffic).collect();
        let (_, median, _) = totals.select_nth_unstable(MAX_PAIRS / 2);
        let least = *median;
        let pairs = std::mem::take(&mut self.pairs);
        self.restore(pairs.into_iter().filter(|pair| traffic(pair) > least).collect());
    }

    /// Takes pairs back.
    pub(super) fn restore(&mut self, pairs: Vec<PairTimes>) {
        self.at = pairs.iter().enumerate().map(|(at, pair)| (key(pair.low, pair.high), at as u32)).collect();
        self.pairs = pairs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(gaps: &[(f64, u16)]) -> Histogram {
        let mut histogram = Histogram::default();
        gaps.iter().for_each(|(gap, count)| histogram.add(*gap, *count));
        histogram
    }

    #[test]
    fn gaps_that_agree_are_a_cluster_and_single_ones_are_not() {
        let scattered = of(&[(200.0, 1), (900.0, 1), (2_000.0, 1), (5_000.0, 1)]);
        assert_eq!(scattered.cluster(1.35, 3.0), None);
        let cars = of(&[(200.0, 1), (900.0, 1), (1_000.0, 1), (1_100.0, 1)]);
        let fast = cars.cluster(1.35, 3.0).unwrap();
        assert!((1_080.0..1_160.0).contains(&fast), "{fast}");
    }

    #[test]
    fn an_hour_counts_after_its_clocks_are_known() {
        let mut times = TravelTimes::default();
        for _ in 0..10 {
            times.see(3, 5, 400, 0);
            times.see(5, 3, 200, 0);
        }
        assert_eq!(times.between(3, 5).map(|times| times.total), Some(0));
        // The clock of 5 was 100 s fast: both ways take 300 s.
        times.fold(0, |low, high| (low == 3 && high == 5).then_some(100.0));
        for (from, to) in [(3, 5), (5, 3)] {
            let median = times.between(from, to).and_then(|times| times.quantile(0.5, 1.0)).unwrap();
            assert!((285.0..315.0).contains(&median), "{median}");
        }
        times.see(3, 5, 50, 0);
        times.fold(1, |_, _| None);
        assert_eq!(times.between(3, 5).map(|times| times.total), Some(10));
        times.halve();
        assert_eq!(times.between(3, 5).map(|times| times.total), Some(5));
        assert!(times.between(3, 4).is_none());
    }

    #[test]
    fn a_count_that_would_overflow_is_halved() {
        let mut histogram = of(&[(300.0, 30_000)]);
        histogram.add(300.0, 30_000);
        assert_eq!(histogram.total, 30_000);
    }

    #[test]
    fn pairs_are_bounded_and_the_rarest_go() {
        let mut times = TravelTimes::default();
        for high in 1..=MAX_PAIRS as u32 + 5 {
            for _ in 0..1 + high % 3 {
                times.see(0, high, 100, 0);
            }
        }
        assert_eq!(times.pairs.len(), MAX_PAIRS);
        times.fold(0, |_, _| Some(0.0));
        assert!(times.pairs.len() < MAX_PAIRS && !times.pairs.is_empty());
        assert!(times.pairs.iter().all(|pair| pair.up.total == 3));
        let kept = times.pairs.first().map(|pair| pair.high).unwrap();
        assert_eq!(times.between(0, kept).map(|times| times.total), Some(3));
    }

    /// 100 cars from 0 to 1, 60 to 2 and 7 to 3, which is less than a twentieth of them, in each hour.
    fn an_hour(times: &mut TravelTimes, hour: i64) {
        for (to, cars, gap) in [(1, 100, 300), (2, 60, 500), (3, 7, 800)] {
            (0..cars).for_each(|car| times.see(0, to, gap, hour * 3600 + car * 30));
        }
        times.fold(hour, |_, _| Some(0.0));
        times.follow_segments();
    }

    #[test]
    fn busy_pairs_become_segments_and_keep_their_hours() {
        let mut times = TravelTimes::default();
        (10..16).for_each(|hour| an_hour(&mut times, hour));
        let segments: Vec<_> =
            times.directions().filter_map(|(from, to, _, segment)| Some((from, to, segment?.hours().len()))).collect();
        // The first hour made them segments; the cars to 3 are 42, but not enough of all.
        assert_eq!(segments, [(0, 1, 5), (0, 2, 5)]);
        let saved: Vec<_> =
            times.directions().filter_map(|(from, to, _, segment)| Some(segment?.save(from, to))).collect();
        let mut restored = TravelTimes::default();
        restored.restore(
            times
                .pairs
                .iter()
                .map(|pair| PairTimes::of(pair.low, pair.high, [[0; BUCKETS]; 2], [pair.up.clone(), pair.down.clone()]))
                .collect(),
        );
        restored.restore_segments(&saved);
        let of = |times: &TravelTimes| {
            times.directions().map(|(from, to, _, segment)| (from, to, segment.cloned())).collect::<Vec<_>>()
        };
        assert_eq!(of(&restored), of(&times));
        times.fold(16, |_, _| None);
        let now = 16 * 3600;
        assert!(times.directions().all(|(.., segment)| segment.is_none_or(|segment| segment.recent(now).is_empty())));
    }

    #[test]
    fn a_checkpoint_has_so_many_segments_at_most() {
        let mut times = TravelTimes::default();
        for to in 1..=12 {
            (0..100 + i64::from(to)).for_each(|car| times.see(0, to, 300, car));
        }
        times.fold(0, |_, _| Some(0.0));
        times.follow_segments();
        let followed: Vec<_> =
            times.directions().filter(|(.., segment)| segment.is_some()).map(|(_, to, ..)| to).collect();
        assert_eq!(followed, (5..=12).collect::<Vec<_>>(), "the busiest");
    }
}
