//! The scheduler: one thread, one seed. Each step lets time pass, lets one actor do one thing, may let something go
//! wrong, and then checks what must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::appliance::Appliance;
use super::plan::{Plan, Planted};
use super::random::Random;
use super::trace::{self, note};
use super::traffic::Traffic;
use crate::clock;
use crate::mirror::simulated::Server;
use crate::source::kafka::simulated::Broker;

/// Steps within which all must be stored once nothing goes wrong any more.
const CALM_STEPS: u64 = 30_000;

/// A run.
pub(super) struct World {
    pub(super) plan: Plan,
    random: Random,
    pub(super) now: Duration,
    pub(super) traffic: Traffic,
    pub(super) broker: Broker,
    pub(super) server: Server,
    server_away_until: Duration,
    pub(super) appliances: Vec<Appliance>,
    /// The appliance of each member that there was.
    pub(super) members: BTreeMap<u32, usize>,
    /// By partition and appliance: offsets that it may store though another has.
    pub(super) lawful: BTreeMap<(i32, usize), Vec<(i64, i64)>>,
    /// How far each mirror's cursor was checked, by appliance and name.
    pub(super) cursors: BTreeMap<(usize, String), u64>,
    step: u64,
}

/// Runs a seed to its end. Panics where something does not hold.
pub(super) fn run(seed: u64, planted: Option<Planted>) {
    trace::begin();
    clock::simulated::set(Some(Duration::ZERO));
    let random = Random::new(seed);
    let plan = Plan::of(&random, planted);
    note(format_args!("{plan:?}"));
    let traffic = Traffic::new(&random, &plan);
    let mut world = World {
        now: Duration::ZERO,
        broker: Broker::new(traffic.logs.clone()),
        appliances: (0..plan.appliances).map(Appliance::new).collect(),
        members: BTreeMap::new(),
        cursors: BTreeMap::new(),
        server: if planted == Some(Planted::CursorBeforeAcknowledgement) { Server::hasty() } else { Server::default() },
        server_away_until: Duration::ZERO,
        lawful: BTreeMap::new(),
        step: 0,
        plan,
        random,
        traffic,
    };
    for _ in 0..world.plan.steps {
        world.step();
    }
    world.come_to_rest();
    world.check_end();
    clock::simulated::set(None);
}

impl World {
    fn pass(&mut self, time: Duration) {
        self.step += 1;
        trace::step(self.step);
        self.now += time;
        clock::simulated::set(Some(self.now));
        let mut awake = BTreeSet::new();
        for appliance in &self.appliances {
            let Some(process) = &appliance.process else { continue };
            let is_heard = self.now >= appliance.away_until;
            process.reachable().set(is_heard);
            if is_heard && self.now >= appliance.asleep_until {
                awake.insert(process.member);
            }
        }
        self.broker.pass(self.now, &awake);
    }

    fn step(&mut self) {
        let random = self.random.clone();
        let time = if random.rarely(40) { random.between(100, 1500) } else { random.between(1, 25) };
        self.pass(Duration::from_millis(time));
        if random.rarely(6) {
            self.produce();
        }
        let chosen = random.below(self.appliances.len() as u64) as usize;
        match random.below(10) {
            0..4 => self.turn(chosen),
            4..7 => self.write(chosen),
            7 => self.mirror(chosen),
            8 => self.server.step(&|limit| random.unusual(limit)),
            _ => self.appliances[chosen].disk.write_tally(),
        }
        self.go_wrong(chosen);
        self.check();
    }

    fn produce(&mut self) {
        let partition = self.random.below(self.plan.partitions as u64) as i32;
        let count = self.random.between(1, 12) as usize;
        if self.broker.produce(partition, count) {
            note(format_args!("{count} to partition {partition}"));
        }
    }

    fn is_up(&mut self, chosen: usize) -> bool {
        let appliance = &mut self.appliances[chosen];
        if appliance.process.is_none() && self.now >= appliance.down_until {
            let member = self.members.len() as u32 + 1;
            self.members.insert(member, chosen);
            appliance.start(member, &self.broker, &self.server, &self.plan, &self.random);
        }
        appliance.process.is_some() && self.now >= appliance.asleep_until
    }

    fn turn(&mut self, chosen: usize) {
        if self.is_up(chosen) {
            self.appliances[chosen].turn();
            self.bury(chosen);
        }
    }

    fn write(&mut self, chosen: usize) {
        if self.is_up(chosen) {
            self.appliances[chosen].write();
            self.bury(chosen);
        }
    }

