//! Segments: roads from one checkpoint to the next, with the travel times of the last hour and of the hours before.
//!
//! A pair becomes a segment at a whole hour, when it has [`MIN_CARS`] gaps and a twentieth of all that leave its first
//! checkpoint, so that cars which one camera on the way has missed make none. It stays one for as long as it carries
//! traffic. Everything depends on the records and their order alone.
//!
//! **Bounds.** A segment takes at most 6.2 KB: [`RECENT`] arrivals of 8 bytes and [`HOURS`] hours of 12. There are at
//! most [`MAX_SEGMENTS`], 25 MB.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::buckets::{BUCKETS, quantile};
use crate::NameId;

/// The most segments that are followed, the busiest first.
pub(super) const MAX_SEGMENTS: usize = 1 << 12;
/// The most that begin at one checkpoint.
pub(super) const MAX_FROM_ONE: usize = 8;
/// A pair with fewer gaps is no segment; one that is followed is dropped at half of them.
pub(super) const MIN_CARS: u32 = 30;
/// One part in so many of what leaves a checkpoint makes a segment.
pub(super) const PART: u32 = 20;
/// Newest arrivals that are kept, if they are not older than this many seconds.
const RECENT: usize = 256;
const RECENT_SECONDS: i64 = 3600;
/// Hours that are kept: two weeks.
const HOURS: i64 = 14 * 24;
/// An hour with fewer cars has no travel time.
const MIN_HOUR: u32 = 5;
/// The shares of cars below the lower and the upper end of the band.
const BAND: [f64; 2] = [0.2, 0.8];

/// A car that arrived: when, in civil seconds, and how long it took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Arrival {
    at: u32,
    took: u16,
}

/// The travel times of an hour, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourTimes {
    /// The hour since 1970 in which the cars arrived.
    pub hour: i32,
    /// How many cars there were.
    pub cars: u16,
    /// A fifth took less.
    pub low: u16,
    /// Half took less.
    pub median: u16,
    /// A fifth took more.
    pub high: u16,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Segment {
    recent: VecDeque<Arrival>,
    /// Shared with those who show it; it changes once an hour.
    hours: Arc<Vec<HourTimes>>,
}

/// A segment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSegment {
    pub(super) from: NameId,
    pub(super) to: NameId,
    recent: Vec<Arrival>,
    hours: Vec<HourTimes>,
}

/// What is known of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentState {
    /// Where it begins.
    pub from: NameId,
    /// Where it ends.
    pub to: NameId,
    /// The cars of the last hour: how many seconds ago each arrived, and how many it took.
    pub recent: Vec<(u16, u16)>,
    /// The time of a free road in seconds: 15 % of the cars that were counted took less.
    pub free_flow: Option<f64>,
    /// How many cars were counted; the older they are the less they count.
    pub counted: u32,
    /// By how many seconds the clocks of the two cameras may falsify all of it.
    pub clock_error: f64,
    /// The hours of the last two weeks that had cars enough, in order.
    pub hours: Arc<Vec<HourTimes>>,
}

