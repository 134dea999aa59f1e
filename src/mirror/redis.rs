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

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script};
use traffic::Alert;

use super::failure::{Failure, Kind};
use super::follow::Mirror;
use super::health::{Health, Subject};
use super::refills::Refills;
use crate::alert_json;
use crate::config::RedisConfig;
use crate::reader::Snapshot as _;
use crate::redis_client::RedisServer;
use crate::store::{MirrorCursor, StoreError, StoreHandle};

/// Alerts in one call: some 150 KB.
const BATCH: u64 = 500;

/// The mirror of the alerts. Its cursor is the number of the first alert that the list lacks, from 1.
pub(super) struct AlertMirror {
    server: RedisServer,
    key: String,
    max_length: u64,
    check_interval: Duration,
    shared: Arc<StoreHandle>,
    health: Arc<Health>,
    script: Script,
    cursor: MirrorCursor,
    refills: Refills,
    /// The list was checked from end to end, as an earlier version may have left it in another order.
    is_looked_through: bool,
}

const NAME: &str = "redis";

/// What the script is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Newer alerts go to the head.
    Head,
    /// All of these alerts must be there, in their order.
    Mend {
        /// The last known place of the one before them.
        place: i64,
        /// Alerts before them were missing, so a full list may have older ones in their place.
        insist: bool,
    },
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

/// What the script answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answer {
    /// The list has one of the alerts that it was asked about.
    found: bool,
    pushed: u64,
    length: u64,
    /// The place of the last of them; below 0 if the list ends before it.
    last: i64,
}

impl AlertMirror {
    /// Finds the cursor, and has retention wait for it.
    pub(super) fn open(
        server: RedisServer,
        config: &RedisConfig,
        shared: &Arc<StoreHandle>,
    ) -> Result<Self, StoreError> {
        let cursor = shared.mirror_cursor(NAME)?.unwrap_or(MirrorCursor { next: 1, ..MirrorCursor::default() });
        let max_length = config.max_length as u64;
        shared.hold_alerts(NAME, cursor.next, max_length);
        Ok(Self {
            health: Arc::new(Health::new(Subject::Alerts, server.address(), cursor, &[])),
            server,
            key: config.key.clone(),
            max_length,
            check_interval: config.check_interval,
            shared: shared.clone(),
            script: Script::new(include_str!("alerts.lua")),
            cursor,
            refills: Refills::new(config.check_interval),
            is_looked_through: false,
        })
    }

    async fn follow_log(&mut self) -> Result<Infallible, Failure> {
        let mut connection = self.server.connect().await.map_err(failure)?;
        let mut commits = self.shared.commits();
        loop {
            commits.mark_unchanged();
            let progress = self.step(&mut connection).await?;
            match progress {
                Progress::Sending => self.health.up(false),
                Progress::Level => self.health.up(true),
                Progress::Lacking => self.tell_of_loss(&mut connection).await,
            }
            if progress != Progress::Sending {
                // Both results lead to the next step; the channel stays open: the sender lives as long as this.
                let _ = tokio::time::timeout(self.check_interval, self.next_alert(&mut commits)).await;
            }
        }
    }

    /// Waits for a commit with an alert that the list lacks.
    async fn next_alert(&self, commits: &mut tokio::sync::watch::Receiver<u64>) {
        let next = self.cursor.next;
        let _ = commits.wait_for(|newest| *newest >= next).await;
    }

    /// Sends the next alerts, or only checks the list if there are none; fills it if it lacks any.
    async fn step(&mut self, connection: &mut MultiplexedConnection) -> Result<Progress, Failure> {
        let newest = self.shared.view().totals().alerts;
        // After a power cut the store may have less than was sent. Alerts that do not fit in the list are not sent.
        let next = self.cursor.next.min(newest + 1).max((newest + 1).saturating_sub(self.max_length)).max(1);
        let batch = self.alerts(next, BATCH).await?;
        let before = self.alerts(next - 1, 1).await?.pop().filter(|alert| alert.seq + 1 == next);
        let answer = self.call(connection, Task::Head, before.as_ref(), &batch).await?;
        let end = batch.last().map_or(next, |alert| alert.seq + 1);
        let time = batch.last().map_or(self.cursor.time, |alert| Some(alert.later.passed_at.0));
        self.store_cursor(MirrorCursor { next: end, time, ..self.cursor }, answer.pushed).await?;
        if batch.len() as u64 == BATCH {
            return Ok(Progress::Sending);
        }
        // Where others push to the list too, it can be long enough without the alert that was sent last. They may have
        // pushed that out only if the list is full.
        let forgotten = before.is_some() && !answer.found && answer.length < self.max_length;
        let is_whole = !forgotten && answer.length >= self.max_length.min(self.stored_before(end));
        if is_whole && std::mem::replace(&mut self.is_looked_through, true) {
            self.refills.intact(Instant::now());
            return Ok(Progress::Level);
        }
        if !self.refills.wait(Instant::now()).is_zero() {
            return Ok(Progress::Lacking);
        }
        self.fill(connection, end).await
    }