    fn mirror(&mut self, chosen: usize) {
        if self.is_up(chosen) {
            let which = self.random.below(64);
            self.appliances[chosen].mirror(which);
        }
    }

    /// What is left of a process that has ended by itself.
    fn bury(&mut self, chosen: usize) {
        if self.appliances[chosen].has_died() {
            let power = self.random.rarely(2);
            self.end(chosen, power);
        }
    }

    fn end(&mut self, chosen: usize, power: bool) {
        note(format_args!("{chosen} {}", if power { "loses its power" } else { "is killed" }));
        self.appliances[chosen].end(power, &self.random);
        let down = if self.random.rarely(2) { 0 } else { self.random.between(1, 6000) };
        self.appliances[chosen].down_until = self.now + Duration::from_millis(down);
    }

    fn go_wrong(&mut self, chosen: usize) {
        let random = self.random.clone();
        if self.now >= self.server_away_until {
            self.server.set_away(false);
        }
        if random.rarely(300) {
            self.server_away_until = self.now + Duration::from_millis(random.between(50, 4000));
            note(format_args!("the target is away until {:?}", self.server_away_until));
            self.server.set_away(true);
            if random.rarely(4) {
                note(format_args!("the target is empty"));
                self.server.forget();
            }
        }
        if self.appliances[chosen].process.is_none() {
            return;
        }
        let until = self.now + Duration::from_millis(random.between(50, 9000));
        if random.rarely(160) {
            self.end(chosen, false);
        } else if random.rarely(160) {
            self.end(chosen, true);
        } else if random.rarely(160) {
            let fault = match random.below(2) {
                0 => storage::simulated::WriteFault::Refused,
                _ => storage::simulated::WriteFault::Unheard,
            };
            note(format_args!("{chosen} will end at a write: {fault:?}"));
            self.appliances[chosen].disk.fail_next_write(fault);
        } else if random.rarely(160) {
            note(format_args!("{chosen} sleeps until {until:?}"));
            self.appliances[chosen].asleep_until = until;
        } else if random.rarely(200) {
            note(format_args!("{chosen} is not heard until {until:?}"));
            self.appliances[chosen].away_until = until;
        } else if random.rarely(200) && self.now >= self.appliances[chosen].asleep_until {
            let in_order = self.appliances[chosen].stop();
            note(format_args!("{chosen} {}", if in_order { "stops" } else { "dies while it stops" }));
        }
    }

    /// Nothing goes wrong any more: within some steps everything is stored and known to the group.
    fn come_to_rest(&mut self) {
        self.random.calm_down();
        note(format_args!("calm"));
        self.server.set_away(false);
        for appliance in &mut self.appliances {
            (appliance.down_until, appliance.asleep_until, appliance.away_until) = Default::default();
        }
        for _ in 0..CALM_STEPS {
            self.pass(Duration::from_millis(60));
            self.produce();
            for chosen in 0..self.appliances.len() {
                self.turn(chosen);
                self.write(chosen);
                self.mirror(chosen);
                self.server.step(&|_| 0);
                self.appliances[chosen].disk.write_tally();
                // Before another can take over what this one has let go.
                self.check();
            }
            if self.is_at_rest() {
                note(format_args!("all is stored"));
                return;
            }
        }
        panic!("{CALM_STEPS} steps without a fault are not enough to store everything: {}", self.unrest());
    }

    fn is_at_rest(&self) -> bool {
        let committed = self.broker.committed();
        let is_whole = |(partition, log): (&i32, &Vec<Option<String>>)| {
            let end = log.len() as i64;
            let owner = self.broker.owner(*partition).and_then(|member| self.members.get(&member));
            let position = owner.and_then(|id| self.appliances[*id].account.borrow().positions.get(partition).copied());
            committed.get(partition) == Some(&end) && position == Some(end)
        };
        let idle = |appliance: &Appliance| appliance.process.as_ref().is_some_and(super::appliance::Process::is_idle);
        self.traffic.logs.iter().all(is_whole) && self.appliances.iter().all(idle) && self.is_mirrored()
    }

    /// Ends all processes and starts them again.
    pub(super) fn start_again(&mut self) {
        for chosen in 0..self.appliances.len() {
            self.appliances[chosen].end(true, &self.random);
            self.appliances[chosen].down_until = Duration::ZERO;
            assert!(self.is_up(chosen));
            self.check();
        }
    }
}
