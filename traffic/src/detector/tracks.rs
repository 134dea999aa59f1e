//! Plate states: the live sightings of every plate, ordered by event time and then by arrival. It does not know the
//! rule, only where a sighting's neighbours are.
//!
//! **Bounds.** Only sightings that can still be a neighbour are kept. Within one second these are the first to arrive
//! (for passages before it) and the last (for passages in it or after). Of those so old that no passage before them is
//! compared any more, only the newest is. So a plate has at most two sightings a second, however often it is read, and
//! at most [`MAX_SIGHTINGS`] in memory: beyond that the one farthest ahead is forgotten, or else the oldest.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Sighting;
use crate::{CivilTime, PassageId, PlateCode};

/// The most sightings that a plate has. With the usual `detect.state_ttl` of ten minutes it cannot have a tenth of them
/// unless clocks are ahead by hours; its state then still takes less than a quarter of what a stored value may.
pub(super) const MAX_SIGHTINGS: usize = 1 << 14;

/// The times that matter to a sighting's neighbours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// An older sighting has expired.
    pub(super) oldest: CivilTime,
    /// An older passage is late: it is not compared.
    pub(super) late: CivilTime,
    /// A newer passage is ahead.
    pub(super) ahead: CivilTime,
}

impl Reach {
    /// All times, as long as no watermark is defined.
    pub(super) const ALL: Self =
        Self { oldest: CivilTime(i64::MIN), late: CivilTime(i64::MIN), ahead: CivilTime(i64::MAX) };
}

/// One plate's sightings. Most plates are seen once within the TTL, and then need no memory on the heap.
#[derive(Debug)]
enum Track {
    One(Sighting),
    /// Oldest first; equal times in the order of arrival.
    #[expect(clippy::box_collection, reason = "few plates are here, and each of the others is smaller by it")]
    Many(Box<VecDeque<Sighting>>),
}

impl Track {
    fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        let (one, many) = match self {
            Self::One(sighting) => (Some(sighting), None),
            Self::Many(sightings) => (None, Some(sightings.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    fn newest(&self) -> Option<CivilTime> {
        match self {
            Self::One(sighting) => Some(sighting),
            Self::Many(sightings) => sightings.back(),
        }
        .map(Sighting::time)
    }
}

const MIN_SWEEP: usize = 4096;

#[derive(Debug)]
pub(super) struct Tracks {
    tracks: FxHashMap<PlateCode, Track>,
    /// Texts of the odd GCXH among the sightings.
    odd_ids: FxHashMap<PassageId, Box<str>>,
    /// Plates that changed since the last drain, with repetitions.
    changed: Vec<PlateCode>,
    sweep_at: usize,
    sweep_odd_at: usize,
    /// Sightings that [`MAX_SIGHTINGS`] had no room for.
    forgotten: u64,
}

impl Default for Tracks {
    fn default() -> Self {
        Self {
            tracks: FxHashMap::default(),
            odd_ids: FxHashMap::default(),
            changed: Vec::new(),
            sweep_at: MIN_SWEEP,
            sweep_odd_at: MIN_SWEEP,
            forgotten: 0,
        }
    }
}

impl Tracks {
    /// Adds a sighting and returns its live neighbours: the nearest earlier one (or equal, by arrival) and the nearest
    /// later one.
    #[inline]
    pub(super) fn insert(
        &mut self,
        plate: PlateCode,
        sighting: Sighting,
        odd_id: &str,
        reach: Reach,
    ) -> (Option<Sighting>, Option<Sighting>) {
        if self.tracks.len() >= self.sweep_at || self.odd_ids.len() >= self.sweep_odd_at {
            self.sweep(reach.oldest);
        }
        self.changed.push(plate);
        if !odd_id.is_empty() {
            self.odd_ids.insert(sighting.id(), odd_id.into());
        }
        let track = match self.tracks.entry(plate) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Track::One(sighting));
                return (None, None);
            }
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
        };
        match track {
            Track::One(other) => {
                let other = *other;
                if other.time() < reach.oldest {
                    *track = Track::One(sighting);
                    (None, None)
                } else if other.time() <= sighting.time() {
                    *track = Track::Many(Box::new(VecDeque::from([other, sighting])));
                    (Some(other), None)
                } else {
                    *track = Track::Many(Box::new(VecDeque::from([sighting, other])));
                    (None, Some(other))
                }
            }
            Track::Many(sightings) => {
                let neighbours = add(sightings, sighting, reach);
                if sightings.len() == 1 {
                    *track = Track::One(sighting);
                } else if sightings.len() > MAX_SIGHTINGS {
                    self.forgotten += 1;
                    let farthest = sightings.back().is_some_and(|farthest| farthest.time() > reach.ahead);
                    if farthest {
                        sightings.pop_back()
                    } else {
                        sightings.pop_front()
                    };
                }
                neighbours
            }
        }
    }

