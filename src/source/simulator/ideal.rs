//! Traffic on ideal roads: every clock is right, every road winds by the same, and a clone is planted for a few passages.
//!
//! It holds only trips under way, in a heap by the arrival of their next line. The bytes of a seed do not change: tests
//! and measurements compare them.
//!
//! A genuine vehicle may pass two checkpoints that are close within five minutes: the flat rule takes that for a clone,
//! and only the speed distinguishes them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use traffic::{Checkpoint, CivilTime};

use super::camera::{Cameras, NUMBERS, Passage, Reading, first_number};
use super::chance::{Chance, ONE, Probability, mix};
use super::event::Event;
use super::fleet::{Fleet, lookalike_model};
use super::lateness::{LATEST, lateness};
use super::network::Network;
use super::region;
use super::rhythm::Rhythm;
use super::settings::SimulatorSettings;
use super::trip::{Route, Trip, mean_passages};
use super::truth::{ClonePair, NO_CASE, Sighting, Truth};

/// A generator of passage lines in the order of their arrival. It never ends.
#[derive(Debug)]
pub(super) struct Ideal {
    settings: SimulatorSettings,
    network: Network,
    rhythm: Rhythm,
    fleet: Fleet,
    cameras: Cameras,
    pub(super) truth: Truth,
    chance: Chance,
    cloning: Probability,
    double_reads: Probability,
    retransmissions: Probability,
    /// Mean nanoseconds between the starts of two trips.
    start_interval: u64,
    /// When the next trip starts, in nanoseconds since the start.
    next_start: u64,
    /// When each waiting line arrives, in milliseconds since the start, and its slot.
    arrivals: BinaryHeap<Reverse<(u64, u32)>>,
    pub(super) slots: Vec<Waiting>,
    free_slots: Vec<u32>,
    /// Number of the next passage id.
    next_number: u64,
    salt: u64,
}

/// What waits for its arrival.
#[derive(Debug)]
pub(super) enum Waiting {
    Nothing,
    Trip(Trip),
    /// A line that arrives again, and its GCSJ.
    Line(CivilTime, Box<[u8]>),
}

/// While vehicles that were under way at the start may still turn up, in milliseconds: the longest road and a rest.
const JOINING: u64 = 2 * 3_600_000;
/// A clone appears at least this far from its victim, in metres,
const CLONE_METRES: i64 = 25_000;
/// and so soon that no vehicle is that fast, in km/h,
const IMPOSSIBLE_KMH: u64 = 200;
/// but within this many milliseconds.
const LONGEST_CLONE_GAP: u64 = 45 * 60_000;
/// The window of the flat rule, in milliseconds, and the percentage of the clones that appear within it.
const WINDOW: u64 = 300_000;
const WITHIN_WINDOW_PERCENT: u64 = 60;

impl Ideal {
    /// Traffic whose road is already busy, by settings that are in their ranges.
    pub(super) fn new(settings: SimulatorSettings) -> Self {
        let seed = settings.seed;
        let network = Network::new(region::checkpoints(settings.sites, mix(seed, 10)), mix(seed, 11));
        let mut chance = Chance::new(seed);
        let salt = mix(seed, 12);
        // A clone makes two passages or so.
        let passages_per_trip = mean_passages(&network, salt, &mut chance);
        let repeated = 1.0 + settings.double_read_rate + settings.retransmission_rate + 2.0 * settings.clone_rate;
        let trips_per_second = settings.lines_per_second() / passages_per_trip / repeated;
        let cameras =
            Cameras::new(network.checkpoints(), settings.full_names, settings.garbage_rate, settings.misread_rate);
        let next_number = first_number(settings.start);
        Self {
            rhythm: Rhythm::new(),
            fleet: Fleet::new(seed, trips_per_second),
            cameras,
            truth: Truth::default(),
            chance,
            cloning: Probability::new(settings.clone_rate),
            double_reads: Probability::new(settings.double_read_rate),
            retransmissions: Probability::new(settings.retransmission_rate),
            start_interval: (1e9 / trips_per_second) as u64,
            next_start: 0,
            arrivals: BinaryHeap::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            next_number,
            salt,
            network,
            settings,
        }
    }

    /// The checkpoints of the network.
    pub(super) fn checkpoints(&self) -> &[Checkpoint] {
        self.network.checkpoints()
    }

