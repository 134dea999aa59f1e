//! A reader of RocksDB's write-ahead logs that only checks: it finds damage before RocksDB opens the database and changes
//! anything.
//!
//! A log is blocks of 32 KiB. A block holds fragments `[masked crc32c u32][length u16][type u8][payload]`, none of
//! which crosses its end; a record is one fragment (`FULL`) or several (`FIRST`, `MIDDLE` …, `LAST`). A record is a
//! write batch: `[first sequence number u64][entries u32]…`, so that each batch gives the number of the next. Damage is
//! a wrong checksum, a misplaced fragment, or a batch whose number does not follow. An incomplete record at the end,
//! zeros after it included, is what a killed process or a power cut leaves: a torn tail, which was not committed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

const BLOCK: usize = 32 * 1024;
const HEADER: usize = 7;
const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;
/// Types from this on may be skipped by a reader that does not know them.
const IGNORABLE: u8 = 128;
const MASK_DELTA: u32 = 0xa282_ead8;

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WalDamage {
    /// Its file.
    pub(crate) file: PathBuf,
    /// Byte of the fragment in it.
    pub(crate) offset: u64,
    /// What the damage looks like.
    pub(crate) what: &'static str,
    /// The last sequence number before it, over all logs; 0 if none.
    pub(crate) sequence: u64,
    /// Whether it is the newest log.
    pub(crate) newest: bool,
}

impl std::fmt::Display for WalDamage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        write!(formatter, "the write-ahead log {name} is damaged at byte {}: {}", self.offset, self.what)
    }
}

/// The logs of a database folder, oldest first.
///
/// # Errors
/// The folder cannot be listed.
pub(crate) fn logs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|kind| kind == "log")) {
            logs.push((number, path));
        }
    }
    logs.sort_unstable();
    Ok(logs.into_iter().map(|(_, path)| path).collect())
}

/// Walks through all logs of a folder; returns the first damage.
///
/// # Errors
/// A log cannot be read.
pub(crate) fn check(folder: &Path) -> io::Result<Option<WalDamage>> {
    let logs = logs(folder)?;
    let mut sequence = 0;
    for (place, file) in logs.iter().enumerate() {
        let mut walk = Walk { reader: BufReader::with_capacity(1 << 18, File::open(file)?), offset: 0, next: None };
        let broken = walk.run()?;
        sequence = walk.next.map_or(sequence, |next| next.saturating_sub(1));
        if let Some((offset, what)) = broken {
            let newest = place + 1 == logs.len();
            return Ok(Some(WalDamage { file: file.clone(), offset, what, sequence, newest }));
        }
    }
    Ok(None)
}

/// A walk through one log.
struct Walk<R> {
    reader: R,
    /// Offset of the current block.
    offset: u64,
    /// The sequence number that the next batch must have.
    next: Option<u64>,
}

/// The part of a record that was read so far: what identifies its batch, and its length.
#[derive(Default)]
struct Begun {
    open: bool,
    head: Vec<u8>,
}

type Broken = (u64, &'static str);

impl<R: Read> Walk<R> {
    fn run(&mut self) -> io::Result<Option<Broken>> {
        let mut block = vec![0; BLOCK];
        let mut begun = Begun::default();
        // Zeros were found: only zeros may follow.
        let mut zeros_from = None;
        loop {
            let length = fill(&mut self.reader, &mut block)?;
            let bytes = block.get(..length).unwrap_or_default();
            if let Some(broken) = self.block(bytes, length == BLOCK, &mut begun, &mut zeros_from) {
                return Ok(Some(broken));
            }
            self.offset += length as u64;
            if length < BLOCK {
                return Ok(None);
            }
        }
    }

    fn block(
        &mut self,
        mut rest: &[u8],
        whole: bool,
        begun: &mut Begun,
        zeros_from: &mut Option<u64>,
    ) -> Option<Broken> {
        let length = rest.len();
        while rest.len() >= HEADER {
            let at = self.offset + (length - rest.len()) as u64;
            let (&[a, b, c, d, low, high, kind], behind) = rest.split_first_chunk::<HEADER>()?;
            if rest.iter().all(|byte| *byte == 0) {
                zeros_from.get_or_insert(at);
                return None;
            }
            if let Some(from) = zeros_from {
                return Some((*from, "zeros where records were"));
            }
            let size = usize::from(u16::from_le_bytes([low, high]));
            let Some(payload) = behind.get(..size) else {
                // In the last block this is where the file ends; a whole block is never left like this.
                return whole.then_some((at, "a record is longer than its block"));
            };
            if masked_checksum(kind, payload) != u32::from_le_bytes([a, b, c, d]) {
                return Some((at, "checksum mismatch"));
            }
            if let Some(what) = self.fragment(kind, payload, begun) {
                return Some((at, what));
            }
            rest = behind.get(size..).unwrap_or_default();
        }
        None
    }

    fn fragment(&mut self, kind: u8, payload: &[u8], begun: &mut Begun) -> Option<&'static str> {
        match (kind, begun.open) {
            (FULL | FIRST, true) => return Some("a record has no end"),
            (MIDDLE | LAST, false) => return Some("a record has no beginning"),
            (FULL | FIRST, false) => begun.head = payload.iter().take(12).copied().collect(),
            (MIDDLE | LAST, true) => {
                let lacks = 12usize.saturating_sub(begun.head.len());
                begun.head.extend(payload.iter().take(lacks));
            }
            (kind, _) if kind >= IGNORABLE => return None,
            _ => return Some("a record of an unknown type"),
        }
        begun.open = matches!(kind, FIRST | MIDDLE);
        if begun.open { None } else { self.batch(&begun.head) }
    }

    fn batch(&mut self, head: &[u8]) -> Option<&'static str> {
        let (Some(sequence), Some(count)) = (head.first_chunk::<8>(), head.last_chunk::<4>()) else {
            return Some("a record is too short");
        };
        if head.len() < 12 {
            return Some("a record is too short");
        }
        let (sequence, count) = (u64::from_le_bytes(*sequence), u64::from(u32::from_le_bytes(*count)));
        if self.next.is_some_and(|next| next != sequence) {
            return Some("records before it are missing");
        }
        self.next = Some(sequence + count);
        None
    }
}

fn masked_checksum(kind: u8, payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&[kind]), payload);
    crc.rotate_right(15).wrapping_add(MASK_DELTA)
}

/// Reads until `buffer` is full or the file ends.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
