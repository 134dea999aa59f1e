//! The source itself: it reads the files in the order of arrival, or sorts all of their lines by time first, and cuts
//! them into batches, each with the position after it. It knows neither compression nor encoding.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use traffic::{CivilTime, Delimiter, LineForm, LineParser, NameTable, PassageBatch};

use super::input::{Input, refuse_unfit};
use super::lines::{Line, Lines, Parsed};
use super::mark::FileMark;
use super::position::CapturePosition;
use super::progress::CaptureProgress;
use super::settings::CaptureSettings;
use super::sort::{LinePlace, Sorted, Sorter};
use crate::batch::Batch;
use crate::clock::civil_now;
use crate::source::{MAX_BATCH_BYTES, Source, SourceError, advice};

/// A capture, opened at a position.
#[derive(Debug)]
pub struct Capture {
    settings: CaptureSettings,
    parser: LineParser,
    position: CapturePosition,
    /// Position after the last batch that was given.
    given: Option<Vec<u8>>,
    progress: Arc<CaptureProgress>,
    stage: Stage,
    failed: Option<SourceError>,
    /// Whether a stream is among the files.
    has_stream: bool,
}

#[derive(Debug)]
enum Stage {
    /// Reading in the order of arrival; none between two files.
    Arrival(Option<Lines>),
    /// Reading all files into the sorter. Lines up to the place `known` were counted before a restart.
    Scanning {
        sorter: Sorter,
        lines: Option<Lines>,
        known: (usize, u64),
    },
    /// Returning sorted lines.
    Sorted(Sorted),
    Finished,
}

/// The name under which the position is stored.
pub const NAME: &str = "capture";
/// Bytes that are read at a time, between two checks of the stop signal.
const READ_BYTES: usize = 1 << 18;
/// Lines at a file's beginning that are checked before anything else, for a header that contradicts the user.
const HEADER_LINES: u64 = 1_000;
const DAY: i64 = 86_400;
/// How lines are laid out that are made here.
const MADE: LineForm = LineForm { delimiter: Some(Delimiter::Tab), order: None };
/// The longest time between two checks of the stop signal while standard input gives nothing.
const LOOK: Duration = Duration::from_millis(20);