    /// When the next line arrives, in civil milliseconds since 1970-01-01 00:00:00.
    pub(super) fn next_due(&mut self) -> i64 {
        self.start_trips();
        let arrival = self.arrivals.peek().map_or(0, |Reverse((arrival, _))| *arrival);
        self.settings.start.0 * 1000 + arrival as i64
    }

    /// Appends the next line to arrive, TAB-separated, with its `\n`.
    pub(super) fn next_passage(&mut self, line: &mut Vec<u8>) -> Event {
        loop {
            self.start_trips();
            // After `start_trips` there is always a line waiting.
            let Some(&Reverse((arrival, slot))) = self.arrivals.peek() else { continue };
            let waiting = self.slots.get_mut(slot as usize).map(|slot| std::mem::replace(slot, Waiting::Nothing));
            let (passed_at, is_retransmission) = match waiting {
                Some(Waiting::Trip(trip)) => (self.pass(trip, arrival, slot, line), false),
                Some(Waiting::Line(passed_at, bytes)) => {
                    line.extend_from_slice(&bytes);
                    self.arrivals.pop();
                    self.free_slots.push(slot);
                    (passed_at, true)
                }
                Some(Waiting::Nothing) | None => {
                    self.arrivals.pop();
                    continue;
                }
            };
            let arrived_at_ms = self.settings.start.0 * 1000 + arrival as i64;
            return Event { arrived_at_ms, passed_at, is_retransmission };
        }
    }

    /// The clone pairs whose later line has arrived since the last call; empty unless [`SimulatorSettings::truth`].
    pub(super) fn take_truth(&mut self) -> Vec<ClonePair> {
        self.truth.take()
    }

