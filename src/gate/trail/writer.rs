//! Appending to the audit log, beside other processes. An entry is in its file before [`Trail::append`] returns.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use access::trail::{Action, Details, Draft, Entry, EntrySalt, Head, Via};
use parking_lot::Mutex;
use traffic::{CivilTime, TimeZoneName};

use super::error::{At as _, TrailError};
use super::folder::{Folder, HeadFile};
use super::tail::Tail;
use crate::gate::random::{NoRandomness, fill};

/// Bytes of a line. Requests are far shorter; what is longer loses its details.
const MAX_LINE_BYTES: usize = 64 << 10;
const MILLIS: i64 = 1000;

/// The audit log of a data directory.
#[derive(Debug)]
pub struct Trail {
    pub(super) files: Folder,
    /// The zone of the road, whose days the files are.
    pub(super) zone: TimeZoneName,
    inner: Mutex<Inner>,
    /// Why the newest entry is not there, or not on the disk. No disk is asked while it is locked.
    failure: Mutex<Option<String>>,
}

/// What one process knows of the log.
#[derive(Debug)]
struct Inner {
    /// The newest entry.
    head: Head,
    /// Where the next one goes.
    open: Option<Open>,
    /// Files that have bytes which may not be on the disk, and whether a name may not be there either.
    unsynced: Vec<Arc<File>>,
    is_name_unsynced: bool,
    /// Why nothing may be written any more.
    failed: Option<String>,
}

#[derive(Debug)]
struct Open {
    day: String,
    file: Arc<File>,
    inode: u64,
    length: u64,
}

impl Trail {
    /// The log below a data directory. Nothing is read or written yet. `zone` says which day it is.
    pub fn below(data_dir: &Path, zone: TimeZoneName) -> Self {
        let inner = Inner { head: Head::NONE, open: None, unsynced: Vec::new(), is_name_unsynced: false, failed: None };
        Self { files: Folder::below(data_dir), zone, inner: Mutex::new(inner), failure: Mutex::default() }
    }

    /// Appends an entry; `now` is in milliseconds since 1970. Once it returns, a killed process does not lose it.
    ///
    /// # Errors
    /// [`TrailError`]: then there is no entry.
    pub fn append(&self, draft: Draft, now: i64) -> Result<Head, TrailError> {
        let written = self.locked(now, |inner, lock| inner.write(self, lock, draft, now));
        *self.failure.lock() = written.as_ref().err().map(ToString::to_string);
        written
    }

    /// Why the newest entry could not be written, if that is so.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().clone()
    }

    /// Finds the end of the log, and cuts off what was not written wholly.
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn begin(&self, now: i64) -> Result<Head, TrailError> {
        self.locked(now, |inner, _| Ok(inner.head))
    }

    /// Whether an entry could be written now: for what must not happen without one.
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn probe(&self) -> Result<(), TrailError> {
        let inner = self.inner.lock();
        inner.check()?;
        self.files.probe()
    }

    /// Brings to the disk what was appended.
    ///
    /// # Errors
    /// [`TrailError`]: then nothing is appended any more, since it is not known what is on the disk.
    pub fn sync(&self) -> Result<(), TrailError> {
        let (files, is_name_unsynced) = {
            let mut inner = self.inner.lock();
            inner.check()?;
            (std::mem::take(&mut inner.unsynced), std::mem::take(&mut inner.is_name_unsynced))
        };
        let synced = files.iter().try_for_each(|file| file.sync_data());
        let synced = synced.and_then(|()| if is_name_unsynced { self.files.sync() } else { Ok(()) });
        synced.map_err(|error| {
            self.inner.lock().failed = Some(error.to_string());
            let failure = TrailError::Unsynced(error.to_string());
            *self.failure.lock() = Some(failure.to_string());
            failure
        })
    }

    /// Removes the files of days whose last entry is older than `keep` milliseconds, but never the newest; how many. An entry says so
    /// before each is removed.
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn retain(&self, keep: i64, now: i64) -> Result<u64, TrailError> {
        self.locked(now, |inner, lock| {
            let mut removed = 0;
            let days = self.files.days()?;
            let (_, old) = days.split_last().unwrap_or((&String::new(), &[]));
            for day in old {
                let Some(last) = Tail::of_day(&self.files, day)? else { break };
                if last.t >= now.saturating_sub(keep) {
                    break;
                }
                let through = Details::default().with("through", last.n).with("hash", last.hash.to_string());
                let draft = Draft { details: Some(through), ..Draft::new(Action::Retention, Via::Process) };
                inner.write(self, lock, draft, now)?;
                self.files.remove(day)?;
                inner.is_name_unsynced = true;
                removed += 1;
            }
            Ok(removed)
        })
    }

    /// Does what reads the files while nobody writes them.
    pub fn hold<T>(&self, read: impl FnOnce() -> T) -> T {
        let _lock = self.files.lock_to_read();
        read()
    }

    /// Does what changes files while nobody else writes.
    pub(super) fn alone<T>(&self, now: i64, work: impl FnOnce() -> Result<T, TrailError>) -> Result<T, TrailError> {
        self.locked(now, |_, _| work())
    }

    fn locked<T>(
        &self,
        now: i64,
        work: impl FnOnce(&mut Inner, &HeadFile) -> Result<T, TrailError>,
    ) -> Result<T, TrailError> {
        let mut inner = self.inner.lock();
        inner.check()?;
        let lock = self.files.lock()?;
        inner.catch_up(self, &lock, now)?;
        work(&mut inner, &lock)
    }

    /// The day of a time in milliseconds since 1970.
    pub(super) fn day(&self, at: i64) -> String {
        let civil = self.zone.civil(at.div_euclid(MILLIS)).unwrap_or(CivilTime(0));
        day_of(civil)
    }
}

