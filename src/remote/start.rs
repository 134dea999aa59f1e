//! Starting the reader: its connections from the settings, and its watch. It waits for no server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use traffic::Catalogue;

use super::case_changes::CaseChanges;
use super::cases::Cases;
use super::error::RemoteError;
use super::passages::Passages;
use super::reader::Remote;
use super::refreshed::Refreshed;
use super::snapshot::Core;
use super::target::Target;
use super::warnings::Warnings;
use super::watch::watch;
use crate::config::Config;
use crate::mysql::MysqlPool;
use crate::redis_client::RedisServer;

/// Counts for a single query are kept no longer than this.
const QUESTION_LIFETIME: Duration = Duration::from_secs(3);
/// Most connections to one address.
const MAX_POOL: usize = 32;

impl Remote {
    /// A reader of the configured servers, and the watch that probes them until `stop`. Waits for none of them.
    ///
    /// # Errors
    /// [`RemoteError`] if a server is not configured.
    pub fn start(config: &Config, runtime: &Handle, stop: CancellationToken) -> Result<Arc<Self>, RemoteError> {
        let mut mycat = config.mycat.clone();
        // No request waits longer than this for an answer.
        mycat.statement_timeout = mycat.statement_timeout.min(config.api.query_timeout);
        // As many statements as there may be queries, up to a limit: beyond it they would only wait in the server.
        mycat.pool_size = mycat.pool_size.max(config.api.max_concurrent_queries.min(MAX_POOL));
        let pools = MysqlPool::of(&mycat);
        if pools.is_empty() {
            return Err(RemoteError::NoMysql);
        }
        let name = if pools.len() == 1 { "MyCat" } else { "MySQL" };
        // Alerts and cases are on the first instance alone: the others may be away.
        let first = MysqlPool::of_shard(&mycat, 0, mycat.data_nodes.len()).ok_or(RemoteError::NoMysql)?;
        let servers = pools.into_iter().map(|pool| {
            let target = Target::new(name, pool.address().to_owned(), "passages and statistics");
            (pool, Arc::new(target))
        });
        let servers: Vec<_> = servers.collect();
        let cases = servers.first().map(|(_, target)| Cases::new(first, target.clone())).ok_or(RemoteError::NoMysql)?;
        let lifetime = config.api.statistics_cache;
        let passages = Arc::new(Passages::new(servers, lifetime.min(QUESTION_LIFETIME)));
        let server = RedisServer::of(&config.redis)?.ok_or(RemoteError::NoRedis)?;
        let redis = Arc::new(Target::new("Redis", server.address().to_owned(), "warnings"));
        let case_changes = CaseChanges::new(server.clone(), &config.redis.cases_key);
        let warnings = Warnings::new(server, &config.redis.key, config.redis.max_length, redis.clone());
        let remote = Arc::new(Self {
            core: Arc::new(Core {
                passages,
                statistics: Refreshed::new(lifetime),
                // Less than the interface itself gives a request.
                patience: config.api.query_timeout.mul_f64(0.9),
                warnings,
                cases,
                case_changes,
                redis,
                runtime: runtime.clone(),
            }),
            commits: tokio::sync::watch::Sender::new(0),
            catalogue: ArcSwap::from_pointee(Catalogue::xuzhou()),
            role: config.role.as_str(),
            started: Instant::now(),
        });
        runtime.spawn(watch(remote.clone(), stop));
        Ok(remote)
    }
}