impl Segment {
    /// Takes a car that arrived at a corrected time after so many seconds.
    #[inline]
    pub(super) fn arrive(&mut self, at: i64, took: i64) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        let at = at.clamp(0, u32::MAX.into()) as u32;
        self.recent.push_back(Arrival { at, took: took.clamp(0, u16::MAX.into()) as u16 });
    }

    /// Ends an hour, of which the corrected gaps are `counts`. `shift` is by how much the gaps were taken as too long.
    pub(super) fn end_hour(&mut self, hour: i64, counts: &[u16; BUCKETS], shift: f64) {
        let shift = shift.round() as i64;
        let oldest = (hour + 1) * 3600 - RECENT_SECONDS;
        self.recent.retain_mut(|arrival| {
            let took = u16::try_from(i64::from(arrival.took) - shift);
            arrival.took = took.unwrap_or(0);
            i64::from(arrival.at) >= oldest && took.is_ok()
        });
        let cars: u32 = counts.iter().map(|count| u32::from(*count)).sum();
        let at = |share: f64| {
            let seconds = quantile(counts.iter().copied(), f64::from(cars) * share);
            seconds.map_or(0, |seconds| seconds.round() as u16)
        };
        let [low, high] = BAND.map(at);
        let times = HourTimes { hour: hour as i32, cars: cars.min(u16::MAX.into()) as u16, low, median: at(0.5), high };
        let hours = Arc::make_mut(&mut self.hours);
        // A stream that went back counts its hours once more.
        hours.retain(|known| i64::from(known.hour) > hour - HOURS && i64::from(known.hour) < hour);
        if cars >= MIN_HOUR {
            hours.push(times);
        }
    }

    /// Forgets the last hour: its clocks are not known.
    pub(super) fn skip_hour(&mut self) {
        self.recent.clear();
    }

    /// Whether there is nothing of the last two weeks.
    pub(super) fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.hours.is_empty()
    }

    /// The cars that arrived within the hour before `now`.
    pub(super) fn recent(&self, now: i64) -> Vec<(u16, u16)> {
        let aged = self.recent.iter().filter_map(|arrival| {
            let age = (now - i64::from(arrival.at)).max(0);
            (age <= RECENT_SECONDS).then_some((age as u16, arrival.took))
        });
        aged.collect()
    }

    pub(super) fn hours(&self) -> &Arc<Vec<HourTimes>> {
        &self.hours
    }

    pub(super) fn save(&self, from: NameId, to: NameId) -> SavedSegment {
        let recent = self.recent.iter().copied().collect();
        SavedSegment { from, to, recent, hours: self.hours.to_vec() }
    }

    pub(super) fn restore(saved: &SavedSegment) -> Self {
        Self { recent: saved.recent.iter().copied().collect(), hours: Arc::new(saved.hours.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::buckets::bucket_of;
    use super::*;

    fn counts(gaps: &[(i64, u16)]) -> [u16; BUCKETS] {
        let mut counts = [0; BUCKETS];
        gaps.iter().for_each(|(gap, count)| counts[bucket_of(*gap).unwrap()] += count);
        counts
    }

    #[test]
    fn an_hour_has_its_median_and_its_band() {
        let mut segment = Segment::default();
        // The buckets of these are 5 % wide: 98 to 102 s, 199 to 208 s, 395 to 414 s.
        segment.end_hour(100, &counts(&[(100, 30), (200, 40), (400, 30)]), 0.0);
        let [hour] = segment.hours()[..] else { panic!("{segment:?}") };
        assert_eq!((hour.hour, hour.cars), (100, 100));
        assert!((95..=105).contains(&hour.low), "{hour:?}");
        assert!((195..=210).contains(&hour.median), "{hour:?}");
        assert!((390..=420).contains(&hour.high), "{hour:?}");
        // Four cars say nothing, and the hour before stays.
        segment.end_hour(101, &counts(&[(100, 4)]), 0.0);
        assert_eq!(segment.hours().len(), 1);
    }

    #[test]
    fn hours_are_those_of_two_weeks_and_each_is_there_once() {
        let mut segment = Segment::default();
        let some = counts(&[(100, 5)]);
        (0..1000).for_each(|hour| segment.end_hour(hour, &some, 0.0));
        let hours = segment.hours();
        assert_eq!((hours.len(), hours.first().unwrap().hour, hours.last().unwrap().hour), (336, 664, 999));
        segment.end_hour(990, &counts(&[(200, 5)]), 0.0);
        assert_eq!(segment.hours().last().unwrap().hour, 990);
        assert!(segment.hours().is_sorted_by(|a, b| a.hour < b.hour));
    }

    #[test]
    fn arrivals_are_the_newest_of_the_last_hour_with_the_clocks_that_were_learnt() {
        let mut segment = Segment::default();
        let hour = 473_352;
        (0..300).for_each(|second| segment.arrive(hour * 3600 + second * 20, 600 + second));
        let now = hour * 3600 + 3000;
        let recent = segment.recent(now);
        // The first 44 made room.
        assert_eq!((recent.len(), recent[0]), (256, ((3000 - 44 * 20) as u16, 644)));
        // A record that is ahead of the stream arrives now.
        assert_eq!(recent.last(), Some(&(0, 899)));
        segment.end_hour(hour, &counts(&[]), 44.0);
        assert_eq!(segment.recent(now)[0].1, 600);
        assert_eq!(segment.recent(now + 3600).len(), segment.recent(now).iter().filter(|(age, _)| *age == 0).count());
        let saved = segment.save(3, 5);
        assert_eq!(Segment::restore(&saved), segment);
        segment.end_hour(hour + 2, &counts(&[]), 0.0);
        assert!(segment.is_empty());
    }
}
