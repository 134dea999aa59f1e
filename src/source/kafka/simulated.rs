//! A simulated broker with one topic and one group, and the client that a member has of it, for docs/simulation.md. It
//! stands where librdkafka and Kafka would be; the accounts, the positions and the order of a rebalance are the real ones.
//!
//! Modelled: records and offsets that hold none, in several partitions; delivery late and again, errors, the end of a
//! partition; members that join, leave, die and are dropped after their session; partitions that move only once their
//! owner has let them go (cooperative); commits that are refused, lost, late, or done without the member learning of it,
//! each under the generation in which it was sent. Not modelled: retention of the topic, a topic made again, other
//! programs in the group, static members.
//!
//! It decides nothing by itself: `chance` says what happens next.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use traffic::NameTable;

use super::asked::{Client, Event, Group};
use super::consumer::{Kafka, ledger_of};
use super::ledger::{Ledger, Record};
use super::position::{Committed, PartitionPosition};
use super::rebalance::{come, go};
use super::settings::KafkaSettings;
use crate::batch::Batch;

/// How long the group waits for a member.
pub(crate) const SESSION: Duration = Duration::from_secs(4);

/// Gives numbers below its argument; 0 where nothing unusual is to happen.
pub(crate) type Chance = Rc<dyn Fn(u64) -> u64>;

/// A partition that has come to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handover {
    pub(crate) partition: i32,
    pub(crate) from: Option<u32>,
    pub(crate) to: u32,
    /// The group's offset then.
    pub(crate) committed: i64,
    /// The one before has let it go in order, and its last commit was taken.
    pub(crate) in_order: bool,
}

/// The broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broker(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    now: Duration,
    logs: BTreeMap<i32, Vec<Option<String>>>,
    /// How much of each is there already.
    ends: BTreeMap<i32, usize>,
    committed: BTreeMap<i32, (i64, String)>,
    generation: u64,
    members: BTreeMap<u32, Membership>,
    owners: BTreeMap<i32, Owner>,
    handovers: Vec<Handover>,
}

#[derive(Debug)]
struct Membership {
    heard: Duration,
    generation: u64,
}

#[derive(Debug, Clone, Copy)]
enum Owner {
    Member(u32),
    /// Nobody; who had it, and whether that one let it go in order.
    Free {
        before: u32,
        in_order: bool,
    },
}

impl State {
    /// Members share the partitions evenly, in the order of their numbers.
    fn wanted(&self, partition: i32) -> Option<u32> {
        let members: Vec<u32> = self.members.keys().copied().collect();
        let place = (partition.unsigned_abs() as usize) % members.len().max(1);
        members.get(place).copied()
    }

    fn drop_member(&mut self, member: u32) {
        if self.members.remove(&member).is_some() {
            self.generation += 1;
            for owner in self.owners.values_mut() {
                if matches!(owner, Owner::Member(id) if *id == member) {
                    *owner = Owner::Free { before: member, in_order: false };
                }
            }
        }
    }

    fn owned(&self, member: u32) -> Vec<i32> {
        let owned = self.owners.iter().filter(|(_, owner)| matches!(owner, Owner::Member(id) if *id == member));
        owned.map(|(partition, _)| *partition).collect()
    }

    /// Whether the group counts this member in under this generation. In a rebalance the old one still counts, until the
    /// member has joined again.
    fn counts(&self, member: u32, generation: u64) -> bool {
        self.members.get(&member).is_some_and(|membership| membership.generation == generation)
    }

    fn take(&mut self, positions: &[(i32, i64, String)]) {
        for (partition, next, metadata) in positions {
            self.committed.insert(*partition, (*next, metadata.clone()));
        }
    }
}

impl Broker {
    /// A topic with these partitions; where an offset holds no record there is none. Nothing is produced yet.
    pub(crate) fn new(logs: BTreeMap<i32, Vec<Option<String>>>) -> Self {
        let ends = logs.keys().map(|partition| (*partition, 0)).collect();
        Self(Rc::new(RefCell::new(State { logs, ends, ..State::default() })))
    }

    /// Time passes. `awake`: members from which the broker hears.
    pub(crate) fn pass(&self, now: Duration, awake: &BTreeSet<u32>) {
        let state = &mut *self.0.borrow_mut();
        state.now = now;
        for (id, member) in &mut state.members {
            if awake.contains(id) {
                member.heard = now;
            }
        }
        let late = state.members.iter().filter(|(_, member)| now >= member.heard + SESSION);
        for id in late.map(|(id, _)| *id).collect::<Vec<_>>() {
            state.drop_member(id);
        }
    }