impl Capture {
    /// Opens the files and goes to `position`, the one committed last.
    ///
    /// # Errors
    /// [`SourceError`] if a file cannot be read, or the position belongs to other files.
    pub fn open(
        settings: CaptureSettings,
        names: &NameTable,
        position: Option<&[u8]>,
        progress: Arc<CaptureProgress>,
    ) -> Result<Self, SourceError> {
        let mut settings = settings;
        let mut total = Some(0u64);
        let mut marks = Vec::with_capacity(settings.files.len());
        for file in &settings.files {
            let mark = FileMark::of(file)?;
            total = total.zip(mark.size).map(|(total, size)| total + size);
            marks.push(mark);
        }
        if settings.by_time && marks.len() > usize::from(u16::MAX) {
            return Err(too_many_files());
        }
        progress.total_bytes.store(total.unwrap_or(0), Ordering::Relaxed);
        check_headers(&settings)?;
        let options = settings.all_options();
        let has_stream = marks.iter().any(FileMark::is_stream);
        let stored = match position {
            Some(bytes) => CapturePosition::resume(bytes, &settings.files, &marks, settings.by_time, &options)?,
            None => None,
        };
        let mut position = match stored {
            Some(position) => position,
            None => CapturePosition::start(marks, settings.by_time, settings.parser.not_after, options),
        };
        if settings.by_time {
            // Sorted lines are counted from the first: each start must take the same lines for passages.
            settings.parser.not_after = position.not_after();
        }
        let mut parser = LineParser::new(settings.parser.clone(), names);
        let stage = if settings.by_time {
            let sorter = Sorter::new(settings.sort_memory, &settings.spill_folder);
            // What was sorted is gone: all files are read again.
            position.rewind();
            Stage::Scanning { sorter, lines: None, known: position.scanned() }
        } else {
            // Files that were read already count as read.
            for file in settings.files.iter().take(position.file) {
                let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
                progress.read_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            let goes_on = position.file < settings.files.len() && position.place().offset > 0;
            let never = CancellationToken::new();
            // A file that cannot be read is refused at once; a stream is waited for later.
            let lines =
                if goes_on { open_file(&settings, &mut position, &mut parser, &progress, &never)? } else { None };
            Stage::Arrival(lines)
        };
        Ok(Self { settings, parser, position, given: None, progress, stage, failed: None, has_stream })
    }

    /// Fills the batch; false if stopped. What was read from a stream is returned anyway: it cannot be read again.
    fn next_by_arrival(&mut self, stop: &CancellationToken, batch: &mut Batch) -> Result<bool, SourceError> {
        let mut began = None;
        let mut bytes = 0;
        let mut was_live = false;
        while batch.passages.lines < self.settings.batch_records && bytes < MAX_BATCH_BYTES as u64 {
            // A stream may be silent for days before the first line of a batch comes.
            if batch.passages.lines == 0 {
                self.parser.set_not_after(CivilTime(civil_now(&self.settings.parser.zone).0 + DAY));
            }
            let stopped = stop.is_cancelled();
            let Stage::Arrival(lines) = &mut self.stage else { return Ok(true) };
            if stopped && !lines.as_ref().is_some_and(Lines::is_live) {
                if was_live {
                    break;
                }
                return Ok(false);
            }
            if lines.is_none() {
                *lines = open_file(&self.settings, &mut self.position, &mut self.parser, &self.progress, stop)?;
            }
            let Some(reading) = lines else {
                self.stage = Stage::Finished;
                return Ok(true);
            };
            batch.enter(self.position.file_name());
            let want = self.settings.batch_records - batch.passages.lines;
            let wait = if stopped { Duration::ZERO } else { LOOK.min(self.settings.batch_interval) };
            let before = reading.offset();
            let parsed = reading.parse(READ_BYTES, want, wait, &mut self.parser, &mut batch.passages);
            bytes += reading.offset() - before;
            let place = self.position.place();
            place.offset = reading.offset();
            place.line = self.parser.line_number();
            place.form = self.parser.form();
            look_at_lines(&mut self.parser, &self.position, &self.progress, matches!(parsed, Ok(Parsed::End)))?;
            let is_live = reading.is_live();
            was_live |= is_live;
            match parsed {
                // The wait for the rest of a line was ended.
                Err(_) if is_live && stop.is_cancelled() => break,
                Err(error) => return Err(error),
                Ok(Parsed::End) => {
                    *lines = None;
                    self.position.next_file();
                }
                Ok(Parsed::Nothing) if stopped => break,
                Ok(Parsed::Nothing | Parsed::More) => {}
            }
            if is_live
                && batch.passages.lines > 0
                && began.get_or_insert_with(Instant::now).elapsed() >= self.settings.batch_interval
            {
                return Ok(true);
            }
        }
        if stop.is_cancelled() {
            self.stage = Stage::Finished;
        }
        Ok(true)
    }

    /// Reads lines into the sorter; the batch holds what is not a passage. False if stopped.
    fn scan(&mut self, stop: &CancellationToken, batch: &mut Batch) -> Result<bool, SourceError> {
        let mut since_look = 0;
        let (mut pending, mut pending_bytes) = (0, 0);
        loop {
            since_look += 1;
            if since_look >= 4096 {
                since_look = 0;
                if stop.is_cancelled() {
                    return Ok(false);
                }
            }
            let Stage::Scanning { sorter, lines, known } = &mut self.stage else { return Ok(true) };
            if lines.is_none() {
                *lines = open_file(&self.settings, &mut self.position, &mut self.parser, &self.progress, stop)?;
            }
            let Some(reading) = lines else { break };
            let (known, line_begins) = (*known, reading.offset());
            let fresh = (self.position.file, self.parser.line_number()) >= known;
            batch.enter(self.position.file_name());
            let passages = &mut batch.passages;
            let before = (passages.lines, passages.headers, passages.blank, passages.rejects.len());
            let file = u16::try_from(self.position.file).map_err(|_| too_many_files())?;
            let place = LinePlace { file, line: self.parser.line_number() + 1 };
            let end =
                reading.next_line(&mut self.parser, passages, |line, time, form| sorter.push(time, form, place, line));
            let end = end.and_then(|end| {
                look_at_lines(&mut self.parser, &self.position, &self.progress, end == Line::End).map(|()| end)
            });
            let end = match end {
                Ok(end) => end,
                Err(error) => {
                    // What was counted stays counted, the line in hand is read again.
                    (passages.lines, passages.headers, passages.blank) = (before.0, before.1, before.2);
                    passages.rejects.truncate(before.3);
                    passages.clear_rows();
                    self.position.set_scanned();
                    return if stop.is_cancelled() { Ok(false) } else { Err(error) };
                }
            };
            match end {
                Line::End => {
                    *lines = None;
                    self.position.next_file();
                    continue;
                }
                // It comes again, sorted, and is counted then.
                Line::Passage => {
                    passages.lines = before.0;
                    passages.clear_rows();
                    self.progress.sorted_lines.fetch_add(1, Ordering::Relaxed);
                }
                Line::Other if !fresh => {
                    (passages.lines, passages.headers, passages.blank) = (before.0, before.1, before.2);
                    passages.rejects.truncate(before.3);
                }
                Line::Other => {
                    pending += 1;
                    pending_bytes += reading.offset() - line_begins;
                }
            }
            self.position.place().line = self.parser.line_number();
            if pending >= self.settings.batch_records || pending_bytes >= MAX_BATCH_BYTES as u64 {
                self.position.set_scanned();
                return Ok(true);
            }
        }
        self.position.set_scanned();
        if let Stage::Scanning { sorter, .. } = std::mem::replace(&mut self.stage, Stage::Finished) {
            self.stage = Stage::Sorted(sorter.finish(self.position.given)?);
        }
        Ok(true)
    }

    /// Fills the batch with sorted lines; false if stopped.
    fn next_sorted(&mut self, stop: &CancellationToken, batch: &mut Batch) -> Result<bool, SourceError> {
        let Stage::Sorted(sorted) = &mut self.stage else { return Ok(true) };
        let (mut file, mut bytes) = (None, 0);
        // Each of them was a passage when it was read.
        self.parser.without_headers();
        while batch.passages.lines < self.settings.batch_records && bytes < MAX_BATCH_BYTES {
            if batch.passages.lines.is_multiple_of(4096) && stop.is_cancelled() {
                return Ok(false);
            }
            let more = sorted.next(|form, place, line| {
                if file != Some(place.file) {
                    file = Some(place.file);
                    batch.enter(self.position.name_of(usize::from(place.file)));
                }
                self.parser.set_form(form);
                self.parser.set_line_number(place.line - 1);
                self.parser.parse_line(line, &mut batch.passages);
                bytes += line.len();
            })?;
            if !more {
                self.stage = Stage::Finished;
                break;
            }
            self.position.given += 1;
        }
        self.progress.given_lines.store(self.position.given, Ordering::Relaxed);
        Ok(true)
    }
}

/// Refuses Parquet that lacks a column, and files whose first lines hold a header that contradicts the columns that the user
/// stated. A file that cannot be read is reported later.
fn check_headers(settings: &CaptureSettings) -> Result<(), SourceError> {
    settings.files.iter().try_for_each(|file| refuse_unfit(file, &settings.parser.layout))?;
    if !settings.parser.layout.is_stated() {
        return Ok(());
    }
    let mut parser = LineParser::new(settings.parser.clone(), &NameTable::default());
    for file in &settings.files {
        if FileMark::of(file)?.is_stream() {
            continue;
        }
        let layout = &settings.parser.layout;
        let input = match Input::open(file, 0, layout, &Arc::default(), &CancellationToken::new()) {
            Ok(input) if !input.is_made() => input,
            _ => continue,
        };
        let (mut lines, mut batch) = (Lines::new(input, settings.gb18030), PassageBatch::default());
        parser.begin_source();
        while batch.lines < HEADER_LINES {
            match lines.parse(READ_BYTES, HEADER_LINES - batch.lines, Duration::ZERO, &mut parser, &mut batch) {
                Ok(Parsed::More) => {}
                Ok(Parsed::Nothing | Parsed::End) | Err(_) => break,
            }
        }
        if let Some(conflict) = parser.conflict() {
            return Err(SourceError::Refused(format!("{}: {conflict}", file.display())));
        }
    }
    Ok(())
}

fn too_many_files() -> SourceError {
    SourceError::Refused(format!("at most {} files can be sorted by time at once", u16::MAX))
}

/// Passes on what the parser reports on the lines so far: advice to the user, or that they cannot be read.
fn look_at_lines(
    parser: &mut LineParser,
    position: &CapturePosition,
    progress: &CaptureProgress,
    ended: bool,
) -> Result<(), SourceError> {
    if let Some(advice) = parser.take_column_advice(ended) {
        let sentence = advice::sentence(&position.file_name(), &advice);
        tracing::warn!("{sentence}");
        progress.note(sentence);
    }
    match parser.conflict() {
        Some(conflict) => Err(SourceError::Refused(format!("{}: {conflict}", position.file_name()))),
        None => Ok(()),
    }
}

/// The file that is to be read, at its place; none after the last.
fn open_file(
    settings: &CaptureSettings,
    position: &mut CapturePosition,
    parser: &mut LineParser,
    progress: &Arc<CaptureProgress>,
    stop: &CancellationToken,
) -> Result<Option<Lines>, SourceError> {
    let Some(file) = settings.files.get(position.file) else { return Ok(None) };
    let place = position.place();
    let input = Input::open(file, place.offset, &settings.parser.layout, progress, stop)?;
    parser.begin_source();
    parser.set_line_number(place.line);
    parser.set_form(if input.is_made() { MADE } else { place.form });
    if input.is_made() {
        parser.without_headers();
    }
    Ok(Some(Lines::new(input, settings.gb18030)))
}

impl Source for Capture {
    fn name(&self) -> &str {
        NAME
    }

