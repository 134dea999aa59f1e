//! A simulated disk with a database on it, for docs/simulation.md: it keeps what was forced to it, and a power cut takes
//! the newest of what was not. Compiled only with the feature `simulated`, which no released program has.
//!
//! It stands where RocksDB, the files of the tally and sled would be. A disk is mounted at a path of the current thread;
//! opening that path opens the disk. Modelled as the real ones behave:
//!
//! - A write is atomic. One that was forced takes all before it along, since the log is one file.
//! - A killed process loses nothing that was written. A power cut leaves what was forced and some of the writes after it,
//!   in their order: a torn one fails its checksum, and with it all that follow are gone.
//! - A file of the tally that was written and not forced is after a power cut old, new or unreadable.
//! - Reference data is forced whole.
//!
//! It does not know when something happens to it: that is said by who holds the [`Disk`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::Family;
use crate::entry::Entry;

type Map = BTreeMap<Box<[u8]>, Arc<[u8]>>;
type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

thread_local! {
    static MOUNTED: RefCell<BTreeMap<PathBuf, Disk>> = const { RefCell::new(BTreeMap::new()) };
}

/// The disk that is mounted at `path` in this thread.
pub(crate) fn at(path: &Path) -> Option<Disk> {
    MOUNTED.with_borrow(|mounted| mounted.get(path).cloned())
}

/// What has a thread of its own on a real machine, and here its turn when the disk says so.
pub(crate) trait Turn: Send + Sync + std::fmt::Debug {
    fn turn(&self);
}

/// A change of one write.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Put(Family, Box<[u8]>, Arc<[u8]>),
    Delete(Family, Box<[u8]>),
    DeleteRange(Family, Box<[u8]>, Box<[u8]>),
}

impl Change {
    pub(crate) fn put(family: Family, key: &[u8], value: &[u8]) -> Self {
        Self::Put(family, key.into(), value.into())
    }

    pub(crate) fn delete(family: Family, key: &[u8]) -> Self {
        Self::Delete(family, key.into())
    }

    pub(crate) fn delete_range(family: Family, from: &[u8], to: &[u8]) -> Self {
        Self::DeleteRange(family, from.into(), to.into())
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Put(_, key, value) => key.len() + value.len(),
            Self::Delete(_, key) => key.len(),
            Self::DeleteRange(_, from, to) => from.len() + to.len(),
        }
    }
}

/// What a database holds.
#[derive(Debug, Clone, Default)]
struct Image {
    sequence: u64,
    families: BTreeMap<Family, Arc<Map>>,
}

impl Image {
    fn apply(&mut self, changes: &[Change]) {
        self.sequence += changes.len() as u64;
        for change in changes {
            match change {
                Change::Put(family, key, value) => {
                    self.family(*family).insert(key.clone(), value.clone());
                }
                Change::Delete(family, key) => {
                    self.family(*family).remove(key);
                }
                Change::DeleteRange(family, from, to) => {
                    let map = self.family(*family);
                    let gone: Vec<Box<[u8]>> = map
                        .range::<[u8], _>((Bound::Included(&**from), Bound::Excluded(&**to)))
                        .map(|(key, _)| key.clone())
                        .collect();
                    for key in gone {
                        map.remove(&key);
                    }
                }
            }
        }
    }

    fn family(&mut self, family: Family) -> &mut Map {
        Arc::make_mut(self.families.entry(family).or_default())
    }
}

/// What becomes of a write at which the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// Nothing of it reached the disk.
    Refused,
    /// It was written, and the process did not live to learn it.
    Unheard,
}

/// A file of the tally.
#[derive(Debug, Clone, Default)]
struct Slot {
    forced: Vec<u8>,
    written: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    /// How often it was opened: what an earlier opening left behind can write no more.
    opening: u64,
    /// How often its machine was started.
    boot: u64,
    /// What was forced.
    durable: Image,
    /// Writes since, oldest first.
    unforced: Vec<Vec<Change>>,
    /// All of it.
    current: Image,
    slots: [Slot; 2],
    reference: BTreeMap<String, Tree>,
    fault: Option<WriteFault>,
    tally: Option<Weak<dyn Turn>>,
}

impl State {
    fn force(&mut self) {
        for changes in std::mem::take(&mut self.unforced) {
            self.durable.apply(&changes);
        }
    }
}

/// A disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

/// Keeps a disk mounted.
#[derive(Debug)]
pub struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = MOUNTED.try_with(|mounted| mounted.borrow_mut().remove(&self.0));
    }
}

impl Disk {
    /// Mounts the disk at `path` for this thread.
    #[must_use]
    pub fn mount(&self, path: &Path) -> Mount {
        MOUNTED.with_borrow_mut(|mounted| mounted.insert(path.to_owned(), self.clone()));
        Mount(path.to_owned())
    }

    /// The process that has the disk ends at once: it writes no more, and what it wrote stays.
    pub fn kill(&self) {
        let mut state = self.0.lock();
        state.opening += 1;
        state.fault = None;
    }

