//! `[api]`: the HTTP interface and its limits.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::config::checks::{host_names, named_origins, origins, within};
use crate::config::declare::{choices, settings};
use crate::config::units::ByteSize;

settings! {
    /// The HTTP API and the web page.
    pub struct ApiConfig {
        /// The address to listen on. Port 0 takes any free port.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 5000));
        /// Origins whose pages may read `/api/*` in a browser; `["*"]` means any. Credentials are never allowed.
        cors_origins: Vec<String> = vec!["*".to_owned()], |list: &Vec<String>| origins(list);
        /// Origins whose pages may also change something (the work on alerts). Platewatch's own page always may; a page of any
        /// other origin is answered with status 403.
        allowed_origins: Vec<String> = Vec::new(), |list: &Vec<String>| named_origins(list);
        /// The certificate of HTTPS: a PEM file with the server's own certificate first, then those between it and the authority. With
        /// it this port speaks HTTPS only (TLS 1.2 and 1.3). New files are used within some seconds, and at SIGHUP; connections stay open.
        /// `""` means HTTP, for this machine alone or behind a reverse proxy.
        tls_certificate: Option<PathBuf> = None;
        /// The key of that certificate: a PEM file without a passphrase, which only the account of the service should be able to read.
        tls_key: Option<PathBuf> = None;
        /// For how long a browser that came by HTTPS uses nothing else for this host (`Strict-Transport-Security`). `"0s"` does not say it.
        https_only: Duration = Duration::from_secs(365 * 86_400), within(Duration::ZERO, Duration::from_secs(3_650 * 86_400));
        /// A second address to listen on, for `/healthz`, `/readyz` and `/metrics` alone, by HTTP: there `/metrics` needs no
        /// token, so only those should reach it who may see the metrics. `""` means none.
        metrics_listen: Option<SocketAddr> = None;
        /// Names by which browsers call this server, such as `["db-app", "watch.example.org"]`, or `["*"]` for any. As long as nobody needs
        /// to log in, a request by another name is refused with status 421: a page from elsewhere could point its own name
        /// here and read everything. IP addresses and `localhost` are always allowed.
        hosts: Vec<String> = Vec::new(), |list: &Vec<String>| host_names(list);
        /// Lets everybody who reaches `listen` see and change everything, without a login. Without it, and where others than this
        /// machine reach `listen`, `serve` asks for users (`platewatch user add`) before it starts. On a loopback
        /// address nobody needs to log in as long as there are no users.
        open: bool = false;
        /// A session ends after this time without a request.
        session_idle: Duration = Duration::from_secs(12 * 3_600), within(Duration::from_secs(60), Duration::from_secs(30 * 86_400));
        /// A session ends after this time in any case.
        session_max: Duration = Duration::from_secs(7 * 86_400), within(Duration::from_secs(60), Duration::from_secs(366 * 86_400));
        /// Addresses of reverse proxies, such as `["127.0.0.1"]`. Connections from them are not limited by address; the limits by
        /// address hold for the client that their `X-Forwarded-For` header names. They must say in `X-Forwarded-Proto` whether it came by HTTPS:
        /// from other machines passwords are taken over HTTPS only.
        proxies: Vec<IpAddr> = Vec::new();
        /// Maximum number of open connections. For a new one the oldest idle one is closed; if none is idle,
        /// only `/healthz` and `/readyz` are answered on a new one. The limit of open files (`ulimit -n`) may allow fewer.
        max_connections: usize = 1_024, within(16, 65_536);
        /// How many of them one address may have (for IPv6, one /64 network), including this machine.
        max_connections_per_address: usize = 512, within(1, 65_536);
        /// Maximum time for a client to send the head of a request.
        header_timeout: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(600));
        /// How long an idle connection stays open.
        idle_timeout: Duration = Duration::from_secs(75), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// How many requests a second one client may send, in the mean: a session or a token, or an address that has none. More are
        /// answered with status 429 and `Retry-After`. Requests of this machine, unless a reverse proxy passes them on, and
        /// `/healthz` and `/readyz`, are not limited. `0` sets no limit.
        client_rate: u64 = 1_000, within(0, 1_000_000);
        /// How many of them may come at once after a pause.
        client_burst: u64 = 10_000, within(1, 10_000_000);
        /// How many requests of one client are answered at the same time; more are answered with status 429. Event streams, and exports
        /// once they send, do not count. `0` sets no limit.
        client_concurrent: usize = 256, within(0, 65_536);
        /// Concurrent queries that read the database; more wait.
        max_concurrent_queries: usize = 16, within(1, 1_024);
        /// Maximum time of a query, including waiting, before it is answered with status 504.
        query_timeout: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(600));
        /// How long statistics that were counted in MySQL are reused, with `role = "api"`. Older ones are counted again in the
        /// background, and are still used meanwhile for up to four times as long. A count takes some seconds per million
        /// passages, so this should be several times longer. `"0s"` counts for every request.
        statistics_cache: Duration = Duration::from_secs(30), within(Duration::ZERO, Duration::from_secs(600));
        /// Concurrent clients of the alert stream. For one more, the oldest stream of the address that has the most ends; its
        /// client reconnects and misses nothing.
        sse_max_clients: usize = 256, within(0, 65_536);
        /// How many of them one address may have; for one more, its oldest stream ends.
        sse_max_clients_per_address: usize = 64, within(1, 65_536);
        /// Maximum number of rows of an exported file. A longer result is refused, with its count.
        export_max_rows: usize = 1_000_000, within(1, 1_000_000_000);
        /// Concurrent exports. Eight times as many may be open, half of them for one address; more are answered with status 503,
        /// unless one of the open ones reads slowly: then that one is aborted.
        max_concurrent_exports: usize = 2, within(1, 256);
        /// Maximum time of an export, including the client's reading, before it is aborted.
        export_timeout: Duration = Duration::from_secs(600), within(Duration::from_secs(1), Duration::from_secs(86_400));
        /// How `POST /api/query` writes GCSJ for who does not say it in the field `timeFormat`. See docs/from-flask.md.
        time_format: TimeFormat = TimeFormat::Plain;
        /// Maximum size of the records of one request to `/api/ingest`, both as they come and decompressed.
        ingest_max_body: ByteSize = ByteSize::mib(16), within(ByteSize::kib(64), ByteSize::mib(32));
        /// Maximum size of any other request body.
        max_body: ByteSize = ByteSize::kib(64), within(ByteSize::kib(1), ByteSize::mib(64));
    }
}

choices! {
    /// How a time is written.
    pub enum TimeFormat {
        /// `2025-01-07 20:24:08`.
        Plain = "plain",
        /// `Tue, 07 Jan 2025 20:24:08 GMT`, as Flask's `jsonify` writes a time without a zone: the civil time of the road, whatever the label says.
        Http = "http",
    }
}
