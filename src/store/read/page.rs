//! Where in time a page of a long list lies: found by counting, with the times of as few segments as that takes. It does not know which
//! rows match, nor does it read a whole row.
//!
//! Zone maps give each segment's earliest and latest time, and with the number of its matches bounds of the page: a segment that ends
//! before them is counted without a look at its times. Between the bounds, matches are counted by hour if that is long, and by second.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use shard::{Matches, Predicate, SegmentError, scan_segment};
use traffic::{CivilTime, TimeRange};

use super::cache::Use;
use super::view::{SECONDS_PER_HOUR, View};
use crate::reader::Order;
use crate::store::disk::segments::Entry;

/// The matches of one segment.
pub(super) struct Found<'a> {
    pub(super) entry: &'a Arc<Entry>,
    pub(super) count: u64,
    /// Which rows, if they were kept.
    pub(super) matches: Option<Matches>,
}

/// The seconds in which a page lies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seconds {
    pub(super) time: TimeRange,
    /// Matches within them.
    pub(super) count: u64,
    /// How many of these come before the page.
    pub(super) skip: u64,
}

/// The seconds of the `limit` matches after the first `skip`; none if there are no such matches.
pub(super) fn seconds_of_page(
    view: &View,
    predicate: &Predicate,
    found: &[Found<'_>],
    order: Order,
    skip: u64,
    limit: u64,
) -> Result<Option<Seconds>, SegmentError> {
    let search = Search { view, predicate, found, order };
    let Some(mut range) = search.bounds(skip, limit) else { return Ok(None) };
    if range.end() - range.start() > SECONDS_PER_HOUR {
        let (hours, ahead) = match *predicate == Predicate::default() {
            // Of all passages it is known.
            true => (view.rollups.hours.iter().map(|(hour, rollup)| (*hour, rollup.total)).collect(), 0),
            false => search.count(&range, SECONDS_PER_HOUR)?,
        };
        let Some(at) = order.page_hours(&hours, skip.saturating_sub(ahead), limit) else { return Ok(None) };
        let (oldest, newest) = at.span();
        range = oldest * SECONDS_PER_HOUR..=newest * SECONDS_PER_HOUR + SECONDS_PER_HOUR - 1;
    }
    let (seconds, ahead) = search.count(&range, 1)?;
    let skip = skip.saturating_sub(ahead);
    let Some(at) = order.page_hours(&seconds, skip, limit) else { return Ok(None) };
    let (oldest, newest) = at.span();
    Ok(Some(Seconds {
        time: TimeRange { start: Some(CivilTime(oldest)), end: Some(CivilTime(newest)) },
        count: seconds.range(oldest..=newest).map(|(_, count)| count).sum(),
        skip: skip - at.before,
    }))
}

struct Search<'a> {
    view: &'a View,
    predicate: &'a Predicate,
    found: &'a [Found<'a>],
    order: Order,
}

impl Search<'_> {
    /// The earliest and the latest time that a match of a segment can have.
    fn span(&self, found: &Found<'_>) -> (i64, i64) {
        let (zone, asked) = (&found.entry.zone, self.predicate.time);
        let oldest = asked.start.map_or(zone.min_time, |start| start.max(zone.min_time));
        let newest = asked.end.map_or(zone.max_time, |end| end.min(zone.max_time));
        (oldest.0, newest.0)
    }

    /// Seconds between which the page lies for sure. The match with number n (from 0, in order) is not before the first time at which
    /// more than n matches can have passed, nor behind the first at which more than n must have.
    fn bounds(&self, skip: u64, limit: u64) -> Option<RangeInclusive<i64>> {
        let spans = || self.found.iter().map(|found| (self.span(found), found.count));
        let total: u64 = spans().map(|(_, count)| count).sum();
        if skip >= total || limit == 0 {
            return None;
        }
        // As if the oldest came first: times are negated where the newest do.
        let (can, must): (Vec<_>, Vec<_>) = match self.order {
            Order::Oldest => spans().map(|((oldest, newest), count)| ((oldest, count), (newest, count))).unzip(),
            Order::Newest => spans().map(|((oldest, newest), count)| ((-newest, count), (-oldest, count))).unzip(),
        };
        let first = passed(can, skip + 1)?;
        let last = passed(must, skip.saturating_add(limit).min(total))?;
        Some(match self.order {
            Order::Oldest => first..=last,
            Order::Newest => -last..=-first,
        })
    }

    /// How many matches each `unit` seconds have within `range`, and how many matches come before it.
    fn count(&self, range: &RangeInclusive<i64>, unit: i64) -> Result<(BTreeMap<i64, u64>, u64), SegmentError> {
        let (mut counts, mut ahead) = (BTreeMap::new(), 0);
        for found in self.found {
            let (oldest, newest) = self.span(found);
            let (is_ahead, is_behind) = match self.order {
                Order::Oldest => (newest < *range.start(), oldest > *range.end()),
                Order::Newest => (oldest > *range.end(), newest < *range.start()),
            };
            if is_ahead {
                ahead += found.count;
                continue;
            }
            if is_behind {
                continue;
            }
            let at = oldest.div_euclid(unit);
            if range.contains(&oldest) && range.contains(&newest) && at == newest.div_euclid(unit) {
                *counts.entry(at).or_default() += found.count;
                continue;
            }
            let columns = self.view.columns(found.entry, Use::Show);
            let scanned;
            let matches = match &found.matches {
                Some(matches) => matches,
                None => {
                    scanned = scan_segment(self.predicate, &found.entry.zone, &columns)?;
                    &scanned
                }
            };
            columns.with_times(|times| match matches {
                Matches::All(_) => ahead += count_times(times.iter(), self.order, range, unit, &mut counts),
                Matches::Rows(rows) => {
                    let times = rows.iter().filter_map(|row| times.get(*row as usize));
                    ahead += count_times(times, self.order, range, unit, &mut counts);
                }
            })?;
        }
        Ok((counts, ahead))
    }
}

/// The first of the times at which at least `wanted` have passed, of times with the number that passes at each.
fn passed(mut times: Vec<(i64, u64)>, wanted: u64) -> Option<i64> {
    times.sort_unstable();
    let mut sum = 0;
    times.into_iter().find_map(|(time, count)| {
        sum += count;
        (sum >= wanted).then_some(time)
    })
}

/// Counts the times within `range` by `unit` seconds, and returns how many come before it. Times of one unit are mostly adjacent, and
/// are counted before they are added.
fn count_times<'a>(
    times: impl Iterator<Item = &'a CivilTime>,
    order: Order,
    range: &RangeInclusive<i64>,
    unit: i64,
    counts: &mut BTreeMap<i64, u64>,
) -> u64 {
    let (mut start, mut count, mut ahead) = (i64::MAX, 0, 0);
    let mut add = |start: i64, count: u64| {
        if count > 0 {
            *counts.entry(start.div_euclid(unit)).or_default() += count;
        }
    };
    for CivilTime(time) in times {
        if !range.contains(time) {
            ahead += u64::from(match order {
                Order::Oldest => time < range.start(),
                Order::Newest => time > range.end(),
            });
        } else if (time.wrapping_sub(start) as u64) < unit as u64 {
            // One comparison checks both that the unit has begun and that it has not ended.
            count += 1;
        } else {
            add(start, count);
            (start, count) = (time.div_euclid(unit) * unit, 1);
        }
    }
    add(start, count);
    ahead
}
