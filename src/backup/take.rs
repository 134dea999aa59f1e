//! Taking a backup: the copy of one moment is brought into the folder of the backup, with a sum of each file, and looked at.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use storage::{Database, Mark};

use super::contents::{Found, found, inode};
use super::error::{At as _, BackupError};
use super::files::{self, Filling, Sum, sync_folders};
use super::manifest::{Kept, Manifest};
use super::request::{SPARE_ROOM, copied};
use crate::gate::Trail;
use crate::store::{Frozen, StoreError};

/// Where the parts lie in a backup.
pub(super) const DATA: &str = "data";
pub(super) const MODEL: &str = "model";
/// Memory for looking at a copy.
const MEMORY: usize = 64 << 20;
/// How often it is tried to find all files as they were a moment ago.
const ATTEMPTS: u32 = 8;

/// What is to be backed up.
#[derive(Debug)]
pub struct Order<'a> {
    /// The data directory.
    pub data_dir: &'a Path,
    /// Its audit log.
    pub trail: &'a Trail,
    /// The folder of the flow model, if it lies elsewhere.
    pub model: Option<&'a Path>,
    /// The backup: a folder that does not exist or is empty.
    pub target: &'a Path,
    /// An earlier backup. Files that are the same become hard links to it.
    pub previous: Option<&'a Path>,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// A backup that is being filled.
