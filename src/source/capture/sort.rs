//! External merge sort of lines by time: stable, within a budget of memory, with what does not fit in unnamed LZ4
//! files, so that none is left however the process ends. It knows only a line's time, form and place.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};
use std::path::{Path, PathBuf};

use traffic::{CivilTime, LineForm};

use crate::source::SourceError;

/// Runs that are open at the same time; more are merged into one first.
const MAX_RUNS: usize = 128;
const MIN_MEMORY: usize = 1 << 20;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinePlace {
    /// Index of its file.
    pub(super) file: u16,
    /// Its number there, from 1.
    pub(super) line: u64,
}

/// What is known of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    time: i64,
    place: LinePlace,
    form: FormNumber,
}

/// Where a line is in the arena.
#[derive(Debug, Clone, Copy)]
struct Entry {
    head: Head,
    start: usize,
    length: u32,
}

/// A form's place in the list of those seen so far.
type FormNumber = u16;

/// Takes lines in any order.
#[derive(Debug)]
pub(super) struct Sorter {
    memory: usize,
    folder: PathBuf,
    arena: Vec<u8>,
    entries: Vec<Entry>,
    runs: Vec<File>,
    forms: Vec<LineForm>,
}

impl Sorter {
    pub(super) fn new(memory: usize, folder: &Path) -> Self {
        Self {
            memory: memory.max(MIN_MEMORY),
            folder: folder.to_owned(),
            arena: Vec::new(),
            entries: Vec::new(),
            runs: Vec::new(),
            forms: Vec::new(),
        }
    }

    pub(super) fn push(
        &mut self,
        time: CivilTime,
        form: LineForm,
        place: LinePlace,
        line: &[u8],
    ) -> Result<(), SourceError> {
        let form = self.number_of(form)?;
        let used = self.arena.len() + self.entries.len() * size_of::<Entry>();
        if used + line.len() > self.memory && !self.entries.is_empty() {
            self.spill()?;
        }
        let head = Head { time: time.0, place, form };
        let entry = Entry { head, start: self.arena.len(), length: line.len() as u32 };
        self.arena.extend_from_slice(line);
        self.entries.push(entry);
        Ok(())
    }

    /// The sorted lines after the first `skip`.
    pub(super) fn finish(mut self, skip: u64) -> Result<Sorted, SourceError> {
        self.entries.sort_by_key(|entry| entry.head.time);
        let mut sources: Vec<Run> = Vec::with_capacity(self.runs.len() + 1);
        for run in self.runs {
            sources.push(Run::file(run)?);
        }
        sources.push(Run::Memory { arena: self.arena, entries: self.entries.into_iter() });
        let mut sorted = Sorted { merge: Merge::new(sources)?, line: Vec::new(), forms: self.forms };
        for _ in 0..skip {
            if !sorted.next(|_, _, _| ())? {
                break;
            }
        }
        Ok(sorted)
    }

    /// Files have few forms, and lines of one form are adjacent.
    fn number_of(&mut self, form: LineForm) -> Result<FormNumber, SourceError> {
        let known = self.forms.iter().rposition(|known| *known == form);
        let number = known.unwrap_or(self.forms.len());
        if known.is_none() {
            self.forms.push(form);
        }
        FormNumber::try_from(number).map_err(|_| {
            SourceError::Refused(format!(
                "the headers name more than {} orders of columns: sort fewer files at once",
                FormNumber::MAX
            ))
        })
    }

    fn spill(&mut self) -> Result<(), SourceError> {
        // Stable: lines of one second stay in the order of arrival.
        self.entries.sort_by_key(|entry| entry.head.time);
        if self.runs.len() >= MAX_RUNS {
            let sources = self.runs.drain(..).map(Run::file).collect::<Result<Vec<_>, _>>()?;
            let mut merge = Merge::new(sources)?;
            let mut writer = self.run_writer()?;
            let mut line = Vec::new();
            while let Some(head) = merge.next(&mut line)? {
                write_line(&mut writer, head, &line).map_err(spill_failed)?;
            }
            self.runs.push(finish_run(writer)?);
        }
        let mut writer = self.run_writer()?;
        for entry in self.entries.drain(..) {
            write_line(&mut writer, entry.head, line_of(&self.arena, &entry)?).map_err(spill_failed)?;
        }
        self.runs.push(finish_run(writer)?);
        self.arena.clear();
        Ok(())
    }

