//! One appliance: a disk that stays, and a process on it that may end at any moment. The process is the real store, the
//! real writer and the real source; it takes a step when it is told to.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use storage::simulated::{Disk, Mount};
use traffic::Layout;

use super::plan::{Plan, Planted};
use super::random::Random;
use super::trace::note;
use super::traffic::{parser_settings, store_settings};
use crate::batch::Batch;
use crate::config::Config;
use crate::mirror::simulated::{Mirror, Server};
use crate::pipeline::{QUEUE_BATCHES, Router, Writer};
use crate::source::kafka::simulated::{Broker, Chance, Member, next_of};
use crate::source::kafka::{KafkaSettings, position_prefix};
use crate::store::Store;

const TOPIC: &str = "t";
/// Seconds of event time that a takeover reads back: more than a run has, as `kafka.relearn` does, so that clocks and travel
/// times are learnt again from all there was.
const READ_BACK: i64 = 7 * 86_400;
/// Two state TTLs.
const LACKING: i64 = 1200;

/// The name under which the position of a partition is stored.
pub(super) fn position_name(partition: i32) -> String {
    format!("{}{partition}", position_prefix(TOPIC))
}

/// Offsets of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) partition: i32,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// What an appliance has stored, as those know who watch it from outside.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The offset after the last that each partition's stored position covers.
    pub(super) positions: BTreeMap<i32, i64>,
    /// Offsets whose records were stored here, in that order.
    pub(super) stored: Vec<Range>,
    /// How many of them were checked.
    pub(super) checked: usize,
    /// Those of them of which it was learnt at a start: they were under way when the process ended.
    pub(super) late: Vec<Range>,
    /// The commit that has begun, and whether its records are stored or only read back.
    in_flight: Option<(Range, bool)>,
}

impl Account {
    fn settle(&mut self) {
        let Some((range, stores)) = self.in_flight.take() else { return };
        self.positions.insert(range.partition, range.to);
        if stores {
            self.stored.push(range);
        }
    }
}

/// Says whether a batch may still be committed.
type Permit = Box<dyn Fn(&Batch) -> bool>;

/// The writer's side of a process.
struct Writing {
    id: usize,
    store: Store,
    router: Router,
    writer: Writer<Permit>,
    committed: Box<dyn Fn(&Batch)>,
    queue: VecDeque<Batch>,
    account: Rc<RefCell<Account>>,
    planted: Option<Planted>,
    died: bool,
}

impl Writing {
    /// Takes one batch; false if there was none, or the process has ended.
    fn step(&mut self) -> bool {
        if self.died {
            return false;
        }
        let Some(batch) = self.queue.pop_front() else {
            // As in `serve`: a write of a mirror may have failed while no batch came.
            let goes_on = self.planted == Some(Planted::GoesOnAfterFailedWrite);
            if let Some(failure) = self.store.shared().database().failure().filter(|_| !goes_on) {
                note(format_args!("{} ends: {failure}", self.id));
                self.died = true;
            }
            return false;
        };
        let partition = i32::try_from(batch.partition).expect("a partition");
        let is_part = batch.takeover.as_ref().is_some_and(|takeover| takeover.ends.is_none());
        if !is_part {
            let from = self.account.borrow().positions.get(&partition).copied().unwrap_or(0);
            let range = Range { partition, from, to: next_of(&batch.position) };
            self.account.borrow_mut().in_flight = Some((range, batch.takeover.is_none()));
        }
        let (place, is_back) = (batch.place.clone(), batch.takeover.is_some());
        match self.writer.write(&mut self.store, &mut self.router, batch) {
            Ok(Some(batch)) => {
                note(format_args!("{} stores up to {place}{}", self.id, if is_back { ", read back" } else { "" }));
                self.account.borrow_mut().settle();
                (self.committed)(&batch);
                if self.planted == Some(Planted::AcceptedTwice) && batch.passages.len() % 7 == 3 {
                    self.again(batch);
                }
            }
            Ok(None) => {
                note(format_args!("{} may not store {place}", self.id));
                self.account.borrow_mut().in_flight = None;
            }
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("the process ends"), "appliance {}: {error}", self.id);
                note(format_args!("{} fails at {place}: {error}", self.id));
                self.died = true;
            }
        }
        true
    }

    /// The fault `AcceptedTwice`.
    fn again(&mut self, mut batch: Batch) {
        batch.partition += 10;
        batch.passages.new_names.clear();
        batch.before = None;
        batch.position_name = Some("again".to_owned());
        let router = &mut self.router;
        let route = |passages: &_, names: &_, shards: &mut _| router.route(passages, names, shards);
        let _ = self.store.commit("again", &batch, route);
    }
}