struct Taking<'a> {
    target: &'a Path,
    previous: Option<(&'a Path, HashMap<String, Kept>)>,
    kept: Vec<Kept>,
    read: u64,
    all: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

/// Takes a backup. `progress` is told how many bytes of how many are there.
///
/// # Errors
/// [`BackupError`]; then there is no backup.
pub fn take(order: &Order<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<Manifest, BackupError> {
    if is_below(order.target, order.data_dir) {
        return Err(BackupError::Inside(order.target.to_owned()));
    }
    let previous =
        order.previous.map(|folder| Manifest::read(folder).map(|manifest| (folder, manifest))).transpose()?;
    let previous = previous.map(|(folder, manifest)| {
        (folder, manifest.files.into_iter().map(|file| (file.path.clone(), file)).collect::<HashMap<_, _>>())
    });
    let filling = Filling::begin(order.target)?;
    // What is committed by now must be in it.
    let known = Database::known_of(order.data_dir)?;
    let copied = copied(order.data_dir)?;
    let parts = files_below(&copied.path())?;
    let all = parts.iter().map(|(_, bytes)| bytes).sum();
    enough_room(&copied.path(), &parts, order.target, previous.as_ref().map(|(_, files)| files))?;
    let mut taking = Taking { target: order.target, previous, kept: Vec::new(), read: 0, all, progress };
    for (path, bytes) in parts {
        taking.part(&copied.path(), &path, bytes)?;
    }
    taking.others(order.data_dir, DATA, || order.trail.hold(|| found(order.data_dir)))?;
    if let Some(model) = order.model.filter(|model| model.is_dir() && !is_below(model, order.data_dir)) {
        taking.others(model, MODEL, || found(model))?;
    }
    let mut files = taking.kept;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    drop(copied);
    let Looked { passages, newest } = looked_at(&order.target.join(DATA), known.as_ref())?;
    let manifest = Manifest {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: jiff::Timestamp::from_second(order.now).unwrap_or_default().to_string(),
        source: order.data_dir.display().to_string(),
        sequence: known.map_or(0, |known| known.sequence),
        passages,
        newest,
        files,
    };
    sync_folders(order.target)?;
    files::sync_above(order.target)?;
    fail::fail_point!("backup::before-manifest");
    manifest.write(order.target)?;
    filling.finish();
    Ok(manifest)
}

/// Whether the disk of the backup has room for what cannot be linked: it may be that of the appliance, which ends if it is full.
fn enough_room(
    copy: &Path,
    parts: &[(String, u64)],
    target: &Path,
    previous: Option<&HashMap<String, Kept>>,
) -> Result<(), BackupError> {
    let is_unchanging = |path: &str| storage::is_unchanging(Path::new(path));
    let probe = target.join("probe");
    let is_linked = parts.iter().find(|(path, _)| is_unchanging(path)).is_some_and(|(path, _)| {
        let is_linked = fs::hard_link(copy.join(path), &probe).is_ok();
        let _ = fs::remove_file(&probe);
        is_linked
    });
    let is_kept = |path: &str, bytes: u64| {
        previous.and_then(|files| files.get(&format!("{DATA}/{path}"))).is_some_and(|kept| kept.bytes == bytes)
    };
    let is_copied = |path: &str, bytes| !is_unchanging(path) || !is_linked && !is_kept(path, bytes);
    let needed = parts.iter().filter(|(path, bytes)| is_copied(path, *bytes)).map(|(_, bytes)| bytes).sum::<u64>();
    match files::room(target).filter(|free| *free < needed + SPARE_ROOM) {
        Some(free) => Err(BackupError::Room { path: target.to_owned(), needed: needed + SPARE_ROOM, free }),
        None => Ok(()),
    }
}

/// What a copy holds; none if it is of an older format.
struct Looked {
    passages: Option<u64>,
    newest: Option<String>,
}

/// Opens a copy for reading, which looks at its logs and tables, and says what it holds.
fn looked_at(data: &Path, known: Option<&Mark>) -> Result<Looked, BackupError> {
    let not_whole = |error: &dyn std::fmt::Display| BackupError::NotWhole(error.to_string());
    let (shortage, passages, newest) = match Frozen::open(data) {
        Ok(frozen) => {
            let lacks = known.and_then(|known| frozen.lacks(known));
            (lacks, Some(frozen.rows()), frozen.newest().map(|time| time.to_string()))
        }
        // It is copied as it is: best before an upgrade.
        Err(StoreError::OldFormat(_)) => {
            let database = Database::open_frozen(data, MEMORY).map_err(|error| not_whole(&error))?;
            (known.and_then(|known| database.shortage(known)), None, None)
        }
        Err(error) => return Err(not_whole(&error)),
    };
    if let Some(shortage) = shortage {
        return Err(not_whole(&format!("{shortage}; {} has the same, see deploy/RUNBOOK.md", data.display())));
    }
    Ok(Looked { passages, newest })
}

impl Taking<'_> {
    /// A file of the copy of database and reference data.
    fn part(&mut self, copy: &Path, path: &str, bytes: u64) -> Result<(), BackupError> {
        let (from, name) = (copy.join(path), format!("{DATA}/{path}"));
        let to = self.place(&name)?;
        let sum = if storage::is_unchanging(&from) {
            self.linked(&from, &to, &name, bytes)?
        } else {
            files::copy(&from, &to, u64::MAX, &mut |_| {})?
        };
        self.keep(name, sum);
        fail::fail_point!("backup::file");
        Ok(())
    }

    /// A file that never changes: a link if possible, to what the earlier backup has or to what the data directory has.
    fn linked(&mut self, from: &Path, to: &Path, name: &str, bytes: u64) -> Result<Sum, BackupError> {
        let earlier = self.previous.as_ref().and_then(|(folder, files)| {
            let kept = files.get(name).filter(|kept| kept.bytes == bytes)?;
            let path = folder.join(name);
            // What was shortened since is no use.
            fs::metadata(&path).is_ok_and(|about| about.len() == bytes).then(|| (path, kept.clone()))
        });
        if let Some((path, kept)) = earlier.as_ref().filter(|(path, _)| is_same_file(path, from)) {
            let sum = Sum { bytes: kept.bytes, sha256: kept.sha256.clone() };
            if fs::hard_link(path, to).is_ok() {
                return Ok(sum);
            }
        }
        if fs::hard_link(from, to).is_ok() {
            return files::sum(to, &mut |_| {}).at("read", to);
        }
        if let Some((path, kept)) = earlier {
            let sum = files::sum(from, &mut |_| {}).at("read", from)?;
            // What was damaged there since is no use either.
            let is_sound = || files::sum(&path, &mut |_| {}).is_ok_and(|sum| sum.sha256 == kept.sha256);
            if sum.sha256 == kept.sha256 && is_sound() && fs::hard_link(&path, to).is_ok() {
                return Ok(sum);
            }
        }
        files::copy(from, to, u64::MAX, &mut |_| {})
    }

    /// Files that are there beside, all as of one moment.
    fn others(
        &mut self,
        folder: &Path,
        below: &str,
        find: impl Fn() -> Result<Vec<Found>, BackupError>,
    ) -> Result<(), BackupError> {
        for _ in 0..ATTEMPTS {
            let found = find()?;
            let mut taken = Vec::new();
            for file in &found {
                let name = format!("{below}/{}", file.path);
                let to = self.place(&name)?;
                match self.other(folder, file, &to)? {
                    Some(sum) => taken.push((name, sum)),
                    None => break,
                }
            }
            if taken.len() == found.len() && found.iter().all(|file| file.is_as_it_was(folder)) {
                taken.into_iter().for_each(|(name, sum)| self.keep(name, sum));
                return Ok(());
            }
            for file in &found {
                let _ = fs::remove_file(self.target.join(below).join(&file.path));
            }
        }
        Err(BackupError::Restless(folder.to_owned()))
    }

    /// None if it is not what it was when it was found.
    fn other(&mut self, folder: &Path, file: &Found, to: &Path) -> Result<Option<Sum>, BackupError> {
        if let Some(content) = &file.content {
            files::write(to, content)?;
            return Ok(Some(files::sum_of(content)));
        }
        let from = folder.join(&file.path);
        match files::copy(&from, to, file.bytes, &mut |_| {}) {
            Ok(sum) => Ok((sum.bytes == file.bytes).then_some(sum)),
            Err(_) if !from.exists() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn place(&self, name: &str) -> Result<PathBuf, BackupError> {
        let to = self.target.join(name);
        let folder = to.parent().unwrap_or(self.target);
        fs::create_dir_all(folder).at("make", folder)?;
        Ok(to)
    }

    fn keep(&mut self, path: String, sum: Sum) {
        self.read += sum.bytes;
        self.all = self.all.max(self.read);
        (self.progress)(self.read, self.all);
        self.kept.push(Kept { path, bytes: sum.bytes, sha256: sum.sha256 });
    }
}

/// All files below a folder, with their paths from there and their lengths.
fn files_below(folder: &Path) -> Result<Vec<(String, u64)>, BackupError> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).at("list", &next)? {
            let path = entry.at("list", &next)?.path();
            let about = fs::metadata(&path).at("read", &path)?;
            if about.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(folder).ok().and_then(Path::to_str).map(str::to_owned);
            all.push((relative.ok_or_else(|| BackupError::Name(path.clone()))?, about.len()));
        }
    }
    all.sort();
    Ok(all)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::metadata(path).ok().map(|about| inode(&about));
    place(one).is_some_and(|at| place(other) == Some(at))
}

/// Whether a place that may not exist yet lies in a folder.
fn is_below(place: &Path, folder: &Path) -> bool {
    let place = std::path::absolute(place).unwrap_or_else(|_| place.to_owned());
    let Some(there) = place.ancestors().find_map(|above| above.canonicalize().ok()) else { return false };
    folder.canonicalize().is_ok_and(|folder| there.starts_with(folder))
}
