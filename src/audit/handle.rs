//! Local storage and the servers, as a comparison and a repair share them. It opens nothing by itself, and does not
//! know what is compared.

use std::path::PathBuf;
use std::sync::Arc;

use shard::ShardId;

use super::error::AuditError;
use crate::config::Config;
use crate::mysql::MysqlPool;
use crate::store::StoreError;

/// A state of the disk that another process changes meanwhile is read up to this many times.
const ATTEMPTS: usize = 5;

/// Local storage and the servers.
pub struct Audit {
    pub(super) data_dir: PathBuf,
    pub(super) pools: Vec<Arc<MysqlPool>>,
    pub(super) batch_rows: usize,
}

impl Audit {
    /// For the configured data directory and servers; none if no server is configured. Opens nothing.
    pub fn of(config: &Config) -> Option<Self> {
        let pools = MysqlPool::of(&config.mycat);
        let data_dir = config.data_dir.clone();
        (!pools.is_empty()).then_some(Self { data_dir, pools, batch_rows: config.mycat.batch_rows })
    }

    /// The address of a server, without credentials.
    pub fn address(&self, server: usize) -> &str {
        self.pools.get(server).map_or("", |pool| pool.address())
    }

    /// The server that has a shard's rows.
    pub(super) fn server_of(&self, shard: ShardId) -> usize {
        shard.index().min(self.pools.len().saturating_sub(1))
    }
}

/// Reads again what another process changed meanwhile.
pub(super) fn again<T>(read: impl Fn() -> Result<T, StoreError>) -> Result<T, AuditError> {
    let mut attempt = 1;
    loop {
        match read() {
            Err(error) if attempt == ATTEMPTS => return Err(error.into()),
            Err(_) => attempt += 1,
            Ok(value) => return Ok(value),
        }
    }
}
