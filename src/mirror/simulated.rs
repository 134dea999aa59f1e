//! A simulated MySQL for the rows of shards, and the mirror of a shard to it, for docs/simulation.md. It stands where
//! the pool of connections and the server would be; sink, follower, cursor and hold are the real ones.
//!
//! Modelled: a statement that arrives late, or after its session has ended, or twice, or not at all; one that was applied and
//! whose answer is lost; a server that is away, or was made empty. A row is known by its GCXH, and the first one stays, as
//! `ON DUPLICATE KEY UPDATE id=id` does. Not modelled: refused rows, MyCat.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use shard::ShardId;

use super::failure::Failure;
use super::follow::{Follower, Sink as _};
use super::health::Subject;
use super::mycat::{Batch, Look, Sent, ShardSink, Target};
use super::rows::line;
use super::tasks;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Sample, StoreHandle};

/// Between two sessions.
const PAUSE: Duration = Duration::from_millis(200);

/// The server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Server(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    table: BTreeMap<String, String>,
    /// Rows by the appliance and number under which they were ever applied.
    applied: BTreeSet<(String, u64)>,
    under_way: Vec<Statement>,
    answers: BTreeMap<u64, Result<(), ()>>,
    wakers: BTreeMap<u64, Waker>,
    statements: u64,
    is_away: bool,
    /// The planted fault: it says yes before it has done anything.
    answers_at_once: bool,
}

#[derive(Debug, Clone)]
struct Statement {
    number: u64,
    rows: Vec<(String, u64, String, String)>,
}

impl State {
    fn apply(&mut self, statement: &Statement) {
        for (mirror, number, gcxh, line) in &statement.rows {
            self.applied.insert((mirror.clone(), *number));
            self.table.entry(gcxh.clone()).or_insert_with(|| line.clone());
        }
    }

    fn answer(&mut self, statement: u64, answer: Result<(), ()>) {
        self.answers.insert(statement, answer);
        if let Some(waker) = self.wakers.remove(&statement) {
            waker.wake();
        }
    }
}

impl Server {
    /// A server that answers before it has done anything.
    pub(crate) fn hasty() -> Self {
        let server = Self::default();
        server.0.lock().answers_at_once = true;
        server
    }

    /// One statement that is under way arrives, or does not. `unusual` gives 0 where nothing unusual is to happen.
    pub(crate) fn step(&self, unusual: &dyn Fn(u64) -> u64) {
        let state = &mut *self.0.lock();
        if state.under_way.is_empty() || state.is_away {
            return;
        }
        let place = unusual(state.under_way.len() as u64) as usize;
        let statement = state.under_way.remove(place);
        let number = statement.number;
        match unusual(16) {
            1 => {
                state.apply(&statement);
                state.answer(number, Err(()));
            }
            2 => state.answer(number, Err(())),
            3 => {
                state.apply(&statement);
                state.answer(number, Ok(()));
                state.under_way.push(statement);
            }
            // It waits, and may outlive its session.
            4 => {
                state.under_way.push(statement);
                state.answer(number, Err(()));
            }
            _ => {
                state.apply(&statement);
                state.answer(number, Ok(()));
            }
        }
    }

    /// From now on it is away, or there again.
    pub(crate) fn set_away(&self, is_away: bool) {
        let state = &mut *self.0.lock();
        state.is_away = is_away;
        if is_away {
            for statement in std::mem::take(&mut state.under_way) {
                state.answer(statement.number, Err(()));
            }
        }
    }

    /// It was made empty.
    pub(crate) fn forget(&self) {
        self.0.lock().table.clear();
    }

    /// Whether the row was ever applied that the mirror of this name sent under this number.
    pub(crate) fn has_applied(&self, mirror: &str, row: u64) -> bool {
        self.0.lock().applied.contains(&(mirror.to_owned(), row))
    }

