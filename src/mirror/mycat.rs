//! The mirror of one shard's passages in `traffic_data`, through MyCat or to the shard's own instance.
//!
//! **One statement, one shard.** Rows come from one shard's log, so a statement never spans two; with two addresses the
//! shard's number is the instance's. A few statements are under way at a time; the cursor moves over those that are
//! acknowledged without a gap before them. [`batch`] sends a statement and decides what its failure blames.
//!
//! **Lost rows.** On connecting, and now and then, the target is asked for a few of the rows that it
//! acknowledged. If some are missing (it was restarted empty, or from a backup), the cursor goes back to right after
//! the newest that is older than all of those. It does not know how statements look.

mod batch;
mod target;

use std::convert::Infallible;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use shard::{ShardCount, ShardId};

use super::failure::{Failure, UnclearFailures};
use super::follow::{Follower, Sink, Taken};
use super::refills::Refills;
use super::tasks;
use crate::clock::{Clock, moment};
use crate::config::MycatConfig;
use crate::store::{LogBlock, Sample};
pub(super) use batch::{Batch, Sent, send_rows};
pub(super) use target::{Look, Target};

/// MyCat shows a row only a moment after it was written: a missing one is looked for again after this.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The sink of one shard.
pub(super) struct ShardSink<T> {
    shard: ShardId,
    target: T,
    clock: Clock,
    batch_rows: usize,
    window: usize,
    check_interval: Duration,
    /// Seconds of event time within which the target keeps what it has; none = forever.
    kept: Option<i64>,
    /// Unclear failures in a row.
    unclear: UnclearFailures,
    /// Refills of a target that lost what it had.
    refills: Refills,
    /// How often it was asked for what it acknowledged.
    looks: u64,
}

impl ShardSink<()> {
    /// The name of the sink of shard `shard`.
    pub(super) fn name(shard: ShardId) -> String {
        format!("mysql/{shard}")
    }
}

impl<T: Target> ShardSink<T> {
    /// The sink of `shard`, one of `shards`.
    pub(super) fn new(shard: ShardId, shards: ShardCount, target: T, config: &MycatConfig, clock: &Clock) -> Self {
        Self {
            shard,
            window: if config.urls.len() > 1 { config.pool_size } else { (config.pool_size / shards.get()).max(1) },
            target,
            clock: clock.clone(),
            batch_rows: config.batch_rows,
            check_interval: config.check_interval,
            kept: config.retention.duration().map(|kept| kept.as_secs() as i64),
            unclear: UnclearFailures::default(),
            refills: Refills::new(config.check_interval),
            looks: 0,
        }
    }

    async fn follow_log(&mut self, follower: &mut Follower) -> Result<Infallible, Failure> {
        // Nothing is written where it would arrive changed.
        self.target.check_fitness().await?;
        self.check(follower).await?;
        let mut commits = follower.store().commits();
        let mut block = None;
        let mut ahead = follower.cursor().next;
        let mut under_way = FuturesOrdered::new();
        let mut check_at = moment() + self.check_interval;
        let suspicious = self.unclear.are_many();
        loop {
            commits.mark_unchanged();
            while under_way.len() < self.window {
                let Some(batch) = self.next_batch(follower, &mut block, &mut ahead).await? else { break };
                let (target, shard) = (self.target.clone(), self.shard);
                under_way.push_back(tasks::start(async move { target.send(shard, batch, suspicious).await }));
            }
            if under_way.is_empty() {
                follower.health().up(true);
            }
            tokio::select! {
                biased;
                Some(sent) = under_way.next() => {
                    self.acknowledge(follower, sent?).await?;
                    follower.health().up(false);
                }
                () = tasks::sleep_until(check_at) => {
                    if self.check(follower).await? {
                        (block, ahead, under_way) = (None, follower.cursor().next, FuturesOrdered::new());
                    }
                    check_at = moment() + self.check_interval;
                }
                _ = commits.changed(), if under_way.len() < self.window => {}
            }
        }
    }

