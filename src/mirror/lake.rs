//! The sink of one shard's passages in the lake: when a range of rows becomes files, and which range.
//!
//! A range is cut as soon as enough rows wait, or the first has waited long enough. Where a cut was made already stands in the
//! names of the files: after a crash the same range is written once more, which gives the same files, before anything else.
//! The cursor moves once all files of a range are there. [`range`] writes them, on a thread that may block. It does not know
//! Parquet.

mod range;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use shard::{ShardCount, ShardId};

use super::failure::Failure;
use super::follow::{Follower, Sink, Taken};
use super::tasks;
use crate::clock::moment;
use crate::config::LakeConfig;
use crate::lake::LakeFolder;
use range::{End, Written, write_range};

/// The sink of one shard.
pub(super) struct LakeSink {
    shard: ShardId,
    shards: ShardCount,
    folder: LakeFolder,
    edition: u64,
    file_rows: u64,
    max_delay: Duration,
    /// When the first of the rows that wait was seen.
    waiting: Option<Instant>,
}

/// What is to be done with the rows that wait.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    Now(Range<u64>, End),
    /// A range was cut that ends at this row, and the store has not as many.
    Lacking(u64),
    /// Not before this moment, if no more come.
    At(Instant),
    /// Nothing waits.
    Nothing,
}

impl LakeSink {
    /// The name of the sink of shard `shard`.
    pub(super) fn name(config: &LakeConfig, shard: ShardId) -> String {
        Self::edition_name(config.edition, shard)
    }

    fn edition_name(edition: u64, shard: ShardId) -> String {
        match edition {
            1 => format!("lake/{shard}"),
            edition => format!("lake/{shard}/{edition}"),
        }
    }

    /// The sink of `shard`, one of `shards`, into `folder`, which all of them share.
    pub(super) fn new(shard: ShardId, shards: ShardCount, folder: LakeFolder, config: &LakeConfig) -> Self {
        Self {
            shard,
            shards,
            folder,
            edition: config.edition,
            file_rows: config.file_rows,
            max_delay: config.max_delay,
            waiting: None,
        }
    }

    async fn follow_log(&mut self, follower: &mut Follower) -> Result<Infallible, Failure> {
        let mut cut = self.go_on(follower).await?;
        let mut commits = follower.store().commits();
        loop {
            commits.mark_unchanged();
            let (next, end) = (follower.cursor().next, follower.store().view().next_row(self.shard));
            let until = match self.due(next, end, &cut, moment()) {
                Due::Now(rows, end) => {
                    self.write(follower, rows, end).await?;
                    cut.remove(&next);
                    self.waiting = None;
                    follower.health().up(false);
                    continue;
                }
                Due::Lacking(end) => {
                    return Err(Failure::blocked(format!(
                        "the lake holds rows of shard {} up to {end}, and this data directory has fewer: it was restored, or a \
                         power cut took some. They are written again as they come in again; or name an empty folder in lake.dir \
                         and raise lake.edition",
                        self.shard
                    )));
                }
                Due::At(moment) => Some(moment),
                Due::Nothing => None,
            };
            follower.health().up(true);
            tokio::select! {
                _ = commits.changed() => {}
                () = tasks::sleep_until(until.unwrap_or_else(moment)), if until.is_some() => {}
            }
        }
    }

    /// What is to be done where rows from `next` to before `end` wait, and these ranges were cut already.
    fn due(&mut self, next: u64, end: u64, cut: &BTreeMap<u64, u64>, now: Instant) -> Due {
        if let Some(cut) = cut.get(&next) {
            return if *cut <= end { Due::Now(next..*cut, End::Cut) } else { Due::Lacking(*cut) };
        }
        // Rows that lie behind a range that was cut must not be in two.
        let end = cut.range(next..).next().map_or(end, |(cut, _)| end.min(*cut));
        if next >= end {
            self.waiting = None;
            return Due::Nothing;
        }
        let due = *self.waiting.get_or_insert(now) + self.max_delay;
        if end - next >= self.file_rows || now >= due {
            return Due::Now(next..end.min(next.saturating_add(self.file_rows)), End::Free);
        }
        Due::At(due)
    }

    /// Makes sure that the folder is that of this lake, and finds the ranges that were written after the cursor.
    async fn go_on(&self, follower: &Follower) -> Result<BTreeMap<u64, u64>, Failure> {
        let (folder, shard, shards, edition) = (self.folder.clone(), self.shard, self.shards, self.edition);
        let (name, cursor) = (follower.name().to_owned(), follower.cursor());
        follower
            .blocking(move |store| {
                let mut begun = false;
                for shard in shards.ids() {
                    begun |= store.mirror_cursor(&Self::edition_name(edition, shard))?.is_some();
                }
                folder.check(begun)?;
                // IMPORTANT: it is known from now on, not from the first file on, for which rows may wait for a day: a disk that
                // is not mounted then is no new folder.
                if store.mirror_cursor(&name)?.is_none() {
                    store.move_mirror(&name, &cursor, &[])?;
                }
                Ok::<_, Failure>(folder.go_on(shard.number(), cursor.next)?)
            })
            .await
    }

    /// Writes the files of a range, and moves the cursor after them.
    async fn write(&self, follower: &mut Follower, rows: Range<u64>, end: End) -> Result<(), Failure> {
        let (folder, shard) = (self.folder.clone(), self.shard);
        let given_up = GivenUp::default();
        let is_given_up = given_up.0.clone();
        let written =
            follower.blocking(move |store| write_range(store, &folder, shard, rows, end, &is_given_up)).await?;
        drop(given_up);
        let Written { next, count, lost, newest } = written;
        let time = follower.cursor().time.max(newest);
        follower.acknowledge(Taken { next, time, count, lost, ..Taken::default() }).await
    }
}

/// Ends what goes on on another thread when nobody waits for it any more.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Sink for LakeSink {
    async fn run(&mut self, follower: &mut Follower) -> Failure {
        match self.follow_log(follower).await {
            Err(failure) => failure,
            Ok(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests;
