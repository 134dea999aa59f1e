//! The evidence of one partition: it takes every accepted passage in order, learns from them, and follows the plates
//! that contradict themselves.
//!
//! What is learnt changes only when the stream's clock passes a whole hour. Everything else depends on the records and
//! their order alone, so the same records in the same order give the same cases at any batch size, speed or restart.
//! A record far ahead of the stream's clock teaches nothing and contradicts nothing: it has a wrong time.

use std::sync::Arc;

use super::cameras::{Cameras, UNKNOWN_ERROR};
use super::contradiction::{Contradiction, FAST_SHARE, Mark, Roads};
use super::faults::{CameraFault, CameraState};
use super::last_seen::{LastSeen, Spot};
use super::misreads::{self, Neighbours, one_edit_neighbours};
use super::paths::Paths;
use super::posterior::Rates;
use super::segments::SegmentState;
use super::stream_clock::StreamClock;
use super::suspects::{Suspect, Suspects};
use super::travel_times::TravelTimes;
use crate::{NameId, Places, PlateCode};

/// Settings of the evidence.
#[derive(Debug, Clone)]
pub struct EvidenceSettings {
    /// Sightings with a longer gap are not compared, in seconds.
    pub reach: i64,
    /// A speed above this is impossible, in km/h.
    pub max_speed_kmh: f64,
    /// Probability from which a case is opened.
    pub open_from: f64,
    /// Which plates differ in one character, where the plates that come are pseudonyms; none where they are plates.
    pub neighbours: Option<Arc<dyn Neighbours>>,
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        Self { reach: 7200, max_speed_kmh: 160.0, open_from: 0.5, neighbours: None }
    }
}

/// One passage in this many is looked at for a one-edit neighbour that is due by chance.
const CHECKED: u64 = 1024;
/// Of a suspect with this probability every sighting is weighed for some time after a contradiction.
const WATCHED: f64 = 0.02;
/// So many contradictions of a plate count as gaps: on a road that is not known yet, many plates have one each.
const TEACHES: u32 = 2;
/// A silence as unlikely as this is no chance.
const NO_CHANCE: f64 = 1e-6;
/// Cars come in groups of about so many, so a silence says this much less than a Poisson process would.
const BURSTS: f64 = 3.0;
/// A plate that a camera records again within this many seconds was recorded twice.
const DOUBLE: i64 = 60;
/// The share of cars that drive as on a free road, or faster.
const FREE_SHARE: f64 = 0.15;
/// Before the first hour is learnt, a record this many seconds ahead has a wrong time.
const FIRST_AHEAD_LIMIT: i64 = 3600;

/// How often a one-edit neighbour was due by chance.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Checks {
    pub(super) due: u32,
    pub(super) all: u32,
}

/// The evidence of one partition.
#[derive(Debug, Default)]
pub struct Assessor {
    pub(super) settings: EvidenceSettings,
    pub(super) clock: StreamClock,
    pub(super) cameras: Cameras,
    pub(super) times: TravelTimes,
    pub(super) paths: Paths,
    pub(super) seen: LastSeen,
    pub(super) suspects: Suspects,
    pub(super) rates: Rates,
    pub(super) checks: Checks,
    /// The hour that was learnt last, in hours since 1970; and how many were.
    pub(super) hour: Option<i64>,
    pub(super) hours: u64,
    /// Sightings of the newest hours, at most a day of them.
    pub(super) sightings: Vec<u64>,
    /// How wrong a lead is as a clock's offset, in seconds.
    pub(super) lead_error: Option<f64>,
}

impl Assessor {
    /// Evidence that knows nothing yet.
    pub fn new(settings: EvidenceSettings) -> Self {
        let cameras = Cameras { ahead_limit: FIRST_AHEAD_LIMIT, ..Cameras::default() };
        Self { settings, cameras, ..Self::default() }
    }

