//! The mirror of the newest alerts in a list of Redis, newest first, each exactly once.
//!
//! All is done by one script (`alerts.lua`), which finds its place by the numbers and ids within the elements; so it does
//! not matter how often a call is repeated, nor whether other appliances push to the same list. Redis may lose data:
//! after FLUSHALL, an eviction or a restart the list is shorter than it should be. The next call shows that, or the
//! next check while nothing comes; the list is then filled from the stored alerts, newest first, until it has its
//! length. A Redis that loses data repeatedly is filled less and less often, new alerts still go to it, and its memory
//! settings are read, so that the status can say what to set ([`memory`]). A key that holds something else is left
//! alone. It does not know passages.

mod memory;
mod request;

use std::convert::Infallible;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script};
use traffic::Alert;

use super::failure::{Failure, Kind};
use super::follow::{Follower, Sink, Taken};
use super::refills::Refills;
use crate::config::RedisConfig;
use crate::reader::Snapshot as _;
use crate::redis_client::RedisServer;
use request::{Answer, Task, arguments};

/// Alerts in one call: some 150 KB.
const BATCH: u64 = 500;

/// The sink of the alerts. Its cursor is the number of the first alert that the list lacks, from 1.
pub(super) struct ListSink {
    server: RedisServer,
    key: String,
    max_length: u64,
    check_interval: Duration,
    script: Script,
    refills: Refills,
    /// The list was checked from end to end, as an earlier version may have left it in another order.
    is_looked_through: bool,
}

/// How the list is after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    /// It takes what it lacks.
    Sending,
    /// It has everything.
    Level,
    /// It lost alerts, and is to be filled again later.
    Lacking,
}

impl ListSink {
    pub(super) fn new(server: RedisServer, config: &RedisConfig) -> Self {
        Self {
            server,
            key: config.key.clone(),
            max_length: config.max_length as u64,
            check_interval: config.check_interval,
            script: Script::new(include_str!("alerts.lua")),
            refills: Refills::new(config.check_interval),
            is_looked_through: false,
        }
    }

    async fn follow_log(&mut self, follower: &mut Follower) -> Result<Infallible, Failure> {
        let mut connection = self.server.connect().await.map_err(failure)?;
        let mut commits = follower.store().commits();
        loop {
            commits.mark_unchanged();
            let progress = self.step(follower, &mut connection).await?;
            match progress {
                Progress::Sending => follower.health().up(false),
                Progress::Level => follower.health().up(true),
                Progress::Lacking => self.report_loss(follower, &mut connection).await,
            }
            if progress != Progress::Sending {
                // Both results lead to the next step; the channel stays open: the sender lives as long as this.
                let _ =
                    tokio::time::timeout(self.check_interval, next_alert(follower.cursor().next, &mut commits)).await;
            }
        }
    }

    /// Sends the next alerts, or only checks the list if there are none; fills it if it lacks any.
    async fn step(
        &mut self,
        follower: &mut Follower,
        connection: &mut MultiplexedConnection,
    ) -> Result<Progress, Failure> {
        let newest = follower.store().view().totals().alerts;
        // After a power cut the store may have less than was sent. Alerts that do not fit in the list are not sent.
        let next = follower.cursor().next.min(newest + 1).max((newest + 1).saturating_sub(self.max_length)).max(1);
        let batch = follower.alerts(next, BATCH).await?;
        let before = follower.alerts(next - 1, 1).await?.pop().filter(|alert| alert.seq + 1 == next);
        let answer = self.call(connection, Task::Head, before.as_ref(), &batch).await?;
        let end = batch.last().map_or(next, |alert| alert.seq + 1);
        let time = batch.last().map_or(follower.cursor().time, |alert| Some(alert.later.passed_at.0));
        follower.acknowledge(Taken { next: end, time, count: answer.pushed, ..Taken::default() }).await?;
        if batch.len() as u64 == BATCH {
            return Ok(Progress::Sending);
        }
        // Where others push to the list too, it can be long enough without the alert that was sent last. They may have
        // pushed that out only if the list is full.
        let forgotten = before.is_some() && !answer.found && answer.length < self.max_length;
        let is_whole = !forgotten && answer.length >= self.max_length.min(stored_before(follower, end));
        if is_whole && std::mem::replace(&mut self.is_looked_through, true) {
            self.refills.intact(Instant::now());
            return Ok(Progress::Level);
        }
        if !self.refills.wait(Instant::now()).is_zero() {
            return Ok(Progress::Lacking);
        }
        self.fill(follower, connection, end).await
    }

