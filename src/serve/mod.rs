//! The HTTP interface: the eight endpoints of the contract, what the page needs beyond them, health, metrics and the
//! embedded page itself.
//!
//! It alone shapes API JSON. It asks a [`Reader`] domain questions and does not know how they are answered, which
//! source feeds the data, or that there is a pipeline. A request reads one consistent snapshot; what may touch the disk
//! runs on blocking threads, bounded by [`lanes`], so that no query can slow the road.
//!
//! Layers, outside in: the limit of the URI, metrics and `Server-Timing`, compression, and for `/api/*` alone origins (CORS),
//! panic to 500, plain error to envelope, parameters, timeout (not for the event stream).

mod alert;
mod alerts_today;
mod assets;
mod checkpoints;
mod codes;
mod error;
mod export;
mod fields;
mod health;
mod lanes;
mod layers;
mod listen;
mod metrics;
mod neighbours;
mod notice;
mod openapi;
mod origins;
mod overview;
mod predict;
mod query;
mod recent;
mod records;
mod rejects;
mod replay;
mod shares;
mod stats;
mod status;
mod stream;
mod track;
mod untrained;
mod warnings;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use traffic::{CivilTime, DetectorSettings, TimeZoneName};

use crate::clock::Clock;
use crate::forecast::{Forecaster, NoForecaster};
use crate::reader::Reader;

pub use listen::{BindError, ConnectionSettings, bind, open_files, serve};
pub use openapi::openapi_json;

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

/// What every handler shares.
struct Api {
    reader: Arc<dyn Reader>,
    settings: ServeSettings,
    shutdown: CancellationToken,
    lanes: lanes::Lanes,
    origins: origins::Origins,
    streams: Arc<shares::Shares>,
    replay: replay::Replay,
    /// Files that are on their way to clients.
    exports: Arc<shares::Shares>,
    /// Files of which a piece is being made.
    export_places: Arc<Semaphore>,
    metrics: metrics::HttpMetrics,
    alerts_today: alerts_today::AlertsToday,
    checkpoints: checkpoints::KnownCheckpoints,
    same_time_yesterday: overview::SameTimeYesterday,
    newest_overview: overview::NewestOverview,
}

impl Api {
    /// The clock's time.
    fn now(&self) -> CivilTime {
        (self.settings.clock)()
    }

    /// A moment of Unix time as civil time of the road; empty where its calendar has none.
    fn civil(&self, unix: i64) -> String {
        self.settings.zone.civil(unix).map(|time| time.to_string()).unwrap_or_default()
    }

    /// Event streams that are open.
    fn open_streams(&self) -> usize {
        self.streams.held()
    }
}

/// The whole interface over `reader`. Open event streams end when `shutdown` is cancelled.
pub fn router(reader: Arc<dyn Reader>, settings: ServeSettings, shutdown: CancellationToken) -> Router {
    let api = Arc::new(Api {
        lanes: lanes::Lanes::new(settings.max_concurrent_queries, settings.query_timeout),
        origins: origins::Origins::new(&settings.cors_origins, &settings.allowed_origins),
        streams: Arc::new(shares::Shares::new(settings.sse_max_clients, settings.sse_max_clients_per_address)),
        replay: replay::Replay::default(),
        exports: Arc::new(shares::Shares::new(
            settings.max_concurrent_exports * export::OPEN_PER_PLACE,
            settings.max_concurrent_exports * export::OPEN_PER_PLACE / 2,
        )),
        export_places: Arc::new(Semaphore::new(settings.max_concurrent_exports)),
        metrics: metrics::HttpMetrics::default(),
        alerts_today: alerts_today::AlertsToday::default(),
        checkpoints: checkpoints::KnownCheckpoints::default(),
        same_time_yesterday: overview::SameTimeYesterday::default(),
        newest_overview: overview::NewestOverview::default(),
        reader,
        settings,
        shutdown,
    });

    let questions = Router::new()
        .route("/query", post(query::query))
        .route("/query/export", post(export::export))
        .method_not_allowed_fallback(error::use_post);
    let work = Router::new()
        .route("/warnings/{id}", get(alert::get).patch(alert::patch))
        .method_not_allowed_fallback(error::use_get_or_patch);
    let endpoints = Router::new()
        .route("/stats/kkmc_count", get(stats::kkmc_count))
        .route("/stats/hour_count", get(stats::hour_count))
        .route("/stats/map_data", get(stats::map_data))
        .route("/stats/vehicle_type", get(stats::vehicle_type))
        .route("/stats/vehicle_brand", get(stats::vehicle_brand))
        .route("/stats/recent", get(recent::recent))
        .route("/warnings/realtime", get(warnings::realtime))
        .route("/warnings", get(warnings::history))
        .route("/predict/flow", get(predict::flow))
        .route("/predict/day", get(predict::day))
        .route("/predict/model", get(predict::model))
        .route("/overview", get(overview::overview))
        .route("/track", get(track::track))
        .route("/checkpoints", get(checkpoints::checkpoints))
        .route("/status", get(status::status))
        .route("/rejects", get(rejects::rejects))
        .route("/openapi.json", get(openapi::openapi))
        .method_not_allowed_fallback(error::use_get)
        .merge(questions)
        .merge(work)
        .fallback(error::no_such_endpoint)
        .layer(DefaultBodyLimit::max(api.settings.body_limit))
        .layer(from_fn_with_state(api.clone(), layers::time_out))
        .route("/warnings/stream", get(stream::stream).fallback(error::use_get))
        .layer(from_fn(layers::parameters))
        .layer(from_fn(layers::envelope_errors))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(api.clone(), origins::guard));

    let rest = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .method_not_allowed_fallback(error::use_get)
        .fallback(assets::asset)
        .layer(from_fn(layers::envelope_errors))
        .layer(CatchPanicLayer::custom(error::panicked));

    let mut all = rest.nest("/api", endpoints);
    if api.settings.status_only {
        all = all.layer(from_fn(layers::status_only));
    }
    all.layer(layers::compression())
        .layer(from_fn(layers::admit))
        .layer(from_fn_with_state(api.clone(), layers::measure))
        .with_state(api)
}