    /// Sends the list all stored alerts before `end`, newest first, until it has its length.
    async fn fill(&mut self, connection: &mut MultiplexedConnection, end: u64) -> Result<Progress, Failure> {
        let stop = (end.saturating_sub(self.max_length)).max(1);
        let (mut to, mut place, mut pushed, mut insist) = (end, 0, 0, false);
        let mut newer: Option<Alert> = None;
        let mut progress = Progress::Level;
        while to > stop {
            let from = to.saturating_sub(BATCH).max(stop);
            let mut batch = self.alerts(from, to - from).await?;
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
                mirror = NAME,
                target,
                alerts = pushed,
                times,
                "the list had forgotten alerts and is filled again"
            );
            self.store_cursor(MirrorCursor { refilled: self.cursor.refilled + 1, ..self.cursor }, 0).await?;
        }
        Ok(progress)
    }

    /// The list lacks alerts and is not filled again yet: says why, and what to set.
    async fn tell_of_loss(&self, connection: &mut MultiplexedConnection) {
        let wait = self.refills.wait(Instant::now());
        let newest = self.cursor.next.saturating_sub(BATCH).max(1);
        let sample = self.alerts(newest, BATCH).await.unwrap_or_default();
        let bytes: usize =
            sample.iter().filter_map(|alert| alert_json::to_text(alert).ok()).map(|text| text.len()).sum();
        let each = bytes.checked_div(sample.len()).unwrap_or_default() as u64;
        let loss = memory::Loss { key: &self.key, times: self.refills.count(), length: self.max_length, each, wait };
        let memory = memory::Memory::ask(connection).await;
        self.health.lacking(&loss.words(memory.as_ref()), memory.is_some_and(|memory| memory.evicts_lists()));
    }

    /// How many stored alerts have a number below `end`.
    fn stored_before(&self, end: u64) -> u64 {
        end.saturating_sub(self.shared.progress().totals.oldest_alert.max(1))
    }

    /// Stored alerts from number `from` on, at most `count`, oldest first.
    async fn alerts(&self, from: u64, count: u64) -> Result<Vec<Alert>, Failure> {
        let view = self.shared.view();
        let read = move || view.alerts_after(from.saturating_sub(1), count as usize);
        let read = tokio::task::spawn_blocking(read).await;
        read.map_err(|_| Failure::away("reading the alerts ended unexpectedly"))?.map_err(Failure::away)
    }

    async fn call(
        &self,
        connection: &mut MultiplexedConnection,
        task: Task,
        before: Option<&Alert>,
        alerts: &[Alert],
    ) -> Result<Answer, Failure> {
        let mut call = self.script.key(&self.key);
        let (name, place) = match task {
            Task::Head => ("head", 0),
            Task::Mend { place, insist: false } => ("mend", place),
            Task::Mend { place, insist: true } => ("insist", place),
        };
        call.arg(name).arg(self.max_length);
        call.arg(before.map(|alert| format!("{}:{}", alert.seq, alert.id)).unwrap_or_default()).arg(place);
        for alert in alerts {
            call.arg(alert_json::to_text(alert).map_err(Failure::away)?);
        }
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

    /// Makes a cursor durable, and only then reports it to retention.
    async fn store_cursor(&mut self, cursor: MirrorCursor, pushed: u64) -> Result<(), Failure> {
        if cursor != self.cursor {
            let shared = self.shared.clone();
            let noted = tokio::task::spawn_blocking(move || shared.move_mirror(NAME, &cursor, &[])).await;
            noted.map_err(|_| Failure::away("noting the cursor ended unexpectedly"))??;
            self.shared.hold_alerts(NAME, cursor.next, self.max_length);
            self.cursor = cursor;
        }
        self.health.moved(cursor, pushed, 0, &[]);
        Ok(())
    }
}

impl Mirror for AlertMirror {
    fn health(&self) -> Arc<Health> {
        self.health.clone()
    }

    async fn run(&mut self) -> Failure {
        match self.follow_log().await {
            Err(failure) => failure,
            Ok(never) => match never {},
        }
    }
}

/// Any error of Redis (no memory left, read-only, still loading, no script) and a late answer lead to a retry.
fn failure(error: RedisError) -> Failure {
    let advice = match error.code() {
        Some("OOM") => ": raise its maxmemory, or lower redis.max_length",
        Some("READONLY") => ": it is a replica, set redis.url to the master",
        Some("NOAUTH" | "WRONGPASS") => ": set redis.password",
        Some("MOVED" | "ASK" | "CLUSTERDOWN") => ": it is a node of a Redis Cluster, set redis.url to a single Redis",
        _ => "",
    };
    Failure::away(format!("{error}{advice}"))
}
