//! Capture files in every packing and encoding: reading never stops in the middle with a panic, a damaged position is refused or
//! serves, and it matters neither how many lines a batch has nor where reading was interrupted.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use storage::codec::Kind;
use tokio_util::sync::CancellationToken;
use traffic::{CivilTime, Interner, Layout, NameTable, ParserSettings, TimeZoneName};

use super::frame::framed;
use super::outcome::{kind, outcome, size};
use crate::batch::Batch;
use crate::source::capture::{Capture, CaptureSettings};
use crate::source::{Source as _, SourceError};

thread_local! {
    static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

/// A row as it is compared: time, id, plate, and the number of its line.
type Row = (CivilTime, String, String, u64);

/// What reading a file gave: rows, lines and rejects, and how it ended.
type Read = (Vec<Row>, u64, Vec<(u64, Vec<u8>)>, String);

/// Input: a byte of options, then a file, or what becomes one packed or in UTF-16; or a position.
pub(super) fn run(data: &[u8]) -> u64 {
    let Some((&options, content)) = data.split_first() else { return 0 };
    let folder = FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| tempfile::tempdir().unwrap_or_else(|error| unreachable(&error)));
        folder.path().to_owned()
    });
    let path = folder.join("capture.tsv");
    if options & 7 == 7 {
        return position(&folder, &path, options, content);
    }
    let file = packed(options & 7, content);
    let written = std::fs::write(&path, &file);
    assert!(written.is_ok(), "{written:?}");
    let settings = |batch_records| settings(&folder, &path, options, batch_records);
    let whole = read(settings(100_000), None);
    assert_eq!(whole, read(settings(1 + u64::from(options >> 5)), None), "read {} lines at a time", 1 + (options >> 5));
    if whole.3.is_empty() {
        resumed(&settings(1 + u64::from(options >> 5)), &whole);
    }
    let (rows, lines, rejects, end) = whole;
    outcome((options & 0x1f, size(rows.len()), size(lines as usize), size(rejects.len()), end))
}

/// A folder for temporary files is a condition of all of this.
#[expect(clippy::panic, reason = "a target fails by panicking")]
fn unreachable(error: &std::io::Error) -> ! {
    panic!("no temporary folder: {error}")
}

fn packed(how: u8, content: &[u8]) -> Vec<u8> {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(String::from_utf8_lossy(content).encode_utf16()).flat_map(bytes).collect()
    };
    match how {
        1 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let _ = encoder.write_all(content);
            encoder.finish().unwrap_or_default()
        }
        2 => zstd::encode_all(content, 1).unwrap_or_default(),
        3 => utf16(u16::to_le_bytes),
        4 => utf16(u16::to_be_bytes),
        _ => content.to_vec(),
    }
}

fn settings(folder: &Path, path: &Path, options: u8, batch_records: u64) -> CaptureSettings {
    CaptureSettings {
        files: vec![path.to_owned()],
        gb18030: options & 8 != 0,
        by_time: options & 16 != 0,
        parser: ParserSettings {
            layout: Layout::default(),
            delimiter: None,
            not_after: CivilTime::from_civil(2030, 1, 1, 0, 0, 0).unwrap_or_default(),
            zone: TimeZoneName::default(),
            max_names: Interner::DEFAULT_MAX_NAMES,
        },
        options: String::new(),
        batch_records,
        batch_interval: Duration::from_secs(1),
        sort_memory: 1 << 20,
        spill_folder: PathBuf::from(folder),
    }
}

/// Reads to the end, or from a position to the end.
fn read(settings: CaptureSettings, from: Option<&[u8]>) -> Read {
    let mut all = Read::default();
    all.3 = match Capture::open(settings, &NameTable::default(), from, Arc::default()) {
        Ok(mut capture) => loop {
            match capture.next(&CancellationToken::new()) {
                Ok(Some(batch)) => take(&batch, &mut all),
                Ok(None) => break String::new(),
                Err(error) => break words(&error),
            }
        },
        Err(error) => words(&error),
    };
    all
}

