//! Where passages come from. A source gives batches and, with each, the position behind it; the store commits both
//! together, so that after a restart the source goes on exactly behind the last commit.
//!
//! A source does not know the rule, the shards or the store: it is handed its last committed position and told when to
//! stop. Its batches of one partition must be the same passages in the same order however often it is restarted; how
//! they are cut into batches is free.

mod advice;
pub mod capture;
pub mod kafka;
pub mod live;
pub mod simulator;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use traffic::{PassageBatch, WatermarkState};

/// Bytes of lines that end a batch, whatever their number. With the batches that wait for the writer it bounds what lines
/// take in memory, however long they are.
pub const MAX_BATCH_BYTES: usize = 24 << 20;

/// Passages of one partition, and the source's position behind them.
#[derive(Debug, Default)]
pub struct Batch {
    /// Partition; a capture is one.
    pub partition: u32,
    /// The passages.
    pub passages: PassageBatch,
    /// Names of the files or topics the rejects came from: each from the reject with that index on.
    pub origins: Vec<(usize, Arc<str>)>,
    /// The same for rows: each from the row with that number on.
    pub row_origins: Vec<(usize, Arc<str>)>,
    /// Offsets of messages in the partition that the last of `row_origins` names: each from the row with that number on.
    pub row_offsets: Vec<(usize, i64)>,
    /// Position behind the batch, in the source's own form.
    pub position: Vec<u8>,
    /// The name under which the position is stored, where a source has several; else it is the source's.
    pub position_name: Option<String>,
    /// The same in words.
    pub place: String,
    /// The passages only bring the state of the partition to where another process left it: nothing of them is stored.
    pub rebuild: Option<Rebuild>,
    /// Under which the batch was read, where a source may lose a partition to another process.
    pub lease: Option<Lease>,
}

/// A part of reading a partition back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuild {
    /// The first part: the state is empty before it. Holds the watermark there.
    pub begins: Option<WatermarkState>,
    /// The last part: the position of the batch holds from now on. Holds the least that the watermark is there.
    pub ends: Option<Option<i64>>,
}

/// What a batch was read under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How often the partition had been taken from this process.
    pub epoch: u64,
    /// When the batch left the source.
    pub since: std::time::Instant,
}

impl Batch {
    /// The same batch with other passages.
    pub fn with_passages(&self, passages: PassageBatch) -> Self {
        Self {
            passages,
            origins: self.origins.clone(),
            row_origins: self.row_origins.clone(),
            row_offsets: self.row_offsets.clone(),
            position: self.position.clone(),
            position_name: self.position_name.clone(),
            place: self.place.clone(),
            rebuild: self.rebuild.clone(),
            ..*self
        }
    }

    /// Lines that follow come from `origin`.
    pub fn enter(&mut self, origin: Arc<str>) {
        if self.row_origins.last().is_none_or(|(_, last)| *last != origin) {
            self.row_origins.push((self.passages.len(), origin.clone()));
        }
        if self.origins.last().is_none_or(|(_, last)| *last != origin) {
            self.origins.push((self.passages.rejects.len(), origin));
        }
    }

    /// Where the reject with index `reject` came from.
    pub fn origin_of(&self, reject: usize) -> &str {
        last_from(&self.origins, reject).map_or("", |origin| origin)
    }

    /// Where row `row` came from.
    pub fn origin_of_row(&self, row: usize) -> String {
        let origin = last_from(&self.row_origins, row).map_or("", |origin| origin);
        match last_from(&self.row_offsets, row) {
            Some(offset) => format!("{origin}@{offset}"),
            None => origin.to_owned(),
        }
    }
}

/// What holds at `at`, in a list of what holds from where on.
fn last_from<T>(list: &[(usize, T)], at: usize) -> Option<&T> {
    let behind = list.partition_point(|(from, _)| *from <= at);
    behind.checked_sub(1).and_then(|last| list.get(last)).map(|(_, value)| value)
}

/// A source cannot go on; the text says why and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// Takes note of a batch that was committed.
pub type CommitListener = Box<dyn Fn(&Batch) + Send>;

/// Says whether a batch may still be committed; one that may not is read again, by this process or another.
pub type CommitPermit = Box<dyn Fn(&Batch) -> bool + Send>;

/// Gives batches until it is exhausted or told to stop. It runs on a thread of its own.
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
    /// Is to be called behind every commit of one of its batches, by the writer.
    fn commit_listener(&self) -> CommitListener {
        Box::new(|_| {})
    }
    /// Is to be asked before every commit of one of its batches, by the writer.
    fn commit_permit(&self) -> CommitPermit {
        Box::new(|_| true)
    }
    /// In words what it means that the source has no more, where it should have gone on for ever.
    fn ended(&self) -> Option<String> {
        None
    }
    /// Called once behind the last commit: says goodbye to whom it reads from, within a few seconds.
    fn close(&mut self) {}
}
