//! The mirror of the newest alerts in a list of Redis, newest first, each exactly once.
//!
//! All is done by one script (`alerts.lua`), which finds its place by the numbers and ids within the elements; so it does
//! not matter how often a call is repeated, nor whether other appliances push to the same list. Redis forgets: after
//! FLUSHALL, an eviction or a restart the list is shorter than it should be. That shows at the next call, or when the
//! list is looked at while nothing comes; the list is then filled from the alerts that are stored, newest first, until
//! it has its length. A key that holds something else is left alone. It does not know passages.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script};
use traffic::Alert;

use super::health::{Health, Subject, event_time};
use super::{Failure, Kind, Mirror};
use crate::config::RedisConfig;
use crate::reader::Snapshot as _;
use crate::redis_client::RedisServer;
use crate::store::{MirrorCursor, Shared, StoreError};

/// Alerts in one call: some 150 KB.
const BATCH: u64 = 500;

/// The mirror of the alerts. Its cursor is the number of the first alert that the list lacks, from 1.
pub(super) struct AlertMirror {
    server: RedisServer,
    key: String,
    max_length: u64,
    check_interval: Duration,
    shared: Arc<Shared>,
    health: Arc<Health>,
    script: Script,
    cursor: MirrorCursor,
}

const NAME: &str = "redis";

/// Where alerts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Newer ones.
    Head,
    /// Older ones.
    Tail,
}

/// What the script answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answer {
    /// The list has one of the alerts that it was asked about.
    found: bool,
    pushed: u64,
    length: u64,
}

impl AlertMirror {
    /// Finds the cursor, and has retention wait for it.
    pub(super) fn open(server: RedisServer, config: &RedisConfig, shared: &Arc<Shared>) -> Result<Self, StoreError> {
        let cursor = shared.mirror_cursor(NAME)?.unwrap_or(MirrorCursor { next: 1, ..MirrorCursor::default() });
        let max_length = config.max_length as u64;
        shared.hold_alerts(cursor.next, max_length);
        Ok(Self {
            health: Arc::new(Health::new(Subject::Alerts, server.address(), cursor, &[])),
            server,
            key: config.key.clone(),
            max_length,
            check_interval: config.check_interval,
            shared: shared.clone(),
            script: Script::new(include_str!("alerts.lua")),
            cursor,
        })
    }

    async fn carry(&mut self) -> Result<Infallible, Failure> {
        let mut connection = self.server.connect().await.map_err(failure)?;
        let mut commits = self.shared.commits();
        loop {
            commits.mark_unchanged();
            let level = self.step(&mut connection).await?;
            self.health.up(level);
            if level {
                // An error is a newer answer than the next commit, and not needed: the sender lives as long as this.
                let _ = tokio::time::timeout(self.check_interval, self.next_alert(&mut commits)).await;
            }
        }
    }

    /// Waits for a commit with an alert that the list lacks.
    async fn next_alert(&self, commits: &mut tokio::sync::watch::Receiver<u64>) {
        let next = self.cursor.next;
        let _ = commits.wait_for(|newest| *newest >= next).await;
    }

    /// Sends the next alerts, or only looks at the list if there are none; fills it if it is too short. True if the list
    /// has everything.
    async fn step(&mut self, connection: &mut MultiplexedConnection) -> Result<bool, Failure> {
        let newest = self.shared.view().totals().alerts;
        // After a power cut the store may be behind what it had sent; what is older than the list is long need not be sent.
        let next = self.cursor.next.min(newest + 1).max((newest + 1).saturating_sub(self.max_length)).max(1);
        let batch = self.alerts(next, BATCH).await?;
        let before = self.alerts(next - 1, 1).await?.pop().filter(|alert| alert.seq + 1 == next);
        let answer = self.call(connection, Side::Head, before.as_ref(), &batch).await?;
        let level = (batch.len() as u64) < BATCH;
        let end = batch.last().map_or(next, |alert| alert.seq + 1);
        let time = batch.last().map_or(self.cursor.time, |alert| event_time(&alert.curr_time));
        self.note(MirrorCursor { next: end, time, ..self.cursor }, answer.pushed).await?;
        // Where others push to the list too, it can be long enough without the alert that was sent last. Only if the list
        // is full may they have pushed that out.
        let forgotten = before.is_some() && !answer.found && answer.length < self.max_length;
        if level && (forgotten || answer.length < self.max_length.min(self.stored_before(end))) {
            self.fill(connection, end).await?;
        }
        Ok(level)
    }

