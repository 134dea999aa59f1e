//! The generator: journeys begin, pass checkpoints, and end.

use traffic::{Checkpoint, CivilTime};

use super::super::chance::{Chance, ONE, mix};
use super::super::event::Event;
use super::super::facts::{CameraFacts, IncidentFacts, PlateFacts, RoadFacts, TruePassage};
use super::super::fleet::{Fleet, Vehicle};
use super::super::network::Network;
use super::super::region;
use super::super::rhythm::Rhythm;
use super::super::settings::SimulatorSettings;
use super::super::trip::{Route, mean_passages};
use super::super::truth::{ClonePair, NO_CASE, Sighting, Truth};
use super::agents::{AgentId, Agents};
use super::arrivals::Kind;
use super::facts;
use super::levels::Levels;
use super::recorder::{Pass, Recorder};
use super::segments::Segments;
use super::wheel::Wheel;

/// A vehicle on its way to its next passage.
#[derive(Debug, Clone, Copy)]
struct Journey {
    vehicle: Vehicle,
    /// Its number in the truth.
    number: u32,
    /// The agent that drives; none for the others.
    agent: Option<AgentId>,
    route: Route,
    /// It leaves the roads after this, in milliseconds since the start.
    ends_by: u64,
}

/// A generator of passage lines in the order of their arrival. It never ends.
#[derive(Debug)]
pub(in super::super) struct Real {
    settings: SimulatorSettings,
    network: Network,
    segments: Segments,
    rhythm: Rhythm,
    levels: Levels,
    fleet: Fleet,
    agents: Agents,
    recorder: Recorder,
    truth: Truth,
    chance: Chance,
    /// Mean nanoseconds between the starts of two trips if every checkpoint had the highest level.
    start_interval: u64,
    /// When the next trip starts, in nanoseconds since the start.
    next_start: u64,
    /// Journeys under way, by when they pass next.
    queue: Wheel<Journey>,
    salt: u64,
}

const HOUR: u64 = 3_600_000;
/// While vehicles that were under way at the start may still turn up, in milliseconds.
const JOINING: u64 = 2 * HOUR;
/// Every trip ends within this, in milliseconds: a vehicle of the local fleet, one that crosses the region, an agent. A
/// vehicle rests longer than that before its next trip.
const LOCAL_ENDS: u64 = 2 * HOUR;
const THROUGH_ENDS: u64 = 6 * HOUR;
/// The fleet is this many times that of ideal roads, so that a vehicle rests that much longer.
const FLEET: f64 = 2.0;
/// Lines for each passage: some are missed, some written twice. The same without faults, so that the traffic is.
const LINES_A_PASSAGE: f64 = 0.97;
/// Clones that ideal roads would plant in a day for each plate that is cloned all the time.
const CLONES_A_PLATE: f64 = 40.0;
/// Lines a day for each pair of lawful twins.
const LINES_A_TWIN: f64 = 150_000.0;
const SECONDS_PER_DAY: f64 = 86_400.0;

impl Real {
    /// Traffic whose roads are already busy, by settings that are in their ranges.
    pub(in super::super) fn new(settings: SimulatorSettings) -> Self {
        let seed = settings.seed;
        let checkpoints = region::checkpoints(settings.sites, mix(seed, 10));
        let network = Network::new(checkpoints, mix(seed, 11)).winding(mix(seed, 13));
        let mut chance = Chance::new(seed);
        let salt = mix(seed, 12);
        let recorder = Recorder::new(network.checkpoints(), &settings);
        let lines_per_second = settings.lines_per_second();
        let lines_a_trip = mean_passages(&network, salt, &mut chance) * LINES_A_PASSAGE;
        let trips_per_second = lines_per_second / lines_a_trip;
        let fleet = Fleet::new(seed, trips_per_second * FLEET);
        let daily = lines_per_second * SECONDS_PER_DAY;
        let clones = daily * settings.clone_rate / CLONES_A_PLATE;
        let clones = if settings.clone_rate > 0.0 { (clones as u64).max(1) } else { 0 };
        let twins = ((daily / LINES_A_TWIN) as u64).max(1);
        let agents = Agents::new(clones, twins, &fleet, &network, &mut chance);
        let mut real = Self {
            segments: Segments::new(&network, mix(seed, 14)),
            rhythm: Rhythm::new(),
            levels: Levels::new(network.len(), mix(seed, 15)),
            fleet,
            agents,
            recorder,
            truth: Truth::default(),
            chance,
            start_interval: (1e9 / trips_per_second * 1000.0 / Levels::MOST as f64) as u64,
            next_start: 0,
            queue: Wheel::new(),
            salt,
            network,
            settings,
        };
        real.start_agents();
        real
    }

