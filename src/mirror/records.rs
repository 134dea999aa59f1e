//! The mirrors of alerts and of cases in MySQL: `traffic_alerts` and `traffic_cases` on the first instance, directly or
//! through MyCat by the hint for its dataNode.
//!
//! A record is known by its id: sending it again changes nothing, and a case never takes the place of a newer state of its
//! own. Records go one statement after another, each under the limit of MyCat; the cursor moves over what was acknowledged.
//! A target that lacks what it acknowledged, or has an older state of it, is filled again from there on. It does not know
//! how statements look.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::failure::{Failure, UnclearFailures};
use super::follow::{Follower, Sink, Taken};
use super::mycat::{LOOK_AGAIN, send_rows};
use super::record_rows::{ALERT_FORM, CASE_FORM, alert_row, alerts_question, case_row, cases_question};
use super::refills::Refills;
use super::statement::Form;
use crate::clock::Clock;
use crate::config::MycatConfig;
use crate::mysql::{MysqlPool, texts, whole};
use crate::reader::Snapshot as _;
use crate::store::{ChangedCase, StoreHandle, distances};

/// Cases that are read at once; one takes up to 100 KB.
const CASES_AT_ONCE: usize = 50;
/// Ids of refused records that are remembered.
const REMEMBERED_REFUSED: usize = 10_000;

/// What is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    Alerts,
    Cases,
}

/// A record on its way.
struct Outgoing {
    id: String,
    /// The cursor behind it.
    next: u64,
    /// Its event time.
    time: i64,
    /// Its values.
    row: String,
}

/// A record that the target should have.
struct Expected {
    id: String,
    /// At least this; 0 where it has none.
    version: u64,
    /// The cursor behind it.
    next: u64,
    /// Its event time.
    time: i64,
}

/// The sink of alerts or of cases.
pub(super) struct RecordSink {
    records: Records,
    pool: Arc<MysqlPool>,
    clock: Clock,
    batch_rows: usize,
    check_interval: Duration,
    /// Seconds of event time within which the target keeps what it has; none = forever.
    kept: Option<i64>,
    /// Unclear failures in a row.
    unclear: UnclearFailures,
    refills: Refills,
    /// Ids that the target refused, which it cannot have.
    refused: BTreeSet<String>,
}

impl RecordSink {
    /// The sink of `records` at the first instance, which `pool` leads to.
    pub(super) fn new(records: Records, pool: Arc<MysqlPool>, config: &MycatConfig, clock: &Clock) -> Self {
        Self {
            records,
            pool,
            clock: clock.clone(),
            batch_rows: config.batch_rows,
            check_interval: config.check_interval,
            kept: config.alerts_retention.duration().map(|kept| kept.as_secs() as i64),
            unclear: UnclearFailures::default(),
            refills: Refills::new(config.check_interval),
            refused: BTreeSet::new(),
        }
    }

