//! Settings of the HTTP interface and their defaults. It does not know who reads them.

use std::sync::Arc;
use std::time::Duration;

use traffic::{DetectorSettings, TimeZoneName};

use crate::clock::Clock;
use crate::forecast::{Forecaster, NoForecaster};

/// Settings of the HTTP interface.
#[derive(Clone)]
pub struct ServeSettings {
    /// Origins whose pages may read `/api/*` in a browser; `*` allows all.
    pub cors_origins: Vec<String>,
    /// Origins whose pages may change something too, beside our own.
    pub allowed_origins: Vec<String>,
    /// Queries that may read the disk at the same time; more wait.
    pub max_concurrent_queries: usize,
    /// How long a request may take before it is answered with 504.
    pub query_timeout: Duration,
    /// Clients that may hold an event stream open at the same time.
    pub sse_max_clients: usize,
    /// Those of one address among them.
    pub sse_max_clients_per_address: usize,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// Whether it only tells how it is, and neither answers questions nor shows the page.
    pub status_only: bool,
    /// Rows of the longest file that a query may be exported to.
    pub export_max_rows: u64,
    /// Files that may be made at the same time.
    pub max_concurrent_exports: usize,
    /// How long a file may take, the client's reading included.
    pub export_timeout: Duration,
    /// The rule, for what it says of two sightings that the page shows.
    pub detector: DetectorSettings,
    /// The clock that says what "today" is.
    pub clock: Clock,
    /// Zone into which a time with an offset is converted.
    pub zone: TimeZoneName,
    /// Who predicts the flow.
    pub forecaster: Arc<dyn Forecaster>,
}

impl ServeSettings {
    /// Default settings with this clock and zone.
    pub fn new(clock: Clock, zone: TimeZoneName) -> Self {
        Self {
            cors_origins: vec!["*".to_owned()],
            allowed_origins: Vec::new(),
            max_concurrent_queries: 4,
            query_timeout: Duration::from_secs(10),
            sse_max_clients: 256,
            sse_max_clients_per_address: 64,
            body_limit: 64 << 10,
            status_only: false,
            export_max_rows: 1_000_000,
            max_concurrent_exports: 2,
            export_timeout: Duration::from_secs(600),
            detector: DetectorSettings::default(),
            clock,
            zone,
            forecaster: Arc::new(NoForecaster),
        }
    }
}