    pub(in super::super) fn checkpoints(&self) -> &[Checkpoint] {
        self.network.checkpoints()
    }

    /// When the next line arrives, in civil milliseconds since 1970-01-01 00:00:00.
    pub(in super::super) fn next_due(&mut self) -> i64 {
        self.advance();
        self.settings.start.0 * 1000 + self.recorder.arrivals().next().unwrap_or_default() as i64
    }

    /// Appends the next line to arrive.
    pub(in super::super) fn next_passage(&mut self, line: &mut Vec<u8>) -> Event {
        loop {
            self.advance();
            // After `advance` there is always a line.
            if let Some(event) = self.recorder.next_line(line) {
                return event;
            }
        }
    }

    /// The clone pairs whose later sighting happened since the last call.
    pub(in super::super) fn take_truth(&mut self) -> Vec<ClonePair> {
        self.truth.take()
    }

    /// Who really passed, for the lines that arrived since the last call.
    pub(in super::super) fn take_passages(&mut self) -> Vec<TruePassage> {
        self.recorder.take_passages()
    }

    pub(in super::super) fn camera_facts(&self) -> Vec<CameraFacts> {
        facts::cameras(&self.recorder, &self.levels, self.settings.start)
    }

    pub(in super::super) fn road_facts(&self) -> Vec<RoadFacts> {
        facts::roads(&self.network, &self.segments, &self.recorder)
    }

    /// The incidents that begin from one civil time to before another.
    pub(in super::super) fn incident_facts(&self, from: CivilTime, to: CivilTime) -> Vec<IncidentFacts> {
        facts::incidents(&self.network, &self.segments, &self.recorder, from, to)
    }

    pub(in super::super) fn plate_facts(&self) -> Vec<PlateFacts> {
        facts::plates(&self.agents, self.fleet.models(), self.settings.start)
    }

    /// How many journeys are under way, and how many lines have not arrived.
    #[cfg(test)]
    pub(super) fn waiting(&mut self) -> [usize; 2] {
        [self.queue.len(), self.recorder.arrivals().waiting()]
    }

    /// Lets traffic go on until the next line to arrive is known.
    #[inline]
    fn advance(&mut self) {
        loop {
            let start = self.next_start / 1_000_000;
            let uploads = self.recorder.arrivals().next_upload();
            let arrival = self.recorder.arrivals().next().unwrap_or(u64::MAX);
            let other = start.min(uploads);
            if self.queue.next_due(other.min(arrival)).is_some() {
                self.pass_next();
            } else if arrival <= other {
                return;
            } else if uploads == other {
                self.recorder.arrivals().upload(uploads);
            } else {
                self.start_trip(start);
            }
        }
    }

    fn pass_next(&mut self) {
        if let Some((at, journey)) = self.queue.pop() {
            self.pass(journey, at);
        }
    }

    /// A vehicle passes its checkpoint, and drives on.
    fn pass(&mut self, journey: Journey, at: u64) {
        self.record(&journey, at);
        if let Some((next, at)) = self.onward(&journey, at).or_else(|| self.next_of_agent(&journey, at)) {
            self.queue.push(at, next);
        }
    }

    fn record(&mut self, journey: &Journey, at: u64) {
        let agent = journey.agent.and_then(|id| self.agents.get(id));
        let (kind, case) = agent.map_or((Kind::Own, NO_CASE), |agent| (agent.kind, agent.case));
        let site = journey.route.site;
        let pass = Pass {
            at,
            site,
            counts_up: journey.route.counts_up(&self.network),
            vehicle: &journey.vehicle,
            number: journey.number,
            kind,
        };
        let Some(number) = self.recorder.record(pass, self.fleet.models()) else { return };
        if case != NO_CASE {
            let gcxh = self.recorder.gcxh(number, site);
            let sighting = Sighting { gcxh, site, passed_at: self.civil(at), by_clone: kind == Kind::Clone };
            let (plate, recorder) = (journey.vehicle.plate, &self.recorder);
            self.truth.sighted(case, plate.as_bytes(), sighting, &self.network, |site| recorder.kkmc(site));
        }
    }

