//! The client of the simulated broker that one process has: what it fetches, the partitions that come to it and go, and its
//! commits under way. Accounts and the order of a rebalance are the real ones.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use super::broker::{Broker, Handover, Membership, Owner};
use crate::source::kafka::asked::{Client, Event, Group};
use crate::source::kafka::ledger::{Ledger, Record};
use crate::source::kafka::position::{Committed, PartitionPosition};
use crate::source::kafka::rebalance::{come, go};

/// Gives numbers below its argument; 0 where nothing unusual is to happen.
pub(crate) type Chance = Rc<dyn Fn(u64) -> u64>;

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
    /// Whether the last commit that was waited for failed.
    refused: Cell<bool>,
    /// The writer was too slow for the partitions that go.
    slow: Cell<bool>,
    /// Where each assigned partition is fetched from, and whether its end was reported; none: nowhere yet.
    fetches: RefCell<BTreeMap<i32, Option<(i64, bool)>>>,
    underway: RefCell<VecDeque<Underway>>,
}

impl SimulatedClient {
    /// The client of a process that is the member `member`. `drain` drives its writer until that has taken what it was given.
    pub(super) fn new(
        broker: Broker,
        member: u32,
        ledger: Arc<Ledger>,
        chance: Chance,
        drain: Box<dyn Fn() -> bool>,
    ) -> Self {
        Self {
            broker,
            member,
            ledger,
            chance,
            drain,
            reachable: Cell::new(true),
            joined: Cell::new(None),
            lost: Cell::new(false),
            refused: Cell::new(false),
            slow: Cell::new(false),
            fetches: RefCell::default(),
            underway: RefCell::default(),
        }
    }

    fn error(&self, code: RDKafkaErrorCode) -> KafkaError {
        KafkaError::ConsumerCommit(code)
    }

    fn rarely(&self, times: u64) -> bool {
        (self.chance)(times) == 1
    }

    /// Sends what waits to be committed, and waits for the group's answer to the newest of it.
    fn commit_now(&self) -> KafkaResult<()> {
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
                Ok(())
            }
        }
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
        self.refused.set(false);
        go(self, &self.ledger, partitions);
        // What was sent before reaches the broker before it learns that the partitions go: it is one connection.
        self.arrive();
        self.underway.borrow_mut().clear();
        let state = &mut *self.broker.0.borrow_mut();
        for partition in partitions {
            // Before it is decided where a partition resumes, nobody knows who has stored more.
            let was_decided = self.fetches.borrow_mut().remove(partition).flatten().is_some();
            let is_ours = matches!(state.owners.get(partition), Some(Owner::Member(id)) if *id == self.member);
            if is_ours && self.reachable.get() {
                let in_order = was_decided && !self.lost.get() && !self.refused.get() && !self.slow.get();
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
        let done = self.commit_now();
        self.refused.set(done.is_err());
        done
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
