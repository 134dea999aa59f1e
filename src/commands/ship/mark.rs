//! What identifies a file and a place in it: device and inode, and hashes of the beginning and of the bytes right
//! before the place. It knows no names of files.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use serde::{Deserialize, Serialize};

/// How much of a file's beginning is hashed.
const HEAD: usize = 512;
/// How much before a place is hashed.
const ENDING: usize = 256;

/// Which file: device, inode and beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) head_bytes: u64,
    pub(super) head_hash: u64,
}

/// The bytes right before a place: a file rewritten with the same beginning holds others there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ending {
    bytes: u64,
    hash: u64,
}

impl Mark {
    pub(super) fn is_file(&self, metadata: &Metadata) -> bool {
        (self.device, self.inode) == (metadata.dev(), metadata.ino())
    }

    pub(super) fn still_begins(&self, file: &File) -> io::Result<bool> {
        Ok(self.head_bytes == 0 || head_hash(file, self.head_bytes)? == Some(self.head_hash))
    }

    /// Covers more of the beginning; the file has `there` bytes.
    pub(super) fn learn(&mut self, file: &File, there: u64) -> io::Result<()> {
        let bytes = there.min(HEAD as u64);
        if bytes > self.head_bytes
            && let Some(hash) = head_hash(file, bytes)?
        {
            (self.head_bytes, self.head_hash) = (bytes, hash);
        }
        Ok(())
    }
}

impl Ending {
    /// From what was read up to the place.
    pub(super) fn of(read: &[u8]) -> Self {
        let ending = read.get(read.len().saturating_sub(ENDING)..).unwrap_or(read);
        Self { bytes: ending.len() as u64, hash: xxhash_rust::xxh3::xxh3_64(ending) }
    }

    /// From what a file holds before `offset`.
    pub(super) fn before(file: &File, offset: u64) -> io::Result<Self> {
        let mut ending = [0; ENDING];
        let from = offset.saturating_sub(ENDING as u64);
        let length = usize::try_from(offset - from).unwrap_or(ENDING).min(ENDING);
        let ending = ending.get_mut(..length).unwrap_or_default();
        let count = read_full_at(file, ending, from)?;
        Ok(Self::of(ending.get(..count).unwrap_or_default()))
    }

    /// Whether the file holds it before `offset`.
    pub(super) fn is_still_before(&self, file: &File, offset: u64) -> io::Result<bool> {
        let mut ending = [0; ENDING];
        let Some(ending) = usize::try_from(self.bytes).ok().and_then(|bytes| ending.get_mut(..bytes)) else {
            return Ok(false);
        };
        let Some(from) = offset.checked_sub(self.bytes) else { return Ok(false) };
        let count = read_full_at(file, ending, from)?;
        Ok(self.bytes == 0 || (count == ending.len() && xxhash_rust::xxh3::xxh3_64(ending) == self.hash))
    }
}

/// None if the file is shorter.
fn head_hash(file: &File, bytes: u64) -> io::Result<Option<u64>> {
    let mut head = [0; HEAD];
    let Some(head) = usize::try_from(bytes).ok().and_then(|bytes| head.get_mut(..bytes)) else { return Ok(None) };
    let count = read_full_at(file, head, 0)?;
    Ok((count == head.len()).then(|| xxhash_rust::xxh3::xxh3_64(head)))
}

pub(super) fn read_full_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut count = 0;
    while let Some(rest) = buffer.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + count as u64) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
