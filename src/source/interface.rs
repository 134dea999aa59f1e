//! What every source offers to the pipeline, and how it fails. It knows no particular source.

use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Outcome};

/// Bytes of lines that end a batch, whatever their number. With the batches that wait for the writer it bounds what lines
/// take in memory, however long they are.
pub const MAX_BATCH_BYTES: usize = 24 << 20;

/// A source cannot be opened or cannot go on; the text says why and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The input or the settings that were named cannot be used as they are: others must be named.
    #[error("{0}")]
    Refused(String),
    /// The stored position is damaged, so that where to go on is not known.
    #[error(
        "the stored position of {input} cannot be read ({detail}): restore the data directory, or begin with another"
    )]
    DamagedPosition {
        /// Whose position it is.
        input: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Reading has failed, or the source has.
    #[error("{0}")]
    Failed(String),
}

impl SourceError {
    /// The stored position of `input` is damaged.
    pub(super) fn damaged(input: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self::DamagedPosition { input: input.into(), detail: detail.to_string() }
    }

    /// Reading has failed.
    pub(super) fn failed(detail: impl std::fmt::Display) -> Self {
        Self::Failed(detail.to_string())
    }
}

/// Takes note of a batch that was committed, and of what became of its rows.
pub type CommitListener = Box<dyn Fn(&Batch, Outcome<'_>) + Send>;

/// Says whether a batch may still be committed; one that may not is read again, by this process or another.
pub type CommitPermit = Box<dyn Fn(&Batch) -> bool + Send>;

/// Gives batches until it is exhausted or stopped. It runs on a thread of its own.
pub trait Source: Send {
    /// A short name that is unique in a data directory: the position is stored under it.
    fn name(&self) -> &str;
    /// What is read, in words.
    fn describe(&self) -> String;
    /// The next batch; none when there is no more or `stop` was cancelled.
    ///
    /// # Errors
    /// [`SourceError`] if it cannot go on.
    fn next(&mut self, stop: &CancellationToken) -> Result<Option<Batch>, SourceError>;
    /// To be called by the writer after every commit of one of its batches.
    fn commit_listener(&self) -> CommitListener {
        Box::new(|_, _| {})
    }
    /// To be asked by the writer before every commit of one of its batches.
    fn commit_permit(&self) -> CommitPermit {
        Box::new(|_| true)
    }
    /// What it means that the source has ended, in words, where it should never end.
    fn ended(&self) -> Option<String> {
        None
    }
    /// Called once after the last commit: disconnects from what it reads from, within a few seconds.
    fn close(&mut self) {}
}
