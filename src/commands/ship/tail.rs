//! Follows a log that grows, across rotation by rename and by truncation.
//!
//! Returns whole lines in the order in which they were written, each once, with the [`Place`] after them. A file is
//! identified by device and inode, and by hashes of its beginning and of what was read last, which reveal a file that
//! was truncated and rewritten or reuses a deleted file's inode. Bytes that truncation removed are searched in the copy
//! that `copytruncate` leaves beside the log; after a stop, the rotated files between the place and the log come first.
//!
//! A log that was replaced by a longer copy of itself (rsync, an editor, `cp` and `mv`) is continued at the same place:
//! the new file holds the same bytes at its beginning and right before the place. NUL bytes before a line are left out:
//! a writer that does not append leaves a hole of them where its log was truncated.
//!
//! Rotated files are those beside `NAME` called `NAME.1`, `NAME-20240101`, `NAME.old`, or `STEM.1.EXT` for `STEM.EXT`.
//! A file that was rotated away ends its last line when nothing has come for [`QUIET`]. This module knows no Kafka and
//! no key.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use traffic::LineParser;

use super::mark::{Ending, Mark, read_full_at};
use super::place::{LogPosition, Place, modified};
use super::rotation::rotated;

/// How long a rotated file must be quiet before it counts as ended: its writer may need a moment to notice.
pub(super) const QUIET: Duration = Duration::from_secs(1);

/// Bytes to read at once.
const CHUNK: usize = 256 << 10;
/// Bytes to look at first for a hole: nearly always there is none.
const HOLE_CHUNK: usize = 64;
/// How much of a longer line is sent: enough for the appliance to reject it and to keep as much as of the whole.
pub(super) const MAX_LINE: usize = LineParser::MAX_LINE_BYTES + 16;

/// What there is to read.
#[derive(Debug)]
pub(super) enum Next {
    /// The buffer holds whole lines; the place is after them.
    Lines(Place),
    /// Nothing new yet.
    Idle,
    /// The end of the log, with `once`.
    End,
}

/// A log that is followed.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    /// Whether to stop at the current end of the log.
    once: bool,
    current: Option<Place>,
    /// Size of the current file when it last grew, and when that was.
    grown: (u64, Instant),
    /// How far a line without an end was searched for its end.
    searched: u64,
    /// How far only NUL bytes follow the place.
    hole: u64,
    notices: Vec<String>,
}

impl Tail {
    /// Follows `path` from its beginning, or from the saved position.
    pub(super) fn new(path: &Path, once: bool, from: Option<&LogPosition>) -> Self {
        let mut tail = Self {
            path: path.to_owned(),
            once,
            current: None,
            grown: (0, Instant::now()),
            searched: 0,
            hole: 0,
            notices: Vec::new(),
        };
        if let Some(position) = from.filter(|position| position.mark != Mark::default()) {
            tail.resume(position);
        }
        tail
    }

    /// Continues from an earlier place of this log.
    pub(super) fn go_back(&mut self, place: Place) {
        self.set_current(Some(place));
    }

    /// The same log, from its beginning or from the saved position.
    pub(super) fn anew(&self, from: Option<&LogPosition>) -> Self {
        Self::new(&self.path, self.once, from)
    }

    /// What the user should know, in sentences.
    pub(super) fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Size of the file that is read, and of the part that was read.
    pub(super) fn progress(&self) -> (u64, u64) {
        let place = self.current.as_ref();
        let size = place.and_then(|place| place.file.metadata().ok()).map_or(0, |metadata| metadata.len());
        (place.map_or(0, |place| place.offset), size)
    }

    /// Where reading continues, once there is a log. IMPORTANT: save this place before the first line is sent: a log
    /// that is rotated before any place was saved would be skipped.
    ///
    /// # Errors
    /// A log that is there cannot be read.
    pub(super) fn place(&mut self) -> io::Result<Option<Place>> {
        if self.current.is_none()
            && let Some(place) = Place::open(&self.path)?
        {
            self.set_current(Some(place));
        }
        Ok(self.current.clone())
    }

