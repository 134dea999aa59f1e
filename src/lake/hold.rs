//! The hold on a lake: one process writes it at a time. A copy of a data directory knows the same lake as the directory itself, and
//! both would give its files other rows under the same names. It does not know what is in a lake.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::LakeError;

/// A lock on the mark of a lake. Clones share it; it ends with the process, however that ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Hold(Arc<Mutex<Option<File>>>);

impl Hold {
    /// Locks the mark at this path, if this process has not done so.
    ///
    /// # Errors
    /// [`LakeError`] if another process has.
    pub(super) fn take(&self, mark: &Path) -> Result<(), LakeError> {
        let failed = || LakeError::io(mark);
        let mut held = self.0.lock();
        let there = std::fs::metadata(mark).map_err(failed())?;
        // The disk may have been mounted again since, or another process may have begun the lake at the same moment.
        if let Some(file) = held.as_ref()
            && is_same(&file.metadata().map_err(failed())?, &there)
        {
            return Ok(());
        }
        *held = None;
        // For writing: NFS locks no file that is only read.
        let file = OpenOptions::new().read(true).write(true).open(mark).map_err(failed())?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let lake = mark.parent().unwrap_or(mark).display();
                return Err(LakeError::Unfit(format!(
                    "{lake} is written by another process, which has a copy of this data directory: stop that one, or name an empty \
                     folder in lake.dir and raise lake.edition here"
                )));
            }
            Err(Errno::NOLCK | Errno::NOSYS | Errno::NOTSUP) => {
                tracing::warn!(lake = %mark.display(), "this file system has no locks: nothing keeps a second process from this lake");
            }
            Err(error) => return Err(failed()(error.into())),
        }
        *held = Some(file);
        Ok(())
    }

    /// Lets go of it: its disk is away.
    pub(super) fn release(&self) {
        *self.0.lock() = None;
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
