//! The whole interface: every endpoint at its path, and the layers around them. It alone knows which endpoints there are and
//! puts together what they share.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use super::alerts_today::AlertsToday;
use super::checkpoints::KnownCheckpoints;
use super::lanes::Lanes;
use super::metrics::HttpMetrics;
use super::origins::Origins;
use super::overview::{NewestOverview, SameTimeYesterday};
use super::replay::Replay;
use super::settings::ServeSettings;
use super::shares::Shares;
use super::state::Api;
use super::{
    alert, assets, checkpoints, error, export, health, layers, metrics, openapi, origins, overview, predict, query,
    recent, rejects, stats, status, stream, track, warnings,
};
use crate::reader::Reader;

/// The whole interface over `reader`. Open event streams end when `shutdown` is cancelled.
pub fn router(reader: Arc<dyn Reader>, settings: ServeSettings, shutdown: CancellationToken) -> Router {
    let origins = Arc::new(Origins::new(&settings.cors_origins, &settings.allowed_origins));
    let api = Arc::new(Api {
        lanes: Lanes::new(settings.max_concurrent_queries, settings.query_timeout),
        streams: Arc::new(Shares::new(settings.sse_max_clients, settings.sse_max_clients_per_address)),
        replay: Replay::default(),
        exports: Arc::new(Shares::new(
            settings.max_concurrent_exports * export::OPEN_PER_PLACE,
            settings.max_concurrent_exports * export::OPEN_PER_PLACE / 2,
        )),
        export_places: Arc::new(Semaphore::new(settings.max_concurrent_exports)),
        metrics: HttpMetrics::default(),
        alerts_today: AlertsToday::default(),
        checkpoints: KnownCheckpoints::default(),
        same_time_yesterday: SameTimeYesterday::default(),
        newest_overview: NewestOverview::default(),
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
        .layer(from_fn_with_state(origins, origins::guard));

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
