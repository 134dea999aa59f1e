//! The bytes of a capture file, decompressed, and UTF-16 as UTF-8.
//!
//! It counts decompressed bytes, which a position names, and bytes on disk, which a progress bar shows. It knows no lines.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use traffic::Layout;

use super::compression::{HEAD_BYTES, Packing, could_be_packed};
use super::mark::FileMark;
use super::parquet::ParquetLines;
use super::pipe::Pipe;
use super::progress::CaptureProgress;
use super::utf16;
use crate::source::SourceError;

/// A byte stream, decompressed.
pub(super) struct Input {
    path: PathBuf,
    reader: Reader,
    /// Decompressed bytes before what is read next.
    offset: u64,
    /// The byte before the place where it was opened, if that is not its beginning.
    before: Option<u8>,
    /// Whether it was found to be UTF-16, which comes out as UTF-8, or Parquet, which always is.
    is_unicode: Arc<AtomicBool>,
    /// Whether its lines are made here.
    is_made: bool,
}

enum Reader {
    /// All of it is there already.
    File(Box<dyn Read + Send>),
    /// Lines may come at any time.
    Live(Pipe),
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(reader) => reader.read(buffer),
            Self::Live(reader) => reader.read(buffer),
        }
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Input").field("path", &self.path).field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl Input {
    /// Opens a file and goes to `offset` of its decompressed bytes; a stream is read from where it is. `layout` says which columns
    /// Parquet must have. A wait for a stream
    /// ends with `stop`.
    pub(super) fn open(
        path: &Path,
        offset: u64,
        layout: &Layout,
        progress: &Arc<CaptureProgress>,
        stop: &CancellationToken,
    ) -> Result<Self, SourceError> {
        let failed = |error: io::Error| SourceError::Failed(format!("cannot read {}: {error}", path.display()));
        if FileMark::of(path)?.is_stream() {
            let (stream, progress) = (path.to_owned(), progress.clone());
            let is_utf16 = Arc::new(AtomicBool::new(false));
            let found = is_utf16.clone();
            let pipe = Pipe::start(move || open_stream(&stream, progress, &found), stop.clone()).map_err(failed)?;
            return Ok(Self {
                path: path.to_owned(),
                reader: Reader::Live(pipe),
                offset: 0,
                before: None,
                is_unicode: is_utf16,
                is_made: false,
            });
        }
        let mut file = File::open(path).map_err(failed)?;
        let mut head = Vec::with_capacity(HEAD_BYTES);
        file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(failed)?;
        let packing = Packing::of(&head);
        // From the byte before, which says whether a line ended there.
        let skipped = offset.saturating_sub(1);
        let (mut reader, skip, is_unicode) = if packing == Packing::Parquet {
            let lines = ParquetLines::open(path, layout, progress.clone()).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidInput => unfit(path, &error),
                _ => failed(error),
            })?;
            (Box::new(lines) as Box<dyn Read + Send>, skipped, true)
        } else if packing == Packing::None && !utf16::has_mark(&head) {
            file.seek(SeekFrom::Start(skipped)).map_err(failed)?;
            progress.read_bytes.fetch_add(skipped, Ordering::Relaxed);
            let counted = Counted { reader: file, progress: progress.clone() };
            (Box::new(counted) as Box<dyn Read + Send>, 0, false)
        } else {
            let whole = Counted { reader: io::Cursor::new(head).chain(file), progress: progress.clone() };
            let (reader, is_utf16) = packing.unpack(whole).and_then(utf16::decoded).map_err(failed)?;
            (reader, skipped, is_utf16)
        };
        let mut found = io::copy(&mut reader.by_ref().take(skip), &mut io::sink()).map_err(failed)?;
        let mut before = Vec::new();
        found +=
            skipped - skip + reader.by_ref().take(offset - skipped).read_to_end(&mut before).map_err(failed)? as u64;
        if found < offset {
            return Err(SourceError::Refused(format!(
                "{} has only {found} bytes where {offset} were read before: give the same input again",
                path.display()
            )));
        }
        let is_unicode = Arc::new(AtomicBool::new(is_unicode));
        Ok(Self {
            path: path.to_owned(),
            reader: Reader::File(reader),
            offset,
            before: before.pop(),
            is_unicode,
            is_made: packing == Packing::Parquet,
        })
    }

    /// Its name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Decompressed bytes before what is read next.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The byte before the place where it was opened, if that is not its beginning.
    pub(super) fn before(&self) -> Option<u8> {
        self.before
    }

    /// Whether lines may come at any time.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.reader, Reader::Live(_))
    }

    /// Whether it was found to be UTF-16, which comes out as UTF-8, or Parquet, which always is.
    pub(super) fn is_unicode(&self) -> bool {
        self.is_unicode.load(Ordering::Relaxed)
    }

    /// Whether its lines are made here: TAB-separated, in the order of the layout.
    pub(super) fn is_made(&self) -> bool {
        self.is_made
    }

    /// Waits until a read would not wait; false if that takes longer than `wait`. Only a live input has anything to wait
    /// for.
    pub(super) fn is_ready(&mut self, wait: Duration) -> bool {
        match &mut self.reader {
            Reader::File(_) => true,
            Reader::Live(pipe) => pipe.is_ready(wait),
        }
    }

    /// Reads what is there, up to the length of `buffer`; 0 at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(SourceError::Failed(format!(
                        "cannot read {} after byte {}: {error}",
                        self.path.display(),
                        self.offset
                    )));
                }
                Ok(read) => {
                    self.offset += read as u64;
                    return Ok(read);
                }
            }
        }
    }
}

/// Refuses Parquet that lacks a column of `layout`. Any other file, and one that cannot be read, is left to [`Input::open`].
pub(super) fn refuse_unfit(path: &Path, layout: &Layout) -> Result<(), SourceError> {
    let mut head = [0; HEAD_BYTES];
    let is_parquet = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
        && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && Packing::of(&head) == Packing::Parquet;
    match is_parquet.then(|| ParquetLines::open(path, layout, Arc::default())) {
        Some(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => Err(unfit(path, &error)),
        _ => Ok(()),
    }
}

fn unfit(path: &Path, error: &io::Error) -> SourceError {
    SourceError::Refused(format!("cannot read {}: {error}", path.display()))
}

/// A stream, decompressed. It waits for the first bytes, and for a pipe's writer.
fn open_stream(
    path: &Path,
    progress: Arc<CaptureProgress>,
    found_utf16: &AtomicBool,
) -> io::Result<Box<dyn Read + Send>> {
    let mut stream: Box<dyn Read + Send> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    // Byte by byte: four bytes that are there must not wait for more.
    while head.len() < HEAD_BYTES && (head.is_empty() || could_be_packed(&head)) {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let unpacked = Packing::of(&head).unpack(Counted { reader: io::Cursor::new(head).chain(stream), progress })?;
    let (text, is_utf16) = utf16::decoded(unpacked)?;
    found_utf16.store(is_utf16, Ordering::Relaxed);
    Ok(text)
}

/// Counts bytes on disk.
struct Counted<R> {
    reader: R,
    progress: Arc<CaptureProgress>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.progress.read_bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