    /// Takes an accepted passage, late or not, of a plate that is compared.
    #[inline]
    pub fn observe(&mut self, plate: PlateCode, spot: &Spot, places: &Places) {
        let Some(camera) = self.cameras.at(spot.checkpoint) else { return };
        let at = spot.time - camera.whole_offset;
        camera.hour.records += 1;
        camera.hour.whole_minutes += u32::from(spot.time % 60 == 0);
        camera.hour.unbranded += u32::from(spot.brand == 0);
        let before = self.clock.now();
        if self.clock.see(spot.checkpoint, at) {
            if let (Some(before), Some(now)) = (before, self.clock.now()) {
                self.cameras.follow_stream(now - before);
            }
            self.end_hour();
        }
        let Some(now) = self.clock.now() else { return };
        let (ordinal, limit) = (self.clock.ordinal(), self.cameras.ahead_limit);
        let Some(camera) = self.cameras.at(spot.checkpoint) else { return };
        camera.see_lead(spot.time - now, now, ordinal);
        if at > now + limit {
            return camera.hour.count_ahead(at - now - limit);
        }
        let horizon = now - self.settings.reach;
        let cameras = &self.cameras;
        let before = self.seen.put(plate, spot, horizon, |before| cameras.correct(before) > at);
        if self.suspects.contains(plate) {
            return self.follow(plate, spot, at, now, places);
        }
        let Some(before) = before else { return };
        if before.checkpoint == spot.checkpoint && (spot.time - before.time).abs() < DOUBLE {
            self.note_double(spot.checkpoint);
        }
        if ordinal.is_multiple_of(CHECKED) {
            self.checks.all += 1;
            self.checks.due += u32::from(self.due(plate, spot, horizon).is_some());
        }
        if before.checkpoint != spot.checkpoint {
            self.compare(plate, &before, spot, now, places);
        }
    }

    /// Compares a sighting with the plate's last one at another checkpoint.
    #[inline]
    fn compare(&mut self, plate: PlateCode, before: &Spot, spot: &Spot, now: i64, places: &Places) {
        let gap = self.cameras.correct(spot) - self.cameras.correct(before);
        if gap.abs() > self.settings.reach {
            return;
        }
        let (from, to) = if gap >= 0 { (before, spot) } else { (spot, before) };
        self.times.see(from.checkpoint, to.checkpoint, gap.abs(), self.cameras.correct(to).min(now));
        let error = self.error(from) + self.error(to);
        let fastest = self.roads(places).fastest(from.checkpoint, to.checkpoint);
        let is_contradiction = fastest.is_some_and(|fastest| gap.abs() as f64 + error < FAST_SHARE * fastest);
        if let Some(camera) = self.cameras.at(spot.checkpoint) {
            camera.hour.compare(before, spot, is_contradiction);
        }
        if let Some(fastest) = fastest.filter(|_| is_contradiction) {
            self.cameras.count_conflict(before.checkpoint, spot.checkpoint);
            self.suspect(plate, from, to, fastest, now, places);
        }
    }

    /// Takes an accepted passage whose plate is masked or irregular.
    pub fn observe_unread(&mut self, checkpoint: NameId) {
        if let Some(camera) = self.cameras.at(checkpoint) {
            camera.hour.unread += 1;
        }
    }

    #[cold]
    fn note_double(&mut self, checkpoint: NameId) {
        if let Some(camera) = self.cameras.at(checkpoint) {
            camera.hour.doubles += 1;
        }
    }

    /// Makes a plate a suspect.
    #[cold]
    fn suspect(&mut self, plate: PlateCode, from: &Spot, to: &Spot, fastest: f64, now: i64, places: &Places) {
        let [from, to] = [from, to].map(|spot| self.mark(plate, spot, Some(now - self.settings.reach)));
        let Some(suspect) = self.suspects.open(plate) else { return };
        suspect.insert(from);
        suspect.insert(to);
        suspect.add(Contradiction { from, to, fastest });
        self.judge(plate, now, places);
    }

