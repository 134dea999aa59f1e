//! The fastest credible time between any two checkpoints: over pairs that carry traffic, along the shortest path.
//!
//! A pair is a road if it has at least [`MIN_GAPS`] gaps and they are at least a hundredth of all that leave its
//! first checkpoint, so that a cloned plate's gaps, which lead anywhere, make no road. Its time is the 2 % quantile of
//! its gaps, but at least the third shortest. Rows are computed when they are first asked for.

use super::travel_times::{Histogram, TravelTimes};
use crate::{NameId, Places, great_circle_km};

/// A pair with fewer gaps is not learnt.
const MIN_GAPS: u32 = 30;
/// Gaps of a pair with little traffic agree if they lie within this much of one another.
const CLUSTER_WIDTH: f64 = 1.35;
/// The fastest of a few is not as fast as the fastest of many.
const FEW_FACTOR: f64 = 0.85;
/// With so many gaps at both ends, every road between two checkpoints that matters has been seen.
const KNOWN_GAPS: u32 = 1000;
/// Roads lead this many times farther than the great circle, at least.
const DETOUR: f64 = 1.25;
/// Seconds that stand for an unknown time.
const UNKNOWN: f32 = f32::INFINITY;
/// How many numbers all rows together may have, 32 MB; beyond that they are computed again.
const MAX_NUMBERS: usize = 1 << 23;

/// A road: from one checkpoint to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Road {
    pub(super) to: NameId,
    /// The fastest credible time in seconds.
    pub(super) fast: f32,
    /// The share of what leaves the first checkpoint.
    pub(super) share: f32,
}

/// Roads by their first checkpoint, and rows of fastest times.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    roads: Vec<Vec<Road>>,
    /// Gaps that begin and that end at each checkpoint.
    leaving: Vec<u32>,
    entering: Vec<u32>,
    rows: Vec<Option<Box<[f32]>>>,
    numbers: usize,
}

impl Paths {
    /// The roads that the travel times show.
    pub(super) fn of(times: &TravelTimes) -> Self {
        let checkpoints = times.pairs.iter().map(|pair| pair.high as usize + 1).max().unwrap_or(0);
        let mut leaving = vec![0u32; checkpoints];
        let mut entering = vec![0u32; checkpoints];
        let directed =
            || times.pairs.iter().flat_map(|pair| [(pair.low, pair.high, &pair.up), (pair.high, pair.low, &pair.down)]);
        for (from, to, histogram) in directed() {
            for sum in [leaving.get_mut(from as usize), entering.get_mut(to as usize)].into_iter().flatten() {
                *sum += histogram.total;
            }
        }
        let mut roads = vec![Vec::new(); checkpoints];
        for (from, to, histogram) in directed() {
            let all = leaving.get(from as usize).copied().unwrap_or(0);
            if let Some(fast) = fast_of(histogram, all)
                && let Some(roads) = roads.get_mut(from as usize)
            {
                roads.push(Road { to, fast, share: histogram.total as f32 / all as f32 });
            }
        }
        Self { rows: vec![None; checkpoints], roads, leaving, entering, numbers: 0 }
    }

    /// The roads from a checkpoint.
    pub(super) fn from(&self, from: NameId) -> &[Road] {
        self.roads.get(from as usize).map_or(&[], Vec::as_slice)
    }

    /// The road from one checkpoint to another, if there is one.
    pub(super) fn road(&self, from: NameId, to: NameId) -> Option<&Road> {
        self.from(from).iter().find(|road| road.to == to)
    }

    /// Whether every road between these two that matters has been seen.
    #[inline]
    pub(super) fn is_known(&self, from: NameId, to: NameId) -> bool {
        let enough = |sums: &[u32], at: NameId| sums.get(at as usize).is_some_and(|sum| *sum >= KNOWN_GAPS);
        enough(&self.leaving, from) && enough(&self.entering, to)
    }

    /// The fastest credible time in seconds along roads; none if none leads there.
    #[inline]
    pub(super) fn fastest(&mut self, from: NameId, to: NameId) -> Option<f64> {
        if self.rows.get(from as usize)?.is_none() {
            self.compute(from);
        }
        let fast = *self.rows.get(from as usize)?.as_ref()?.get(to as usize)?;
        fast.is_finite().then(|| f64::from(fast))
    }

    #[cold]
    fn compute(&mut self, from: NameId) {
        self.numbers += self.roads.len();
        if self.numbers > MAX_NUMBERS {
            self.rows.iter_mut().for_each(|row| *row = None);
            self.numbers = self.roads.len();
        }
        let mut row = vec![UNKNOWN; self.roads.len()].into_boxed_slice();
        // Whole milliseconds in a heap: an order that is total.
        let mut heap = std::collections::BinaryHeap::from([(std::cmp::Reverse(0u64), from)]);
        let mut is_done = vec![false; self.roads.len()];
        while let Some((std::cmp::Reverse(millis), at)) = heap.pop() {
            match is_done.get_mut(at as usize) {
                Some(done) if !*done => *done = true,
                _ => continue,
            }
            for road in self.roads.get(at as usize).into_iter().flatten() {
                let there = millis + (f64::from(road.fast) * 1000.0) as u64;
                if let Some(known) = row.get_mut(road.to as usize)
                    && (there as f32) < *known * 1000.0
                {
                    *known = there as f32 / 1000.0;
                    heap.push((std::cmp::Reverse(there), road.to));
                }
            }
        }
        if let Some(place) = self.rows.get_mut(from as usize) {
            *place = Some(row);
        }
    }
}