    fn run_writer(&self) -> Result<RunWriter, SourceError> {
        let file = tempfile::tempfile_in(&self.folder).map_err(spill_failed)?;
        let encoder = lz4::EncoderBuilder::new().level(1).build(BufWriter::with_capacity(1 << 18, file));
        Ok(BufWriter::with_capacity(1 << 16, encoder.map_err(spill_failed)?))
    }
}

type RunWriter = BufWriter<lz4::Encoder<BufWriter<File>>>;

/// The run's file, at its beginning.
fn finish_run(writer: RunWriter) -> Result<File, SourceError> {
    let encoder = writer.into_inner().map_err(|error| spill_failed(error.into_error()))?;
    let (file, result) = encoder.finish();
    result.map_err(spill_failed)?;
    let mut file = file.into_inner().map_err(|error| spill_failed(error.into_error()))?;
    file.rewind().map_err(spill_failed)?;
    Ok(file)
}

/// One line of a run: time `i64`, number `u64`, length `u32`, file `u16`, number of the form `u16`, bytes; numbers little-endian.
fn write_line(writer: &mut impl Write, head: Head, line: &[u8]) -> io::Result<()> {
    writer.write_all(&head.time.to_le_bytes())?;
    writer.write_all(&head.place.line.to_le_bytes())?;
    writer.write_all(&(line.len() as u32).to_le_bytes())?;
    writer.write_all(&head.place.file.to_le_bytes())?;
    writer.write_all(&head.form.to_le_bytes())?;
    writer.write_all(line)
}

fn spill_failed(error: io::Error) -> SourceError {
    if error.kind() == io::ErrorKind::StorageFull {
        return SourceError::Failed(
            "no space left for sorting by time: free some space beside the output and start again".to_owned(),
        );
    }
    SourceError::Failed(format!("cannot sort by time: {error}"))
}

/// The line of an entry.
fn line_of<'a>(arena: &'a [u8], entry: &Entry) -> Result<&'a [u8], SourceError> {
    arena.get(entry.start..entry.start + entry.length as usize).ok_or_else(lost)
}

/// A line, its run or its form is not where the sorter put it.
fn lost() -> SourceError {
    debug_assert!(false, "the sorter has lost a line");
    SourceError::Failed("sorting by time has lost a line: please report it".to_owned())
}

/// A sorted run: a file, or what was left in memory.
enum Run {
    File(Box<BufReader<lz4::Decoder<BufReader<File>>>>),
    Memory { arena: Vec<u8>, entries: std::vec::IntoIter<Entry> },
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::File(_) => "Run::File",
            Self::Memory { .. } => "Run::Memory",
        })
    }
}

impl Run {
    fn file(file: File) -> Result<Self, SourceError> {
        let file = BufReader::with_capacity(1 << 16, file);
        let decoder = lz4::Decoder::new(file).map_err(spill_failed)?;
        Ok(Self::File(Box::new(BufReader::with_capacity(1 << 16, decoder))))
    }

    /// Reads the next line into `line`; what is known of it, or none at the end.
    fn next(&mut self, line: &mut Vec<u8>) -> Result<Option<Head>, SourceError> {
        match self {
            Self::Memory { arena, entries } => {
                let Some(entry) = entries.next() else { return Ok(None) };
                line.clear();
                line.extend_from_slice(line_of(arena, &entry)?);
                Ok(Some(entry.head))
            }
            Self::File(reader) => {
                let mut time = [0; 8];
                match reader.read_exact(&mut time) {
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    other => other.map_err(spill_failed)?,
                }
                let number = read_array(reader)?;
                let length = u32::from_le_bytes(read_array(reader)?) as usize;
                let file = read_array(reader)?;
                let form = FormNumber::from_le_bytes(read_array(reader)?);
                line.resize(length, 0);
                reader.read_exact(line).map_err(spill_failed)?;
                let place = LinePlace { file: u16::from_le_bytes(file), line: u64::from_le_bytes(number) };
                Ok(Some(Head { time: i64::from_le_bytes(time), place, form }))
            }
        }
    }
}