    /// Produces the next `count` offsets of a partition; false if there are no more.
    pub(crate) fn produce(&self, partition: i32, count: usize) -> bool {
        let state = &mut *self.0.borrow_mut();
        let all = state.logs.get(&partition).map_or(0, Vec::len);
        let Some(end) = state.ends.get_mut(&partition) else { return false };
        let before = *end;
        *end = (*end + count).min(all);
        *end > before
    }

    /// The group's offset of each partition.
    pub(crate) fn committed(&self) -> BTreeMap<i32, i64> {
        self.0.borrow().committed.iter().map(|(partition, (next, _))| (*partition, *next)).collect()
    }

    /// The member that has a partition, as far as the group knows.
    pub(crate) fn owner(&self, partition: i32) -> Option<u32> {
        match self.0.borrow().owners.get(&partition)? {
            Owner::Member(member) => Some(*member),
            Owner::Free { .. } => None,
        }
    }

    /// Partitions that have come to members since the last call.
    pub(crate) fn handovers(&self) -> Vec<Handover> {
        std::mem::take(&mut self.0.borrow_mut().handovers)
    }
}

/// A commit on its way.
#[derive(Debug)]
struct Underway {
    generation: u64,
    positions: Vec<(i32, i64, String)>,
}

/// The client that one process has.
pub(crate) struct SimulatedClient {
    broker: Broker,
    member: u32,
    ledger: Arc<Ledger>,
    chance: Chance,
    /// Drives the writer until it has taken what it was given; false if that takes too long, or it fails.
    drain: Box<dyn Fn() -> bool>,
    /// The broker hears and answers.
    pub(crate) reachable: Cell<bool>,
    joined: Cell<Option<u64>>,
    lost: Cell<bool>,
    /// Whether the group took the last commit that was waited for.
    last_taken: Cell<bool>,
    /// The writer was too slow for the partitions that go.
    slow: Cell<bool>,
    /// Where each assigned partition is fetched from, and whether its end was reported; none: nowhere yet.
    fetches: RefCell<BTreeMap<i32, Option<(i64, bool)>>>,
    underway: RefCell<VecDeque<Underway>>,
}

impl SimulatedClient {
    fn error(&self, code: RDKafkaErrorCode) -> KafkaError {
        KafkaError::ConsumerCommit(code)
    }

    fn rarely(&self, times: u64) -> bool {
        (self.chance)(times) == 1
    }

    /// Commits on their way arrive, in their order.
    pub(crate) fn arrive(&self) {
        if !self.reachable.get() {
            return;
        }
        while let Some(Underway { generation, positions }) = self.underway.borrow_mut().pop_front() {
            let mut state = self.broker.0.borrow_mut();
            let taken = state.counts(self.member, generation) && !self.rarely(8);
            if taken {
                state.take(&positions);
            }
            drop(state);
            // Refused, or the answer is lost.
            if !taken || self.rarely(8) {
                self.ledger.forget_hints();
            }
        }
    }

    /// The process ends in order, or lets all partitions go.
    pub(crate) fn leave(&self) {
        let owned = self.broker.0.borrow().owned(self.member);
        self.let_go(&owned);
        if self.reachable.get() {
            self.broker.0.borrow_mut().drop_member(self.member);
        }
        self.joined.set(None);
    }

    fn let_go(&self, partitions: &[i32]) {
        if partitions.is_empty() {
            return;
        }
        self.slow.set(false);
        // Where there is nothing to tell the group, it may know less than what is stored.
        self.last_taken.set(false);
        go(self, &self.ledger, partitions);
        // What was sent before reaches the broker before it learns that the partitions go: it is one connection.
        self.arrive();
        self.underway.borrow_mut().clear();
        let mut fetches = self.fetches.borrow_mut();
        partitions.iter().for_each(|partition| {
            fetches.remove(partition);
        });
        let state = &mut *self.broker.0.borrow_mut();
        for partition in partitions {
            let is_ours = matches!(state.owners.get(partition), Some(Owner::Member(id)) if *id == self.member);
            if is_ours && self.reachable.get() {
                let in_order = !self.lost.get() && self.last_taken.get() && !self.slow.get();
                state.owners.insert(*partition, Owner::Free { before: self.member, in_order });
            }
        }
    }

