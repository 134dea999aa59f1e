//! Write-through: passages to MyCat/MySQL, alerts to Redis. Each mirror follows the store from a cursor of its own.
//!
//! **Exactly once.** What a mirror sends is told apart by its key at the target (GCXH, or the alert's number and id), so
//! sending again changes nothing. The cursor moves only when the target has acknowledged. So it does not matter where
//! between sending, doing, answering and noting anything is killed: the next attempt begins at the cursor.
//!
//! **Apart from the road.** A mirror reads what is committed and published, on threads of its own; the writer never waits
//! for it. What a mirror holds in memory is one segment and a few statements. What its target lacks waits on the disk:
//! retention leaves it there, up to `store.mirror_hold`.
//!
//! **Without end.** While a target is away a mirror tries again, with growing pauses and never for the last time
//! (`follow`). Each of them is a `Mirror`; they know neither each other, nor the source, nor the interface.

mod health;
mod mycat;
mod redis;
mod refills;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use traffic::CivilTime;

use crate::clock::Clock;
use crate::config::Config;
use crate::mysql::{MysqlError, MysqlPool};
use crate::redis_client::{RedisClientError, RedisServer};
use crate::status::MirrorStatus;
use crate::store::{Shared, StoreError};

use health::{Health, Pauses};
pub use rows::{fitting, insert_statement, overwrite_statement};

/// Shards; the storage has a log for each.
const SHARDS: usize = 2;

/// Follows the store and keeps one target level with it.
pub(crate) trait Mirror: Send {
    /// How it is, which the loop and the status share.
    fn health(&self) -> Arc<Health>;

    /// Makes sure that the target has what it acknowledged, sends what it lacks, and goes on as more is committed. It
    /// only returns when the target fails; called again, it goes on behind what was acknowledged.
    fn run(&mut self) -> impl Future<Output = Failure> + Send;
}

/// Why a mirror had to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// In the target's words.
    pub(crate) error: String,
    /// What kind of failure it is.
    pub(crate) kind: Kind,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The target cannot be reached or does not do what it is told, for now.
    Away,
    /// Somebody must change something at the target first.
    Blocked,
    /// The target was reached, and refuses in words that blame neither itself nor a row.
    Unclear,
}

impl Failure {
    /// The target cannot be reached or does not do what it is told, for now.
    pub(crate) fn away(error: impl std::fmt::Display) -> Self {
        Self { error: error.to_string(), kind: Kind::Away }
    }
}

impl From<MysqlError> for Failure {
    fn from(error: MysqlError) -> Self {
        let text = match error.remedy() {
            Some(remedy) => format!("{error}; {remedy}"),
            None => error.to_string(),
        };
        let blocked = error.remedy().is_some() || matches!(error, MysqlError::Unfit(_));
        Self { error: text, kind: if blocked { Kind::Blocked } else { Kind::Away } }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::away(error)
    }
}

/// Why mirrors could not be started.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The settings cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisClientError),
    /// The cursors cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The running mirrors.
#[derive(Debug, Clone, Default)]
pub struct Mirrors(Vec<Arc<Health>>);

impl Mirrors {
    /// How they are. May read the disk.
    pub fn status(&self, shared: &Shared) -> Vec<MirrorStatus> {
        self.0.iter().map(|health| health.status(shared)).collect()
    }
}

/// Starts the mirrors that are configured; they end when `stop` is cancelled. From now on retention leaves them what
/// their targets lack, so this comes before the first commit. `clock` tells the time of the road.
///
/// # Errors
/// [`MirrorError`]; a target that cannot be reached is none.
pub fn start(
    config: &Config,
    shared: &Arc<Shared>,
    clock: impl Fn() -> CivilTime + Send + Sync + 'static,
    runtime: &tokio::runtime::Handle,
    stop: &CancellationToken,
) -> Result<Mirrors, MirrorError> {
    let mut started = Mirrors::default();
    let clock: Clock = Arc::new(clock);
    for shard in 0..SHARDS {
        // Two addresses: shard i is instance i. One address: MyCat, or whatever takes both.
        let Some(pool) = MysqlPool::of_shard(&config.mycat, shard, SHARDS) else { break };
        let mirror = mycat::ShardMirror::open(shard, pool, &config.mycat, shared, &clock)?;
        started.0.push(mirror.health());
        runtime.spawn(follow(mirror, config.mycat.retry_max, stop.clone()));
    }
    if let Some(server) = RedisServer::of(&config.redis)? {
        let mirror = redis::AlertMirror::open(server, &config.redis, shared)?;
        started.0.push(mirror.health());
        runtime.spawn(follow(mirror, config.redis.retry_max, stop.clone()));
    }
    Ok(started)
}

/// Runs a mirror until `stop`, with a pause after each failure.
async fn follow(mut mirror: impl Mirror, longest_pause: Duration, stop: CancellationToken) {
    let health = mirror.health();
    let mut pauses = Pauses::new(longest_pause);
    loop {
        let before = health.acknowledged();
        let failure = tokio::select! {
            failure = mirror.run() => failure,
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