    /// Takes a sighting of a suspect.
    #[cold]
    fn follow(&mut self, plate: PlateCode, spot: &Spot, at: i64, now: i64, places: &Places) {
        let mut mark = self.mark(plate, spot, None);
        let Some(suspect) = self.suspects.get_mut(plate) else { return };
        let place = suspect.insert(mark);
        let reach = self.settings.reach;
        let near = |other: &&Mark| (other.at - at).abs() <= reach && other.spot.checkpoint != spot.checkpoint;
        let earlier = place.checked_sub(1).and_then(|place| suspect.marks.get(place)).filter(near).copied();
        let later = suspect.marks.get(place + 1).filter(near).copied();
        // A car that may be two teaches no travel times, and one plate's contradictions make no road.
        let (is_clone, count) = (suspect.verdict.explanations.clone >= 0.5, suspect.found);
        let pairs = [earlier.map(|earlier| (earlier, mark)), later.map(|later| (mark, later))];
        let mut found = Vec::new();
        for (from, to) in pairs.into_iter().flatten() {
            let mut roads = self.roads(places);
            if roads.share(&from, &to) < FAST_SHARE {
                let fastest = roads.fastest(from.spot.checkpoint, to.spot.checkpoint).unwrap_or_default();
                found.push(Contradiction { from, to, fastest });
            }
        }
        if let Some(earlier) = earlier.filter(|_| !is_clone && (found.is_empty() || count < TEACHES)) {
            self.times.see(earlier.spot.checkpoint, spot.checkpoint, at - earlier.at, at.min(now));
        }
        if let (Some(other), Some(camera)) = (earlier.or(later), self.cameras.at(spot.checkpoint)) {
            camera.hour.compare(&other.spot, spot, !found.is_empty());
        }
        // What two cars contradict is no camera's fault.
        for contradiction in found.iter().filter(|_| !is_clone) {
            self.cameras.count_conflict(contradiction.from.spot.checkpoint, contradiction.to.spot.checkpoint);
        }
        if !found.is_empty() {
            mark = self.mark(plate, spot, Some(now - reach));
        }
        let Some(suspect) = self.suspects.get_mut(plate) else { return };
        if let Some(own) = suspect.marks.get_mut(place) {
            *own = mark;
        }
        // Of a plate that is hardly suspected a sighting that contradicts nothing changes little.
        let matters = !found.is_empty() || suspect.verdict.explanations.clone >= WATCHED;
        found.into_iter().for_each(|contradiction| suspect.add(contradiction));
        if matters && at - suspect.newest < reach {
            self.judge(plate, now, places);
        }
    }

    fn judge(&mut self, plate: PlateCode, now: i64, places: &Places) {
        let max_speed_kmh = self.settings.max_speed_kmh;
        let mut roads = Roads { paths: &mut self.paths, places, max_speed_kmh };
        if let Some(suspect) = self.suspects.get_mut(plate) {
            suspect.judge(&mut roads, &self.rates, now, self.settings.open_from);
        }
        self.suspects.note(plate);
    }

    pub(super) fn roads<'a>(&'a mut self, places: &'a Places) -> Roads<'a> {
        Roads { paths: &mut self.paths, places, max_speed_kmh: self.settings.max_speed_kmh }
    }

    /// By how much a corrected time may be wrong, in seconds.
    #[inline]
    fn error(&self, spot: &Spot) -> f64 {
        let camera = self.cameras.get(spot.checkpoint);
        let minutes = camera.is_some_and(|camera| camera.is_to_the_minute);
        let resolution = spot.resolution.seconds().max(if minutes { 60 } else { 1 });
        camera.map_or(UNKNOWN_ERROR, |camera| camera.error) + resolution as f64
    }

    /// A sighting of a suspect. With a horizon, a one-edit neighbour that was due is looked for.
    pub(super) fn mark(&self, plate: PlateCode, spot: &Spot, horizon: Option<i64>) -> Mark {
        let due = horizon.and_then(|horizon| self.due(plate, spot, horizon));
        let doubt = self.cameras.doubt(spot.checkpoint) as f32;
        Mark { spot: *spot, at: self.cameras.correct(spot), error: self.error(spot) as f32, due, doubt }
    }