    /// What the group wants of this member, one change at a time.
    fn rebalance(&self) {
        let is_member = self.broker.0.borrow().members.contains_key(&self.member);
        if self.joined.get().is_some() && !is_member {
            // It was dropped while it slept, or could not be heard.
            self.lost.set(true);
            let all: Vec<i32> = self.fetches.borrow().keys().copied().collect();
            self.let_go(&all);
            self.lost.set(false);
            self.joined.set(None);
            return;
        }
        if !self.reachable.get() {
            return;
        }
        let mut state = self.broker.0.borrow_mut();
        if self.joined.get().is_none() {
            state.generation += 1;
            let (heard, generation) = (state.now, state.generation);
            state.members.insert(self.member, Membership { heard, generation });
            self.joined.set(Some(generation));
            return;
        }
        let unwanted: Vec<i32> = state
            .owned(self.member)
            .into_iter()
            .filter(|partition| state.wanted(*partition) != Some(self.member))
            .collect();
        if !unwanted.is_empty() {
            drop(state);
            self.let_go(&unwanted);
            return;
        }
        let generation = state.generation;
        if let Some(membership) = state.members.get_mut(&self.member) {
            membership.generation = generation;
            self.joined.set(Some(generation));
        }
        let mut come_now = Vec::new();
        for partition in state.logs.keys().copied().collect::<Vec<_>>() {
            if state.wanted(partition) != Some(self.member) {
                continue;
            }
            let (from, in_order) = match state.owners.get(&partition) {
                Some(Owner::Member(_)) => continue,
                Some(Owner::Free { before, in_order }) => (Some(*before), *in_order),
                None => (None, true),
            };
            state.owners.insert(partition, Owner::Member(self.member));
            let committed = state.committed.get(&partition).map_or(0, |(next, _)| *next);
            state.handovers.push(Handover { partition, from, to: self.member, committed, in_order });
            come_now.push(partition);
        }
        drop(state);
        if !come_now.is_empty() {
            let resumed = come(self, &self.ledger, &come_now);
            let mut fetches = self.fetches.borrow_mut();
            for partition in come_now {
                fetches.insert(partition, resumed.get(&partition).map(|next| (*next, false)));
            }
        }
    }

    /// The next message or end, of any partition.
    fn fetch(&self) -> Option<(i32, i64, Option<String>)> {
        let mut fetches = self.fetches.borrow_mut();
        let state = self.broker.0.borrow();
        let ready: Vec<i32> = fetches
            .iter()
            .filter(|(partition, fetch)| {
                let end = state.ends.get(partition).copied().unwrap_or(0) as i64;
                fetch.is_some_and(|(next, is_told)| next < end || !is_told)
            })
            .map(|(partition, _)| *partition)
            .collect();
        if ready.is_empty() {
            return None;
        }
        let partition = ready[(self.chance)(ready.len() as u64) as usize];
        let (next, is_told) = fetches.get_mut(&partition)?.as_mut()?;
        let log = &state.logs[&partition];
        let end = state.ends[&partition] as i64;
        // What was delivered before may come again.
        if *next > 0 && self.rarely(40) {
            let again = *next - 1 - (self.chance)(*next as u64) as i64;
            return Some((partition, again, log[again as usize].clone()?.into()));
        }
        while *next < end {
            let offset = *next;
            *next += 1;
            *is_told = false;
            if let Some(value) = &log[offset as usize] {
                return Some((partition, offset, Some(value.clone())));
            }
        }
        *is_told = true;
        Some((partition, end, None))
    }
}

impl Group for SimulatedClient {
    fn committed(&self, partitions: &[i32]) -> KafkaResult<BTreeMap<i32, Committed>> {
        if !self.reachable.get() || self.rarely(10) {
            return Err(KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut));
        }
        let state = self.broker.0.borrow();
        let of = |partition: &i32| {
            let (next, metadata) = state.committed.get(partition)?;
            Some((*partition, Committed::new(*next, metadata)))
        };
        Ok(partitions.iter().filter_map(of).collect())
    }

    fn commit(&self, positions: &[(i32, PartitionPosition)], wait: bool) -> KafkaResult<()> {
        let generation = self.joined.get().unwrap_or(0);
        let positions = positions.iter().map(|(id, position)| (*id, position.next, position.metadata())).collect();
        self.underway.borrow_mut().push_back(Underway { generation, positions });
        if !wait {
            return Ok(());
        }
        self.last_taken.set(false);
        // The last one of the queue is this one.
        let Some(ours) = self.underway.borrow_mut().pop_back() else { return Ok(()) };
        self.arrive();
        if !self.reachable.get() {
            return Err(self.error(RDKafkaErrorCode::RequestTimedOut));
        }
        let mut state = self.broker.0.borrow_mut();
        if !state.counts(self.member, ours.generation) {
            return Err(self.error(RDKafkaErrorCode::UnknownMemberId));
        }
        match (self.chance)(20) {
            1 => Err(self.error(RDKafkaErrorCode::RequestTimedOut)),
            2 => {
                state.take(&ours.positions);
                Err(self.error(RDKafkaErrorCode::RequestTimedOut))
            }
            _ => {
                state.take(&ours.positions);
                self.last_taken.set(true);
                Ok(())
            }
        }
    }

    fn assignment_lost(&self) -> bool {
        self.lost.get()
    }

    fn wait_until_stored(&self, ledger: &Ledger, partition: i32) -> bool {
        if ledger.is_stored(partition) {
            return true;
        }
        if (self.drain)() && ledger.is_stored(partition) {
            return true;
        }
        self.slow.set(true);
        false
    }
}

