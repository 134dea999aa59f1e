//! The tally: what was committed, recorded independently of the database.
//!
//! Two small files, `tally-0` and `tally-1`, are written in turn, so that one is whole at any moment; of those that can
//! be read the one with the higher generation counts. Each is `[length u32 LE][codec value]` and zeros up to a whole
//! KiB. A separate thread writes them at most [`PAUSE`] after the commits, so that no commit waits: the tally may lag,
//! but never says more than is committed. A store that holds less than its tally says has lost committed data.
//!
//! **Two marks.** `synced` is what was forced to the disk: it must be there after a power cut. `written` is what the
//! operating system had taken: it must be there until the machine is started again, which [`Record::boot`] shows. With
//! [`crate::Settings::sync`] they are the same.
//!
//! **The manifest.** The tally also holds length and checksum of RocksDB's MANIFEST as it was then. It is checked
//! before RocksDB opens the database, because RocksDB deletes the files that a shortened MANIFEST does not name.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use crate::codec::{self, Kind};
use crate::manifest::ManifestMark;
#[cfg(feature = "simulated")]
use crate::simulated::{self, Disk};

/// Names of the files.
pub(crate) use crate::layout::TALLY as FILES;
const TALLY: Kind = Kind { magic: b'Y', version: 1 };
/// The files grow by this, so that they are overwritten in place and need no space on a full disk.
const STEP: usize = 1024;
/// Between two writes that no thread waits for.
const PAUSE: Duration = Duration::from_millis(100);
/// How often the MANIFEST is checked while nothing is committed.
const IDLE: Duration = Duration::from_secs(1);

/// What was committed up to some moment. The storage does not know what the two bodies mean.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// RocksDB's sequence number.
    pub sequence: u64,
    /// What the writer counted.
    pub main: Vec<u8>,
    /// What was counted apart from the writer.
    pub beside: Vec<u8>,
}

/// One generation of the tally.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    generation: u64,
    /// Identifies the machine's boot.
    boot: String,
    synced: Mark,
    written: Mark,
    pub(crate) manifest: Option<ManifestMark>,
    /// The machine's boot when it was read.
    #[serde(skip)]
    read_in: String,
}

impl Record {
    /// What must be there.
    pub(crate) fn known(&self) -> &Mark {
        if self.same_boot() && self.written.sequence > self.synced.sequence { &self.written } else { &self.synced }
    }

    /// Its generation.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the machine has not been restarted since.
    pub(crate) fn same_boot(&self) -> bool {
        !self.boot.is_empty() && self.boot == self.read_in
    }
}

fn boot(directory: &Path) -> String {
    #[cfg(feature = "simulated")]
    if let Some(disk) = simulated::at(directory) {
        return disk.boot();
    }
    let _ = directory;
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// What the two files of a directory say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There are none: the directory is new, or of an earlier version.
    None,
    /// There are some, and none can be read.
    Unreadable,
    /// The newer one.
    Record(Box<Record>),
}

/// Reads the tally of a directory.
///
/// # Errors
/// It exists and cannot be read.
pub(crate) fn read(directory: &Path) -> io::Result<Found> {
    let (mut newest, mut any): (Option<Record>, bool) = (None, false);
    for slot in 0..FILES.len() {
        let bytes = read_slot(directory, slot)?;
        // An empty file was created and not written yet.
        any |= !bytes.is_empty();
        let record = decode(&bytes);
        if record.as_ref().map(|record| record.generation) > newest.as_ref().map(|record| record.generation) {
            newest = record;
        }
    }
    Ok(match newest {
        Some(record) => Found::Record(Box::new(Record { read_in: boot(directory), ..record })),
        None if any => Found::Unreadable,
        None => Found::None,
    })
}

/// What is in a file; nothing if there is none.
fn read_slot(directory: &Path, slot: usize) -> io::Result<Vec<u8>> {
    #[cfg(feature = "simulated")]
    if let Some(disk) = simulated::at(directory) {
        return Ok(disk.read_slot(slot));
    }
    let mut bytes = Vec::new();
    match File::open(directory.join(FILES.get(slot).unwrap_or(&""))) {
        Ok(mut file) => file.read_to_end(&mut bytes).map(|_| bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(bytes),
        Err(error) => Err(error),
    }
}

fn decode(bytes: &[u8]) -> Option<Record> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let value = rest.get(..u32::from_le_bytes(*length) as usize)?;
    codec::decode(TALLY, value).ok()
}

fn encode(record: &Record) -> io::Result<Vec<u8>> {
    let value = codec::encode(TALLY, record).map_err(io::Error::other)?;
    let length = u32::try_from(value.len()).map_err(io::Error::other)?;
    let mut bytes = [&length.to_le_bytes()[..], &value].concat();
    bytes.resize(bytes.len().next_multiple_of(STEP), 0);
    Ok(bytes)
}

