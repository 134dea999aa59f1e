//! What a source gives to the store: passages of one partition, where they came from, and the source's position after
//! them. It does not know sources or how a batch is committed.

use std::sync::Arc;

use traffic::{Fate, PassageBatch, WatermarkState};

/// Passages of one partition, and the source's position after them.
#[derive(Debug, Default)]
pub struct Batch {
    /// Partition; a capture is one.
    pub partition: u32,
    /// The passages.
    pub passages: PassageBatch,
    /// Names of the files or topics the rejects came from: each starts at the reject with that index.
    pub origins: Vec<(usize, Arc<str>)>,
    /// The same for rows: each starts at the row with that number.
    pub row_origins: Vec<(usize, Arc<str>)>,
    /// Message offsets in the partition that the last of `row_origins` names: each starts at the row with that number.
    pub row_offsets: Vec<(usize, i64)>,
    /// Position after the previous batch of the same name, which must be the stored one; none for the first batch since
    /// the source began or took the partition.
    pub before: Option<Vec<u8>>,
    /// Position after the batch, in the source's own form.
    pub position: Vec<u8>,
    /// The name under which the position is stored, where a source has several; else it is the source's.
    pub position_name: Option<String>,
    /// The position in words.
    pub place: String,
    /// The passages only bring the partition to the state in which another process left it: none of them is stored.
    pub takeover: Option<Takeover>,
    /// The lease under which the batch was read, if the source may lose a partition to another process.
    pub lease: Option<Lease>,
}

/// A part of the takeover of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// The first part: the state is empty before it. Holds the watermark at that point.
    pub begins: Option<WatermarkState>,
    /// The last part: the batch's position is valid from now on. Holds the lowest that the watermark can be there.
    pub ends: Option<Option<i64>>,
}

/// What a batch was read under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How often the partition had been taken from this process.
    pub epoch: u64,
    /// When the partition was last known to be this process's: when the batch left the source, or before it slept.
    pub since: std::time::Instant,
}

/// What became of the rows of a batch that was committed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome<'a> {
    /// One for each row, without the unstorable ones.
    pub fates: &'a [Fate],
    /// The numbers of rows that cannot be stored at all and were kept as rejects, in their order.
    pub unstorable: &'a [usize],
}

impl Outcome<'_> {
    /// The fate of each row, in their order; none for one that cannot be stored.
    pub fn rows(&self) -> impl Iterator<Item = Option<Fate>> {
        let (mut fates, mut unstorable) = (self.fates.iter(), self.unstorable.iter().peekable());
        let all = self.fates.len() + self.unstorable.len();
        (0..all).map(move |row| match unstorable.next_if(|it| **it == row) {
            Some(_) => None,
            None => fates.next().copied(),
        })
    }
}

impl Batch {
    /// The same batch with other passages.
    pub fn with_passages(&self, passages: PassageBatch) -> Self {
        Self {
            passages,
            origins: self.origins.clone(),
            row_origins: self.row_origins.clone(),
            row_offsets: self.row_offsets.clone(),
            before: self.before.clone(),
            position: self.position.clone(),
            position_name: self.position_name.clone(),
            place: self.place.clone(),
            takeover: self.takeover.clone(),
            ..*self
        }
    }

    /// The following lines come from `origin`.
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

/// The value that applies at `at`, in a list of values and where each starts.
fn last_from<T>(list: &[(usize, T)], at: usize) -> Option<&T> {
    let behind = list.partition_point(|(from, _)| *from <= at);
    behind.checked_sub(1).and_then(|last| list.get(last)).map(|(_, value)| value)
}