impl Client for SimulatedClient {
    fn poll<T>(&self, _: Duration, take: impl FnOnce(Event<'_>) -> T) -> Option<T> {
        if !self.rarely(3) {
            self.arrive();
        }
        self.rebalance();
        if !self.reachable.get() || self.rarely(12) {
            return None;
        }
        if self.rarely(60) {
            return Some(take(match (self.chance)(3) {
                0 => Event::Other(KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure)),
                1 => Event::OutOfRange,
                _ => Event::Failed(RDKafkaErrorCode::BadMessage),
            }));
        }
        let (partition, offset, value) = self.fetch()?;
        Some(take(match &value {
            Some(value) => Event::Record(Record { partition, offset, timestamp: 0, value: Some(value.as_bytes()) }),
            None => Event::End(partition, Some(offset)),
        }))
    }

    fn partitions(&self) -> KafkaResult<Vec<i32>> {
        Ok(self.broker.0.borrow().logs.keys().copied().collect())
    }

    fn watermarks(&self, partition: i32) -> KafkaResult<(i64, i64)> {
        if !self.reachable.get() || self.rarely(10) {
            return Err(KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut));
        }
        Ok((0, self.broker.0.borrow().ends.get(&partition).copied().unwrap_or(0) as i64))
    }

    fn end(&self, partition: i32) -> KafkaResult<i64> {
        Ok(self.watermarks(partition)?.1)
    }

    fn offset_by_time(&self, _: i32, _: i64) -> KafkaResult<i64> {
        Ok(0)
    }

    fn move_to(&self, partition: i32, offset: i64, _: &[(i32, Option<i64>)]) -> KafkaResult<()> {
        if let Some(fetch) = self.fetches.borrow_mut().get_mut(&partition) {
            *fetch = Some((offset, false));
        }
        Ok(())
    }

    fn fatal(&self) -> Option<String> {
        None
    }
}

/// One process as a member of the group: the real source over the simulated client.
pub(crate) struct Member {
    source: Kafka<SimulatedClient>,
    client: Arc<SimulatedClient>,
    ledger: Arc<Ledger>,
}

impl Member {
    /// The source of a process that begins with these stored positions.
    pub(crate) fn open(
        broker: &Broker,
        member: u32,
        settings: KafkaSettings,
        names: &NameTable,
        positions: Vec<(String, Vec<u8>)>,
        chance: &Chance,
        drain: Box<dyn Fn() -> bool>,
    ) -> Self {
        let ledger = Arc::new(ledger_of(&settings, positions).expect("stored positions that can be read"));
        let client = SimulatedClient {
            broker: broker.clone(),
            member,
            ledger: ledger.clone(),
            chance: chance.clone(),
            drain,
            reachable: Cell::new(true),
            joined: Cell::new(None),
            lost: Cell::new(false),
            last_taken: Cell::new(true),
            slow: Cell::new(false),
            fetches: RefCell::default(),
            underway: RefCell::default(),
        };
        #[expect(clippy::arc_with_non_send_sync, reason = "a simulation is one thread, and the source takes an Arc")]
        let client = Arc::new(client);
        let source = Kafka::with(client.clone(), ledger.clone(), SESSION, settings, names);
        Self { source, client, ledger }
    }

    /// The source takes one turn: a batch, if one is due.
    pub(crate) fn turn(&mut self) -> Option<Batch> {
        self.source.turn().expect("a source that goes on")
    }

    /// What is pending, at the end.
    pub(crate) fn last(&self) -> Option<Batch> {
        self.source.last_batch().expect("a source that ends in order")
    }

    /// The client.
    pub(crate) fn client(&self) -> &SimulatedClient {
        &self.client
    }

    /// Says whether a batch may still be committed.
    pub(crate) fn permit(&self) -> impl Fn(&Batch) -> bool + use<> {
        self.source.permit()
    }

    /// To be called after each commit.
    pub(crate) fn committed(&self) -> impl Fn(&Batch) + use<> {
        let ledger = self.ledger.clone();
        move |batch| ledger.committed(batch)
    }
}

/// The next offset that a stored position names.
pub(crate) fn next_of(position: &[u8]) -> i64 {
    PartitionPosition::decode(position).expect("a position").next
}
