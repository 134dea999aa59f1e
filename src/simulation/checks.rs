//! What must hold after every step, and at the end. Panics where it does not.

use std::collections::{BTreeMap, BTreeSet};

use super::appliance::{Appliance, Range, position_name};
use super::trace::note;
use super::traffic::{alerts_of, ids_of};
use super::world::World;
use crate::mirror::simulated::Mirror;
use crate::reader::Snapshot as _;
use crate::source::kafka::simulated::{Handover, SESSION, next_of};
use crate::store::tests::simulated::{durable_cursor, durable_position};

impl World {
    /// After every step.
    pub(super) fn check(&mut self) {
        for handover in self.broker.handovers() {
            self.check_handover(&handover);
        }
        for chosen in 0..self.appliances.len() {
            self.check_stored(chosen);
        }
        self.check_group();
        self.check_cursors();
    }

    /// A mirror's cursor is never ahead of what the target has applied, nor of the store; on the disk neither.
    fn check_cursors(&mut self) {
        for appliance in &self.appliances {
            let Some(process) = &appliance.process else { continue };
            let store = process.store(|store| store.shared());
            for shard in store.shards().ids() {
                let name = Mirror::name(shard);
                let now = store.mirror_cursor(&name).expect("a cursor").map_or(0, |cursor| cursor.next);
                let durable = durable_cursor(&appliance.disk, &name).map_or(0, |cursor| cursor.next);
                let held = store.view().next_row(shard);
                assert!(
                    now <= held && durable <= held,
                    "the cursor of {name} of appliance {} is {now}, on its disk {durable}, of {held} rows",
                    appliance.id
                );
                let sent = format!("{}/{name}", appliance.id);
                let checked = self.cursors.entry((appliance.id, name)).or_default();
                if now < *checked {
                    note(format_args!("the cursor of {sent} goes back from {checked} to {now}"));
                }
                for row in *checked..now {
                    assert!(
                        self.server.has_applied(&sent, row),
                        "the cursor of {sent} is {now}, and the target never had row {row}"
                    );
                }
                *checked = now;
            }
        }
    }

    /// Whether every mirror is level and the target has all that the stores have.
    pub(super) fn is_mirrored(&self) -> bool {
        let ids = self.server.ids();
        self.appliances.iter().all(|appliance| {
            let Some(process) = &appliance.process else { return false };
            let store = process.store(|store| store.shared());
            let is_level = |shard| {
                let cursor = store.mirror_cursor(&Mirror::name(shard)).expect("a cursor");
                cursor.map_or(0, |cursor| cursor.next) == store.view().next_row(shard)
            };
            store.shards().ids().all(is_level) && ids_of(&store.view()).iter().all(|id| ids.contains(id))
        })
    }

    /// What is not level where the run does not come to rest.
    pub(super) fn unrest(&self) -> String {
        let mut lines = vec![format!("the group has {:?}", self.broker.committed())];
        let there = self.server.ids();
        for appliance in &self.appliances {
            let Some(process) = &appliance.process else { continue };
            lines.push(format!("{} has stored up to {:?}", appliance.id, appliance.account.borrow().positions));
            let store = process.store(|store| store.shared());
            let ids = ids_of(&store.view());
            let lacking: Vec<_> = ids.iter().filter(|id| !there.contains(*id)).collect();
            lines.push(format!("the target lacks of its {} rows {lacking:?}", ids.len()));
            for shard in store.shards().ids() {
                let next = store.mirror_cursor(&Mirror::name(shard)).expect("a cursor").map_or(0, |cursor| cursor.next);
                lines.push(format!("its mirror of {shard} is at {next} of {}", store.view().next_row(shard)));
            }
        }
        lines.join("\n")
    }

    /// A partition that was let go in order is known to the group as far as it was stored.
    fn check_handover(&mut self, handover: &Handover) {
        note(format_args!("{handover:?}"));
        let Handover { partition, from, to, committed, in_order } = *handover;
        let to = self.members[&to];
        if let Some(before) = from.map(|member| self.members[&member]).filter(|before| in_order && *before != to) {
            let stored = self.stored_up_to(before, partition);
            assert!(
                committed >= stored,
                "partition {partition} went from {before} to {to} in order at {committed}, {before} has stored up to {stored}"
            );
        }
        // What others stored and the group did not know is stored twice.
        let lawful = self.lawful.entry((partition, to)).or_default();
        for appliance in self.appliances.iter().filter(|appliance| appliance.id != to) {
            let stored = appliance.account.borrow().positions.get(&partition).copied().unwrap_or(0);
            if stored > committed {
                lawful.push((committed, stored));
            }
        }
    }

    fn stored_up_to(&self, appliance: usize, partition: i32) -> i64 {
        self.appliances[appliance].account.borrow().positions.get(&partition).copied().unwrap_or(0)
    }