fn read_array<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], SourceError> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes).map_err(spill_failed)?;
    Ok(bytes)
}

/// Merges sorted runs; of equal times the earlier run comes first.
#[derive(Debug)]
struct Merge {
    runs: Vec<(Run, Vec<u8>)>,
    heap: BinaryHeap<Reverse<(i64, usize, Head)>>,
}

impl Merge {
    fn new(runs: Vec<Run>) -> Result<Self, SourceError> {
        let mut merge = Self { runs: runs.into_iter().map(|run| (run, Vec::new())).collect(), heap: BinaryHeap::new() };
        for index in 0..merge.runs.len() {
            merge.refill(index)?;
        }
        Ok(merge)
    }

    fn refill(&mut self, index: usize) -> Result<(), SourceError> {
        let (run, line) = self.runs.get_mut(index).ok_or_else(lost)?;
        if let Some(head) = run.next(line)? {
            self.heap.push(Reverse((head.time, index, head)));
        }
        Ok(())
    }

    /// Swaps the next line into `out`.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<Option<Head>, SourceError> {
        let Some(Reverse((_, index, head))) = self.heap.pop() else { return Ok(None) };
        let (_, line) = self.runs.get_mut(index).ok_or_else(lost)?;
        std::mem::swap(line, out);
        self.refill(index)?;
        Ok(Some(head))
    }
}

/// Lines in the order of time.
#[derive(Debug)]
pub(super) struct Sorted {
    merge: Merge,
    line: Vec<u8>,
    forms: Vec<LineForm>,
}

impl Sorted {
    /// Passes the next line to `take`; false at the end.
    pub(super) fn next(&mut self, take: impl FnOnce(LineForm, LinePlace, &[u8])) -> Result<bool, SourceError> {
        match self.merge.next(&mut self.line)? {
            Some(head) => {
                let form = self.forms.get(usize::from(head.form)).copied().ok_or_else(lost)?;
                take(form, head.place, &self.line);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::Delimiter;

    fn sorted(memory: usize, lines: &[(i64, String)], skip: u64) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(memory, folder.path());
        sorter.memory = memory;
        for (number, (time, line)) in (1..).zip(lines) {
            let place = LinePlace { file: number as u16 % 3, line: number };
            let form = LineForm { delimiter: Some(Delimiter::ALL[*time as usize % 4]), order: None };
            sorter.push(CivilTime(*time), form, place, line.as_bytes()).unwrap();
        }
        let mut sorted = sorter.finish(skip).unwrap();
        let mut out = Vec::new();
        let mut take = |_, place: LinePlace, line: &[u8]| {
            let line = String::from_utf8(line.to_vec()).unwrap();
            assert_eq!(line, format!("line {}", place.line - 1), "its place goes with it");
            assert_eq!(u64::from(place.file), place.line % 3);
            out.push(line);
        };
        while sorted.next(&mut take).unwrap() {}
        out
    }

    #[test]
    fn spilling_changes_nothing_and_equal_times_keep_their_order() {
        let lines: Vec<_> = (0..5000i64).map(|n| ((n * 7919) % 97, format!("line {n}"))).collect();
        let mut expected = lines.clone();
        expected.sort_by_key(|(time, _)| *time);
        let expected: Vec<_> = expected.into_iter().map(|(_, line)| line).collect();
        for memory in [1 << 30, 20_000, 500] {
            assert_eq!(sorted(memory, &lines, 0), expected, "with {memory} bytes");
            assert_eq!(sorted(memory, &lines, 1234), expected[1234..], "with {memory} bytes, skipping");
        }
    }
}
