//! The state file of `ship`: how far a log is in Kafka.
//!
//! One JSON object, replaced as a whole (written beside it, synced, renamed, folder synced), so that a power cut leaves
//! the old one or the new one. A lock on a file beside it keeps two `ship`s from sending one log twice.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::place::LogPosition;
use crate::commands::failure::Usage;

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    version: u32,
    topic: String,
    position: LogPosition,
}

/// The state file, held by this process.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    topic: String,
    saved: Option<LogPosition>,
    _lock: File,
}

const VERSION: u32 = 1;

impl StateFile {
    /// Takes the file and reads it.
    ///
    /// # Errors
    /// [`Usage`]: another process holds it, it is not a state file, or belongs to another topic.
    pub(super) fn open(path: &Path, topic: &str) -> anyhow::Result<Self> {
        let lock = lock(path)?;
        let saved = match std::fs::read(path) {
            Ok(bytes) => Some(parse(&bytes, path, topic)?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Usage(format!("cannot read the state file {}: {error}", path.display())).into()),
        };
        Ok(Self { path: path.to_owned(), topic: topic.to_owned(), saved, _lock: lock })
    }

    /// The position that was saved last.
    pub(super) fn saved(&self) -> Option<&LogPosition> {
        self.saved.as_ref()
    }

    /// Saves a position, if it has changed, and returns when it is on the disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn save(&mut self, position: &LogPosition) -> anyhow::Result<()> {
        if self.saved.as_ref() == Some(position) {
            return Ok(());
        }
        let saved = Saved { version: VERSION, topic: self.topic.clone(), position: position.clone() };
        self.replace(&serde_json::to_vec(&saved)?).with_context(|| {
            format!("cannot write the state file {}: make room for it, then start ship again", self.path.display())
        })?;
        self.saved = Some(saved.position);
        Ok(())
    }

    fn replace(&self, bytes: &[u8]) -> std::io::Result<()> {
        let new = beside(&self.path, ".new");
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

fn parse(bytes: &[u8], path: &Path, topic: &str) -> Result<LogPosition, Usage> {
    let saved: Saved = serde_json::from_slice(bytes).map_err(|error| {
        Usage(format!("{} is not a state file of ship ({error}): give another with --state", path.display()))
    })?;
    if saved.version != VERSION {
        let found = saved.version;
        return Err(Usage(format!("{} has version {found}, this ship knows {VERSION}", path.display())));
    }
    if saved.topic != topic {
        return Err(Usage(format!(
            "{} says how far the topic {} is, not {topic}: give {topic} a state file of its own with --state",
            path.display(),
            saved.topic
        )));
    }
    Ok(saved.position)
}

fn lock(path: &Path) -> Result<File, Usage> {
    let name = beside(path, ".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(|error| {
        Usage(format!("cannot write {}: {error}; give a place that can be written to with --state", name.display()))
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Usage(format!("another ship runs with {}: stop it, or give another file with --state", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(Usage(format!("cannot lock {}: {error}", name.display()))),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path, topic: &str) -> String {
        let error = StateFile::open(path, topic).unwrap_err();
        assert!(error.is::<Usage>(), "{error}");
        error.to_string()
    }

    #[test]
    fn a_position_comes_back_and_belongs_to_its_topic() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let position = LogPosition { offset: 7, ..LogPosition::default() };
        let mut state = StateFile::open(&path, "t").unwrap();
        assert_eq!(state.saved(), None);
        state.save(&position).unwrap();
        assert!(refused(&path, "t").contains("another ship runs"));
        drop(state);
        assert_eq!(StateFile::open(&path, "t").unwrap().saved(), Some(&position));
        assert!(refused(&path, "other").contains("the topic t is, not other"));
        assert!(!beside(&path, ".new").exists());
    }

    #[test]
    fn other_files_are_not_taken_for_state() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        std::fs::write(&path, "G1\t").unwrap();
        assert!(refused(&path, "t").contains("is not a state file"));
        assert!(refused(Path::new("/nowhere/at/all/state"), "t").contains("--state"));
    }
}
