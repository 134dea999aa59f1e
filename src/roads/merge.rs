//! One list of segments from those of several partitions. Each partition has a part of the plates and all checkpoints, so
//! their travel times are samples of the same roads: cars are put together, and learnt times are averaged by how many
//! cars each has counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use traffic::NameId;
use traffic::evidence::{HourTimes, SegmentState};

use super::level::RoadsState;
use super::road::{Road, Roads};

/// The segments of partitions; `name` gives a checkpoint's KKMC. `now` is where the newest partition is in event time.
pub fn merged(
    segments: impl Iterator<Item = SegmentState>,
    now: Option<i64>,
    name: impl Fn(NameId) -> Arc<str>,
) -> Roads {
    let mut by_pair: BTreeMap<(NameId, NameId), Vec<SegmentState>> = BTreeMap::new();
    segments.for_each(|segment| by_pair.entry((segment.from, segment.to)).or_default().push(segment));
    let roads = by_pair.into_iter().filter_map(|((from, to), parts)| road([name(from), name(to)], parts));
    let mut all: Vec<Road> = roads.collect();
    all.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
    let state = if all.is_empty() { RoadsState::Learning } else { RoadsState::Ready };
    Roads { state, now, all }
}

fn road(names: [Arc<str>; 2], parts: Vec<SegmentState>) -> Option<Road> {
    let known = || parts.iter().filter_map(|part| Some((part.free_flow?, f64::from(part.counted))));
    let counted: f64 = known().map(|(_, cars)| cars).sum();
    let free_flow = known().map(|(seconds, cars)| seconds * cars).sum::<f64>() / counted;
    let clock_error = parts.iter().map(|part| part.clock_error).fold(0.0, f64::max);
    let recent: Vec<(u16, u16)> = parts.iter().flat_map(|part| part.recent.iter().copied()).collect();
    (counted > 0.0).then(|| Road::new(names, free_flow, &recent, clock_error, hours(parts)))
}

fn hours(parts: Vec<SegmentState>) -> Arc<Vec<HourTimes>> {
    let mut parts = parts.into_iter().map(|part| part.hours);
    let first = parts.next().unwrap_or_default();
    if parts.len() == 0 {
        return first;
    }
    let mut by_hour: BTreeMap<i32, Vec<HourTimes>> = BTreeMap::new();
    for hour in first.iter().copied().chain(parts.flat_map(|hours| hours.to_vec())) {
        by_hour.entry(hour.hour).or_default().push(hour);
    }
    Arc::new(by_hour.into_values().filter_map(|parts| averaged(&parts)).collect())
}

fn averaged(parts: &[HourTimes]) -> Option<HourTimes> {
    let cars: u32 = parts.iter().map(|part| u32::from(part.cars)).sum();
    let mean = |of: fn(&HourTimes) -> u16| {
        let sum: u32 = parts.iter().map(|part| u32::from(of(part)) * u32::from(part.cars)).sum();
        ((sum + cars / 2) / cars.max(1)) as u16
    };
    let [low, median, high] = [mean(|part| part.low), mean(|part| part.median), mean(|part| part.high)];
    Some(HourTimes { hour: parts.first()?.hour, cars: cars.min(u16::MAX.into()) as u16, low, median, high })
}
