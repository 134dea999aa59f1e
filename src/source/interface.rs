//! What every source offers to the pipeline, and how it fails. It knows no particular source.

use tokio_util::sync::CancellationToken;

use crate::batch::Batch;

/// Bytes of lines that end a batch, whatever their number. With the batches that wait for the writer it bounds what lines
/// take in memory, however long they are.
pub const MAX_BATCH_BYTES: usize = 24 << 20;

/// A source cannot go on; the text says why and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// Takes note of a batch that was committed.
pub type CommitListener = Box<dyn Fn(&Batch) + Send>;

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
        Box::new(|_| {})
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
