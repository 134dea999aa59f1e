//! The state of a mirror: what the status reports, and what is logged when that changes. It does not know targets.

use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use shard::ShardId;

use super::failure::{Failure, Kind};
use crate::clock::unix_now;
use crate::reader::Snapshot as _;
use crate::status::{MirrorState, MirrorStatus};
use crate::store::{MirrorCursor, RefusedRow, StoreHandle};

/// While a target is away, it is logged again after this long.
const REMIND: Duration = Duration::from_secs(60);
/// Number of refused rows that are shown.
const SHOWN_REFUSED: usize = 10;

/// What is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The passages of a shard.
    Shard(ShardId),
    /// The same as files, which refuse none.
    Files(ShardId),
    /// The newest alerts.
    Alerts {
        /// How many of them the target keeps, or how many wait for it at most.
        newest: u64,
    },
    /// The cases and the work on them. The cursor is the number of a change.
    Cases,
}

/// The state of one mirror.
#[derive(Debug)]
pub(super) struct Health {
    subject: Subject,
    name: String,
    target: String,
    changing: Mutex<Changing>,
}

#[derive(Debug)]
struct Changing {
    cursor: MirrorCursor,
    state: MirrorState,
    sent: u64,
    failures: u64,
    warnings: u64,
    refused: Vec<(String, String)>,
    last_error: Option<(String, i64)>,
    away: Option<(Instant, i64)>,
    reminded: Instant,
}

impl Health {
    pub(super) fn new(
        name: &str,
        subject: Subject,
        target: &str,
        cursor: MirrorCursor,
        refused: &[RefusedRow],
    ) -> Self {
        let health = Self {
            subject,
            name: name.to_owned(),
            target: target.to_owned(),
            changing: Mutex::new(Changing {
                cursor,
                state: MirrorState::Starting,
                sent: 0,
                failures: 0,
                warnings: 0,
                refused: Vec::new(),
                last_error: None,
                away: None,
                reminded: Instant::now(),
            }),
        };
        let refused: Vec<_> = refused.iter().map(|row| (row.gcxh.clone(), row.error.clone())).collect();
        health.changing().note_refused(&refused);
        health
    }

    fn changing(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock()
    }

    /// Rows that the target acknowledged to this process.
    pub(super) fn acknowledged(&self) -> u64 {
        self.changing().sent
    }

    /// The target was reached and executes requests; `level` if it has everything.
    pub(super) fn up(&self, level: bool) {
        let mut changing = self.changing();
        let before =
            std::mem::replace(&mut changing.state, if level { MirrorState::Level } else { MirrorState::Sending });
        match (before, changing.away.take()) {
            (_, Some((since, _))) => {
                let away_seconds = since.elapsed().as_secs();
                tracing::info!(mirror = self.name, target = self.target, away_seconds, "mirror goes on");
            }
            (MirrorState::Starting, None) => {
                tracing::info!(
                    mirror = self.name,
                    target = self.target,
                    cursor = changing.cursor.next,
                    "mirror follows"
                );
            }
            _ => {}
        }
    }

    /// The target acknowledged `rows` rows and the cursor was moved.
    pub(super) fn moved(&self, cursor: MirrorCursor, rows: u64, warnings: u64, refused: &[(String, String)]) {
        let mut changing = self.changing();
        changing.cursor = cursor;
        changing.sent += rows;
        if warnings > 0 && changing.warnings == 0 {
            tracing::error!(
                mirror = self.name,
                target = self.target,
                "the target warns, so it may change values: set its sql_mode to STRICT_ALL_TABLES"
            );
        }
        changing.warnings += warnings;
        for (id, error) in refused {
            tracing::error!(
                mirror = self.name,
                target = self.target,
                id,
                error,
                "the target refuses a row, which is kept with its words"
            );
        }
        changing.note_refused(refused);
    }