    /// The journey that passed at `now`, and when it passes next; none if it has ended.
    fn onward(&mut self, journey: &Journey, now: u64) -> Option<(Journey, u64)> {
        let (route, road) = journey.route.onward(&self.network)?;
        let segment = self.segments.between(journey.route.site, road.to)?;
        let at = now + segment.drive(journey.vehicle.speed_kmh, self.civil(now).0, &mut self.chance);
        (at <= journey.ends_by).then_some((Journey { route, ..*journey }, at))
    }

    /// The next trip of the agent whose journey has ended, and when it begins.
    fn next_of_agent(&mut self, journey: &Journey, now: u64) -> Option<(Journey, u64)> {
        let (id, start) = (journey.agent?, self.settings.start);
        let hour_of_day = |at: u64| (start.0 + (at / 1000) as i64).rem_euclid(86_400) as u64 / 3600;
        let site = journey.route.site;
        let (route, at) = self.agents.next_trip(id, site, now, hour_of_day, &self.network, &mut self.chance)?;
        Some((Journey { route, ends_by: at + THROUGH_ENDS, ..*journey }, at))
    }

    fn start_agents(&mut self) {
        if self.settings.truth {
            let truth = &mut self.truth;
            self.agents.observe(|| {
                let case = truth.open();
                truth.join(case);
                case
            });
        }
        for id in 0..self.agents.len() {
            let trip = self.agents.first_trip(id, &self.network, &mut self.chance);
            if let (Some((route, at)), Some(agent)) = (trip, self.agents.get(id)) {
                let (vehicle, number) = (agent.vehicle, agent.number);
                let ends_by = at + THROUGH_ENDS;
                self.queue.push(at, Journey { vehicle, number, agent: Some(id), route, ends_by });
            }
        }
    }

    /// A trip starts, if the level of traffic there allows it, and the next one is due after a while.
    fn start_trip(&mut self, now: u64) {
        let serial = self.fleet.next(&mut self.chance);
        let route = self.route(serial, now);
        self.depart(serial, route, now);
        if now < JOINING {
            self.join_midway(now);
        }
        let busy = self.rhythm.at(self.civil(now).0) * self.levels.of_region((now / 1000) as i64) / 1000;
        let mean = u128::from(self.start_interval) * u128::from(Rhythm::MEAN) / u128::from(busy.max(1));
        self.next_start += ((mean * u128::from(self.chance.exponential())) / u128::from(ONE)) as u64;
    }

    /// Vehicles that were on a road when the simulation began: one imagined trip is driven for each that departs, and each
    /// of its roads that takes longer than the time since the start ends now.
    fn join_midway(&mut self, now: u64) {
        let serial = self.fleet.imagine(&mut self.chance);
        let route = self.route(serial, now);
        let (mut imagined, mut passed) = (self.journey(serial, route, now), now);
        while let Some((onward, passes)) = self.onward(&imagined, passed) {
            if passes - passed > now {
                let serial = self.fleet.next(&mut self.chance);
                self.depart(serial, onward.route, now);
            }
            (imagined, passed) = (onward, passes);
        }
    }

    fn route(&mut self, serial: u64, at: u64) -> Route {
        let second_of_day = self.civil(at).0.rem_euclid(86_400);
        Route::draw(serial, second_of_day, self.salt, &self.network, &mut self.chance)
    }

    fn depart(&mut self, serial: u64, route: Route, at: u64) {
        let level = self.levels.of_site(route.site, (at / 1000) as i64);
        if self.chance.below(Levels::MOST) < level {
            let journey = self.journey(serial, route, at);
            self.pass(journey, at);
        }
    }

    fn journey(&self, serial: u64, route: Route, at: u64) -> Journey {
        let ends_by = at + if serial.is_multiple_of(2) { LOCAL_ENDS } else { THROUGH_ENDS };
        let vehicle = self.fleet.vehicle(serial);
        Journey { vehicle, number: serial as u32, agent: None, route, ends_by }
    }

    fn civil(&self, milliseconds: u64) -> CivilTime {
        CivilTime(self.settings.start.0 + (milliseconds / 1000) as i64)
    }
}