/// The name of a civil day.
pub(super) fn day_of(time: CivilTime) -> String {
    time.to_string().chars().take_while(|character| *character != ' ').collect()
}

impl Inner {
    fn check(&self) -> Result<(), TrailError> {
        match &self.failed {
            Some(why) => Err(TrailError::Unsynced(why.clone())),
            None => Ok(()),
        }
    }

    /// Reads the end of the log again if it is not where this process left it.
    fn catch_up(&mut self, trail: &Trail, lock: &HeadFile, now: i64) -> Result<(), TrailError> {
        let noted = lock.read();
        let is_where_it_was = self.open.as_ref().is_some_and(|open| open.is_unchanged(&trail.files));
        if is_where_it_was && noted == Some(self.head) {
            return Ok(());
        }
        let tail = Tail::find(&trail.files)?;
        self.open = None;
        if let Some((day, length)) = &tail.day {
            let file = trail.files.append(day)?;
            if tail.torn > 0 {
                file.set_len(*length).at(&trail.files.path(day))?;
            }
            self.open = Some(Open::new(day.clone(), file).at(&trail.files.path(day))?);
        }
        let known =
            [noted.unwrap_or(Head::NONE), self.head].into_iter().max_by_key(|head| head.n).unwrap_or(Head::NONE);
        self.head = tail.head();
        match recovered(&tail, known) {
            None => Ok(()),
            Some(details) => {
                tracing::warn!(
                    ?details,
                    "the end of the audit log was damaged: an entry `recovered` says what is lost"
                );
                if tail.unreadable > 0 && known.n > self.head.n {
                    self.head = known;
                }
                let draft = Draft { details: Some(details), ..Draft::new(Action::Recovered, Via::Process) };
                self.write(trail, lock, draft, now).map(drop)
            }
        }
    }

    fn write(&mut self, trail: &Trail, lock: &HeadFile, draft: Draft, now: i64) -> Result<Head, TrailError> {
        let today = trail.day(now);
        if self.open.as_ref().is_none_or(|open| open.day < today) {
            self.begin_day(trail, today)?;
        }
        let Some(open) = &mut self.open else {
            return Err(io::Error::other("there is no file to write to")).at(&trail.files.path(""));
        };
        let (entry, mut line) = entry(draft, now, self.head)?;
        line.push('\n');
        open.append(line.as_bytes()).at(&trail.files.path(&open.day))?;
        self.head = entry.head();
        if self.unsynced.last().is_none_or(|last| !Arc::ptr_eq(last, &open.file)) {
            self.unsynced.push(open.file.clone());
        }
        // If it is not noted, the end is read again at the next entry.
        let _ = lock.write(self.head);
        Ok(self.head)
    }

    fn begin_day(&mut self, trail: &Trail, day: String) -> Result<(), TrailError> {
        let path = trail.files.path(&day);
        let file = trail.files.append(&day)?;
        self.open = Some(Open::new(day, file).at(&path)?);
        self.is_name_unsynced = true;
        // Whoever collects logs has it where nobody of this machine changes it.
        if self.head != Head::NONE {
            tracing::info!(head = %self.head, "the audit log up to now");
        }
        Ok(())
    }
}

/// The next entry and its line.
fn entry(draft: Draft, now: i64, after: Head) -> Result<(Entry, String), NoRandomness> {
    let mut salt = EntrySalt::default();
    fill(&mut salt)?;
    let entry = Entry::new(draft.clone(), now, salt, after);
    let line = entry.line();
    if line.len() < MAX_LINE_BYTES {
        return Ok((entry, line));
    }
    let short = Draft { details: Some(Details::default().with("too_long", line.len() as u64)), ..draft };
    let entry = Entry::new(short, now, salt, after);
    let line = entry.line();
    Ok((entry, line))
}

/// What an entry must say of a damaged end: the bytes of a torn line, lines that are no entries, and entries that were noted
/// and are not there.
fn recovered(tail: &Tail, known: Head) -> Option<Details> {
    let head = tail.head();
    let is_lost = known.n > head.n || known.n == head.n && known.hash != head.hash;
    if tail.torn == 0 && tail.unreadable == 0 && !is_lost {
        return None;
    }
    let said = Details::default().with("torn_bytes", tail.torn).with("unreadable_lines", tail.unreadable);
    Some(if is_lost { said.with("lost_through", known.n).with("lost_hash", known.hash.to_string()) } else { said })
}

impl Open {
    fn new(day: String, file: File) -> io::Result<Self> {
        let about = file.metadata()?;
        Ok(Self { day, file: Arc::new(file), inode: about.ino(), length: about.len() })
    }

    /// Whether the file still is the one of that name, and ends where we left it.
    fn is_unchanged(&self, files: &Folder) -> bool {
        let about = std::fs::metadata(files.path(&self.day));
        about.is_ok_and(|about| about.ino() == self.inode && about.len() == self.length)
    }

    /// Appends a line by one write. Of a line for which there is no room nothing is left.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        match (&*self.file).write(line) {
            Ok(written) if written == line.len() => {
                self.length += written as u64;
                Ok(())
            }
            written => {
                self.file.set_len(self.length)?;
                written.and(Err(io::Error::from(io::ErrorKind::StorageFull)))
            }
        }
    }
}
