//! Vehicles that share a number: clones with the cars whose plates they wear, and lawful twins.
//!
//! They drive all day: a trip, a pause, and the next trip from where the last one ended. So both cars of a plate are
//! seen again and again, each on a track of its own. There are few of them, so each is kept.

use super::super::chance::{Chance, ONE};
use super::super::fleet::{Fleet, LARGE_VEHICLE, SMALL_CAR, Vehicle, lookalike_model};
use super::super::network::{Network, SiteId};
use super::super::trip::Route;
use super::super::truth::{CaseId, NO_CASE};
use super::arrivals::Kind;

/// One vehicle of a plate that two have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Agent {
    pub(super) vehicle: Vehicle,
    /// Its number in the truth.
    pub(super) number: u32,
    pub(super) kind: Kind,
    /// The case in which its plate is observed.
    pub(super) case: CaseId,
    /// When it begins to drive, in milliseconds since the start.
    pub(super) since: u64,
    home: SiteId,
    at: SiteId,
    /// Mean milliseconds between two trips.
    pause: u64,
}

/// Number of an agent.
pub(super) type AgentId = u32;

/// All agents; the two of a plate follow one another.
#[derive(Debug, Clone, Default)]
pub(super) struct Agents(Vec<Agent>);

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// The second vehicle of a plate has its number plus this.
const OTHER: u32 = 1_000_000_000;
/// A clone lives at least this far from the car whose plate it wears, in metres, where the network allows.
const APART_METRES: i64 = 25_000;
/// The most checkpoints of a trip.
const MAX_HOPS: u8 = 16;
/// Hours of the night, in which two of three trips wait for the morning.
const NIGHT: (u64, u64) = (23, 5);

impl Agents {
    /// This many cloned plates and lawful twins.
    pub(super) fn new(clones: u64, twins: u64, fleet: &Fleet, network: &Network, chance: &mut Chance) -> Self {
        let mut agents = Self::default();
        for index in 0..clones + twins {
            let serial = fleet.apart(index);
            let owner = Agent {
                vehicle: fleet.vehicle(serial),
                number: serial as u32,
                kind: Kind::Own,
                case: NO_CASE,
                since: 0,
                home: network.busy_site(chance.bits()),
                at: 0,
                pause: chance.between(20, 61) * MINUTE,
            };
            let [owner, other] = if index < clones {
                cloned(owner, fleet, network, chance)
            } else {
                twin(owner, fleet, network, chance)
            };
            agents.0.extend([owner, Agent { number: other_number(serial), ..other }]);
        }
        agents.0.iter_mut().for_each(|agent| agent.at = agent.home);
        agents
    }

    pub(super) fn get(&self, id: AgentId) -> Option<&Agent> {
        self.0.get(id as usize)
    }

    /// The two vehicles of each plate.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Agent, &Agent)> {
        self.0.chunks_exact(2).filter_map(|pair| Some((pair.first()?, pair.get(1)?)))
    }

    /// How many there are.
    pub(super) fn len(&self) -> AgentId {
        self.0.len() as AgentId
    }

    /// Opens a case for each plate that is cloned.
    pub(super) fn observe(&mut self, mut open: impl FnMut() -> CaseId) {
        for pair in self.0.chunks_exact_mut(2).filter(|pair| pair.iter().any(|it| it.kind == Kind::Clone)) {
            let case = open();
            pair.iter_mut().for_each(|agent| agent.case = case);
        }
    }

    /// The next trip of an agent that has ended one at `site` at `now`, in milliseconds since the start, and when it
    /// sets out. `hour_of_day` is that of a moment.
    pub(super) fn next_trip(
        &mut self,
        id: AgentId,
        site: SiteId,
        now: u64,
        hour_of_day: impl Fn(u64) -> u64,
        network: &Network,
        chance: &mut Chance,
    ) -> Option<(Route, u64)> {
        let agent = self.0.get_mut(id as usize)?;
        agent.at = site;
        let mut leaves = now + 5 * MINUTE + agent.pause * chance.exponential() / ONE;
        let hour = hour_of_day(leaves);
        if (hour >= NIGHT.0 || hour < NIGHT.1) && chance.below(3) != 0 {
            leaves += (24 + NIGHT.1 - hour) % 24 * HOUR + chance.below(2 * HOUR);
        }
        Some((agent.route(network, chance), leaves))
    }

    /// The first trip of an agent.
    pub(super) fn first_trip(&self, id: AgentId, network: &Network, chance: &mut Chance) -> Option<(Route, u64)> {
        let agent = self.get(id)?;
        Some((agent.route(network, chance), agent.since + chance.below(agent.pause)))
    }
}

fn other_number(serial: u64) -> u32 {
    serial as u32 + OTHER
}

impl Agent {
    /// Home, or some checkpoints away from it.
    fn route(&self, network: &Network, chance: &mut Chance) -> Route {
        let away = network.stroll(self.home, chance.between(1, 6), chance.bits());
        let goal = if self.at != self.home && chance.below(2) == 0 { self.home } else { away };
        Route { site: self.at, came_from: self.at, goal, hops_left: MAX_HOPS }
    }
}

/// A car, and another that wears its plate. Three in five copy the model too; two in five drive rarely; one in five begins
/// only after some half a day.
fn cloned(owner: Agent, fleet: &Fleet, network: &Network, chance: &mut Chance) -> [Agent; 2] {
    let mut vehicle = owner.vehicle;
    vehicle.speed_kmh = chance.between(75, 111) as u16;
    if chance.below(5) >= 3 {
        vehicle.model = lookalike_model(fleet.models(), vehicle.plate_type, chance.bits());
    }
    let pause = if chance.below(5) < 3 { chance.between(20, 50) } else { chance.between(90, 241) } * MINUTE;
    let since = if chance.below(5) == 0 { chance.between(12, 30) * HOUR } else { chance.below(12 * HOUR) };
    let home = network.far_site(owner.home, APART_METRES, chance).unwrap_or(owner.home);
    let clone = Agent { vehicle, kind: Kind::Clone, home, pause, since, ..owner };
    [owner, clone]
}

/// A small car and a large vehicle that have one number by law.
fn twin(owner: Agent, fleet: &Fleet, network: &Network, chance: &mut Chance) -> [Agent; 2] {
    let mut of_type = |plate_type: u8, speed_kmh: u16| Vehicle {
        plate_type,
        speed_kmh,
        model: lookalike_model(fleet.models(), plate_type, chance.bits()),
        ..owner.vehicle
    };
    let (car, large) = (of_type(SMALL_CAR, 100), of_type(LARGE_VEHICLE, 82));
    let home = network.busy_site(chance.bits());
    let pause = chance.between(30, 120) * MINUTE;
    let car = Agent { vehicle: car, kind: Kind::Twin, ..owner };
    let large = Agent { vehicle: large, home, pause, ..car };
    [car, large]
}
