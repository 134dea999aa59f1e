//! What a source hands to the store: passages of one partition, where they came from, and the source's position after
//! them. It does not know sources, and nothing of how a batch is committed.

use std::sync::Arc;

use traffic::{PassageBatch, WatermarkState};

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
