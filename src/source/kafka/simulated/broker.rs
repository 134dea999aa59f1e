//! The simulated broker: its logs, the group's offsets, members and owners of partitions. It knows no client.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

/// How long the group waits for a member.
pub(crate) const SESSION: Duration = Duration::from_secs(4);

/// A partition that has come to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handover {
    pub(crate) partition: i32,
    pub(crate) from: Option<u32>,
    pub(crate) to: u32,
    /// The group's offset then.
    pub(crate) committed: i64,
    /// The one before has let it go in order: it knew where it resumed, its writer was in time, and no commit failed.
    pub(crate) in_order: bool,
}

/// The broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broker(pub(super) Rc<RefCell<State>>);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) now: Duration,
    pub(super) logs: BTreeMap<i32, Vec<Option<String>>>,
    /// How much of each is there already.
    pub(super) ends: BTreeMap<i32, usize>,
    pub(super) committed: BTreeMap<i32, (i64, String)>,
    pub(super) generation: u64,
    pub(super) members: BTreeMap<u32, Membership>,
    pub(super) owners: BTreeMap<i32, Owner>,
    pub(super) handovers: Vec<Handover>,
}

#[derive(Debug)]
pub(super) struct Membership {
    pub(super) heard: Duration,
    pub(super) generation: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Owner {
    Member(u32),
    /// Nobody; who had it, and whether that one let it go in order.
    Free {
        before: u32,
        in_order: bool,
    },
}

impl State {
    /// Members share the partitions evenly, in the order of their numbers.
    pub(super) fn wanted(&self, partition: i32) -> Option<u32> {
        let members: Vec<u32> = self.members.keys().copied().collect();
        let place = (partition.unsigned_abs() as usize) % members.len().max(1);
        members.get(place).copied()
    }

    pub(super) fn drop_member(&mut self, member: u32) {
        if self.members.remove(&member).is_some() {
            self.generation += 1;
            for owner in self.owners.values_mut() {
                if matches!(owner, Owner::Member(id) if *id == member) {
                    *owner = Owner::Free { before: member, in_order: false };
                }
            }
        }
    }

    pub(super) fn owned(&self, member: u32) -> Vec<i32> {
        let owned = self.owners.iter().filter(|(_, owner)| matches!(owner, Owner::Member(id) if *id == member));
        owned.map(|(partition, _)| *partition).collect()
    }

    /// Whether the group counts this member in under this generation. In a rebalance the old one still counts, until the
    /// member has joined again.
    pub(super) fn counts(&self, member: u32, generation: u64) -> bool {
        self.members.get(&member).is_some_and(|membership| membership.generation == generation)
    }

    pub(super) fn take(&mut self, positions: &[(i32, i64, String)]) {
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
