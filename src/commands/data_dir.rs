//! Data directories of commands: one that the user named and keeps, or a temporary one that is removed at the end, and at the
//! next run if the process was killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

/// What temporary data directories begin with.
const PREFIX: &str = ".platewatch-";

/// What every command takes that opens a data directory.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct StoreArgs {
    /// Open a data directory that has lost committed data with what is left; what is missing is said in the log
    #[arg(long)]
    pub(super) accept_loss: bool,
}

/// A folder for temporary files that is removed with the value, or one that the user named and keeps.
#[derive(Debug)]
pub(super) enum DataDir {
    /// Named by the user.
    Kept(PathBuf),
    /// Removed at the end. The lock shows that it is in use.
    Temporary(tempfile::TempDir, #[expect(dead_code, reason = "held, not read")] File),
}

impl DataDir {
    /// The named folder, or a temporary one below `parent`.
    pub(super) fn new(named: Option<&Path>, parent: &Path) -> anyhow::Result<Self> {
        let Some(named) = named else { return Self::temporary(parent) };
        Ok(Self::Kept(named.to_owned()))
    }

    fn temporary(parent: &Path) -> anyhow::Result<Self> {
        remove_leftovers(parent);
        let failed = || format!("cannot make a temporary folder in {}", parent.display());
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent).with_context(failed)?;
        let lock = in_use(folder.path()).and_then(|lock| lock.lock().map(|()| lock)).with_context(failed)?;
        Ok(Self::Temporary(folder, lock))
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder, _) => folder.path(),
        }
    }
}

fn in_use(folder: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join(storage::IN_USE))
}

/// Removes the temporary data directories below `parent` that no process uses: those of killed processes.
fn remove_leftovers(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let folder = entry.path();
        let is_ours =
            entry.file_name().to_string_lossy().starts_with(PREFIX) && folder.is_dir() && !folder.is_symlink();
        // Without the file, another process is just creating it, or an earlier version created it.
        if !is_ours || !folder.join(storage::IN_USE).exists() {
            continue;
        }
        match in_use(&folder).map(|lock| (lock.try_lock(), lock)) {
            Ok((Ok(()), _lock)) => match std::fs::remove_dir_all(&folder) {
                Ok(()) => tracing::info!(folder = %folder.display(), "removed what a killed run left"),
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "cannot remove what a killed run left")
                }
            },
            Ok((Err(TryLockError::WouldBlock), _)) => {}
            Ok((Err(TryLockError::Error(error)), _)) | Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "cannot tell whether a temporary folder is in use");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_uses_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let used = DataDir::new(None, parent.path()).unwrap();
        let left = parent.path().join(".platewatch-left");
        let being_made = parent.path().join(".platewatch-new");
        let other = parent.path().join("other");
        for folder in [&left, &being_made, &other] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(left.join(storage::IN_USE), b"").unwrap();
        std::fs::write(left.join("data"), b"x").unwrap();
        let second = DataDir::new(None, parent.path()).unwrap();
        assert!(!left.exists() && being_made.exists() && other.exists());
        let path = used.path().to_owned();
        assert!(path.exists() && second.path().exists());
        drop(used);
        assert!(!path.exists());
    }
}