    pub(super) fn restore(&mut self, plate: PlateCode, mut sightings: Vec<Sighting>, odd: Vec<(PassageId, Box<str>)>) {
        self.odd_ids.extend(odd);
        match sightings.as_slice() {
            [] => {}
            [only] => {
                self.tracks.insert(plate, Track::One(*only));
            }
            _ => {
                // A stable sort: equal times keep the order of arrival.
                sightings.sort_by_key(Sighting::time);
                self.tracks.insert(plate, Track::Many(Box::new(sightings.into())));
            }
        }
        self.sweep_at = self.sweep_at.max(self.tracks.len() * 2);
        self.sweep_odd_at = self.sweep_odd_at.max(self.odd_ids.len() * 2);
    }

    pub(super) fn drain_changed(
        &mut self,
        oldest: CivilTime,
        save: &mut impl FnMut(PlateCode, &[Sighting], &[(PassageId, &str)]),
    ) {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        let mut odd = Vec::new();
        for plate in changed.drain(..) {
            let sightings: &[Sighting] = match self.tracks.get_mut(&plate) {
                Some(Track::One(only)) => std::slice::from_ref(only),
                Some(Track::Many(sightings)) => sightings.make_contiguous(),
                None => &[],
            };
            let expired = sightings.partition_point(|sighting| sighting.time() < oldest);
            let live = sightings.get(expired..).unwrap_or_default();
            if !live.is_empty() {
                odd.clear();
                odd.extend(live.iter().filter_map(|sighting| {
                    let id = sighting.id();
                    self.odd_ids.get(&id).filter(|_| id.is_odd()).map(|text| (id, &**text))
                }));
                save(plate, live, &odd);
            }
        }
        self.changed = changed;
    }

    pub(super) fn odd_id(&self, id: PassageId) -> Option<Box<str>> {
        id.is_odd().then(|| self.odd_ids.get(&id).cloned()).flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.tracks.len()
    }

    pub(super) fn changes(&self) -> usize {
        self.changed.len()
    }

    pub(super) fn take_forgotten(&mut self) -> u64 {
        std::mem::take(&mut self.forgotten)
    }

    /// Drops what has expired. Runs when a table has doubled since the last sweep, so its cost per insertion is constant.
    #[cold]
    fn sweep(&mut self, oldest: CivilTime) {
        self.tracks.retain(|_, track| track.newest().is_some_and(|newest| newest >= oldest));
        if !self.odd_ids.is_empty() {
            let live: FxHashSet<PassageId> = self
                .tracks
                .values()
                .flat_map(Track::sightings)
                .filter(|sighting| sighting.time() >= oldest)
                .map(Sighting::id)
                .collect();
            self.odd_ids.retain(|id, _| live.contains(id));
        }
        self.sweep_at = (self.tracks.len() * 2).max(MIN_SWEEP);
        self.sweep_odd_at = (self.odd_ids.len() * 2).max(MIN_SWEEP);
    }
}

