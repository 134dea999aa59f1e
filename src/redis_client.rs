//! Connections to Redis: opened when they are needed, closed when an answer is late.
//!
//! A socket whose other side has gone silent is noticed by the answer's deadline, by TCP's user timeout and by
//! keepalive. It does not know keys or scripts; errors never hold a password.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _};
use redis::{RedisConnectionInfo, RedisError, TlsCertificates};

use crate::config::{RedisConfig, ServerUrl};

/// How long keepalive waits before its first probe, and between probes.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// The settings of Redis cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisClientError {
    /// The certificates cannot be read.
    #[error("redis.tls_ca: cannot read {path}: {error}")]
    Certificates {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The client refuses the settings.
    #[error("[redis]: {0}")]
    Refused(#[from] RedisError),
}

/// One server of Redis.
#[derive(Clone)]
pub struct RedisServer {
    client: Client,
    address: String,
    config: AsyncConnectionConfig,
}

impl std::fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl RedisServer {
    /// The configured server, if there is one. Opens nothing.
    ///
    /// # Errors
    /// [`RedisClientError`] if the certificates cannot be read or used.
    pub fn of(config: &RedisConfig) -> Result<Option<Self>, RedisClientError> {
        config.url.as_ref().map(|url| Self::new(url, config)).transpose()
    }

    fn new(url: &ServerUrl, config: &RedisConfig) -> Result<Self, RedisClientError> {
        let info = connection_info(url, config)?;
        let client = match &config.tls_ca {
            Some(file) if url.scheme() == "rediss" => {
                let certificates = std::fs::read(file)
                    .map_err(|error| RedisClientError::Certificates { path: file.display().to_string(), error })?;
                Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(certificates) })?
            }
            _ => Client::open(info)?,
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.connect_timeout))
            .set_response_timeout(Some(config.response_timeout));
        Ok(Self { client, address: url.to_string(), config })
    }

    /// The address, without credentials.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A new connection. Every call on it has the configured deadline; after an error it is thrown away.
    ///
    /// # Errors
    /// [`RedisError`] if the server cannot be reached or refuses the login.
    pub async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        self.client.get_multiplexed_async_connection_with_config(&self.config).await
    }
}

/// What must be changed first, where a server refuses for a reason that does not pass by itself.
pub fn remedy(error: &RedisError) -> Option<String> {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return Some("it refuses the login: check redis.user and redis.password".to_owned());
    }
    Some(match error.code()? {
        "OOM" => "raise its maxmemory, or lower redis.max_length".to_owned(),
        "READONLY" => "it is a replica, set redis.url to the master".to_owned(),
        "NOAUTH" => "it wants a password: set redis.password (and redis.user, where it has users)".to_owned(),
        "WRONGPASS" => "it refuses the login: check redis.user and redis.password".to_owned(),
        "NOPERM" => {
            "the user may not do this: allow it TYPE, INFO, EVAL, EVALSHA, SCRIPT and the list commands on the key \
                     (ACL SETUSER)"
                .to_owned()
        }
        "MOVED" | "ASK" => format!(
            "this Redis is a node of a cluster, and the key belongs to another node ({}). Platewatch speaks to one server and \
             follows no redirections: set redis.url to that node, or to a Redis that is no cluster",
            error.redirect_node().map_or("which it does not name", |(node, _)| node)
        ),
        "CLUSTERDOWN" => {
            "this Redis is a node of a cluster of which no node serves the key: see to the cluster (redis-cli \
                          CLUSTER INFO), or set redis.url to a Redis that is no cluster"
                .to_owned()
        }
        "LOADING" => "it is still reading its data from the disk: wait".to_owned(),
        _ => return None,
    })
}

fn connection_info(url: &ServerUrl, config: &RedisConfig) -> Result<ConnectionInfo, RedisError> {
    let host = url.host().to_owned();
    let address = if url.scheme() == "rediss" {
        ConnectionAddr::TcpTls { host, port: url.port(), insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, url.port())
    };
    let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE).with_retries(3);
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive)
        .set_user_timeout(config.response_timeout.max(Duration::from_secs(1)));
    // Redis before 6 and some proxies do not know CLIENT SETINFO.
    let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
    login = login.set_db(url.path().parse().unwrap_or(0));
    let user = url.user().unwrap_or(&config.user);
    if !user.is_empty() {
        login = login.set_username(user);
    }
    let password = url.password().unwrap_or(&config.password);
    if !password.is_empty() {
        login = login.set_password(password.expose());
    }
    Ok(address.into_connection_info()?.set_tcp_settings(tcp).set_redis_settings(login))
}
