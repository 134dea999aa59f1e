//! The follower, which all sinks share: by the sink's name it owns the cursor, the hold on what retention may drop, the
//! state for the status, and the retries.
//!
//! A sink brings its configuration, a pure builder of requests, and [`Sink::run`], which sends. It reads what to send
//! through the [`Follower`], and reports to it what the target took. IMPORTANT: a cursor is durable before the hold
//! moves, so a kill between the two keeps too much, never too little. The follower does not know targets.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use traffic::Alert;

use super::failure::Failure;
use super::health::{Health, Subject};
use super::pauses::Pauses;
use super::tasks;
use crate::reader::Snapshot as _;
use crate::store::{MirrorCursor, RefusedRow, StoreError, StoreHandle};

/// Refused rows that are read for the status when a mirror starts.
const SHOWN_REFUSED: usize = 16;

/// Keeps one target up to date.
pub(super) trait Sink: Send {
    /// Makes sure that the target has what it acknowledged, sends what it lacks, and goes on as more is committed. It
    /// only returns when the target fails; called again, it resumes at the follower's cursor.
    fn run(&mut self, follower: &mut Follower) -> impl Future<Output = Failure> + Send;
}

/// Where a sink is in what it mirrors.
#[derive(Debug)]
pub(super) struct Follower {
    name: String,
    subject: Subject,
    store: Arc<StoreHandle>,
    health: Arc<Health>,
    cursor: MirrorCursor,
}

/// What a target took.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The first row or alert that it lacks now.
    pub(super) next: u64,
    /// The newest event time among those that it has.
    pub(super) time: Option<i64>,
    /// How many it took.
    pub(super) count: u64,
    /// Rows before `next` that retention had dropped.
    pub(super) lost: u64,
    /// Warnings of the target.
    pub(super) warnings: u64,
    /// Rows that it refused.
    pub(super) refused: Vec<RefusedRow>,
    /// Alerts or cases that it refused, by their id, with its message. They stay in the store.
    pub(super) refused_records: Vec<(String, String)>,
}

impl Follower {
    /// Finds the cursor of the sink `name`, and has retention wait for it. `target` is the address for the status.
    ///
    /// # Errors
    /// [`StoreError`] if the cursor cannot be read, or if another sink has this name.
    pub(super) fn open(
        name: &str,
        subject: Subject,
        target: &str,
        store: &Arc<StoreHandle>,
    ) -> Result<Self, StoreError> {
        store.claim_mirror(name)?;
        let cursor = match (store.mirror_cursor(name)?, subject) {
            (Some(cursor), _) => cursor,
            // What was dropped before there was a mirror is not lost to it.
            (None, Subject::Shard(shard) | Subject::Files(shard)) => {
                MirrorCursor { next: store.oldest_row(shard), ..MirrorCursor::default() }
            }
            (None, Subject::Alerts { .. }) => {
                let next = store.progress().totals.oldest_alert.max(1);
                MirrorCursor { next, ..MirrorCursor::default() }
            }
            (None, Subject::Cases) => MirrorCursor { next: 1, ..MirrorCursor::default() },
        };
        if subject == Subject::Cases {
            // A change that comes now is newer than all that the target has.
            store.pass_case_changes(cursor.next.saturating_sub(1));
        }
        let refused = match subject {
            Subject::Shard(shard) => {
                let rows = store.refused_rows(SHOWN_REFUSED)?.into_iter();
                rows.filter(|row| row.shard == u32::from(shard.number())).collect()
            }
            Subject::Files(_) | Subject::Alerts { .. } | Subject::Cases => Vec::new(),
        };
        let follower = Self {
            name: name.to_owned(),
            subject,
            store: store.clone(),
            health: Arc::new(Health::new(name, subject, target, cursor, &refused)),
            cursor,
        };
        follower.hold();
        Ok(follower)
    }

    /// The name of the sink, by which its cursor is stored.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How far the target has come.
    pub(super) fn cursor(&self) -> MirrorCursor {
        self.cursor
    }