    /// The machine loses its power, and is started again. `below` gives a number below its argument: how many of the writes
    /// that were not forced remain, and what becomes of the files of the tally.
    pub fn cut_power(&self, below: &mut dyn FnMut(usize) -> usize) {
        self.kill();
        let state = &mut *self.0.lock();
        state.boot += 1;
        let kept = below(state.unforced.len() + 1);
        state.unforced.truncate(kept);
        state.force();
        state.current = state.durable.clone();
        for slot in state.slots.iter_mut().filter(|slot| slot.forced != slot.written) {
            match below(3) {
                0 => {}
                1 => slot.forced.clone_from(&slot.written),
                _ => slot.forced = vec![0; slot.written.len()],
            }
            slot.written.clone_from(&slot.forced);
        }
    }

    /// At the next write of the database the process ends.
    pub fn fail_next_write(&self, fault: WriteFault) {
        self.0.lock().fault = Some(fault);
    }

    /// The thread of the tally has its turn.
    pub fn write_tally(&self) {
        let tally = self.0.lock().tally.as_ref().and_then(Weak::upgrade);
        if let Some(tally) = tally {
            tally.turn();
        }
    }

    /// A value as a power cut leaves it, whatever of the writes that were not forced is lost.
    pub fn durable(&self, family: Family, key: &[u8]) -> Option<Arc<[u8]>> {
        self.0.lock().durable.families.get(&family)?.get(key).cloned()
    }

    /// Writes that were not forced.
    pub fn unforced(&self) -> usize {
        self.0.lock().unforced.len()
    }

    /// Opens the database on it.
    pub(crate) fn open(&self) -> Opened {
        let mut state = self.0.lock();
        state.opening += 1;
        Opened { disk: self.clone(), opening: state.opening }
    }

    pub(crate) fn boot(&self) -> String {
        format!("simulated boot {}", self.0.lock().boot)
    }

    pub(crate) fn read_slot(&self, slot: usize) -> Vec<u8> {
        self.0.lock().slots.get(slot).map(|slot| slot.written.clone()).unwrap_or_default()
    }

    pub(crate) fn write_slot(&self, slot: usize, bytes: Vec<u8>, force: bool) -> io::Result<()> {
        let mut state = self.0.lock();
        let slot = state.slots.get_mut(slot).ok_or_else(|| io::Error::other("no such file"))?;
        slot.written = bytes;
        if force {
            slot.forced.clone_from(&slot.written);
        }
        Ok(())
    }

    pub(crate) fn set_tally(&self, tally: Weak<dyn Turn>) {
        self.0.lock().tally = Some(tally);
    }

    pub(crate) fn tree(&self, name: &str) -> Vec<Vec<u8>> {
        self.0.lock().reference.get(name).map(|tree| tree.values().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn replace_tree(&self, name: &str, entries: &[(Vec<u8>, Vec<u8>)]) {
        self.0.lock().reference.insert(name.to_owned(), entries.iter().cloned().collect());
    }
}

/// An open database on a disk.
#[derive(Debug)]
pub(crate) struct Opened {
    disk: Disk,
    opening: u64,
}

impl Opened {
    pub(crate) fn write(&self, changes: Vec<Change>, sync: bool) -> Result<(), String> {
        let state = &mut *self.disk.0.lock();
        if state.opening != self.opening {
            return Err("the process has ended".to_owned());
        }
        let fault = state.fault.take();
        if fault == Some(WriteFault::Refused) {
            return Err("the process ends before a write".to_owned());
        }
        state.current.apply(&changes);
        state.unforced.push(changes);
        if fault == Some(WriteFault::Unheard) {
            return Err("the process ends after a write".to_owned());
        }
        if sync {
            state.force();
        }
        Ok(())
    }

    pub(crate) fn sync(&self) -> Result<(), String> {
        let mut state = self.disk.0.lock();
        if state.opening != self.opening {
            return Err("the process has ended".to_owned());
        }
        state.force();
        Ok(())
    }

    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Option<Arc<[u8]>> {
        self.disk.0.lock().current.families.get(&family)?.get(key).cloned()
    }

    pub(crate) fn scan(&self, family: Family, from: &[u8], back: bool) -> Scan {
        let map = self.disk.0.lock().current.families.get(&family).cloned().unwrap_or_default();
        Scan { map, next: Bound::Included(from.into()), back }
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.disk.0.lock().current.sequence
    }
}

/// Keys and values as they were when it began.
pub(crate) struct Scan {
    map: Arc<Map>,
    next: Bound<Box<[u8]>>,
    back: bool,
}

impl Iterator for Scan {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let next = self.next.as_ref().map(|key| &**key);
        let found = if self.back {
            self.map.range::<[u8], _>((Bound::Unbounded, next)).next_back()
        } else {
            self.map.range::<[u8], _>((next, Bound::Unbounded)).next()
        };
        let (key, value) = found?;
        let entry = (key.clone(), (**value).into());
        self.next = Bound::Excluded(key.clone());
        Some(entry)
    }
}