    /// Sends the list all stored alerts before `end`, newest first, until it has its length.
    async fn fill(
        &mut self,
        follower: &mut Follower,
        connection: &mut MultiplexedConnection,
        end: u64,
    ) -> Result<Progress, Failure> {
        let stop = (end.saturating_sub(self.max_length)).max(1);
        let (mut to, mut place, mut pushed, mut insist) = (end, 0, 0, false);
        let mut newer: Option<Alert> = None;
        let mut progress = Progress::Level;
        while to > stop {
            let from = to.saturating_sub(BATCH).max(stop);
            let mut batch = follower.alerts(from, to - from).await?;
            batch.reverse();
            // Retention may have taken some just now.
            let Some(oldest) = batch.last() else { break };
            let answer = self.call(connection, Task::Mend { place, insist }, newer.as_ref(), &batch).await?;
            pushed += answer.pushed;
            insist = answer.pushed > 0;
            // It lost them again, between two calls.
            if !answer.found {
                progress = Progress::Lacking;
                break;
            }
            if answer.last < 0 {
                break;
            }
            place = answer.last;
            to = oldest.seq;
            newer = batch.pop();
        }
        if pushed > 0 {
            self.refills.begin(Instant::now());
            let (target, times) = (self.server.address(), self.refills.count());
            tracing::warn!(
                mirror = follower.name(),
                target,
                alerts = pushed,
                times,
                "the list had forgotten alerts and is filled again"
            );
            follower.refill(follower.cursor().next).await?;
        }
        Ok(progress)
    }

    /// The list lacks alerts and is not filled again yet: says why, and what to set.
    async fn report_loss(&self, follower: &Follower, connection: &mut MultiplexedConnection) {
        let wait = self.refills.wait(Instant::now());
        let newest = follower.cursor().next.saturating_sub(BATCH).max(1);
        let sample = follower.alerts(newest, BATCH).await.unwrap_or_default();
        let each = request::bytes_of_each(&sample);
        let loss = memory::Loss { key: &self.key, times: self.refills.count(), length: self.max_length, each, wait };
        let memory = memory::Memory::ask(connection).await;
        follower.health().lacking(&loss.words(memory.as_ref()), memory.is_some_and(|memory| memory.evicts_lists()));
    }

    async fn call(
        &self,
        connection: &mut MultiplexedConnection,
        task: Task,
        before: Option<&Alert>,
        alerts: &[Alert],
    ) -> Result<Answer, Failure> {
        let mut call = self.script.key(&self.key);
        for argument in arguments(task, self.max_length, before, alerts).map_err(Failure::away)? {
            call.arg(argument);
        }
        fail::fail_point!("mirror::before-send");
        let answer: (String, u64, u64, u64, i64) = call.invoke_async(connection).await.map_err(failure)?;
        let (kind, found, pushed, length, last) = answer;
        if !matches!(kind.as_str(), "list" | "none") {
            let key = &self.key;
            let error = format!(
                "the key {key} holds a {kind}, not a list, and is left alone: rename or delete it, or set redis.key to another"
            );
            return Err(Failure { error, kind: Kind::Blocked });
        }
        Ok(Answer { found: found > 0, pushed, length, last })
    }
}

impl Sink for ListSink {
    async fn run(&mut self, follower: &mut Follower) -> Failure {
        match self.follow_log(follower).await {
            Err(failure) => failure,
            Ok(never) => match never {},
        }
    }
}

/// Waits for a commit with alert `next`, which the list lacks.
async fn next_alert(next: u64, commits: &mut tokio::sync::watch::Receiver<u64>) {
    let _ = commits.wait_for(|newest| *newest >= next).await;
}

/// How many stored alerts have a number below `end`.
fn stored_before(follower: &Follower, end: u64) -> u64 {
    end.saturating_sub(follower.store().progress().totals.oldest_alert.max(1))
}

/// Any error of Redis (no memory left, read-only, still loading, no script) and a late answer lead to a retry.
pub(super) fn failure(error: RedisError) -> Failure {
    let advice = match error.code() {
        Some("OOM") => ": raise its maxmemory, or lower redis.max_length",
        Some("READONLY") => ": it is a replica, set redis.url to the master",
        Some("NOAUTH" | "WRONGPASS") => ": set redis.password",
        Some("MOVED" | "ASK" | "CLUSTERDOWN") => ": it is a node of a Redis Cluster, set redis.url to a single Redis",
        _ => "",
    };
    Failure::away(format!("{error}{advice}"))
}
