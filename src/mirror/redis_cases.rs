//! The mirror of cases in a list of Redis, in their brief form: each once in its newest state, the one that changed last
//! first.
//!
//! A script (`cases.lua`) finds each case by its id and compares versions, so it does not matter how often a case is sent,
//! nor in which order. The script also says whether the case that was sent last is still there and how long the list is: a
//! list that lost cases is sent all of them again, at once the first time, then after pauses that double. It does not know
//! alerts.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use redis::Script;
use redis::aio::MultiplexedConnection;
use serde::Serialize;

use super::failure::{Failure, Kind};
use super::follow::{Follower, Sink, Taken};
use super::redis::failure;
use super::refills::Refills;
use crate::case_json::{CaseBriefJson, CaseRecordJson};
use crate::config::RedisConfig;
use crate::redis_client::RedisServer;
use crate::store::ChangedCase;

/// Cases in one call: some 60 KB.
const BATCH: usize = 100;

/// The sink of the cases. Its cursor is the number of the first change that the list lacks.
pub(super) struct CaseListSink {
    server: RedisServer,
    key: String,
    max_length: u64,
    check_interval: Duration,
    script: Script,
    refills: Refills,
}

/// A case as an element of the list.
#[derive(Serialize)]
struct Element<'a> {
    #[serde(flatten)]
    brief: &'a CaseBriefJson,
    /// Grows with each change of the case. IMPORTANT: the script finds it at the end.
    version: u64,
}

/// What the script answered.
struct Answer {
    pushed: u64,
    length: u64,
    has_last: bool,
}

impl CaseListSink {
    pub(super) fn new(server: RedisServer, config: &RedisConfig) -> Self {
        Self {
            server,
            key: config.cases_key.clone(),
            max_length: config.max_length as u64,
            check_interval: config.check_interval,
            script: Script::new(include_str!("cases.lua")),
            refills: Refills::new(config.check_interval),
        }
    }

    async fn follow_log(&mut self, follower: &mut Follower) -> Result<Infallible, Failure> {
        let mut connection = self.server.connect().await.map_err(failure)?;
        let mut changes = follower.store().case_changes();
        loop {
            changes.mark_unchanged();
            if self.step(follower, &mut connection).await? {
                // Both results lead to the next step; the channel stays open: the sender lives as long as this.
                let _ = tokio::time::timeout(self.check_interval, changes.changed()).await;
            }
        }
    }

    /// Sends the next cases, or only checks the list if there are none; true if there is nothing to do until the next
    /// change.
    async fn step(&mut self, follower: &mut Follower, connection: &mut MultiplexedConnection) -> Result<bool, Failure> {
        let from = follower.cursor().next;
        let last = follower.store().sample_cases(from).into_iter().next();
        let cases = follower.blocking(move |store| store.changed_cases(from, BATCH).map_err(Failure::away)).await?;
        let answer = self.call(connection, last.as_ref().map(|last| last.id.as_str()), &cases).await?;
        if let Some(newest) = cases.last() {
            let time = follower.cursor().time.max(cases.iter().map(|case| case.newest).max());
            let next = newest.change + 1;
            follower.acknowledge(Taken { next, time, count: answer.pushed, ..Taken::default() }).await?;
        }
        if cases.len() == BATCH {
            follower.health().up(false);
            return Ok(false);
        }
        let behind = follower.store().cases_behind(follower.cursor().next);
        let had = behind.kept.saturating_sub(behind.waiting);
        // Others may write to the list too, and push out what was sent last only where it is full.
        let forgotten = last.is_some() && !answer.has_last && answer.length < self.max_length;
        if !forgotten && answer.length >= self.max_length.min(had) {
            self.refills.intact(Instant::now());
            follower.health().up(true);
            return Ok(true);
        }
        let wait = self.refills.wait(Instant::now());
        if !wait.is_zero() {
            let words = format!(
                "the list {} has lost cases {} times and is filled again in {} s: something deletes it, or Redis evicts it \
                 (maxmemory-policy)",
                self.key,
                self.refills.count(),
                wait.as_secs() + 1
            );
            follower.health().lacking(&words, false);
            return Ok(true);
        }
        self.refills.begin(Instant::now());
        let (target, times) = (self.server.address(), self.refills.count());
        tracing::warn!(mirror = follower.name(), target, times, "the list had forgotten cases and is filled again");
        follower.refill(1).await?;
        Ok(false)
    }

    async fn call(
        &self,
        connection: &mut MultiplexedConnection,
        last: Option<&str>,
        cases: &[ChangedCase],
    ) -> Result<Answer, Failure> {
        let mut call = self.script.key(&self.key);
        call.arg(self.max_length).arg(last.unwrap_or_default());
        for case in cases {
            call.arg(element(case).map_err(Failure::away)?);
        }
        fail::fail_point!("mirror::before-send");
        let (kind, pushed, length, has_last): (String, u64, u64, u64) =
            call.invoke_async(connection).await.map_err(failure)?;
        if !matches!(kind.as_str(), "list" | "none") {
            let key = &self.key;
            let error = format!(
                "the key {key} holds a {kind}, not a list, and is left alone: rename or delete it, or set redis.cases_key to \
                 another"
            );
            return Err(Failure { error, kind: Kind::Blocked });
        }
        Ok(Answer { pushed, length, has_last: has_last > 0 })
    }
}

fn element(changed: &ChangedCase) -> serde_json::Result<String> {
    let record = CaseRecordJson::from(changed.worked.clone());
    serde_json::to_string(&Element { brief: &CaseBriefJson::of(&record.case), version: changed.change })
}

impl Sink for CaseListSink {
    async fn run(&mut self, follower: &mut Follower) -> Failure {
        match self.follow_log(follower).await {
            Err(failure) => failure,
            Ok(never) => match never {},
        }
    }
}