    /// The state that the status reports.
    pub(super) fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// The store that is followed. What reads the disk goes through [`Follower::blocking`].
    pub(super) fn store(&self) -> &StoreHandle {
        &self.store
    }

    /// Runs disk access on a thread that may block.
    pub(super) async fn blocking<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl FnOnce(&StoreHandle) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let store = self.store.clone();
        Ok(tasks::blocking(move || work(&store)).await??)
    }

    /// Stored alerts from number `from` on, at most `count`, oldest first.
    pub(super) async fn alerts(&self, from: u64, count: u64) -> Result<Vec<Alert>, Failure> {
        self.blocking(move |store| {
            store.view().alerts_after(from.saturating_sub(1), count as usize).map_err(Failure::away)
        })
        .await
    }

    /// The target has what `taken` says: the cursor moves past it.
    pub(super) async fn acknowledge(&mut self, taken: Taken) -> Result<(), Failure> {
        let Taken { next, time, count, lost, warnings, refused, refused_records } = taken;
        fail::fail_point!("mirror::sent");
        if lost > 0 {
            let what =
                if matches!(self.subject, Subject::Shard(_) | Subject::Files(_)) { "passages" } else { "alerts" };
            tracing::error!(mirror = self.name, rows = lost, "retention dropped {what} before the target took them");
        }
        let cursor = MirrorCursor {
            next,
            time,
            refused: self.cursor.refused + (refused.len() + refused_records.len()) as u64,
            lost: self.cursor.lost + lost,
            refilled: self.cursor.refilled,
        };
        let refused = self.store_cursor(cursor, refused).await?;
        let rows = refused.into_iter().map(|row| (row.gcxh, row.error));
        let all: Vec<(String, String)> = rows.chain(refused_records).collect();
        self.health.moved(cursor, count, warnings, &all);
        Ok(())
    }

    /// The target lost what it had: from `next` on it is sent again.
    pub(super) async fn refill(&mut self, next: u64) -> Result<(), Failure> {
        let cursor = MirrorCursor { next, refilled: self.cursor.refilled + 1, ..self.cursor };
        self.store_cursor(cursor, Vec::new()).await?;
        self.health.moved(cursor, 0, 0, &[]);
        Ok(())
    }

    /// Makes a cursor durable, and only then lets retention drop what is before it.
    async fn store_cursor(
        &mut self,
        cursor: MirrorCursor,
        refused: Vec<RefusedRow>,
    ) -> Result<Vec<RefusedRow>, Failure> {
        if cursor == self.cursor && refused.is_empty() {
            return Ok(refused);
        }
        let name = self.name.clone();
        let store = move |store: &StoreHandle| store.move_mirror(&name, &cursor, &refused).map(|()| refused);
        let refused = self.blocking(store).await?;
        fail::fail_point!("mirror::acknowledged");
        self.cursor = cursor;
        self.hold();
        Ok(refused)
    }

    /// Retention keeps what is not acknowledged.
    fn hold(&self) {
        match self.subject {
            Subject::Shard(shard) | Subject::Files(shard) => self.store.hold_rows(&self.name, shard, self.cursor.next),
            Subject::Alerts { newest } => self.store.hold_alerts(&self.name, self.cursor.next, newest),
            // They are kept as long as alerts, far longer than an outage.
            Subject::Cases => {}
        }
    }
}

/// Runs a sink until `stop`, with growing pauses after failures.
pub(super) async fn follow(
    mut sink: impl Sink,
    mut follower: Follower,
    longest_pause: Duration,
    stop: CancellationToken,
) {
    let health = follower.health.clone();
    let mut pauses = Pauses::new(longest_pause);
    loop {
        let before = health.acknowledged();
        let failure = tokio::select! {
            failure = sink.run(&mut follower) => failure,
            () = stop.cancelled() => return,
        };
        if health.acknowledged() != before {
            pauses.reset();
        }
        let pause = pauses.next();
        health.failed(&failure, pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests;