    /// Each record is stored once; twice only where that is lawful; and only by who owns its partition, or was cut off.
    fn check_stored(&mut self, chosen: usize) {
        let appliance = &self.appliances[chosen];
        let (new, late) = {
            let account = &mut *appliance.account.borrow_mut();
            let new = account.stored[account.checked..].to_vec();
            account.checked = account.stored.len();
            (new, std::mem::take(&mut account.late))
        };
        let member = appliance.process.as_ref().map(|process| process.member);
        for range in new {
            let Range { partition, from, to } = range;
            assert!(from <= to, "appliance {chosen} went back from {from} to {to} of partition {partition}");
            let was_cut_off = late.contains(&range) || self.now < appliance.away_until + SESSION;
            let owner = self.broker.owner(partition).map(|member| self.members[&member]);
            if member.is_some() && owner != Some(chosen) {
                // A partition that was let go just now belongs to nobody yet.
                assert!(
                    owner.is_none() || was_cut_off,
                    "appliance {chosen} stored {from}..{to} of partition {partition}, which is {owner:?}'s"
                );
            }
            for other in self.appliances.iter().filter(|other| other.id != chosen) {
                if was_cut_off {
                    self.lawful.entry((partition, other.id)).or_default().push((from, to));
                }
                let account = other.account.borrow();
                for range in account.stored.iter().filter(|range| range.partition == partition) {
                    let twice = (range.from.max(from), range.to.min(to));
                    let may = was_cut_off || self.may_store(partition, chosen, twice);
                    assert!(
                        twice.0 >= twice.1 || may,
                        "appliance {chosen} stored {twice:?} of partition {partition}, which {} has stored",
                        other.id
                    );
                }
            }
        }
        self.check_counts(chosen);
    }

    fn may_store(&self, partition: i32, appliance: usize, (from, to): (i64, i64)) -> bool {
        let lawful = self.lawful.get(&(partition, appliance)).map_or(&[][..], Vec::as_slice);
        (from..to).all(|offset| lawful.iter().any(|(from, to)| (*from..*to).contains(&offset)))
    }

    /// A store has as many passages as the offsets lead to that it stored.
    fn check_counts(&self, chosen: usize) {
        let appliance = &self.appliances[chosen];
        let Some(process) = &appliance.process else { return };
        let expected = self.accepted_by(appliance);
        let accepted = process.store(|store| store.totals().accepted);
        assert_eq!(accepted, expected, "appliance {chosen} has other passages than those of what it stored");
    }

    fn accepted_by(&self, appliance: &Appliance) -> u64 {
        let account = appliance.account.borrow();
        account.stored.iter().map(|range| self.traffic.accepted(range.partition, range.from, range.to)).sum()
    }

    /// The group's offset is never ahead of what some store has on its disk, whatever a power cut takes.
    fn check_group(&self) {
        for (partition, committed) in self.broker.committed() {
            let name = position_name(partition);
            let durable = self.appliances.iter().filter_map(|appliance| durable_position(&appliance.disk, &name));
            let durable = durable.map(|position| next_of(&position)).max().unwrap_or(0);
            assert!(
                committed <= durable,
                "the group's offset of partition {partition} is {committed}, the disks have {durable}"
            );
        }
    }

    /// All is stored, and what came of it is what a plain replay finds. So it is once more after a power cut everywhere.
    pub(super) fn check_end(&mut self) {
        self.check_all();
        let known: BTreeSet<String> = self.traffic.ids.keys().cloned().collect();
        assert_eq!(self.server.ids(), known, "the target has other rows than those of the records");
        self.start_again();
        self.check_all();
    }

    fn check_all(&self) {
        let (mut union, mut alerts) = (BTreeSet::new(), BTreeSet::new());
        for appliance in &self.appliances {
            let process = appliance.process.as_ref().expect("a running process");
            let view = process.store(|store| store.shared().view());
            let ids = ids_of(&view);
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            ids.iter().for_each(|id| *counts.entry(id).or_default() += 1);
            for (id, count) in counts {
                assert_eq!(count, 1, "appliance {} has {id} more than once", appliance.id);
                let (partition, offset) = self.traffic.ids[id];
                let account = appliance.account.borrow();
                let is_of = |range: &&Range| range.partition == partition && (range.from..range.to).contains(&offset);
                assert!(account.stored.iter().any(|range| is_of(&range)), "appliance {} has {id}", appliance.id);
            }
            let found = alerts_of(&view);
            let listed = view.alerts_after(0, usize::MAX).expect("alerts").len();
            assert_eq!(found.len(), listed, "appliance {} has an alert twice", appliance.id);
            union.extend(ids);
            alerts.extend(found);
        }
        let missing: Vec<_> = self.traffic.ids.keys().filter(|id| !union.contains(*id)).collect();
        assert!(missing.is_empty(), "passages that nobody has: {missing:?}");
        let lost: Vec<_> = self.traffic.alerts.difference(&alerts).collect();
        let more: Vec<_> = alerts.difference(&self.traffic.alerts).collect();
        assert!(
            lost.is_empty() && more.is_empty(),
            "alerts other than those of a replay: lacking {lost:#?}, also {more:#?}"
        );
    }
}
