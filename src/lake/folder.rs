//! The folder of a lake: whose it is, which ranges of rows it has, and files that appear whole or not at all. It does not know
//! what is in them.
//!
//! IMPORTANT: a folder without its mark is not written where the lake has begun already: it is the place of a disk that is not
//! mounted, and all that follows would fill the disk below it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Permissions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::aside::{differs, keep};
use super::error::LakeError;
use super::hold::Hold;
use super::name::{PartName, day_folder, is_day_folder};

/// The file that says whose lake it is.
const MARK: &str = "_platewatch.json";
/// The permissions of a folder that is for its account alone, as the service makes them.
const OWN: u32 = 0o700;

/// The folder of one appliance's lake. Clones are of the same process, which alone may write it.
#[derive(Debug, Clone)]
pub struct LakeFolder {
    root: PathBuf,
    number: u64,
    hold: Hold,
}

impl LakeFolder {
    /// The lake with this number in the folder `root`, which nothing is done to yet.
    pub fn new(root: &Path, number: u64) -> Self {
        Self { root: root.to_owned(), number, hold: Hold::default() }
    }

    /// Makes sure that the folder is that of this lake, and that no other process writes it. One that has not `begun` is made.
    ///
    /// # Errors
    /// [`LakeError`] if it is another's, or cannot be made.
    pub fn check(&self, begun: bool) -> Result<(), LakeError> {
        let checked = self.check_mark(begun).and_then(|()| self.hold.take(&self.root.join(MARK)));
        if checked.is_err() {
            self.hold.release();
        }
        checked
    }