fn take(batch: &Batch, all: &mut Read) {
    let passages = &batch.passages;
    assert!(passages.is_rectangular());
    let row = |row: usize| {
        let time = passages.times.get(row).copied().unwrap_or_default();
        (time, passages.id_text(row), passages.plate_text(row), passages.raw.number(row))
    };
    all.0.extend((0..passages.len()).map(row));
    all.1 += passages.lines;
    all.2.extend(passages.rejects.iter().map(|reject| (reject.line, reject.raw.clone())));
}

/// What is read up to any batch, and from its position on by another, is all of it.
fn resumed(settings: &CaptureSettings, whole: &Read) {
    let Ok(mut capture) = Capture::open(settings.clone(), &NameTable::default(), None, Arc::default()) else { return };
    let mut first = Read::default();
    for _ in 0..2 {
        let Ok(Some(batch)) = capture.next(&CancellationToken::new()) else { return };
        take(&batch, &mut first);
        let rest = read(settings.clone(), Some(&batch.position));
        let both = ([first.0.clone(), rest.0].concat(), first.1 + rest.1, [first.2.clone(), rest.2].concat(), rest.3);
        assert_eq!(&both, whole, "interrupted after {} lines", first.1);
    }
}

/// A position in any form, of a file that is as it ever was.
fn position(folder: &Path, path: &Path, options: u8, payload: &[u8]) -> u64 {
    let written = std::fs::write(path, EXAMPLE);
    assert!(written.is_ok(), "{written:?}");
    let settings = settings(folder, path, options, 1 + u64::from(options >> 5));
    // Layout 2 is a text of JSON, layout 1 is not.
    let payload = match payload.split_first() {
        Some((b'{', _)) => [&storage_length(payload.len())[..], payload].concat(),
        _ => payload.to_vec(),
    };
    let version = if payload.contains(&b'{') { 2 } else { 1 };
    let bytes = framed(Kind { magic: b'C', version: 2 }, version, &payload);
    let (rows, lines, _, end) = read(settings, Some(&bytes));
    assert!(rows.len() <= 2 && lines <= 4, "{lines} lines of 4");
    outcome((version, rows.len(), lines, end))
}

const EXAMPLE: &str = "GCXH\tXZQHMC\tKKMC\tFXLX\tGCSJ\tHPZL\tHPHM\tCLPPXH
G1\t铜山县\tS250\t1\t2024-01-01 00:00:24\t02\t苏C12345\t大众
x
G2\t铜山县\tS250\t1\t2024-01-01 00:00:20\t02\t苏C12346\t大众
";

/// A length as bincode writes it.
fn storage_length(length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short) if short <= 250 => vec![short],
        _ => [&[251], &(length as u16).to_le_bytes()[..]].concat(),
    }
}

fn words(error: &SourceError) -> String {
    // The path is another one in each run.
    let words = kind(error);
    words.rsplit("tsv").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let with = |options: u8, content: &[u8]| [&[options], content].concat();
    let mut seeds: Vec<_> = [0x20, 0x21, 0x42, 0x23, 0x24, 0x30, 0x51].map(|how| with(how, EXAMPLE.as_bytes())).into();
    let (gb, ..) = encoding_rs::GB18030.encode(EXAMPLE);
    seeds.push(with(0x28, &gb));
    seeds.extend([1, 2].map(|how| with(0x20, &packed(how, EXAMPLE.as_bytes()))));
    let twice = [packed(1, EXAMPLE.as_bytes()), packed(1, b"G3\tx\tS\t1\t2024-01-01\t02\t-\tx\n")].concat();
    seeds.push(with(0x20, &twice));
    // Positions as they are written.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.tsv");
    std::fs::write(&path, EXAMPLE).unwrap();
    for options in [0x07u8, 0x17] {
        let settings = settings(folder.path(), &path, options, 1);
        let mut capture = Capture::open(settings, &NameTable::default(), None, Arc::default()).unwrap();
        while let Some(batch) = capture.next(&CancellationToken::new()).unwrap() {
            let json = batch.position.iter().position(|byte| *byte == b'{').unwrap();
            seeds.push(with(options, &batch.position[json..]));
        }
    }
    seeds
}