/// A running process.
pub(super) struct Process {
    pub(super) member: u32,
    source: Member,
    mirrors: Vec<Mirror>,
    writing: Rc<RefCell<Option<Writing>>>,
}

/// One appliance.
pub(super) struct Appliance {
    pub(super) id: usize,
    pub(super) disk: Disk,
    path: PathBuf,
    _mount: Mount,
    pub(super) process: Option<Process>,
    pub(super) account: Rc<RefCell<Account>>,
    /// Until then nothing runs on it.
    pub(super) down_until: Duration,
    /// Until then its process is stopped, as by the machine's owner.
    pub(super) asleep_until: Duration,
    /// Until then no broker hears it.
    pub(super) away_until: Duration,
}

impl Appliance {
    pub(super) fn new(id: usize) -> Self {
        let disk = Disk::default();
        let path = PathBuf::from(format!("/simulated/{id}"));
        let mount = disk.mount(&path);
        Self {
            id,
            disk,
            path,
            _mount: mount,
            process: None,
            account: Rc::default(),
            down_until: Duration::ZERO,
            asleep_until: Duration::ZERO,
            away_until: Duration::ZERO,
        }
    }

    /// Starts a process as the member `member` of the group.
    pub(super) fn start(&mut self, member: u32, broker: &Broker, server: &Server, plan: &Plan, random: &Random) {
        let sync = plan.planted != Some(Planted::OffsetOfUnforcedCommit);
        let opened = Store::open(&self.path, store_settings(sync));
        let mut store = opened.unwrap_or_else(|error| panic!("appliance {} does not open: {error}", self.id));
        store.shrink(plan.saved_rows);
        let positions = store.positions(&position_prefix(TOPIC)).expect("positions");
        self.compare(plan, &positions);
        let writing: Rc<RefCell<Option<Writing>>> = Rc::default();
        let drain = Self::drain(&writing, random);
        let chance: Chance = {
            let random = random.clone();
            Rc::new(move |limit| random.unusual(limit))
        };
        let settings = KafkaSettings {
            kafka: Config::from_toml(&format!("[kafka]\ntopic = \"{TOPIC}\"\n"), []).expect("settings").kafka,
            parser: parser_settings(),
            gb18030: false,
            batch_records: plan.batch_records,
            batch_interval: plan.batch_interval,
            read_back: READ_BACK,
            lacking: LACKING,
        };
        let source = Member::open(broker, member, settings, store.names(), positions, &chance, drain);
        let permit: Permit = match plan.planted {
            Some(Planted::NoLease) => Box::new(|_| true),
            _ => Box::new(source.permit()),
        };
        let handle = store.shared();
        let id = self.id;
        let mirror = |shard| {
            let failed = move |why: &str| note(format_args!("{id}'s mirror of {shard} fails: {why}"));
            Mirror::start(id, shard, &handle, server, plan.mirror_rows, failed)
        };
        let mirrors = handle.shards().ids().map(mirror).collect();
        let router = Router::new(Layout::default().shard_key(), store.shards()).expect("a router");
        *writing.borrow_mut() = Some(Writing {
            id: self.id,
            router,
            writer: Writer::new("kafka".to_owned(), permit),
            committed: Box::new(source.committed()),
            queue: VecDeque::new(),
            account: self.account.clone(),
            planted: plan.planted,
            died: false,
            store,
        });
        note(format_args!("{} starts as member {member}", self.id));
        self.process = Some(Process { member, source, mirrors, writing });
    }

