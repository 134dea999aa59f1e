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

use parquet::errors::ParquetError;

use super::name::{PartName, day_folder};

/// The file that says whose lake it is.
const MARK: &str = "_platewatch.json";

/// A lake cannot be written; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The operating system refuses.
    #[error("cannot write {}: {error}; {}", path.display(), advice(error))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file could not be made.
    #[error("cannot write {}: {why}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is no place for this lake.
    #[error("{0}")]
    Unfit(String),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room there, or name another folder in lake.dir"
        }
        io::ErrorKind::PermissionDenied => "let the account of the service write there",
        io::ErrorKind::ReadOnlyFilesystem => "it is mounted for reading only",
        io::ErrorKind::NotFound => "is the disk mounted?",
        _ => "it is tried again",
    }
}

impl LakeError {
    /// The operating system refuses something at `path`.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |error| Self::Io { path: path.to_owned(), error }
    }

    /// The file at `path` could not be made. What the disk said is said as of the disk.
    pub fn parquet(path: &Path, error: ParquetError) -> Self {
        let why = error.to_string();
        let source = match error {
            ParquetError::External(source) => source.downcast::<io::Error>().ok(),
            _ => None,
        };
        match source {
            Some(error) => Self::Io { path: path.to_owned(), error: *error },
            None => Self::Parquet { path: path.to_owned(), why },
        }
    }

    /// Whether somebody must change something there first.
    pub fn is_blocking(&self) -> bool {
        !matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::Interrupted)
    }
}

/// The folder of one appliance's lake.
#[derive(Debug, Clone)]
pub struct LakeFolder {
    root: PathBuf,
    number: u64,
}

impl LakeFolder {
    /// The lake with this number in the folder `root`, which nothing is done to yet.
    pub fn new(root: &Path, number: u64) -> Self {
        Self { root: root.to_owned(), number }
    }

    /// Makes sure that the folder is that of this lake. One that has not `begun` is made.
    ///
    /// # Errors
    /// [`LakeError`] if it is another's, or cannot be made.
    pub fn check(&self, begun: bool) -> Result<(), LakeError> {
        let path = self.root.join(MARK);
        let mark = format!("{{\"platewatch_lake\": \"{:016x}\"}}\n", self.number);
        let root = self.root.display();
        match std::fs::read_to_string(&path) {
            Ok(found) if found == mark => Ok(()),
            Ok(_) => Err(LakeError::Unfit(format!(
                "{root} is the lake of another data directory ({MARK}): name an empty folder in lake.dir, one for each appliance"
            ))),
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
                    return Err(LakeError::Unfit(format!(
                        "{} holds {name}, whose rows are in other files too: it was not written from this data directory; move \
                         it away, or name an empty folder in lake.dir",
                        day.display()
                    )));
                }
            }
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
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
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

    /// Removes the files of this range that are not among `kept`: what they held has been removed from the store.
    ///
    /// # Errors
    /// [`LakeError`] if one cannot be removed.
    pub fn remove_others(&self, name: &PartName, kept: &BTreeSet<PathBuf>) -> Result<(), LakeError> {
        for day in self.days()? {
            let path = day.join(name.to_string());
            if !kept.contains(&path) && path.exists() {
                std::fs::remove_file(&path).map_err(LakeError::io(&path))?;
            }
        }
        Ok(())
    }

    /// The folders of days.
    fn days(&self) -> Result<Vec<PathBuf>, LakeError> {
        let names = self.entries(&self.root)?.into_iter().filter(|name| name.starts_with("date="));
        Ok(names.map(|name| self.root.join(name)).filter(|path| path.is_dir()).collect())
    }

    /// The names in a folder.
    fn entries(&self, folder: &Path) -> Result<Vec<String>, LakeError> {
        let entries = std::fs::read_dir(folder).map_err(LakeError::io(folder))?;
        let name = |entry: io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        entries.map(name).collect::<io::Result<Vec<_>>>().map_err(LakeError::io(folder))
    }

