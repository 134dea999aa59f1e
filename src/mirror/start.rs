//! Starting the mirrors that are configured, and their status. It alone knows which mirrors there are.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use traffic::CivilTime;

use super::follow::{Follower, follow};
use super::health::{Health, Subject};
use super::lake::LakeSink;
use super::mycat::ShardSink;
use super::records::{RecordSink, Records};
use super::redis::ListSink;
use super::redis_cases::CaseListSink;
use crate::config::Config;
use crate::lake::{LakeFolder, number_name};
use crate::mysql::MysqlPool;
use crate::redis_client::{RedisClientError, RedisServer};
use crate::status::MirrorStatus;
use crate::store::{StoreError, StoreHandle};

/// The newest alerts that retention leaves for a MySQL that is away: some 50 MB.
const WAITING_ALERTS: u64 = 100_000;

/// Why mirrors could not be started.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The settings cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisClientError),
    /// The operating system gives no random number.
    #[error("the operating system gives no random bytes: {0}")]
    NoRandomness(#[from] getrandom::Error),
    /// The cursors cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The running mirrors.
#[derive(Debug, Clone, Default)]
pub struct Mirrors(Vec<Arc<Health>>);

impl Mirrors {
    /// Their states. May read the disk.
    pub fn status(&self, shared: &StoreHandle) -> Vec<MirrorStatus> {
        self.0.iter().map(|health| health.status(shared)).collect()
    }
}

/// Starts the mirrors that are configured; they end when `stop` is cancelled. From now on retention keeps what their
/// targets lack, so this comes before the first commit. `clock` gives the civil time on the road.
///
/// # Errors
/// [`MirrorError`]; an unreachable target is not an error.
pub fn start(
    config: &Config,
    shared: &Arc<StoreHandle>,
    clock: impl Fn() -> CivilTime + Send + Sync + 'static,
    runtime: &tokio::runtime::Handle,
    stop: &CancellationToken,
) -> Result<Mirrors, MirrorError> {
    let mut started = Mirrors::default();
    let clock: Arc<dyn Fn() -> CivilTime + Send + Sync> = Arc::new(clock);
    let shards = shared.shards();
    for shard in shards.ids() {
        // Several addresses: shard i is instance i. One address: MyCat, or whatever takes all.
        let Some(pool) = MysqlPool::of_shard(&config.mycat, shard.index(), shards.get()) else { break };
        let follower = Follower::open(&ShardSink::name(shard), Subject::Shard(shard), pool.address(), shared)?;
        let sink = ShardSink::new(shard, shards, pool, &config.mycat, &clock);
        started.0.push(follower.health().clone());
        runtime.spawn(follow(sink, follower, config.mycat.retry_max, stop.clone()));
    }
    // Alerts and cases are not sharded: all are on the first instance.
    for (name, subject, records) in [
        ("mysql/alerts", Subject::Alerts { newest: WAITING_ALERTS }, Records::Alerts),
        ("mysql/cases", Subject::Cases, Records::Cases),
    ] {
        let Some(pool) = MysqlPool::of_shard(&config.mycat, 0, shards.get()) else { break };
        let follower = Follower::open(name, subject, pool.address(), shared)?;
        let sink = RecordSink::new(records, pool, &config.mycat, &clock);
        started.0.push(follower.health().clone());
        runtime.spawn(follow(sink, follower, config.mycat.retry_max, stop.clone()));
    }
    if let Some(server) = RedisServer::of(&config.redis)? {
        let newest = config.redis.max_length as u64;
        let follower = Follower::open("redis", Subject::Alerts { newest }, server.address(), shared)?;
        let sink = ListSink::new(server.clone(), &config.redis);
        started.0.push(follower.health().clone());
        runtime.spawn(follow(sink, follower, config.redis.retry_max, stop.clone()));
        let follower = Follower::open("redis/cases", Subject::Cases, server.address(), shared)?;
        let sink = CaseListSink::new(server, &config.redis);
        started.0.push(follower.health().clone());
        runtime.spawn(follow(sink, follower, config.redis.retry_max, stop.clone()));
    }
    if let Some(folder) = &config.lake.dir {
        let number = shared.folder_number(&number_name(config.lake.edition), getrandom::u64()?)?;
        let place = LakeFolder::new(folder, number);
        for shard in shards.ids() {
            let name = LakeSink::name(&config.lake, shard);
            let follower = Follower::open(&name, Subject::Files(shard), &folder.display().to_string(), shared)?;
            let sink = LakeSink::new(shard, shards, place.clone(), &config.lake);
            started.0.push(follower.health().clone());
            runtime.spawn(follow(sink, follower, config.lake.retry_max, stop.clone()));
        }
    }
    Ok(started)
}