/// Drops the sightings that can no longer be a neighbour, and inserts this one among the rest. One that arrived between
/// the first and the last of a second is replaced by the new last.
fn add(sightings: &mut VecDeque<Sighting>, sighting: Sighting, reach: Reach) -> (Option<Sighting>, Option<Sighting>) {
    let time_at = |sightings: &VecDeque<Sighting>, at: usize| sightings.get(at).map(Sighting::time);
    while time_at(sightings, 0).is_some_and(|first| first < reach.oldest)
        || time_at(sightings, 1).is_some_and(|second| second < reach.late)
    {
        sightings.pop_front();
    }
    let time = sighting.time();
    let at = match sightings.back() {
        Some(last) if last.time() > time => sightings.partition_point(|other| other.time() <= time),
        _ => sightings.len(),
    };
    let before = at.checked_sub(1);
    let earlier = before.and_then(|before| sightings.get(before)).copied();
    let later = sightings.get(at).copied();
    let is_third = at.checked_sub(2).and_then(|first| time_at(sightings, first)) == Some(time);
    match before.filter(|_| is_third).and_then(|last| sightings.get_mut(last)) {
        Some(last) => *last = sighting,
        // The shorter side moves: an insertion at either end costs nothing.
        None => sightings.insert(at, sighting),
    }
    (earlier, later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PlateType, Resolution};

    fn sighting(time: i64, number: u64) -> Sighting {
        let id = PassageId { number, tag: 18 };
        Sighting::new(CivilTime(time), Resolution::Second, (number % 3) as u32, PlateType::default(), id)
    }

    fn reach(watermark: i64, state_ttl: i64) -> Reach {
        let [oldest, late, ahead] = [-state_ttl, 300 - state_ttl, state_ttl - 300].map(|by| CivilTime(watermark + by));
        Reach { oldest, late, ahead }
    }

    fn only(tracks: &Tracks) -> Vec<i64> {
        tracks.tracks.values().flat_map(Track::sightings).map(|sighting| sighting.time().0).collect()
    }

    #[test]
    fn a_plate_has_two_sightings_a_second_and_one_that_is_old() {
        let mut tracks = Tracks::default();
        for number in 0..1_000_000u64 {
            let time = 10_000 + (number * 7919 % 601) as i64;
            tracks.insert(PlateCode::pack("-"), sighting(time, number), "", reach(10_300, 600));
        }
        assert_eq!(only(&tracks).len(), 2 * 601);
        tracks.insert(PlateCode::pack("-"), sighting(10_700, 1), "", reach(10_800, 600));
        let times = only(&tracks);
        assert_eq!((times.first(), times.iter().filter(|time| **time < 10_500).count()), (Some(&10_499), 1));
    }

    /// The neighbours found are those of a search through all sightings.
    #[test]
    fn what_is_dropped_was_nobodys_neighbour() {
        let mut tracks = Tracks::default();
        let mut all: Vec<Sighting> = Vec::new();
        for number in 0..4000u64 {
            let watermark = 10_000 + number as i64 / 3;
            let now = sighting(watermark - 300 + (number * 2_654_435_761 % 97 * 7) as i64, number);
            let live = all.iter().filter(|other| other.time().0 >= watermark - 600);
            let earlier = live.clone().filter(|other| other.time() <= now.time()).max_by_key(|other| other.time());
            let later = live.filter(|other| other.time() > now.time()).min_by_key(|other| other.time());
            let found = tracks.insert(PlateCode::pack("-"), now, "", reach(watermark, 600));
            assert_eq!(found, (earlier.copied(), later.copied()), "{number}");
            all.push(now);
        }
        assert_eq!(tracks.take_forgotten(), 0);
    }

    #[test]
    fn beyond_the_cap_the_farthest_ahead_is_forgotten_and_then_the_oldest() {
        let max = MAX_SIGHTINGS as i64;
        let mut tracks = Tracks::default();
        for time in (0..max + 10).rev() {
            tracks.insert(PlateCode::pack("-"), sighting(time, time as u64), "", reach(0, 86_400));
        }
        // All are within the TTL and none is ahead, so the oldest is dropped: the one that just came.
        assert_eq!((only(&tracks).first(), tracks.take_forgotten()), (Some(&10), 10));
        for time in 0..10 {
            tracks.insert(PlateCode::pack("-"), sighting(time + 200_000, time as u64), "", reach(0, 86_400));
        }
        assert_eq!((only(&tracks).len(), only(&tracks).last()), (MAX_SIGHTINGS, Some(&(max + 9))));
        assert_eq!(tracks.take_forgotten(), 10);
    }
}
