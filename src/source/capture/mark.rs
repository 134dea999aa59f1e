//! What identifies a file: its length, its beginning and its end. It knows no lines.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::compression::Packing;
use crate::source::SourceError;

/// This much of a file's beginning, and of its end, is part of its mark.
const PART_BYTES: u64 = 4096;

/// What a file is known by: length, beginning and end; its name only for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// The file's name without its folder.
    pub name: String,
    /// Length in bytes; none for standard input or a pipe.
    pub size: Option<u64>,
    /// Hash, not text: a position is not a place for plates.
    head: u64,
    /// An older program kept none.
    end: Option<u64>,
}

/// What a file is now, compared with what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// It holds what it held, followed by more.
    Grown,
    /// It has the same name and does not hold what it held; in words.
    Replaced(String),
    /// It is another file.
    Other,
}

impl FileMark {
    /// The mark of the file at `path`.
    ///
    /// # Errors
    /// [`SourceError`] if it cannot be read or is a directory.
    pub fn of(path: &Path) -> Result<Self, SourceError> {
        if path == Path::new("-") {
            return Ok(Self { name: "-".to_owned(), size: None, head: 0, end: None });
        }
        let failed = |error: io::Error| {
            let advice = match error.kind() {
                io::ErrorKind::NotFound => "no such file: check the name",
                io::ErrorKind::PermissionDenied => "permission denied: let this user read it",
                _ => return unreadable(path, &error),
            };
            SourceError::Refused(format!("cannot read {}: {advice}", path.display()))
        };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(SourceError::Refused(format!(
                "{} is a directory: name the capture files in it",
                path.display()
            )));
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        if !metadata.is_file() {
            return Ok(Self { name, size: None, head: 0, end: None });
        }
        let size = metadata.len();
        let (head, end) = parts(path, size).map_err(failed)?;
        Ok(Self { name, size: Some(size), head, end: Some(end) })
    }

    /// The mark that an older program kept.
    pub(super) fn first(name: String, size: Option<u64>, head: u64) -> Self {
        Self { name, size, head, end: None }
    }

    /// Whether it is read as it comes, and only once.
    pub fn is_stream(&self) -> bool {
        self.size.is_none()
    }

    /// Whether a place at its end is right for a packed file too.
    pub(super) fn knows_end(&self) -> bool {
        self.end.is_some()
    }

    /// How the file at `path` is packed.
    pub(super) fn packing(&self, path: &Path) -> Result<Packing, SourceError> {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(PART_BYTES).read_to_end(&mut head));
        read.map_err(|error| unreadable(path, &error))?;
        Ok(Packing::of(&head))
    }

    /// How it has changed, given the mark `now` of the file at `path`.
    pub(super) fn change(&self, now: &Self, path: &Path) -> Result<Change, SourceError> {
        let (Some(was), Some(is)) = (self.size, now.size) else {
            return Ok(if self.size == now.size { Change::None } else { Change::Other });
        };
        let replaced = |how: String| if self.name == now.name { Change::Replaced(how) } else { Change::Other };
        if is < was {
            return Ok(replaced(format!("is shorter than when it was read ({is} bytes, then {was})")));
        }
        let (head, end) = parts(path, was).map_err(|error| unreadable(path, &error))?;
        if head != self.head {
            return Ok(replaced("begins with other lines than when it was read".to_owned()));
        }
        if self.end.is_some_and(|known| known != end) {
            return Ok(replaced(format!("holds other lines before byte {was} than when it was read")));
        }
        Ok(if is == was { Change::None } else { Change::Grown })
    }
}

fn unreadable(path: &Path, error: &io::Error) -> SourceError {
    SourceError::Failed(format!("cannot read {}: {error}", path.display()))
}

/// Hashes of the beginning and of the end of a file's first `size` bytes.
fn parts(path: &Path, size: u64) -> io::Result<(u64, u64)> {
    let mut file = File::open(path)?;
    let mut part = |from: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.by_ref().take(PART_BYTES.min(size)).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(xxhash_rust::xxh3::xxh3_64(&bytes))
    };
    Ok((part(0)?, part(size.saturating_sub(PART_BYTES))?))
}