/// The files of a directory, and the lock that allows writing them.
#[derive(Debug)]
pub(crate) enum Slots {
    Files([File; 2]),
    #[cfg(feature = "simulated")]
    Simulated(Disk),
}

impl Slots {
    /// Opens or creates the files; none if another process has them.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) fn lock(directory: &Path) -> io::Result<Option<Self>> {
        #[cfg(feature = "simulated")]
        if let Some(disk) = simulated::at(directory) {
            return Ok(Some(Self::Simulated(disk)));
        }
        let open = |name| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600).open(directory.join(name))
        };
        let [first, second] = FILES;
        let files = [open(first)?, open(second)?];
        match files[0].try_lock() {
            Ok(()) => Ok(Some(Self::Files(files))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn write(&self, record: &Record, force: bool) -> io::Result<()> {
        let is_first = record.generation.is_multiple_of(2);
        fail::fail_point!("tally::write", |error| Err(io::Error::other(error.unwrap_or_default())));
        let file = match self {
            Self::Files([first, second]) => {
                if is_first {
                    first
                } else {
                    second
                }
            }
            #[cfg(feature = "simulated")]
            Self::Simulated(disk) => return disk.write_slot(usize::from(!is_first), encode(record)?, force),
        };
        file.write_all_at(&encode(record)?, 0)?;
        fail::fail_point!("tally::written");
        if force { file.sync_data() } else { Ok(()) }
    }
}

/// The tally of an open database.
#[derive(Debug)]
pub(crate) struct Tally {
    inner: Arc<Inner>,
    /// None on a simulated disk, which says when its turn is.
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    slots: Slots,
    /// RocksDB's folder.
    folder: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    record: Record,
    /// Something was noted since the last write.
    dirty: bool,
    /// The next write must be forced to the disk.
    force: bool,
    /// Threads that wait for that.
    waiting: usize,
    /// Notes so far, and how many of them are in a file.
    notes: u64,
    settled: u64,
    stop: bool,
    failure: Option<String>,
}

impl Tally {
    /// Begins a new tally after `known` with what the database holds now, all of which is on the disk.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) fn start(slots: Slots, folder: &Path, generation: u64, holds: Mark) -> io::Result<Self> {
        let mut record = Record {
            generation,
            boot: boot(folder.parent().unwrap_or(folder)),
            synced: holds.clone(),
            written: holds,
            ..Record::default()
        };
        // Both, so that a damaged one is whole again.
        for _ in 0..2 {
            record.manifest = ManifestMark::of(folder, record.manifest.take())?;
            record.generation += 1;
            slots.write(&record, true)?;
        }
        let state =
            State { record, dirty: false, force: false, waiting: 0, notes: 0, settled: 0, stop: false, failure: None };
        let inner =
            Arc::new(Inner { slots, folder: folder.to_owned(), state: Mutex::new(state), changed: Condvar::new() });
        #[cfg(feature = "simulated")]
        if let Slots::Simulated(disk) = &inner.slots {
            let turns: Arc<dyn simulated::Turn> = inner.clone();
            disk.set_tally(Arc::downgrade(&turns));
            return Ok(Self { inner, thread: None });
        }
        let writing = inner.clone();
        let thread = std::thread::Builder::new().name("tally".to_owned()).spawn(move || writing.run())?;
        Ok(Self { inner, thread: Some(thread) })
    }

    /// What the operating system has taken.
    pub(crate) fn written(&self) -> Mark {
        self.inner.lock().record.written.clone()
    }

    /// Notes what was committed. `change` sets the bodies; `sequence` is the last number of the commit.
    pub(crate) fn note(&self, sequence: u64, synced: bool, change: impl Fn(&mut Mark)) {
        self.change(synced, |record| {
            record.written.sequence = record.written.sequence.max(sequence);
            change(&mut record.written);
            if synced {
                record.synced.clone_from(&record.written);
            }
        });
    }

    /// Notes what was committed apart from the writer; that commit has also forced all of `before` to the disk.
    pub(crate) fn note_beside(&self, sequence: u64, before: Mark, body: Option<Vec<u8>>) {
        self.change(true, |record| {
            let written = &mut record.written;
            written.sequence = written.sequence.max(sequence);
            if let Some(body) = body {
                written.beside = body;
            }
            let sequence = record.synced.sequence.max(sequence);
            record.synced = Mark { sequence, beside: written.beside.clone(), main: before.main };
        });
    }

    fn change(&self, force: bool, change: impl FnOnce(&mut Record)) {
        let mut state = self.inner.lock();
        change(&mut state.record);
        state.dirty = true;
        state.force |= force;
        state.notes += 1;
        drop(state);
        self.inner.changed.notify_all();
    }

    /// All that was noted is on the disk by now.
    pub(crate) fn note_synced(&self) {
        let sequence = self.inner.lock().record.written.sequence;
        self.note(sequence, true, |_| {});
    }

    /// Waits until all that was noted is in a file.
    pub(crate) fn settle(&self) {
        #[cfg(feature = "simulated")]
        if self.thread.is_none() {
            return simulated::Turn::turn(&*self.inner);
        }
        let mut state = self.inner.lock();
        let notes = state.notes;
        state.waiting += 1;
        self.inner.changed.notify_all();
        while state.settled < notes && state.failure.is_none() && !state.stop {
            self.inner.changed.wait(&mut state);
        }
        state.waiting -= 1;
    }

    /// Why nothing more can be noted.
    pub(crate) fn failure(&self) -> Option<String> {
        self.inner.lock().failure.clone()
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.inner.lock().stop = true;
        self.inner.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(feature = "simulated")]
impl simulated::Turn for Inner {
    fn turn(&self) {
        let state = self.lock();
        if state.dirty {
            drop(self.write(state));
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            while !state.dirty && !state.stop {
                let waited = self.changed.wait_for(&mut state, IDLE);
                if waited.timed_out() && !state.dirty {
                    // A flush may have happened by itself; only the MANIFEST shows what it moved out of the log. Nobody waits for a
                    // disk that hangs who only asks whether a write has failed.
                    let before = state.record.manifest.clone();
                    let read = || ManifestMark::of(&self.folder, before.clone());
                    if MutexGuard::unlocked(&mut state, read).is_ok_and(|manifest| manifest != before) {
                        (state.dirty, state.force) = (true, true);
                    }
                }
            }
            if state.dirty {
                state = self.write(state);
            }
            if state.stop || state.failure.is_some() {
                return;
            }
            let until = std::time::Instant::now() + PAUSE;
            while !state.stop && state.waiting == 0 {
                let left = until.saturating_duration_since(std::time::Instant::now());
                if left.is_zero() {
                    break;
                }
                self.changed.wait_for(&mut state, left);
            }
        }
    }

    fn write<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let (mut record, force, notes) = (state.record.clone(), state.force, state.notes);
        (state.dirty, state.force) = (false, false);
        drop(state);
        record.generation += 1;
        let before = record.manifest.take();
        let written = ManifestMark::of(&self.folder, before).and_then(|manifest| {
            record.manifest = manifest;
            self.slots.write(&record, force)
        });
        let mut state = self.lock();
        match written {
            Ok(()) => {
                state.record.generation = record.generation;
                state.record.manifest = record.manifest;
                state.settled = notes;
            }
            Err(error) => state.failure = Some(error.to_string()),
        }
        self.changed.notify_all();
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(sequence: u64) -> Mark {
        Mark { sequence, main: vec![7; 300], beside: Vec::new() }
    }

    #[test]
    fn one_file_is_whole_whatever_happens_to_the_other() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), Found::None);
        let slots = Slots::lock(folder.path()).unwrap().unwrap();
        assert!(Slots::lock(folder.path()).unwrap().is_none(), "it is locked");
        assert_eq!(read(folder.path()).unwrap(), Found::None, "made and not written");
        let tally = Tally::start(slots, folder.path(), 4, mark(5)).unwrap();
        for sequence in 6..20 {
            tally.note(sequence, true, |mark| mark.beside = vec![1]);
            tally.settle();
            let Found::Record(record) = read(folder.path()).unwrap() else { panic!("no record") };
            assert_eq!((record.known().sequence, &record.known().beside[..]), (sequence, &[1][..]));
            for name in FILES {
                let file = folder.path().join(name);
                let whole = std::fs::read(&file).unwrap();
                assert_eq!(whole.len() % STEP, 0);
                for damaged in [vec![0; whole.len()], whole[..100].to_vec(), Vec::new()] {
                    std::fs::write(&file, damaged).unwrap();
                    let Found::Record(record) = read(folder.path()).unwrap() else { panic!("no record") };
                    assert!([sequence, sequence - 1].contains(&record.known().sequence));
                }
                std::fs::write(&file, whole).unwrap();
            }
        }
        drop(tally);
        for name in FILES {
            std::fs::write(folder.path().join(name), [0; STEP]).unwrap();
        }
        assert_eq!(read(folder.path()).unwrap(), Found::Unreadable);
    }

    #[test]
    fn what_was_not_forced_counts_until_the_machine_starts_anew() {
        let folder = tempfile::tempdir().unwrap();
        let slots = Slots::lock(folder.path()).unwrap().unwrap();
        let tally = Tally::start(slots, folder.path(), 0, mark(5)).unwrap();
        tally.note(9, false, |_| {});
        drop(tally);
        let Found::Record(mut record) = read(folder.path()).unwrap() else { panic!("no record") };
        assert_eq!(record.known().sequence, if boot(folder.path()).is_empty() { 5 } else { 9 });
        record.boot = "another".to_owned();
        assert_eq!(record.known().sequence, 5);
    }
}