    /// The list is too short: alerts before `end` go into it, the newest first, until it has its length.
    async fn fill(&mut self, connection: &mut MultiplexedConnection, end: u64) -> Result<(), Failure> {
        let stop = (end.saturating_sub(self.max_length)).max(1);
        let mut to = end;
        let mut pushed = 0;
        while to > stop {
            let from = to.saturating_sub(BATCH).max(stop);
            let mut batch = self.alerts(from, to - from).await?;
            // Retention may have taken some just now.
            let Some(oldest) = batch.first().map(|alert| alert.seq) else { break };
            let answer = if to == end {
                // The newest: where other alerts are in the list, before those.
                let newest = self.call(connection, Side::Head, None, &batch).await?;
                batch.reverse();
                let older = self.call(connection, Side::Tail, None, &batch).await?;
                Answer { pushed: newest.pushed + older.pushed, ..older }
            } else {
                batch.reverse();
                let newer = self.alerts(to, 1).await?.pop();
                self.call(connection, Side::Tail, newer.as_ref(), &batch).await?
            };
            pushed += answer.pushed;
            if answer.length >= self.max_length {
                break;
            }
            to = oldest;
        }
        if pushed > 0 {
            let target = self.server.address();
            tracing::warn!(mirror = NAME, target, alerts = pushed, "the list had forgotten alerts and is filled again");
            self.note(MirrorCursor { refilled: self.cursor.refilled + 1, ..self.cursor }, 0).await?;
        }
        Ok(())
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
        side: Side,
        before: Option<&Alert>,
        alerts: &[Alert],
    ) -> Result<Answer, Failure> {
        let mut call = self.script.key(&self.key);
        call.arg(if side == Side::Head { "head" } else { "tail" }).arg(self.max_length);
        call.arg(before.map(|alert| format!("{}:{}", alert.seq, alert.id)).unwrap_or_default());
        for alert in alerts {
            call.arg(serde_json::to_string(alert).map_err(Failure::away)?);
        }
        let answer: (String, u64, u64, u64) = call.invoke_async(connection).await.map_err(failure)?;
        let (kind, found, pushed, length) = answer;
        if !matches!(kind.as_str(), "list" | "none") {
            let key = &self.key;
            let error = format!(
                "the key {key} holds a {kind}, not a list, and is left alone: rename or delete it, or set redis.key to another"
            );
            return Err(Failure { error, kind: Kind::Blocked });
        }
        Ok(Answer { found: found > 0, pushed, length })
    }

    /// Makes a cursor durable, and only then lets retention know.
    async fn note(&mut self, cursor: MirrorCursor, pushed: u64) -> Result<(), Failure> {
        if cursor != self.cursor {
            let shared = self.shared.clone();
            let noted = tokio::task::spawn_blocking(move || shared.move_mirror(NAME, &cursor, &[])).await;
            noted.map_err(|_| Failure::away("noting the cursor ended unexpectedly"))??;
            self.shared.hold_alerts(cursor.next, self.max_length);
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
        match self.carry().await {
            Err(failure) => failure,
            Ok(never) => match never {},
        }
    }
}

/// Whatever Redis says (no memory left, read-only, still loading, no script) or does not say in time is repeated.
fn failure(error: RedisError) -> Failure {
    let advice = match error.code() {
        Some("OOM") => ": raise its maxmemory, or lower redis.max_length",
        Some("READONLY") => ": it is a replica, set redis.url to the master",
        Some("NOAUTH" | "WRONGPASS") => ": set redis.password",
        _ => "",
    };
    Failure::away(format!("{error}{advice}"))
}