    /// What is stored after a start is what was stored before it: all that was acknowledged, and of a commit that was
    /// under way all or nothing.
    fn compare(&self, plan: &Plan, positions: &[(String, Vec<u8>)]) {
        let account = &mut *self.account.borrow_mut();
        let found: BTreeMap<&str, i64> =
            positions.iter().map(|(name, position)| (name.as_str(), next_of(position))).collect();
        for partition in 0..plan.partitions {
            let next = found.get(position_name(partition).as_str()).copied();
            match account.in_flight {
                Some((range, _)) if range.partition == partition && next == Some(range.to) => {
                    account.late.push(range);
                    account.settle();
                }
                _ => assert_eq!(
                    next,
                    account.positions.get(&partition).copied(),
                    "appliance {}: the stored position of partition {partition} is not that of its last commit",
                    self.id
                ),
            }
        }
        account.in_flight = None;
    }

    /// Lets the writer take all that waits, as a rebalance does; now and then it is too slow.
    fn drain(writing: &Rc<RefCell<Option<Writing>>>, random: &Random) -> Box<dyn Fn() -> bool> {
        let (writing, random) = (Rc::downgrade(writing), random.clone());
        Box::new(move || {
            let Some(writing) = writing.upgrade() else { return false };
            loop {
                if random.rarely(20) {
                    return false;
                }
                let mut guard = writing.borrow_mut();
                let Some(writing) = guard.as_mut() else { return false };
                if !writing.step() {
                    return !writing.died;
                }
            }
        })
    }

    /// The source takes a turn, if its queue has room.
    pub(super) fn turn(&mut self) {
        let Some(process) = &mut self.process else { return };
        if process.with(|writing| writing.queue.len()) >= QUEUE_BATCHES {
            return;
        }
        if let Some(batch) = process.source.turn() {
            note(format_args!("{} gives {}", self.id, batch.place));
            process.with(|writing| {
                if writing.planted == Some(Planted::OffsetBeforeCommit) {
                    (writing.committed)(&batch);
                }
                writing.queue.push_back(batch);
            });
        }
    }

    /// The writer takes a batch.
    pub(super) fn write(&mut self) {
        if let Some(process) = &self.process {
            process.with(Writing::step);
        }
    }

    /// A mirror does what it can do now.
    pub(super) fn mirror(&mut self, chosen: u64) {
        let Some(process) = &mut self.process else { return };
        let count = process.mirrors.len() as u64;
        if let Some(mirror) = process.mirrors.get_mut((chosen % count) as usize) {
            mirror.step();
        }
    }

    /// Whether the process has ended by itself.
    pub(super) fn has_died(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.with(|writing| writing.died))
    }

    /// The process ends in order; false if it dies meanwhile.
    pub(super) fn stop(&mut self) -> bool {
        let Some(process) = self.process.take() else { return true };
        while let Some(batch) = process.source.last() {
            process.with(|writing| writing.queue.push_back(batch));
            while process.with(Writing::step) {}
        }
        while process.with(Writing::step) {}
        process.source.client().leave();
        let writing = process.writing.borrow_mut().take().expect("a writer");
        let closed = !writing.died && writing.store.close().is_ok();
        drop(process);
        self.disk.kill();
        closed
    }

    /// The process ends at once; `power`: and the machine with it.
    pub(super) fn end(&mut self, power: bool, random: &Random) {
        self.process = None;
        if power {
            self.disk.cut_power(&mut |limit| random.below(limit as u64) as usize);
        } else {
            self.disk.kill();
        }
    }
}

impl Process {
    fn with<T>(&self, ask: impl FnOnce(&mut Writing) -> T) -> T {
        ask(self.writing.borrow_mut().as_mut().expect("a writer"))
    }

    /// Asks the store.
    pub(super) fn store<T>(&self, ask: impl FnOnce(&Store) -> T) -> T {
        self.with(|writing| ask(&writing.store))
    }

    /// Whether nothing waits for the writer.
    pub(super) fn is_idle(&self) -> bool {
        self.with(|writing| writing.queue.is_empty())
    }

    /// Whether a broker hears it.
    pub(super) fn reachable(&self) -> &Cell<bool> {
        &self.source.client().reachable
    }
}