/// The fastest credible time of a pair, if it is a road: gaps of many cars, or of a few that agree.
fn fast_of(histogram: &Histogram, leaving: u32) -> Option<f32> {
    let is_busy = histogram.total >= MIN_GAPS && f64::from(histogram.total) * 100.0 >= f64::from(leaving);
    let fast = if is_busy {
        histogram.quantile(0.02, 3.0)
    } else {
        let few = if histogram.total < MIN_GAPS { FEW_FACTOR } else { 1.0 };
        histogram.cluster(CLUSTER_WIDTH, (f64::from(histogram.total) * 0.02).max(3.0)).map(|fast| fast * few)
    };
    fast.map(|fast| fast as f32)
}

/// The least time in seconds that the great circle allows, if both positions are known.
pub(super) fn straight(places: &Places, from: NameId, to: NameId, max_speed_kmh: f64) -> Option<f64> {
    let place = |checkpoint: NameId| places.get(checkpoint as usize).copied().flatten();
    let km = great_circle_km(place(from)?, place(to)?);
    Some(km * DETOUR / max_speed_kmh * 3600.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn roads(of: &[(NameId, NameId, i64, u32)]) -> Paths {
        let mut times = TravelTimes::default();
        for &(from, to, gap, count) in of {
            (0..count).for_each(|_| times.see(from, to, gap, 0));
        }
        times.fold(0, |_, _| Some(0.0));
        Paths::of(&times)
    }

    #[test]
    fn the_fastest_way_may_lead_over_others() {
        let mut paths = roads(&[(0, 1, 100, 50), (1, 2, 100, 50), (0, 2, 900, 50), (2, 0, 500, 50)]);
        // Both gaps are in the bucket that holds 100 s, so some 200 s together.
        let fast = paths.fastest(0, 2).unwrap();
        assert!((190.0..215.0).contains(&fast), "{fast}");
        // One way only.
        assert!(paths.fastest(2, 1).unwrap() > 590.0);
        assert_eq!(paths.fastest(0, 7), None);
        assert_eq!(paths.fastest(7, 0), None);
    }

    #[test]
    fn few_gaps_that_do_not_agree_make_no_road() {
        let mut paths = roads(&[(0, 1, 300, 5000), (0, 2, 40, 1), (0, 2, 900, 1), (0, 2, 4_000, 1)]);
        assert!(paths.road(0, 2).is_none() && paths.fastest(0, 2).is_none());
        // Five that agree make one, faster than they were by what few of many would be.
        let paths = roads(&[(0, 1, 300, 5000), (0, 2, 1000, 5)]);
        let road = paths.road(0, 2).unwrap();
        assert!((820.0..900.0).contains(&road.fast), "{road:?}");
    }

    #[test]
    fn the_great_circle_is_a_bound() {
        // A degree of a meridian is 111.195 km; 1.25 times that at 160 km/h are 3127.4 s.
        let places = [Some((117.0, 34.0)), Some((117.0, 35.0)), None];
        let seconds = straight(&places, 0, 1, 160.0).unwrap();
        assert!((seconds - 3127.4).abs() < 0.5, "{seconds}");
        assert_eq!(straight(&places, 0, 2, 160.0), None);
    }

    proptest! {
        /// As Floyd and Warshall have it, over all pairs.
        #[test]
        fn paths_are_the_shortest(gaps in prop::collection::vec((0u32..6, 0u32..6, 60i64..3000), 1..20)) {
            let gaps: Vec<_> = gaps.into_iter().filter(|(from, to, _)| from != to).map(|(from, to, gap)| (from, to, gap, 40)).collect();
            let mut paths = roads(&gaps);
            let mut best = [[f64::INFINITY; 6]; 6];
            for from in 0..6u32 {
                for road in paths.from(from) {
                    best[from as usize][road.to as usize] = f64::from(road.fast);
                }
            }
            for over in 0..6 {
                for from in 0..6 {
                    for to in 0..6 {
                        best[from][to] = best[from][to].min(best[from][over] + best[over][to]);
                    }
                }
            }
            for from in 0..6u32 {
                for to in (0..6u32).filter(|to| *to != from) {
                    let expected = best[from as usize][to as usize];
                    let found = paths.fastest(from, to).unwrap_or(f64::INFINITY);
                    prop_assert!(found == expected || (found - expected).abs() < 0.1, "{} {} {} {}", from, to, found, expected);
                }
            }
        }
    }
}