    fn due(&self, plate: PlateCode, spot: &Spot, horizon: i64) -> Option<PlateCode> {
        let correct = |spot: &Spot| self.cameras.correct(spot);
        match self.settings.neighbours.as_ref().filter(|_| plate.is_pseudonym()) {
            None => misreads::due(&self.seen, &self.paths, one_edit_neighbours(plate), spot, correct, horizon),
            Some(known) => misreads::due(&self.seen, &self.paths, known.of(plate).into_iter(), spot, correct, horizon),
        }
    }

    /// Whether [`Self::take_changed_cases`] has anything.
    #[inline]
    pub fn has_changed_cases(&self) -> bool {
        self.suspects.has_changed()
    }

    /// Takes the plates whose cases changed since the last call, in the order of their codes.
    pub fn take_changed_cases(&mut self) -> Vec<PlateCode> {
        self.suspects.take_changed()
    }

    /// A plate with a contradiction.
    pub fn suspect_of(&self, plate: PlateCode) -> Option<&Suspect> {
        self.suspects.get(plate)
    }

    /// All plates with a contradiction, in the order of their codes.
    pub fn suspects(&self) -> Vec<&Suspect> {
        self.suspects.in_order()
    }

    /// How long a camera has been silent, if that is no chance: since when (corrected event time), and how likely it is by
    /// chance, from its share of all records and how many came since.
    pub fn silence(&self, checkpoint: NameId) -> Option<(i64, f64)> {
        let camera = self.cameras.get(checkpoint)?;
        let (others, since) = self.clock.since(checkpoint)?;
        let by_chance = (-camera.usual_share * others as f64 / BURSTS).exp();
        (by_chance < NO_CHANCE && !camera.faults.contains(&CameraFault::Batches)).then_some((since, by_chance))
    }

    /// What is known of each camera, by the number of its checkpoint.
    pub fn cameras(&self) -> impl Iterator<Item = CameraState> {
        self.cameras.states()
    }

    /// Where the stream is in corrected event time, in civil seconds.
    pub fn now(&self) -> Option<i64> {
        self.clock.now()
    }

    /// What is known of each segment, in an order that depends on the records alone.
    pub fn segments(&self) -> impl Iterator<Item = SegmentState> {
        let now = self.clock.now().unwrap_or_default();
        let error = |at: NameId| self.cameras.get(at).map_or(UNKNOWN_ERROR, |camera| camera.error);
        self.times.directions().filter_map(move |(from, to, times, segment)| {
            let segment = segment?;
            Some(SegmentState {
                from,
                to,
                recent: segment.recent(now),
                free_flow: times.quantile(FREE_SHARE, 1.0),
                counted: times.total,
                clock_error: error(from) + error(to),
                hours: segment.hours().clone(),
            })
        })
    }

    /// The hour since 1970 that was learnt last: the model in force.
    pub fn model(&self) -> Option<i64> {
        self.hour
    }

    /// How many hours were learnt.
    pub fn hours(&self) -> u64 {
        self.hours
    }

    /// Evidence for other plates on the same roads: it knows clocks, travel times and rates, but no plate and no hour.
    pub fn without_plates(&self) -> Self {
        Self {
            cameras: self.cameras.without_hour(),
            times: self.times.without_hour(),
            paths: self.paths.clone(),
            rates: self.rates,
            hours: self.hours,
            sightings: self.sightings.clone(),
            lead_error: self.lead_error,
            ..Self::new(self.settings.clone())
        }
    }

    /// The same, but none before the first hour was learnt.
    pub fn learnt_hour(&self) -> Option<i64> {
        self.hour.filter(|_| self.hours > 0)
    }

    /// What is learnt of false readings.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// The fastest credible time from one checkpoint to another in seconds, and the travel times counted between them
    /// as (from second, to second, count).
    pub fn travel_times(&mut self, from: NameId, to: NameId, places: &Places) -> (Option<f64>, Vec<(f64, f64, u16)>) {
        let counted = self.times.between(from, to).map(|times| times.counted().collect()).unwrap_or_default();
        (self.roads(places).fastest(from, to), counted)
    }

    /// Bytes that the table of last sightings takes.
    pub fn table_bytes(&self) -> usize {
        self.seen.bytes()
    }
}