    /// The next lines, in `buffer`, which is cleared first. Each ends in a line feed.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Next> {
        buffer.clear();
        let Some(place) = self.place()? else {
            return Ok(if self.once { Next::End } else { Next::Idle });
        };
        let left_at = place.clone();
        let place = self.behind_hole(place)?;
        buffer.resize(CHUNK, 0);
        let count = read_full_at(&place.file, buffer, place.offset)?;
        buffer.truncate(count);
        // Checked after reading: what was read came from the file as it was then.
        let size = place.file.metadata()?.len();
        if size < place.offset || !place.is_as_it_was()? || !left_at.is_as_it_was()? {
            buffer.clear();
            self.after_truncation(&left_at)?;
            return Ok(Next::Idle);
        }
        if let Some(last) = memchr::memrchr(b'\n', buffer) {
            buffer.truncate(last + 1);
            let ending = Ending::of(buffer);
            return self.hand_out(place, last as u64 + 1, ending);
        }
        if count == CHUNK {
            return self.long_line(place, buffer, size);
        }
        self.at_end(place, size, buffer)
    }

    /// The place after the NUL bytes before the next line, if there is a line: a file may also be extended before it is
    /// written.
    fn behind_hole(&mut self, mut place: Place) -> io::Result<Place> {
        let mut part = vec![0; HOLE_CHUNK];
        let mut at = self.hole.max(place.offset);
        loop {
            let count = read_full_at(&place.file, &mut part, at)?;
            let read = part.get(..count).unwrap_or_default();
            match read.iter().position(|byte| *byte != 0) {
                Some(nuls) => at += nuls as u64,
                None if count > 0 => {
                    at += count as u64;
                    part.resize(CHUNK, 0);
                    continue;
                }
                None => {
                    self.hole = at;
                    return Ok(place);
                }
            }
            if at > place.offset {
                place.ending = Ending::before(&place.file, at)?;
                place.offset = at;
                self.searched = 0;
            }
            self.hole = 0;
            return Ok(place);
        }
    }

    fn hand_out(&mut self, mut place: Place, bytes: u64, ending: Ending) -> io::Result<Next> {
        place.offset += bytes;
        place.ending = ending;
        place.mark.learn(&place.file, place.offset)?;
        self.searched = 0;
        self.hole = 0;
        self.current = Some(place.clone());
        Ok(Next::Lines(place))
    }

    /// Everything that is there was returned, except a line that has no end yet (`rest`).
    fn at_end(&mut self, place: Place, size: u64, rest: &mut Vec<u8>) -> io::Result<Next> {
        if rest.iter().all(|byte| *byte == 0) {
            rest.clear();
        }
        if self.grown.0 != size {
            self.grown = (size, Instant::now());
        }
        let quiet = self.grown.1.elapsed() >= QUIET;
        let rotated = match std::fs::metadata(&self.path) {
            Ok(metadata) => !place.mark.is_file(&metadata),
            // Between two files; the next may come.
            Err(error) if error.kind() == ErrorKind::NotFound => self.once,
            Err(error) => return Err(error),
        };
        if !rotated && !self.once {
            return Ok(Next::Idle);
        }
        if !rotated && rest.is_empty() {
            return Ok(Next::End);
        }
        if !quiet {
            return Ok(Next::Idle);
        }
        if rotated && let Some(longer) = self.longer_copy(&place)? {
            self.set_current(Some(longer));
            return self.next(rest);
        }
        if !rest.is_empty() {
            let bytes = size - place.offset;
            let ending = Ending::before(&place.file, size)?;
            rest.truncate(MAX_LINE);
            rest.push(b'\n');
            return self.hand_out(place, bytes, ending);
        }
        match self.after(&place)? {
            Some(next) => {
                self.set_current(Some(next));
                self.next(rest)
            }
            None if self.once => Ok(Next::End),
            None => Ok(Next::Idle),
        }
    }

    /// A line that is longer than a chunk: its beginning is returned for it, when its end is found.
    fn long_line(&mut self, place: Place, buffer: &mut Vec<u8>, size: u64) -> io::Result<Next> {
        let mut at = self.searched.max(place.offset + buffer.len() as u64);
        let mut part = vec![0; CHUNK];
        while at < size {
            let count = read_full_at(&place.file, &mut part, at)?;
            let read = part.get(..count).unwrap_or_default();
            if let Some(end) = memchr::memchr(b'\n', read) {
                buffer.truncate(MAX_LINE);
                buffer.push(b'\n');
                let bytes = at + end as u64 + 1 - place.offset;
                self.notices.push(format!("a line of {bytes} bytes was cut to {MAX_LINE}: it cannot be a passage"));
                let ending = Ending::before(&place.file, place.offset + bytes)?;
                return self.hand_out(place, bytes, ending);
            }
            at += count as u64;
            if count == 0 {
                break;
            }
        }
        self.searched = at;
        self.at_end(place, size, buffer)
    }

    /// The log was truncated: what it held is in a copy, or lost.
    fn after_truncation(&mut self, place: &Place) -> io::Result<()> {
        let copy = self.find(&place.position())?;
        if copy.is_none() {
            self.notices.push(format!(
                "{} was truncated behind byte {}, and no copy of what it held is beside it: lines written in the last \
                 moment before may be missing",
                self.path.display(),
                place.offset
            ));
        }
        self.set_current(copy);
        Ok(())
    }

    fn resume(&mut self, position: &LogPosition) {
        let found = self.find(position);
        if let Ok(Some(place)) = found {
            self.set_current(Some(place));
            return;
        }
        self.notices.push(format!(
            "the file that was read up to byte {} is no longer beside {}: what it still held is missing; going on with \
             what was written later",
            position.offset,
            self.path.display()
        ));
        let later = rotated(&self.path).into_iter().find(|(_, metadata)| modified(metadata) > position.modified);
        if let Some(place) = later.and_then(|(path, _)| Place::open(&path).ok().flatten()) {
            self.set_current(Some(place));
        }
    }

    fn set_current(&mut self, place: Option<Place>) {
        self.current = place;
        self.searched = 0;
        self.hole = 0;
        self.grown = (u64::MAX, Instant::now());
    }

    /// The file that holds this position: the same file, whatever its name is now, or a copy of it.
    fn find(&self, position: &LogPosition) -> io::Result<Option<Place>> {
        let LogPosition { mark, offset, ending, .. } = position;
        let mut candidates: Vec<PathBuf> = vec![self.path.clone()];
        candidates.extend(rotated(&self.path).into_iter().rev().map(|(path, _)| path));
        let mut copy = None;
        for path in candidates {
            let Some(opened) = Place::open(&path)? else { continue };
            let metadata = opened.file.metadata()?;
            let there = metadata.len() >= *offset && mark.still_begins(&opened.file)?;
            if !there || !ending.is_still_before(&opened.file, *offset)? {
                continue;
            }
            let same = mark.is_file(&metadata);
            let mark = Mark { head_bytes: mark.head_bytes, head_hash: mark.head_hash, ..opened.mark };
            let place = Place { file: opened.file, mark, offset: *offset, ending: ending.clone() };
            if same {
                return Ok(Some(place));
            }
            // An empty beginning identifies no copy.
            if copy.is_none() && place.mark.head_bytes > 0 {
                copy = Some(place);
            }
        }
        Ok(copy)
    }

    /// The log, if it is another file now that holds all that was read of the one before, and more.
    fn longer_copy(&self, place: &Place) -> io::Result<Option<Place>> {
        let Some(log) = Place::open(&self.path)? else { return Ok(None) };
        let (metadata, old) = (log.file.metadata()?, place.file.metadata()?);
        let is_copy = !place.mark.is_file(&metadata)
            && place.offset > 0
            && metadata.len() >= old.len().max(place.offset)
            && place.ending != Ending::default()
            && place.mark.still_begins(&log.file)?
            && place.ending.is_still_before(&log.file, place.offset)?;
        Ok(is_copy.then(|| Place { offset: place.offset, ending: place.ending.clone(), ..log }))
    }

    /// The file that was written after a rotated one.
    fn after(&self, place: &Place) -> io::Result<Option<Place>> {
        let rotated = rotated(&self.path);
        let written = modified(&place.file.metadata()?);
        let behind = match rotated.iter().position(|(_, metadata)| place.mark.is_file(metadata)) {
            Some(at) => at + 1,
            None => rotated.partition_point(|(_, metadata)| modified(metadata) <= written),
        };
        for (path, _) in rotated.get(behind..).unwrap_or_default() {
            if let Some(place) = Place::open(path)? {
                return Ok(Some(place));
            }
        }
        Place::open(&self.path)
    }
}

#[cfg(test)]
mod tests;