    fn form(&self) -> &'static Form {
        match self.records {
            Records::Alerts => &ALERT_FORM,
            Records::Cases => &CASE_FORM,
        }
    }

    /// Wakes when there may be more.
    fn changes(&self, store: &StoreHandle) -> watch::Receiver<u64> {
        match self.records {
            Records::Alerts => store.commits(),
            Records::Cases => store.case_changes(),
        }
    }

    async fn follow_log(&mut self, follower: &mut Follower) -> Result<Infallible, Failure> {
        // Nothing is written where it would arrive changed; and now it is known whether MyCat is there.
        self.pool.check_fitness().await?;
        // An empty statement about the table: what must be changed there first is known before there is anything to send.
        self.check(follower).await?;
        let mut changes = self.changes(follower.store());
        let mut check_at = Instant::now() + self.check_interval;
        loop {
            changes.mark_unchanged();
            let batch = self.next_batch(follower).await?;
            if !batch.is_empty() {
                self.send(follower, batch).await?;
                follower.health().up(false);
                if Instant::now() < check_at {
                    continue;
                }
            } else {
                follower.health().up(true);
                tokio::select! {
                    () = tokio::time::sleep_until(check_at) => {}
                    _ = changes.changed() => continue,
                }
            }
            self.check(follower).await?;
            check_at = Instant::now() + self.check_interval;
        }
    }

    /// The next records to send, as many as one statement takes.
    async fn next_batch(&self, follower: &Follower) -> Result<Vec<Outgoing>, Failure> {
        let from = follower.cursor().next;
        let mut batch = match self.records {
            Records::Alerts => {
                // After a power cut the store may have less than was sent.
                let from = from.min(follower.store().view().totals().alerts + 1);
                let alerts = follower.alerts(from, self.batch_rows as u64).await?;
                let outgoing = |alert: traffic::Alert| {
                    let row = alert_row(&alert).map_err(Failure::away)?;
                    let (id, next, time) = (alert.id.to_string(), alert.seq + 1, alert.later.passed_at.0);
                    Ok(Outgoing { id, next, time, row })
                };
                alerts.into_iter().map(outgoing).collect::<Result<Vec<_>, Failure>>()?
            }
            Records::Cases => {
                let limit = CASES_AT_ONCE.min(self.batch_rows);
                let cases =
                    follower.blocking(move |store| store.changed_cases(from, limit).map_err(Failure::away)).await?;
                let outgoing = |case: ChangedCase| {
                    let row = case_row(&case).map_err(Failure::away)?;
                    Ok(Outgoing { id: case.worked.case.id, next: case.change + 1, time: case.newest, row })
                };
                cases.into_iter().map(outgoing).collect::<Result<Vec<_>, Failure>>()?
            }
        };
        let rows: Vec<&str> = batch.iter().map(|outgoing| outgoing.row.as_str()).collect();
        batch.truncate(self.form().fitting(&rows));
        Ok(batch)
    }

    async fn send(&mut self, follower: &mut Follower, batch: Vec<Outgoing>) -> Result<(), Failure> {
        let before = follower.cursor();
        let rows: Vec<&str> = batch.iter().map(|outgoing| outgoing.row.as_str()).collect();
        let form = self.form();
        let hinted = Form { head: self.pool.on_first_node(&form.head), tail: form.tail.clone() };
        let sent = send_rows(&self.pool, &hinted, &rows, self.unclear.are_many()).await?;
        let mut refused_records = Vec::new();
        for (place, error) in sent.refused {
            let Some(outgoing) = batch.get(place) else { continue };
            if self.refused.len() < REMEMBERED_REFUSED {
                self.refused.insert(outgoing.id.clone());
            }
            refused_records.push((outgoing.id.clone(), error));
        }
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(()) };
        // Alerts are numbered without gaps: those before the first were dropped while they waited.
        let lost = if self.records == Records::Alerts { (first.next - 1).saturating_sub(before.next) } else { 0 };
        let time = before.time.max(batch.iter().map(|outgoing| outgoing.time).max());
        let (next, count) = (last.next, batch.len() as u64);
        let taken = Taken { next, time, count, lost, warnings: sent.warnings, refused_records, ..Taken::default() };
        follower.acknowledge(taken).await?;
        self.unclear = UnclearFailures::default();
        Ok(())
    }

    /// Asks the target for some of what it acknowledged, and goes back if it lacks any.
    async fn check(&mut self, follower: &mut Follower) -> Result<(), Failure> {
        let before = follower.cursor().next;
        let expected = self.expected(follower, before).await?;
        if self.first_missing(&expected).await?.is_none() {
            self.refills.intact(std::time::Instant::now());
            return Ok(());
        }
        // Through MyCat a row is seen only a moment after it was written.
        tokio::time::sleep(LOOK_AGAIN).await;
        let Some(next) = self.first_missing(&expected).await? else { return Ok(()) };
        if !self.refills.wait(std::time::Instant::now()).is_zero() {
            return Ok(());
        }
        self.refills.begin(std::time::Instant::now());
        let (mirror, target) = (follower.name(), self.pool.address());
        tracing::warn!(
            mirror,
            target,
            from = next,
            to = before,
            "the target lacks records that it had, they are sent again"
        );
        follower.refill(next).await
    }

    /// Some of what the target acknowledged, the newest first: the last, and others with growing distances back.
    async fn expected(&self, follower: &Follower, before: u64) -> Result<Vec<Expected>, Failure> {
        match self.records {
            Records::Cases => {
                let samples = follower.store().sample_cases(before).into_iter();
                let expected = |sample: crate::store::CaseSample| Expected {
                    id: sample.id,
                    version: sample.change,
                    next: sample.change + 1,
                    time: sample.newest,
                };
                Ok(samples.map(expected).collect())
            }
            Records::Alerts => {
                let oldest = follower.store().progress().totals.oldest_alert.max(1);
                let sample = move |store: &StoreHandle| {
                    let view = store.view();
                    let mut found = Vec::new();
                    for back in distances(before.saturating_sub(oldest)) {
                        found.extend(view.alerts_after(before - back - 1, 1).map_err(Failure::away)?);
                    }
                    Ok::<_, Failure>(found)
                };
                let expected = |alert: traffic::Alert| Expected {
                    id: alert.id.to_string(),
                    version: 0,
                    next: alert.seq + 1,
                    time: alert.later.passed_at.0,
                };
                Ok(follower.blocking(sample).await?.into_iter().map(expected).collect())
            }
        }
    }

    /// The cursor from which the target may lack records that it acknowledged; none if it seems to have all. The answer is
    /// only trusted while the instance is there.
    async fn first_missing(&self, expected: &[Expected]) -> Result<Option<u64>, Failure> {
        let ids = expected.iter().map(|record| record.id.as_str());
        let question = match self.records {
            Records::Alerts => alerts_question(ids),
            Records::Cases => cases_question(ids),
        };
        let question = self.pool.on_first_node(&question);
        let answer = self.pool.trusted(self.pool.rows(&question)).await?;
        let there: std::collections::BTreeMap<String, u64> = answer
            .into_iter()
            .filter_map(|row| {
                let mut texts = texts(row).into_iter();
                let id = texts.next()??;
                Some((id, texts.next().flatten().and_then(|text| whole(&text)).unwrap_or(0)))
            })
            .collect();
        // What the target's own cleaning removes is not missing, nor what it may be removing just now.
        let oldest = self.kept.map_or(i64::MIN, |kept| (self.clock)().0.saturating_sub(kept - kept / 4));
        let is_missing = |record: &Expected| {
            record.time >= oldest
                && !self.refused.contains(&record.id)
                && there.get(&record.id).is_none_or(|version| *version < record.version)
        };
        let Some(last) = expected.iter().rposition(is_missing) else { return Ok(None) };
        // Behind the newest that is older than all that are missing.
        Ok(Some(expected.get(last + 1).map_or(1, |record| record.next)))
    }
}

impl Sink for RecordSink {
    async fn run(&mut self, follower: &mut Follower) -> Failure {
        let failure = match self.follow_log(follower).await {
            Err(failure) => failure,
            Ok(never) => match never {},
        };
        self.unclear.count(&failure);
        failure
    }
}