    fn describe(&self) -> String {
        let order = if self.settings.by_time { "sorted by time" } else { "in the order of arrival" };
        match self.settings.files.as_slice() {
            [file] => format!("capture {} {order}", file.display()),
            files => format!("{} capture files {order}", files.len()),
        }
    }

    fn ended(&self) -> Option<String> {
        self.has_stream.then(|| {
            "standard input has ended: nothing more is taken in, and what is stored is still served; restart with an input \
             that stays open, such as tail -F of the log"
                .to_owned()
        })
    }

    fn next(&mut self, stop: &CancellationToken) -> Result<Option<Batch>, SourceError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let mut batch = Batch::default();
        let result = match self.stage {
            Stage::Arrival(_) => self.next_by_arrival(stop, &mut batch),
            Stage::Scanning { .. } => self.scan(stop, &mut batch),
            Stage::Sorted(_) => self.next_sorted(stop, &mut batch),
            Stage::Finished => return Ok(None),
        };
        if let Ok(false) = result {
            // What was read after the last commit is read again after a restart.
            self.stage = Stage::Finished;
            return Ok(None);
        }
        if let Err(error) = result {
            // What was read before the failure is still good.
            if batch.passages.lines == 0 {
                return Err(error);
            }
            self.failed = Some(error);
        }
        let nothing = batch.passages.lines == 0 && batch.passages.new_names.is_empty();
        if nothing && matches!(self.stage, Stage::Finished) {
            return Ok(None);
        }
        batch.position = self.position.encode()?;
        batch.before = self.given.replace(batch.position.clone());
        batch.place = self.position.to_string();
        Ok(Some(batch))
    }
}
