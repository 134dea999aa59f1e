//! The limits of connections. It does not know how they are kept.

use std::net::IpAddr;
use std::time::Duration;

/// How many connections there may be, and how long they may be silent.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// Connections at the same time; a few more are taken for health alone.
    pub max: usize,
    /// Those of one address among them.
    pub max_per_address: usize,
    /// How long a client may take for a request's head.
    pub header_timeout: Duration,
    /// How long a connection stays open on which nothing is asked.
    pub idle_timeout: Duration,
    /// Reverse proxies: their own number is not limited, and they say who the client is in `X-Forwarded-For`.
    pub proxies: Vec<IpAddr>,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            max: 1024,
            max_per_address: 512,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            proxies: Vec::new(),
        }
    }
}