    /// The target takes what it is sent, and does not keep it; `blocked` if something must be changed there first.
    pub(super) fn lacking(&self, words: &str, blocked: bool) {
        let mut changing = self.changing();
        let state = if blocked { MirrorState::Blocked } else { MirrorState::Sending };
        let news = changing.state != state;
        changing.state = state;
        if blocked {
            changing.away.get_or_insert((Instant::now(), unix_now()));
        }
        changing.last_error = Some((words.to_owned(), unix_now()));
        if news || changing.reminded.elapsed() >= REMIND {
            changing.reminded = Instant::now();
            tracing::warn!(
                mirror = self.name,
                target = self.target,
                state = state.as_str(),
                error = words,
                "mirror cannot be level"
            );
        }
    }

    /// The mirror had to stop and will try again after `pause`.
    pub(super) fn failed(&self, failure: &Failure, pause: Duration) {
        let mut changing = self.changing();
        let now = unix_now();
        changing.failures += 1;
        let state = if failure.kind == Kind::Blocked { MirrorState::Blocked } else { MirrorState::Away };
        let news = changing.away.is_none() || changing.state != state;
        changing.state = state;
        changing.away.get_or_insert((Instant::now(), now));
        changing.last_error = Some((failure.error.clone(), now));
        if news || changing.reminded.elapsed() >= REMIND {
            changing.reminded = Instant::now();
            tracing::warn!(
                mirror = self.name,
                target = self.target,
                state = state.as_str(),
                cursor = changing.cursor.next,
                error = failure.error,
                next_attempt_ms = pause.as_millis() as u64,
                "mirror cannot go on and tries again"
            );
        }
    }

    pub(super) fn status(&self, shared: &StoreHandle) -> MirrorStatus {
        let totals = shared.progress().totals;
        let newest_passage = totals.last_time;
        let (end, newest, oldest) = match self.subject {
            Subject::Shard(shard) | Subject::Files(shard) => {
                (totals.by_shard.get(shard).copied().unwrap_or(0), newest_passage, totals.first_time)
            }
            Subject::Alerts { .. } => (totals.alerts, None, totals.first_time),
            Subject::Cases => (0, None, totals.first_time),
        };
        let changing = self.changing();
        // How many cases there are, and how many the target has as they are.
        let behind = (self.subject == Subject::Cases).then(|| shared.cases_behind(changing.cursor.next));
        let (end, newest) = behind.map_or((end, newest), |behind| (behind.kept, behind.newest));
        // An alert's cursor is the number of the first that the target lacks, from 1.
        let cursor = match self.subject {
            Subject::Shard(_) | Subject::Files(_) => changing.cursor.next,
            Subject::Alerts { .. } => changing.cursor.next.saturating_sub(1),
            Subject::Cases => end.saturating_sub(behind.map_or(0, |behind| behind.waiting)),
        };
        let mut status = MirrorStatus {
            name: self.name.clone(),
            target: self.target.clone(),
            state: changing.state,
            cursor,
            end,
            lag_seconds: 0,
            sent: changing.sent,
            failures: changing.failures,
            refused: changing.cursor.refused,
            recently_refused: changing.refused.clone(),
            lost: changing.cursor.lost,
            refilled: changing.cursor.refilled,
            warnings: changing.warnings,
            last_error: changing.last_error.clone(),
            away_since_unix: changing.away.map(|(_, unix)| unix),
        };
        let had = changing.cursor.time.or(oldest);
        drop(changing);
        if status.lag_rows() > 0 {
            // Between a commit and its acknowledgement every mirror lags for a moment.
            if status.state == MirrorState::Level {
                status.state = MirrorState::Sending;
            }
            let newest = newest.or_else(|| newest_alert(shared));
            status.lag_seconds = newest.zip(had).map_or(0, |(newest, had)| (newest - had).max(0));
        }
        status
    }
}

impl Changing {
    fn note_refused(&mut self, rows: &[(String, String)]) {
        self.refused.extend_from_slice(rows);
        let excess = self.refused.len().saturating_sub(SHOWN_REFUSED);
        self.refused.drain(..excess);
    }
}

fn newest_alert(shared: &StoreHandle) -> Option<i64> {
    let newest = shared.view().newest_alerts(1).ok()?.pop()?;
    Some(newest.later.passed_at.0)
}
