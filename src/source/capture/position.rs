//! The position in a capture: which files, and how far. It does not know what the lines say.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use storage::codec::{self, Kind};
use traffic::{CivilTime, Delimiter};

use crate::source::SourceError;

const KIND: Kind = Kind { magic: b'C', version: 1 };
/// So much of a file's beginning is part of its mark.
const HEAD_BYTES: u64 = 4096;

/// What tells a file from another: name, length and beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// The file's name without its folder.
    pub name: String,
    /// Length in bytes; none for standard input or a pipe.
    pub size: Option<u64>,
    head: u64,
}

impl FileMark {
    /// The mark of the file at `path`.
    ///
    /// # Errors
    /// [`SourceError`] if it cannot be read or is a directory.
    pub fn of(path: &Path) -> Result<Self, SourceError> {
        if path == Path::new("-") {
            return Ok(Self { name: "-".to_owned(), size: None, head: 0 });
        }
        let failed = |error: std::io::Error| {
            let advice = match error.kind() {
                std::io::ErrorKind::NotFound => "no such file: check the name",
                std::io::ErrorKind::PermissionDenied => "permission denied: let this user read it",
                _ => return SourceError(format!("cannot read {}: {error}", path.display())),
            };
            SourceError(format!("cannot read {}: {advice}", path.display()))
        };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(SourceError(format!("{} is a directory: name the capture files in it", path.display())));
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        if !metadata.is_file() {
            return Ok(Self { name, size: None, head: 0 });
        }
        let mut head = Vec::new();
        File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head)).map_err(failed)?;
        // The hash, not the text: a position is not a place for plates.
        let head = xxhash_rust::xxh3::xxh3_64(&head);
        Ok(Self { name, size: Some(metadata.len()), head })
    }
}

/// How far a capture was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    files: Vec<FileMark>,
    by_time: bool,
    not_after: i64,
    options: String,
    /// Index of the file that is read.
    pub(super) file: usize,
    /// Decompressed bytes read of it.
    pub(super) offset: u64,
    /// Lines read of it.
    pub(super) line: u64,
    delimiter: Option<u8>,
    /// By time: up to which file and line everything that is not a passage was counted.
    scanned_file: usize,
    scanned_line: u64,
    /// By time: sorted lines given out.
    pub(super) given: u64,
}

impl Position {
    pub(super) fn start(files: Vec<FileMark>, by_time: bool, not_after: CivilTime, options: String) -> Self {
        Self {
            files,
            by_time,
            not_after: not_after.0,
            options,
            file: 0,
            offset: 0,
            line: 0,
            delimiter: None,
            scanned_file: 0,
            scanned_line: 0,
            given: 0,
        }
    }

    /// The committed position, if it is one of these files; more files may have been added behind.
    pub(super) fn resume(
        bytes: &[u8],
        files: Vec<FileMark>,
        by_time: bool,
        options: &str,
    ) -> Result<Self, SourceError> {
        let mut position: Self = codec::decode(KIND, bytes)
            .map_err(|error| SourceError(format!("the stored position of the capture does not read: {error}")))?;
        let same = files.len() >= position.files.len() && position.files.iter().zip(&files).all(|(was, is)| was == is);
        if !same || position.by_time != by_time || (by_time && files.len() != position.files.len()) {
            let names: Vec<_> = position.files.iter().map(|file| file.name.as_str()).collect();
            return Err(SourceError(format!(
                "the data directory holds the replay of other input ({}, order {}): give the same files and order to \
                 continue it, or another --data-dir",
                names.join(", "),
                if position.by_time { "time" } else { "arrival" },
            )));
        }
        if position.options != options {
            return Err(SourceError(format!(
                "the data directory holds a replay with other options ({}): give the same ones to continue it, or another \
                 --data-dir",
                position.options
            )));
        }
        position.files = files;
        Ok(position)
    }

    pub(super) fn not_after(&self) -> CivilTime {
        CivilTime(self.not_after)
    }

    pub(super) fn scanned(&self) -> (usize, u64) {
        (self.scanned_file, self.scanned_line)
    }

    pub(super) fn set_scanned(&mut self) {
        let here = (self.file, self.line);
        if here > self.scanned() {
            (self.scanned_file, self.scanned_line) = here;
        }
    }

    pub(super) fn delimiter(&self) -> Option<Delimiter> {
        self.delimiter.map(delimiter_of)
    }

    pub(super) fn set_delimiter(&mut self, delimiter: Option<Delimiter>) {
        self.delimiter = delimiter.map(byte_of);
    }

    pub(super) fn next_file(&mut self) {
        self.file += 1;
        self.begin_file();
    }

    /// Back to the first file; what was counted and given out stays known.
    pub(super) fn rewind(&mut self) {
        self.file = 0;
        self.begin_file();
    }

    fn begin_file(&mut self) {
        self.offset = 0;
        self.line = 0;
        self.delimiter = None;
    }

    pub(super) fn file_name(&self) -> Arc<str> {
        self.name_of(self.file)
    }

    /// The name of a file by its index.
    pub(super) fn name_of(&self, file: usize) -> Arc<str> {
        self.files.get(file).map_or_else(|| Arc::from(""), |file| Arc::from(file.name.as_str()))
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, SourceError> {
        codec::encode(KIND, self).map_err(|error| SourceError(error.to_string()))
    }
}

/// A delimiter as a byte.
pub(super) fn byte_of(delimiter: Delimiter) -> u8 {
    match delimiter {
        Delimiter::Tab => b'\t',
        Delimiter::Comma => b',',
    }
}

/// The delimiter that [`byte_of`] made.
pub(super) fn delimiter_of(byte: u8) -> Delimiter {
    if byte == b',' { Delimiter::Comma } else { Delimiter::Tab }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.files.get(self.file) {
            _ if self.given > 0 => write!(formatter, "{} lines in the order of time", self.given),
            Some(file) => write!(formatter, "{} line {}", file.name, self.line),
            None => write!(formatter, "the end of {} files", self.files.len()),
        }
    }
}