    /// The next rows to send; none if all are under way.
    async fn next_batch(
        &self,
        follower: &Follower,
        block: &mut Option<LogBlock>,
        ahead: &mut u64,
    ) -> Result<Option<Batch>, Failure> {
        let mut batch = Batch { rows: Vec::new(), next: *ahead, lost: 0 };
        while batch.rows.len() < self.batch_rows {
            let here = block.as_ref().filter(|block| (block.first_row()..block.end_row()).contains(&batch.next));
            let Some(here) = here else {
                *block = self.block_from(follower, batch.next).await?;
                let Some(found) = block else { break };
                if found.first_row() > batch.next {
                    batch.lost += found.first_row() - batch.next;
                    batch.next = found.first_row();
                }
                continue;
            };
            let Some(row) = here.row(batch.next) else { break };
            batch.rows.push((batch.next, row));
            batch.next += 1;
        }
        *ahead = batch.next;
        Ok(Some(batch).filter(|batch| !batch.rows.is_empty()))
    }

    async fn block_from(&self, follower: &Follower, row: u64) -> Result<Option<LogBlock>, Failure> {
        if follower.store().view().next_row(self.shard) <= row {
            return Ok(None);
        }
        let shard = self.shard;
        follower.blocking(move |store| store.log_block(shard, row)).await
    }

    /// The target has these rows.
    async fn acknowledge(&mut self, follower: &mut Follower, sent: Sent) -> Result<(), Failure> {
        let Sent { batch, warnings, refused } = sent;
        let newest = batch.rows.iter().map(|(_, row)| row.gcsj.0).max();
        let time = follower.cursor().time.max(newest);
        let count = batch.rows.len() as u64;
        follower
            .acknowledge(Taken {
                next: batch.next,
                time,
                count,
                lost: batch.lost,
                warnings,
                refused,
                ..Taken::default()
            })
            .await?;
        self.unclear = UnclearFailures::default();
        Ok(())
    }

    /// Asks the target for some of what it acknowledged, and goes back if it lacks any; true if so.
    async fn check(&mut self, follower: &mut Follower) -> Result<bool, Failure> {
        let (shard, before, look) = (self.shard, follower.cursor().next, self.looks);
        self.looks += 1;
        let samples = follower.blocking(move |store| store.sample(shard, before, look)).await?;
        if self.first_missing(follower, &samples, Look::ByCheckpoint).await?.is_none() {
            self.refills.intact(moment());
            return Ok(false);
        }
        tasks::sleep(LOOK_AGAIN).await;
        let Some(next) = self.first_missing(follower, &samples, Look::Everywhere).await? else { return Ok(false) };
        if !self.refills.wait(moment()).is_zero() {
            return Ok(false);
        }
        self.refills.begin(moment());
        tracing::warn!(
            mirror = follower.name(),
            target = self.target.address(),
            from = next,
            to = before,
            "the target lacks rows that it had, they are sent again"
        );
        follower.refill(next).await?;
        Ok(true)
    }

    /// The cursor from which the target may lack rows that it acknowledged; none if it seems to have all.
    async fn first_missing(&self, follower: &Follower, samples: &[Sample], look: Look) -> Result<Option<u64>, Failure> {
        let present = self.target.present(samples, look).await?;
        // What the target's own cleaning removes is not missing, nor what it may be removing just now.
        let oldest = self.kept.map_or(i64::MIN, |kept| (self.clock)().0.saturating_sub(kept - kept / 4));
        let missing = |sample: &Sample| sample.gcsj.0 >= oldest && !present.contains(&sample.gcxh);
        let Some(last) = samples.iter().rposition(missing) else { return Ok(None) };
        // The newest that is older than all that are missing.
        Ok(Some(samples.get(last + 1).map_or_else(|| follower.store().oldest_row(self.shard), |sample| sample.row + 1)))
    }
}

impl<T: Target> Sink for ShardSink<T> {
    async fn run(&mut self, follower: &mut Follower) -> Failure {
        let failure = match self.follow_log(follower).await {
            Err(failure) => failure,
            Ok(never) => match never {},
        };
        self.unclear.count(&failure);
        failure
    }
}
