//! Plate states: the live sightings of every plate, ordered by event time and then by arrival. It does not know the
//! rule, only where a sighting's neighbours are.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Sighting;
use crate::{CivilTime, PassageId, PlateCode};

/// One plate's sightings. Most plates are seen once within the TTL, and then hold no memory of their own.
#[derive(Debug)]
enum Track {
    One(Sighting),
    /// Oldest first; equal times in the order of arrival.
    Many(Vec<Sighting>),
}

impl Track {
    fn sightings(&self) -> &[Sighting] {
        match self {
            Self::One(sighting) => std::slice::from_ref(sighting),
            Self::Many(sightings) => sightings,
        }
    }

    fn newest(&self) -> Option<CivilTime> {
        self.sightings().last().map(|sighting| sighting.time)
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
}

impl Default for Tracks {
    fn default() -> Self {
        Self {
            tracks: FxHashMap::default(),
            odd_ids: FxHashMap::default(),
            changed: Vec::new(),
            sweep_at: MIN_SWEEP,
            sweep_odd_at: MIN_SWEEP,
        }
    }
}

impl Tracks {
    /// Adds a sighting and returns its neighbours that are not older than `oldest`: the nearest earlier one (or equal,
    /// by arrival) and the nearest later one.
    #[inline]
    pub(super) fn insert(
        &mut self,
        plate: PlateCode,
        sighting: Sighting,
        odd_id: &str,
        oldest: CivilTime,
    ) -> (Option<Sighting>, Option<Sighting>) {
        if self.tracks.len() >= self.sweep_at || self.odd_ids.len() >= self.sweep_odd_at {
            self.sweep(oldest);
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
                if other.time < oldest {
                    *track = Track::One(sighting);
                    (None, None)
                } else if other.time <= sighting.time {
                    *track = Track::Many(vec![other, sighting]);
                    (Some(other), None)
                } else {
                    *track = Track::Many(vec![sighting, other]);
                    (None, Some(other))
                }
            }
            Track::Many(sightings) => {
                let expired = sightings.partition_point(|other| other.time < oldest);
                // Half at a time, so that each sighting is moved a bounded number of times.
                let expired = if expired * 2 > sightings.len() {
                    sightings.drain(..expired);
                    0
                } else {
                    expired
                };
                let at = sightings.partition_point(|other| other.time <= sighting.time).max(expired);
                let earlier = at.checked_sub(1).filter(|&before| before >= expired);
                let earlier = earlier.and_then(|before| sightings.get(before)).copied();
                let later = sightings.get(at).copied();
                sightings.insert(at, sighting);
                if let [only] = sightings.as_slice() {
                    *track = Track::One(*only);
                }
                (earlier, later)
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
                sightings.sort_by_key(|sighting| sighting.time);
                self.tracks.insert(plate, Track::Many(sightings));
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
            let sightings = self.tracks.get(&plate).map_or(&[][..], Track::sightings);
            let expired = sightings.partition_point(|sighting| sighting.time < oldest);
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

    /// Drops what has expired. Runs when a table has doubled since the last sweep, so its cost per insertion is constant.
    #[cold]
    fn sweep(&mut self, oldest: CivilTime) {
        self.tracks.retain(|_, track| track.newest().is_some_and(|newest| newest >= oldest));
        if !self.odd_ids.is_empty() {
            let live: FxHashSet<PassageId> = self
                .tracks
                .values()
                .flat_map(Track::sightings)
                .filter(|sighting| sighting.time >= oldest)
                .map(Sighting::id)
                .collect();
            self.odd_ids.retain(|id, _| live.contains(id));
        }
        self.sweep_at = (self.tracks.len() * 2).max(MIN_SWEEP);
        self.sweep_odd_at = (self.odd_ids.len() * 2).max(MIN_SWEEP);
    }
}
