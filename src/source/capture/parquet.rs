//! A Parquet file as the lines that it stands for: TAB-separated, the columns in the order of the layout. So what it holds is
//! taken, counted, rejected, sorted and resumed as that of any other capture.
//!
//! Columns are found by their names, in the file or, as `name=value`, in the names of its folders. Rows come from one page of
//! each column at a time. A value that cannot be written into a line (with a TAB or a line end in it) makes a line with too
//! many fields, which is a reject. A damaged file is an error, whatever its reader makes of it: what panics there ends here.

mod columns;
mod footer;
mod value;

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use traffic::Layout;

use super::progress::CaptureProgress;
use columns::{Columns, Unfit};

/// Lines that are made at once, in bytes.
const PIECE_BYTES: usize = 1 << 16;

/// The lines of a file, as bytes.
pub(super) struct ParquetLines {
    rows: RowIter<'static>,
    columns: Columns,
    /// Lines that were made, and how far they were read.
    lines: Vec<u8>,
    read: usize,
    /// Why it cannot go on; it is said again to whoever reads on.
    failed: Option<String>,
    progress: Arc<CaptureProgress>,
    /// Bytes of the file, and rows in it.
    size: (u64, u64),
    /// Rows that became lines, and bytes of the file that were reported for them.
    done: (u64, u64),
}

impl ParquetLines {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// It is no Parquet that can be read, or lacks a column: in words, with what to do.
    pub(super) fn open(path: &Path, layout: &Layout, progress: Arc<CaptureProgress>) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        footer::check(&file, bytes)?;
        let opened = guarded(|| {
            let reader = SerializedFileReader::new(file)?;
            let metadata = reader.metadata().file_metadata();
            let count = u64::try_from(metadata.num_rows()).unwrap_or_default();
            let columns = match Columns::find(metadata.schema(), layout, path) {
                Ok(columns) => columns,
                Err(unfit) => return Ok(Err(unfit)),
            };
            check_lengths(reader.metadata(), &columns)?;
            let rows = RowIter::from_file_into(Box::new(reader)).project(Some(columns.projection()?))?;
            Ok(Ok((rows, columns, count)))
        });
        let (rows, columns, count) = opened
            .map_err(io::Error::other)?
            .map_err(|Unfit(sentence)| io::Error::new(io::ErrorKind::InvalidInput, sentence))?;
        Ok(Self {
            rows,
            columns,
            lines: Vec::new(),
            read: 0,
            failed: None,
            progress,
            size: (bytes, count),
            done: (0, 0),
        })
    }

    /// Makes the next lines; none after the last row.
    fn make(&mut self) -> Result<(), String> {
        self.lines.clear();
        self.read = 0;
        let (rows, columns, lines) = (&mut self.rows, &mut self.columns, &mut self.lines);
        let mut made = 0;
        let whole = guarded(|| {
            while lines.len() < PIECE_BYTES {
                let Some(row) = rows.next() else { break };
                columns.push_line(&row?, lines);
                made += 1;
            }
            Ok(())
        });
        self.done.0 += made;
        let (bytes, count) = self.size;
        let share = u128::from(bytes) * u128::from(self.done.0.min(count)) / u128::from(count.max(1));
        let reported = std::mem::replace(&mut self.done.1, share as u64);
        self.progress.read_bytes.fetch_add((share as u64).saturating_sub(reported), Ordering::Relaxed);
        // A reader that has lost its way ends early instead of failing.
        if self.lines.is_empty() && whole.is_ok() && self.done.0 != count {
            return Err(format!("it ends after {} of {count} rows: it is damaged", self.done.0));
        }
        whole
    }
}

impl Read for ParquetLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let rest = self.lines.get(self.read..).unwrap_or_default();
            if !rest.is_empty() {
                let length = rest.len().min(buffer.len());
                if let (Some(into), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
                    into.copy_from_slice(from);
                }
                self.read += length;
                return Ok(length);
            }
            if let Some(failed) = &self.failed {
                return Err(io::Error::other(failed.clone()));
            }
            // What came before the failure is read first.
            self.failed = self.make().err();
            if self.failed.is_none() && self.lines.is_empty() {
                return Ok(0);
            }
        }
    }
}

/// What reads Parquet, with its panics as errors: a hostile file may reach some.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(ParquetError::External(error))) => Err(error.to_string()),
        Ok(Err(error)) => Err(format!("{}: it is damaged, or of a kind that is not read here", without_values(&error))),
        Err(_) => Err("it is damaged".to_owned()),
    }
}

/// The text of an error, up to the bytes of a value that some have at their end: they may be a plate, which no log is to hold.
fn without_values(error: &ParquetError) -> String {
    let text = error.to_string();
    let end = [" Bytes:", "["].iter().filter_map(|mark| text.find(mark)).min();
    end.and_then(|end| text.get(..end)).unwrap_or(&text).trim_end_matches([' ', ',', '.', ':']).to_owned()
}

/// Refuses a file that lacks values of a column that is read: its reader would take them for NULL.
fn check_lengths(metadata: &ParquetMetaData, columns: &Columns) -> Result<(), ParquetError> {
    for group in metadata.row_groups() {
        for column in group.columns() {
            let name = column.column_path().parts().first().map(String::as_str).unwrap_or_default();
            if columns.reads(name) && column.num_values() != group.num_rows() {
                return Err(ParquetError::General(format!(
                    "column {name} has {} values in a group of {} rows",
                    column.num_values(),
                    group.num_rows()
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
