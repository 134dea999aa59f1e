//! How a backup and the process that has the directory open meet: in the folder `backup-work` of the data directory.
//!
//! The command holds the lock of `lock` as long as it works there. It writes `request` with a number of its own; the process takes
//! that away, makes the folder `copy` and says so in `answer`, with the same number. Where no process has the directory, the command makes
//! `copy` itself, under the directory's lock. What a killed command left is removed by the next one, or by the process.
//!
//! NOTE: whoever may write into the data directory may do all of this, and nobody else. No path and no content is taken from the
//! request.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::{At as _, BackupError};
use super::files::{self, room};
use crate::store::StoreHandle;

const LOCK: &str = "lock";
const REQUEST: &str = "request";
const ANSWER: &str = "answer";
const COPY: &str = "copy";
/// How long a process may take to see a request, and to make a copy.
const SEEN_WITHIN: Duration = Duration::from_secs(20);
const MADE_WITHIN: Duration = Duration::from_secs(900);
/// How often each looks.
const LOOK: Duration = Duration::from_millis(50);
/// How often the command tries whether the process is gone.
const TRY_LOCK: Duration = Duration::from_secs(3);
/// Room that must stay beside what is in memory: a database that cannot write takes nothing more.
pub(super) const SPARE_ROOM: u64 = 16 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    request: String,
    error: Option<String>,
}

/// A copy of database and reference data. It is removed with the value.
#[derive(Debug)]
pub(super) struct Copied {
    work: PathBuf,
    _lock: File,
}

impl Copied {
    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.work.join(COPY)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        clear(&self.work);
    }
}

/// Copies database and reference data of a data directory, through the process that has it open, if there is one.
pub(super) fn copied(data_dir: &Path) -> Result<Copied, BackupError> {
    if !data_dir.join(storage::DATABASE).is_dir() {
        // Nothing is made there.
        let found = "there is no database in it".to_owned();
        return Err(storage::StorageError::Foreign { path: data_dir.to_owned(), found }.into());
    }
    let work = data_dir.join(storage::BACKUP_WORK);
    storage::make_private_folder(&work).at("make", &work)?;
    let lock = wait_for_lock(&work).at("lock", &work)?.ok_or_else(|| BackupError::Busy(data_dir.to_owned()))?;
    clear(&work);
    let copied = Copied { work, _lock: lock };
    if !copy_unused(data_dir, &copied.path())? {
        ask(data_dir, &copied)?;
    }
    Ok(copied)
}

/// Copies a directory that no process has open; false if one has.
fn copy_unused(data_dir: &Path, copy: &Path) -> Result<bool, BackupError> {
    let Some(held) = storage::hold(data_dir)? else { return Ok(false) };
    held.copy_to(data_dir, copy)?;
    Ok(true)
}

fn ask(data_dir: &Path, copied: &Copied) -> Result<(), BackupError> {
    let request = format!("{}-{:016x}", std::process::id(), crate::clock::unix_micros());
    let place = copied.work.join(REQUEST);
    replace(&place, request.as_bytes()).at("write", &place)?;
    let asked = Instant::now();
    let mut tried = asked;
    loop {
        if let Some(answer) = answer_in(&copied.work).filter(|answer| answer.request == request) {
            let refused = |why| BackupError::Refused { path: data_dir.to_owned(), why };
            return answer.error.map_or(Ok(()), |why| Err(refused(why)));
        }
        let limit = if place.exists() { SEEN_WITHIN } else { MADE_WITHIN };
        if asked.elapsed() > limit {
            return Err(BackupError::NoAnswer(data_dir.to_owned()));
        }
        // It may have ended meanwhile.
        if tried.elapsed() > TRY_LOCK {
            tried = Instant::now();
            if let Some(held) = storage::hold(data_dir)? {
                clear(&copied.work);
                return Ok(held.copy_to(data_dir, &copied.path())?);
            }
        }
        std::thread::sleep(LOOK);
    }
}

fn answer_in(work: &Path) -> Option<Answer> {
    serde_json::from_slice(&fs::read(work.join(ANSWER)).ok()?).ok()
}

/// The lock of the folder; none if another command has it.
fn lock(work: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(work.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// As [`lock`]; a process that looks whether something is left has it for a moment.
fn wait_for_lock(work: &Path) -> io::Result<Option<File>> {
    for _ in 0..10 {
        if let Some(lock) = lock(work)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(LOOK);
    }
    Ok(None)
}

fn clear(work: &Path) {
    for name in [REQUEST, ANSWER] {
        let _ = fs::remove_file(work.join(name));
    }
    let _ = fs::remove_dir_all(work.join(COPY));
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path))?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Answers the requests of commands until `rest`, which waits a moment, says that it is over.
pub fn answer_beside(data_dir: &Path, store: &StoreHandle, rest: impl Fn() -> bool) {
    let work = data_dir.join(storage::BACKUP_WORK);
    loop {
        if work.join(COPY).exists() && lock(&work).is_ok_and(|lock| lock.is_some_and(|_lock| clear_left(&work))) {
            tracing::info!("removed what an interrupted backup left");
        }
        if let Ok(request) = fs::read_to_string(work.join(REQUEST)) {
            answer(&work, request, store);
        }
        if rest() {
            return;
        }
    }
}

fn clear_left(work: &Path) -> bool {
    clear(work);
    true
}

fn answer(work: &Path, request: String, store: &StoreHandle) {
    let begun = Instant::now();
    match fs::remove_file(work.join(REQUEST)) {
        Ok(()) => {}
        // The command gave up just now.
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => return tracing::error!(%error, "a request for a backup cannot be taken"),
    }
    let error = copy(&work.join(COPY), store).err();
    match &error {
        None => tracing::info!(seconds = begun.elapsed().as_secs_f64(), "copied the database for a backup"),
        Some(error) => tracing::error!(error, "the database cannot be copied for a backup"),
    }
    fail::fail_point!("backup::copied");
    let answer = serde_json::to_vec(&Answer { request, error }).unwrap_or_default();
    if let Err(error) = replace(&work.join(ANSWER), &answer) {
        tracing::error!(%error, "a backup cannot be answered");
    }
}

/// A flush that fails would end the process, so it is not begun where there is too little room.
fn copy(folder: &Path, store: &StoreHandle) -> Result<(), String> {
    let database = folder.parent().and_then(Path::parent).map(|data_dir| data_dir.join(storage::DATABASE));
    // Without links all of it is copied.
    let linked =
        database.as_ref().is_none_or(|database| files::is_on_one_disk(database, folder.parent().unwrap_or(folder)));
    let whole = if linked { 0 } else { store.database().usage().disk };
    let needed = store.database().in_memtables() + whole + SPARE_ROOM;
    if let Some(free) = room(folder).filter(|free| *free < needed) {
        return Err(format!("its disk has {free} bytes left, and {needed} are needed: free some space there"));
    }
    let _ = fs::remove_dir_all(folder);
    storage::make_private_folder(folder).map_err(|error| error.to_string())?;
    store.copy_to(folder).map_err(|error| error.to_string())
}
