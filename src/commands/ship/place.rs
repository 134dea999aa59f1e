//! A place in a log, both open and saved. It does not know which file comes next.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mark::{Ending, Mark};

/// A place in a log that outlives the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogPosition {
    pub(super) mark: Mark,
    /// Bytes before it.
    pub(super) offset: u64,
    /// The bytes right before it; an older state file lacks them.
    #[serde(default)]
    pub(super) ending: Ending,
    /// When the file was last written, in nanoseconds since 1970.
    pub(super) modified: i64,
}

/// A place in a log that is open.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) file: Arc<File>,
    pub(super) mark: Mark,
    pub(super) offset: u64,
    pub(super) ending: Ending,
}

impl Place {
    /// The beginning of the file at `path`; none if it is not there.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let mut mark = Mark { device: metadata.dev(), inode: metadata.ino(), ..Mark::default() };
        // What a log holds now stays, whether it was read or not.
        mark.learn(&file, metadata.len())?;
        Ok(Some(Self { file: Arc::new(file), mark, offset: 0, ending: Ending::default() }))
    }

    /// The place as it is saved.
    pub(super) fn position(&self) -> LogPosition {
        let modified = self.file.metadata().map_or(0, |metadata| modified(&metadata));
        LogPosition { mark: self.mark.clone(), offset: self.offset, ending: self.ending.clone(), modified }
    }

    /// The place `bytes` before this one, within the lines that were returned with it.
    pub(super) fn before(&self, bytes: usize) -> Self {
        let ending = if bytes == 0 { self.ending.clone() } else { Ending::default() };
        Self { offset: self.offset.saturating_sub(bytes as u64), ending, ..self.clone() }
    }

    /// Whether the file still holds what was read of it.
    pub(super) fn is_as_it_was(&self) -> io::Result<bool> {
        Ok(self.mark.still_begins(&self.file)? && self.ending.is_still_before(&self.file, self.offset)?)
    }
}

/// When a file was last written, in nanoseconds since 1970.
pub(super) fn modified(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}
