//! Settings of the HTTP interface and their defaults. It does not know the configuration file.

use std::sync::Arc;
use std::time::Duration;

use traffic::{DetectorSettings, TimeZoneName};

use super::listen::Tls;
use super::rates::RateSettings;
use crate::clock::Clock;
use crate::config::{PurposeUse, TimeFormat};
use crate::deliveries::Deliveries;
use crate::events::EventTables;
use crate::forecast::{Forecaster, NoForecaster};
use crate::gate::{Gate, Trail};
use crate::oidc::SignOn;
use crate::pseudonyms::PlateCipher;
use crate::viid::Viid;

/// Settings of the HTTP interface.
#[derive(Clone)]
pub struct ServeSettings {
    /// Origins whose pages may read `/api/*` in a browser; `*` allows all.
    pub cors_origins: Vec<String>,
    /// Origins whose pages may also change something, besides our own.
    pub allowed_origins: Vec<String>,
    /// Names by which this server is called, where nobody needs to log in; `*` allows all.
    pub hosts: Vec<String>,
    /// Concurrent queries that read the disk; more wait.
    pub max_concurrent_queries: usize,
    /// How long a request may take before it is answered with 504.
    pub query_timeout: Duration,
    /// Concurrent event streams.
    pub sse_max_clients: usize,
    /// Of these, streams of one address.
    pub sse_max_clients_per_address: usize,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// Whether only the status is served, neither queries nor the page.
    pub status_only: bool,
    /// Maximum number of rows of an exported file.
    pub export_max_rows: u64,
    /// Concurrent exports.
    pub max_concurrent_exports: usize,
    /// Maximum duration of an export, including the client's reading.
    pub export_timeout: Duration,
    /// How much one client may ask.
    pub rates: RateSettings,
    /// For how long browsers that came by HTTPS come by nothing else.
    pub https_only: Duration,
    /// HTTPS, of which the metrics report when its certificate ends.
    pub tls: Option<Arc<Tls>>,
    /// The rule by which the track judges two sightings.
    pub detector: DetectorSettings,
    /// The clock that defines "today".
    pub clock: Clock,
    /// Zone into which a time with an offset is converted.
    pub zone: TimeZoneName,
    /// Who comes in.
    pub gate: Arc<Gate>,
    /// Single sign-on; none where it is not set up.
    pub sign_on: Option<Arc<SignOn>>,
    /// The audit log; without it nothing is recorded.
    pub trail: Option<Arc<Trail>>,
    /// The key of pseudonyms, with which the audit log is kept; none where plates are stored as they are.
    pub plates: Option<Arc<PlateCipher>>,
    /// The data holds pseudonyms, and there is no key: no plate can be looked for.
    pub lacks_plate_key: bool,
    /// Whether one says what a search is for.
    pub purpose: PurposeUse,
    /// How a query writes times for who does not say it.
    pub time_format: TimeFormat,
    /// Where `/api/ingest` hands over what it takes; none where records come from elsewhere.
    pub deliveries: Option<Arc<Deliveries>>,
    /// Largest body of `/api/ingest`, in bytes, as it comes and unpacked.
    pub ingest_limit: usize,
    /// How events of plate readers are read.
    pub events: EventTables,
    /// GA/T 1400; none where it is not spoken.
    pub viid: Option<Arc<Viid>>,
    /// The flow prediction.
    pub forecaster: Arc<dyn Forecaster>,
}

impl ServeSettings {
    /// Default settings with this clock and zone.
    pub fn new(clock: Clock, zone: TimeZoneName) -> Self {
        Self {
            cors_origins: vec!["*".to_owned()],
            allowed_origins: Vec::new(),
            hosts: vec!["*".to_owned()],
            max_concurrent_queries: 4,
            query_timeout: Duration::from_secs(10),
            sse_max_clients: 256,
            sse_max_clients_per_address: 64,
            body_limit: 64 << 10,
            status_only: false,
            export_max_rows: 1_000_000,
            max_concurrent_exports: 2,
            export_timeout: Duration::from_secs(600),
            rates: RateSettings::default(),
            https_only: Duration::from_secs(365 * 86_400),
            tls: None,
            detector: DetectorSettings::default(),
            clock,
            zone,
            gate: Arc::new(Gate::open()),
            sign_on: None,
            deliveries: None,
            ingest_limit: 16 << 20,
            events: EventTables::default(),
            viid: None,
            trail: None,
            plates: None,
            lacks_plate_key: false,
            purpose: PurposeUse::Optional,
            time_format: TimeFormat::Plain,
            forecaster: Arc::new(NoForecaster),
        }
    }
}
