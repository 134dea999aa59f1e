//! The limits of connections. It does not know how they are kept.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::tls::Tls;

/// Limits of connections: their number, and how long they may be idle.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// Concurrent connections; a few more are accepted for health probes.
    pub max: usize,
    /// Of these, connections of one address.
    pub max_per_address: usize,
    /// How long a client may take to send the head of a request.
    pub header_timeout: Duration,
    /// How long an idle connection stays open.
    pub idle_timeout: Duration,
    /// Reverse proxies: their own connections are not limited by address, and `X-Forwarded-For` names the client.
    pub proxies: Vec<IpAddr>,
    /// HTTPS; without it HTTP.
    pub tls: Option<Arc<Tls>>,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            max: 1024,
            max_per_address: 512,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            proxies: Vec::new(),
            tls: None,
        }
    }
}
