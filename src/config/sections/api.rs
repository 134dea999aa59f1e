//! `[api]`: the HTTP interface and its limits.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::config::checks::{named_origins, origins, within};
use crate::config::declare::settings;
use crate::config::units::ByteSize;

settings! {
    /// The HTTP API and the web page.
    pub struct ApiConfig {
        /// The address to listen on. Port 0 takes any free port.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 5000));
        /// Origins whose pages may read `/api/*` in a browser; `["*"]` is any. Credentials are never allowed.
        cors_origins: Vec<String> = vec!["*".to_owned()], |list: &Vec<String>| origins(list);
        /// Origins whose pages may also change something (the work on alerts). Platewatch's own page always may; a page of any
        /// other origin is answered with status 403.
        allowed_origins: Vec<String> = Vec::new(), |list: &Vec<String>| named_origins(list);
        /// Addresses of reverse proxies, such as `["127.0.0.1"]`. Connections from them are not limited by address; the limits by
        /// address hold for the client that their `X-Forwarded-For` header names.
        proxies: Vec<IpAddr> = Vec::new();
        /// How many connections may be open at the same time. For a new one the oldest idle one is closed; where none is idle,
        /// only `/healthz` and `/readyz` are answered on a new one. The limit of open files (`ulimit -n`) may allow fewer.
        max_connections: usize = 1_024, within(16, 65_536);
        /// How many of them one address may have (of IPv6, one network of 64 bits), this machine's own too.
        max_connections_per_address: usize = 512, within(1, 65_536);
        /// The longest that a client may take for a request's head.
        header_timeout: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(600));
        /// The longest that a connection stays open on which nothing is asked.
        idle_timeout: Duration = Duration::from_secs(75), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// How many queries may read the database at the same time; more wait.
        max_concurrent_queries: usize = 16, within(1, 1_024);
        /// The longest that a query may take, waiting included, before it is answered with status 503.
        query_timeout: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(600));
        /// How long statistics that were counted in MySQL are given again, with `role = "api"`. Older ones are counted again beside
        /// the requests, which get them meanwhile for up to four times as long. A count takes some seconds per million passages,
        /// so this should be several times longer. `"0s"` counts for every request.
        statistics_cache: Duration = Duration::from_secs(30), within(Duration::ZERO, Duration::from_secs(600));
        /// How many clients may follow the alert stream at the same time. For one more the stream that has been open longest
        /// ends, of the address that has the most; its client reconnects and misses nothing.
        sse_max_clients: usize = 256, within(0, 65_536);
        /// How many of them one address may have; for one more its own oldest stream ends.
        sse_max_clients_per_address: usize = 64, within(1, 65_536);
        /// The longest result of a query that may be exported to one file, in rows. A longer one is refused, with its count.
        export_max_rows: usize = 1_000_000, within(1, 1_000_000_000);
        /// How many files may be made at the same time. Eight times as many may be on their way to clients, half of them to one
        /// address; more are answered with status 503, unless one of those reads slowly: that one is broken off.
        max_concurrent_exports: usize = 2, within(1, 256);
        /// The longest that an export may take, the client's reading included, before it is broken off.
        export_timeout: Duration = Duration::from_secs(600), within(Duration::from_secs(1), Duration::from_secs(86_400));
        /// The largest body of a request.
        max_body: ByteSize = ByteSize::kib(64), within(ByteSize::kib(1), ByteSize::mib(64));
    }
}