    /// Lets those in who may enter the lake's folder: the program's own files are for its account alone.
    fn share(&self, path: &Path, is_folder: bool) -> Result<(), LakeError> {
        let root = std::fs::metadata(&self.root).map_err(LakeError::io(&self.root))?.permissions().mode() & 0o7777;
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

    /// Readers see it from now on, whatever happens: what was written is on the disk before its name, and the name afterwards.
    ///
    /// # Errors
    /// [`LakeError`] if it cannot be renamed.
    pub fn publish(mut self) -> Result<(), LakeError> {
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
mod tests {
    use super::*;

    fn write(folder: &LakeFolder, day: i64, name: &PartName, text: &str) -> PathBuf {
        use std::io::Write as _;
        let (pending, mut file) = folder.begin(day, name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let path = pending.path().to_owned();
        pending.publish().unwrap();
        path
    }

    #[test]
    fn a_lake_is_begun_once_and_known_again() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("a/lake");
        let folder = LakeFolder::new(&root, 7);
        assert!(folder.check(true).unwrap_err().to_string().contains("Mount its disk"));
        assert!(!root.exists(), "an unmounted disk is not written below");
        folder.check(false).unwrap();
        folder.check(true).unwrap();
        let other = LakeFolder::new(&root, 8).check(false).unwrap_err().to_string();
        assert!(other.contains("another data directory"), "{other}");
        // Files of ours without a mark are somebody's.
        write(&folder, 0, &PartName { shard: 0, rows: 0..5 }, "x");
        std::fs::remove_file(root.join(MARK)).unwrap();
        assert!(folder.check(false).unwrap_err().to_string().contains("holds files of another lake"));
    }

    #[test]
    fn what_was_being_written_is_removed_and_what_is_there_is_found() {
        let place = tempfile::tempdir().unwrap();
        let folder = LakeFolder::new(place.path(), 7);
        folder.check(false).unwrap();
        let name = |shard, rows| PartName { shard, rows };
        for (day, part) in [(0, name(0, 0..5)), (0, name(0, 5..9)), (1, name(0, 5..9)), (1, name(1, 0..70))] {
            write(&folder, day, &part, "x");
        }
        let (pending, _file) = folder.begin(2, &name(0, 9..12)).unwrap();
        let scratch = pending.scratch.clone();
        std::mem::forget(pending);
        let (of_another, _file) = folder.begin(2, &name(1, 70..80)).unwrap();
        assert_eq!(folder.go_on(0, 5).unwrap(), BTreeMap::from([(5, 9)]));
        assert!(!scratch.exists() && of_another.scratch.exists());
        assert_eq!(folder.go_on(0, 9).unwrap(), BTreeMap::new());
        assert!(folder.go_on(0, 6).unwrap_err().to_string().contains("rows are in other files too"));
        write(&folder, 3, &name(0, 5..10), "x");
        assert!(folder.go_on(0, 5).unwrap_err().to_string().contains("rows are in other files too"));
    }

    #[test]
    fn a_file_that_is_not_published_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let folder = LakeFolder::new(place.path(), 7);
        folder.check(false).unwrap();
        let name = PartName { shard: 0, rows: 0..5 };
        drop(folder.begin(0, &name).unwrap());
        assert_eq!(std::fs::read_dir(place.path().join("date=1970-01-01")).unwrap().count(), 0);
        let [first, second] = [0, 1].map(|day| write(&folder, day, &name, "x"));
        folder.remove_others(&name, &BTreeSet::from([second.clone()])).unwrap();
        assert!(!first.exists() && second.exists());
    }

    #[test]
    fn who_may_enter_the_folder_may_read_the_files() {
        let place = tempfile::tempdir().unwrap();
        std::fs::set_permissions(place.path(), Permissions::from_mode(0o2750)).unwrap();
        let folder = LakeFolder::new(place.path(), 7);
        folder.check(false).unwrap();
        let path = write(&folder, 0, &PartName { shard: 0, rows: 0..5 }, "x");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o640, 0o2750));
    }

    #[test]
    fn a_place_is_tried() {
        let place = tempfile::tempdir().unwrap();
        is_usable(&place.path().join("not/there/yet")).unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(is_usable(&file.join("lake")).unwrap_err().to_string().contains("is not a folder"));
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