    fn check_mark(&self, begun: bool) -> Result<(), LakeError> {
        let path = self.root.join(MARK);
        let mark = mark(self.number);
        let root = self.root.display();
        match std::fs::read_to_string(&path) {
            Ok(found) if found == mark => Ok(()),
            Ok(_) => Err(anothers(&self.root)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && begun => Err(LakeError::Unfit(format!(
                "{root} is not the lake that was begun: {MARK} is missing. Mount its disk, or name its folder in lake.dir; to write \
                 all that is stored once more, name an empty folder and raise lake.edition"
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.begin_lake(&path, &mark),
            Err(error) => Err(LakeError::io(&path)(error)),
        }
    }

    fn begin_lake(&self, path: &Path, mark: &str) -> Result<(), LakeError> {
        std::fs::create_dir_all(&self.root).map_err(LakeError::io(&self.root))?;
        let days = self.days()?;
        for day in days {
            if self.entries(&day)?.iter().any(|name| PartName::parse(name).is_some()) {
                return Err(LakeError::Unfit(format!(
                    "{} holds files of another lake, and no {MARK} that says whose: name an empty folder in lake.dir",
                    self.root.display()
                )));
            }
        }
        // Several shards may do so at once: each makes the same.
        let scratch = tempfile::NamedTempFile::with_prefix_in(".platewatch-", &self.root);
        let scratch = scratch.map_err(LakeError::io(&self.root))?;
        std::fs::write(scratch.path(), mark).map_err(LakeError::io(path))?;
        self.share(scratch.path(), false)?;
        scratch.as_file().sync_all().map_err(LakeError::io(path))?;
        scratch.persist(path).map_err(|error| LakeError::io(path)(error.error))?;
        force(&self.root)
    }

    /// Removes what was being written of `shard` when a process ended, and gives the ranges of its rows that are there and end
    /// after row `from`, by their first row.
    ///
    /// # Errors
    /// [`LakeError`] if it cannot be read or written.
    pub fn go_on(&self, shard: u8, from: u64) -> Result<BTreeMap<u64, u64>, LakeError> {
        let mut ranges = BTreeMap::new();
        for day in self.days()? {
            for name in self.entries(&day)? {
                if PartName::is_left_over(&name, shard) {
                    let path = day.join(&name);
                    std::fs::remove_file(&path).map_err(LakeError::io(&path))?;
                }
                let Some(Range { start, end }) =
                    PartName::parse(&name).filter(|part| part.shard == shard).map(|part| part.rows)
                else {
                    continue;
                };
                if end <= from {
                    continue;
                }
                if start < from || *ranges.entry(start).or_insert(end) != end {
                    return Err(twice(&day, &name));
                }
            }
        }
        let mut last = 0;
        for (start, end) in &ranges {
            if *start < last {
                return Err(twice(&self.root, &PartName { shard, rows: *start..*end }.to_string()));
            }
            last = *end;
        }
        Ok(ranges)
    }

    /// Begins the file of a day.
    ///
    /// # Errors
    /// [`LakeError`] if it cannot be made.
    pub fn begin(&self, day: i64, name: &PartName) -> Result<(Pending, File), LakeError> {
        let folder = self.root.join(day_folder(day));
        match std::fs::create_dir(&folder) {
            Ok(()) => {
                self.share(&folder, true)?;
                force(&self.root)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Whoever made it may have ended before it was shared.
                let metadata = std::fs::metadata(&folder).map_err(LakeError::io(&folder))?;
                if metadata.permissions().mode() & 0o777 == OWN {
                    self.share(&folder, true)?;
                }
            }
            Err(error) => return Err(LakeError::io(&folder)(error)),
        }
        let (scratch, path) = (folder.join(name.while_written()), folder.join(name.to_string()));
        let file = File::create(&scratch).map_err(LakeError::io(&scratch))?;
        self.share(&scratch, false)?;
        Ok((Pending { folder, scratch, path, is_there: false }, file))
    }

    /// Whether the file of a day is there.
    pub fn has(&self, day: i64, name: &PartName) -> bool {
        self.root.join(day_folder(day)).join(name.to_string()).exists()
    }

    /// Takes the files of this range that are not among `kept` out of the lake: the store does not have, or no longer has, what they
    /// held. They stay under another name.
    ///
    /// # Errors
    /// [`LakeError`] if one cannot be removed.
    pub fn remove_others(&self, name: &PartName, kept: &BTreeSet<PathBuf>) -> Result<(), LakeError> {
        for day in self.days()? {
            let path = day.join(name.to_string());
            if !kept.contains(&path) && path.exists() {
                keep(&path)?;
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(LakeError::io(&path)(error)),
                    _ => force(&day)?,
                }
            }
        }
        Ok(())
    }

    /// The folders of days.
    fn days(&self) -> Result<Vec<PathBuf>, LakeError> {
        let names = self.entries(&self.root)?.into_iter().filter(|name| is_day_folder(name));
        Ok(names.map(|name| self.root.join(name)).filter(|path| path.is_dir()).collect())
    }

    /// The names in a folder.
    fn entries(&self, folder: &Path) -> Result<Vec<String>, LakeError> {
        let entries = std::fs::read_dir(folder).map_err(LakeError::io(folder))?;
        let name = |entry: io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        entries.map(name).collect::<io::Result<Vec<_>>>().map_err(LakeError::io(folder))
    }

    /// Lets those in who may enter the lake's folder: the program's own files are for its account alone. The bits beyond these
    /// are not passed on: a hardened service may not set them.
    fn share(&self, path: &Path, is_folder: bool) -> Result<(), LakeError> {
        let root = std::fs::metadata(&self.root).map_err(LakeError::io(&self.root))?.permissions().mode() & 0o777;
        let mode = if is_folder { root } else { root & 0o666 };
        std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(LakeError::io(path))
    }
}

/// A file that readers do not see yet. It is removed if it is not published.
#[derive(Debug)]
pub struct Pending {
    folder: PathBuf,
    scratch: PathBuf,
    path: PathBuf,
    is_there: bool,
}

impl Pending {
    /// What it is called once it is there.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Readers see it from now on, whatever happens: what was written is on the disk before its name, and the name afterwards. What
    /// was there and differs is kept: after a restore the store may lack rows that never come again.
    ///
    /// # Errors
    /// [`LakeError`] if it cannot be renamed.
    pub fn publish(mut self) -> Result<(), LakeError> {
        if differs(&self.scratch, &self.path)? {
            keep(&self.path)?;
        }
        std::fs::rename(&self.scratch, &self.path).map_err(LakeError::io(&self.path))?;
        self.is_there = true;
        force(&self.folder)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.is_there {
            let _ = std::fs::remove_file(&self.scratch);
        }
    }
}

/// What the mark of a lake holds.
fn mark(number: u64) -> String {
    format!("{{\"platewatch_lake\": \"{number:016x}\"}}\n")
}

fn anothers(root: &Path) -> LakeError {
    LakeError::Unfit(format!(
        "{} is the lake of another data directory ({MARK}): name an empty folder in lake.dir, one for each appliance",
        root.display()
    ))
}

/// Refuses a folder that is another's than the lake with this number; none is of a lake that was not begun. Nothing is written.
///
/// # Errors
/// [`LakeError`] if it is.
pub fn refuse_anothers(root: &Path, number: Option<u64>) -> Result<(), LakeError> {
    match std::fs::read_to_string(root.join(MARK)) {
        Ok(found) if number.is_none_or(|number| found != mark(number)) => Err(anothers(root)),
        _ => Ok(()),
    }
}

fn twice(place: &Path, name: &str) -> LakeError {
    LakeError::Unfit(format!(
        "{} holds {name}, whose rows are in other files too: it was not written from this data directory; move it away, or name \
         an empty folder in lake.dir",
        place.display()
    ))
}

/// Forces the names in a folder to the disk.
fn force(folder: &Path) -> Result<(), LakeError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(LakeError::io(folder))
}

/// Whether a lake can be written to a folder, or can be made where it is not: a file is written and removed.
///
/// # Errors
/// [`LakeError`] with what is in the way.
pub fn is_usable(root: &Path) -> Result<(), LakeError> {
    let whole = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let place = whole.ancestors().find(|place| place.exists()).unwrap_or_else(|| Path::new("/"));
    if !place.is_dir() {
        return Err(LakeError::Unfit(format!("{} is not a folder: name one in lake.dir", place.display())));
    }
    let scratch = tempfile::NamedTempFile::with_prefix_in(".platewatch-", place).map_err(LakeError::io(place))?;
    scratch.as_file().sync_all().map_err(LakeError::io(place))
}

#[cfg(test)]
mod tests;