    /// How many lines wait for their arrival: the measure of memory.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.arrivals.len()
    }

    /// Lets a trip pass its checkpoint, writes the line, and sends the trip onward in the same slot.
    fn pass(&mut self, mut trip: Trip, arrival: u64, slot: u32, line: &mut Vec<u8>) -> CivilTime {
        let (number, start) = (self.next_number, line.len());
        self.next_number = (number + 1) % NUMBERS;
        let passed_at = self.civil(trip.passes_at);
        let reading = self.cameras.read(&mut self.chance);
        let passage = Passage {
            number,
            site: trip.route.site,
            passed_at,
            counts_up: trip.route.counts_up(&self.network),
            plate: &trip.vehicle.plate,
            plate_type: trip.vehicle.plate_type,
            model: trip.vehicle.model,
        };
        self.cameras.write_line(&passage, reading, self.fleet.models(), &mut self.chance, line);

        let clone = (reading == Reading::Right && !trip.is_second_read).then(|| self.plant_clone(&mut trip)).flatten();
        if trip.case != NO_CASE && reading == Reading::Right {
            self.sighted(&trip, number, passed_at);
        }
        let second_read = (!trip.is_second_read && self.chance.happens(self.double_reads)).then(|| {
            let passes_at = trip.passes_at + self.chance.between(1_000, 3_001);
            Trip { passes_at, is_second_read: true, ..trip }
        });
        if second_read.is_some() {
            self.truth.join(trip.case);
        }

        match trip.onward(&self.network, &mut self.chance) {
            Some(onward) => {
                let next = onward.passes_at + self.lateness();
                if let Some(mut top) = self.arrivals.peek_mut() {
                    *top = Reverse((next, slot));
                }
                if let Some(place) = self.slots.get_mut(slot as usize) {
                    *place = Waiting::Trip(onward);
                }
            }
            None => {
                self.truth.leave(trip.case);
                self.arrivals.pop();
                self.free_slots.push(slot);
            }
        }
        for extra in [clone, second_read].into_iter().flatten() {
            let due = extra.passes_at + self.lateness();
            self.wait(due.max(arrival), Waiting::Trip(extra));
        }
        if self.chance.happens(self.retransmissions) {
            let latest = trip.passes_at + LATEST;
            let again = self.chance.between(arrival, latest.max(arrival + 1));
            let bytes = line.get(start..).unwrap_or_default().into();
            self.wait(again, Waiting::Line(passed_at, bytes));
        }
        passed_at
    }

    /// Perhaps puts the plate of a genuine trip, just seen, on another vehicle far away.
    fn plant_clone(&mut self, victim: &mut Trip) -> Option<Trip> {
        if !self.chance.happens(self.cloning) || victim.is_clone || victim.case != NO_CASE {
            return None;
        }
        let site = self.network.far_site(victim.route.site, CLONE_METRES, &mut self.chance)?;
        let metres = self.network.metres_between(victim.route.site, site);
        let longest = (metres * 3600 / IMPOSSIBLE_KMH).min(LONGEST_CLONE_GAP);
        let within_window = self.chance.below(100) < WITHIN_WINDOW_PERCENT || longest <= WINDOW;
        let gap =
            if within_window { self.chance.below(longest.min(WINDOW)) } else { self.chance.between(WINDOW, longest) };
        let hops_left = self.chance.between(1, 5) as u8;
        let goal = self.network.stroll(site, u64::from(hops_left), self.chance.bits());
        let mut vehicle = victim.vehicle;
        vehicle.speed_kmh = self.chance.between(70, 111) as u16;
        // Two in three cloners copy the model too.
        if self.chance.below(3) == 0 {
            vehicle.model = lookalike_model(self.fleet.models(), vehicle.plate_type, self.chance.bits());
        }
        if self.settings.truth {
            victim.case = self.truth.open();
            self.truth.join(victim.case);
            self.truth.join(victim.case);
        }
        Some(Trip {
            vehicle,
            route: Route { site, came_from: site, goal, hops_left },
            passes_at: victim.passes_at + gap,
            is_clone: true,
            ..*victim
        })
    }

    fn sighted(&mut self, trip: &Trip, number: u64, passed_at: CivilTime) {
        let mut gcxh = Vec::new();
        self.cameras.write_gcxh(number, trip.route.site, &mut gcxh);
        let gcxh = String::from_utf8_lossy(&gcxh).into_owned();
        let sighting = Sighting { gcxh, site: trip.route.site, passed_at, by_clone: trip.is_clone };
        let cameras = &self.cameras;
        self.truth
            .sighted(trip.case, trip.vehicle.plate.as_bytes(), sighting, &self.network, |site| cameras.kkmc(site));
    }

    /// Starts the trips that start before the next line arrives.
    #[inline]
    fn start_trips(&mut self) {
        while self.arrivals.peek().is_none_or(|Reverse((arrival, _))| self.next_start / 1_000_000 <= *arrival) {
            let now = self.next_start / 1_000_000;
            let serial = self.fleet.next(&mut self.chance);
            let route = self.route(serial, now);
            self.depart(serial, route, now);
            if now < JOINING {
                self.join_midway(now);
            }
            let busy = self.rhythm.at(self.civil(now).0).max(1);
            let mean = u128::from(self.start_interval) * u128::from(Rhythm::MEAN) / u128::from(busy);
            self.next_start += ((mean * u128::from(self.chance.exponential())) / u128::from(ONE)) as u64;
        }
    }

    /// Vehicles that were on a road when the simulation began. On a busy road, the passages at a moment that follow a
    /// road begun before the start come at the rate of trips times the share of roads that take longer than the time
    /// since the start: so one imagined trip is driven for each that departs, and each such road ends now.
    fn join_midway(&mut self, now: u64) {
        let serial = self.fleet.imagine(&mut self.chance);
        let mut imagined = Trip::new(self.fleet.vehicle(serial), self.route(serial, now), 0);
        while let Some(onward) = imagined.onward(&self.network, &mut self.chance) {
            if onward.passes_at - imagined.passes_at > now {
                let serial = self.fleet.next(&mut self.chance);
                self.depart(serial, onward.route, now);
            }
            imagined = onward;
        }
    }

    fn route(&mut self, serial: u64, at: u64) -> Route {
        let second_of_day = self.civil(at).0.rem_euclid(86_400);
        Route::draw(serial, second_of_day, self.salt, &self.network, &mut self.chance)
    }

    fn depart(&mut self, serial: u64, route: Route, at: u64) {
        let trip = Trip::new(self.fleet.vehicle(serial), route, at);
        let arrival = at + self.lateness();
        self.wait(arrival, Waiting::Trip(trip));
    }

    fn wait(&mut self, arrival: u64, waiting: Waiting) {
        let slot = match self.free_slots.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Waiting::Nothing);
                (self.slots.len() - 1) as u32
            }
        };
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = waiting;
        }
        self.arrivals.push(Reverse((arrival, slot)));
    }

    #[inline]
    fn lateness(&mut self) -> u64 {
        if self.settings.lateness { lateness(&mut self.chance) } else { 0 }
    }

    fn civil(&self, milliseconds: u64) -> CivilTime {
        CivilTime(self.settings.start.0 + (milliseconds / 1000) as i64)
    }
}
