//! Why the reader of the `api` role cannot be started: a setting is missing or cannot be used. A server that is away is
//! not such a reason.

use crate::redis_client::RedisClientError;

/// Why the servers cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No MySQL is configured.
    #[error("role = \"api\" answers from MySQL: name it with mycat.urls")]
    NoMysql,
    /// No Redis is configured.
    #[error("role = \"api\" answers from Redis: name it with redis.url")]
    NoRedis,
    /// The settings of Redis cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisClientError),
}