    /// GCXH of all that it has.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.0.lock().table.keys().cloned().collect()
    }

    fn submit(&self, rows: Vec<(String, u64, String, String)>) -> Result<u64, Failure> {
        let state = &mut *self.0.lock();
        if state.is_away {
            return Err(Failure::away("the server is away"));
        }
        state.statements += 1;
        let number = state.statements;
        state.under_way.push(Statement { number, rows });
        if state.answers_at_once {
            state.answers.insert(number, Ok(()));
        }
        Ok(number)
    }

    async fn answered(&self, statement: u64) -> Result<(), Failure> {
        let poll = |context: &mut Context<'_>| {
            let state = &mut *self.0.lock();
            match state.answers.remove(&statement) {
                Some(answer) => Poll::Ready(answer.map_err(|()| Failure::away("the connection broke"))),
                None => {
                    state.wakers.insert(statement, context.waker().clone());
                    Poll::Pending
                }
            }
        };
        std::future::poll_fn(poll).await
    }
}

/// The server as the mirror of one shard has it.
#[derive(Debug, Clone)]
struct SimulatedTarget {
    server: Server,
    /// The mirror, as the server tells it from those of other appliances.
    mirror: String,
}

impl Target for SimulatedTarget {
    fn address(&self) -> &str {
        "simulated"
    }

    async fn check_fitness(&self) -> Result<(), Failure> {
        match self.server.0.lock().is_away {
            true => Err(Failure::away("the server is away")),
            false => Ok(()),
        }
    }

    async fn send(&self, _: ShardId, batch: Batch, _: bool) -> Result<Sent, Failure> {
        let rows = batch.rows.iter().map(|(row, passage)| {
            let text = line(passage);
            (self.mirror.clone(), *row, passage.gcxh.clone(), text)
        });
        let statement = self.server.submit(rows.collect())?;
        self.server.answered(statement).await?;
        Ok(Sent { batch, warnings: 0, refused: Vec::new() })
    }

    async fn present(&self, samples: &[Sample], _: Look) -> Result<Vec<String>, Failure> {
        self.check_fitness().await?;
        let state = self.server.0.lock();
        let there = samples.iter().map(|sample| &sample.gcxh).filter(|gcxh| state.table.contains_key(*gcxh));
        Ok(there.cloned().collect())
    }
}

/// The running mirror of one shard.
pub(crate) struct Mirror(Pin<Box<dyn Future<Output = ()>>>);

impl Mirror {
    /// The name under which the cursor of a shard's mirror is stored.
    pub(crate) fn name(shard: ShardId) -> String {
        ShardSink::name(shard)
    }

    /// Starts the mirror of `shard` of an appliance to `server`. `failed` learns why it begins again.
    pub(crate) fn start(
        appliance: usize,
        shard: ShardId,
        store: &Arc<StoreHandle>,
        server: &Server,
        rows: u64,
        failed: impl Fn(&str) + 'static,
    ) -> Self {
        let text = "[mycat]\nurls = [\"mysql://u:p@127.0.0.1:1/d\"]\n";
        let mut config = Config::from_toml(text, []).expect("settings").mycat;
        config.batch_rows = rows as usize;
        config.check_interval = Duration::from_secs(3);
        let name = Self::name(shard);
        let target = SimulatedTarget { server: server.clone(), mirror: format!("{appliance}/{name}") };
        let clock: Clock = Arc::new(|| traffic::CivilTime(0));
        let mut sink = ShardSink::new(shard, store.shards(), target, &config, &clock);
        let opened = Follower::open(&name, Subject::Shard(shard), "simulated", store);
        let mut follower = opened.expect("a follower");
        Self(Box::pin(async move {
            loop {
                let failure = sink.run(&mut follower).await;
                failed(&failure.error);
                follower.health().failed(&failure, PAUSE);
                tasks::sleep(PAUSE).await;
            }
        }))
    }

    /// It does what it can do now.
    pub(crate) fn step(&mut self) {
        let done = self.0.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(done.is_pending());
    }
}
