//! Recorded traffic that can be read any number of times: capture files, or the passages of a data directory. A data
//! directory is read as `export` reads it, without a lock, beside a running appliance.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use traffic::{CivilTime, Delimiter, LineParser, NameTable, ParserSettings, PassageBatch};

use super::export::time_text;
use super::progress::{Progress, passages_bar};
use crate::source::capture::{Capture, CaptureProgress, CaptureSettings};
use crate::source::{Source as _, SourceError};
use crate::store::{Frozen, StoreError};

/// Passages of a data directory that are taken at a time.
const BATCH: usize = 16_384;

/// Traffic that can be read again.
#[derive(Debug)]
pub(super) enum Recorded {
    /// Captures.
    Files(Box<CaptureSettings>),
    /// A data directory.
    Directory(PathBuf, Box<ParserSettings>),
}

impl Recorded {
    /// Gives all passages in order, in batches with the names that are new in each, to `visit`; `what` is shown beside the
    /// progress. Ends early once `stop` is cancelled.
    ///
    /// # Errors
    /// The traffic cannot be read.
    pub(super) fn read(
        &self,
        what: &'static str,
        quiet: bool,
        stop: &CancellationToken,
        visit: impl FnMut(&mut PassageBatch),
    ) -> anyhow::Result<()> {
        match self {
            Self::Files(settings) => read_files(settings, what, quiet, stop, visit),
            Self::Directory(path, parser) => read_directory(path, parser, what, quiet, stop, visit),
        }
    }
}

fn read_files(
    settings: &CaptureSettings,
    what: &'static str,
    quiet: bool,
    stop: &CancellationToken,
    mut visit: impl FnMut(&mut PassageBatch),
) -> anyhow::Result<()> {
    let reading = Arc::new(CaptureProgress::default());
    let mut source = Capture::open(settings.clone(), &NameTable::default(), None, reading.clone())?;
    let progress = Progress::start(what, reading, quiet);
    // What it reports from now on is no bad usage.
    let failed = |error: SourceError| anyhow::anyhow!("{error}");
    while let Some(mut batch) = source.next(stop).map_err(failed)? {
        visit(&mut batch.passages);
        if stop.is_cancelled() {
            break;
        }
    }
    progress.finish();
    Ok(())
}

/// Why reading a data directory ended early.
enum Ended {
    Stopped,
    Failed(anyhow::Error),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<csv::Error> for Ended {
    fn from(error: csv::Error) -> Self {
        Self::Failed(error.into())
    }
}

fn read_directory(
    path: &Path,
    parser: &ParserSettings,
    what: &'static str,
    quiet: bool,
    stop: &CancellationToken,
    mut visit: impl FnMut(&mut PassageBatch),
) -> anyhow::Result<()> {
    let frozen = Frozen::open(path)?;
    let bar = passages_bar(frozen.rows(), quiet)?.with_message(what);
    let settings =
        ParserSettings { delimiter: Some(Delimiter::Comma), not_after: CivilTime(i64::MAX), ..parser.clone() };
    let mut parser = LineParser::new(settings, &NameTable::default());
    let mut batch = PassageBatch::default();
    // The line of an export, which is parsed to the same passage.
    let mut line = Vec::new();
    let ended = frozen.each_arrival(|row, resolution| {
        line.clear();
        csv::Writer::from_writer(&mut line).write_record(row.texts(&time_text(row.gcsj, resolution)))?;
        parser.parse_line(&line, &mut batch);
        if batch.len() < BATCH {
            return Ok(());
        }
        bar.inc(batch.len() as u64);
        visit(&mut batch);
        batch = PassageBatch::default();
        if stop.is_cancelled() { Err(Ended::Stopped) } else { Ok(()) }
    });
    visit(&mut batch);
    bar.finish_and_clear();
    match ended {
        Err(Ended::Failed(error)) => Err(error),
        Ok(()) | Err(Ended::Stopped) => Ok(()),
    }
}
