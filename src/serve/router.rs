//! The whole interface: the endpoints of [`super::endpoints`], the layers around them, and what they share.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use super::alerts_today::AlertsToday;
use super::checkpoints::KnownCheckpoints;
use super::lanes::Lanes;
use super::metrics::HttpMetrics;
use super::origins::Origins;
use super::outermost::{Outermost, outermost};
use super::overview::{NewestOverview, SameTimeYesterday};
use super::rates::Rates;
use super::replay::Replay;
use super::roads::KnownLinks;
use super::settings::ServeSettings;
use super::shares::Shares;
use super::state::Api;
use super::{access, assets, endpoints, error, export, headers, layers, origins};
use crate::reader::Reader;
use crate::scope::Scoping;

/// What is served.
pub struct Routers {
    /// The whole interface.
    pub all: Router,
    /// Health and metrics alone, without a login: for a listener of its own.
    pub operation: Router,
}

/// The interface over `reader`. Open event streams end when `shutdown` is cancelled.
///
/// # Errors
/// Only if the OpenAPI document cannot be written as JSON.
pub fn routers(
    reader: Arc<dyn Reader>,
    settings: ServeSettings,
    shutdown: CancellationToken,
) -> Result<Routers, serde_json::Error> {
    let origins = Arc::new(Origins::new(&settings.cors_origins, &settings.allowed_origins));
    let api = Arc::new(Api {
        https_only: headers::https_only_for(settings.https_only),
        rates: Arc::new(Rates::new(settings.rates)),
        lanes: Lanes::new(settings.max_concurrent_queries, settings.query_timeout),
        streams: Arc::new(Shares::new(settings.sse_max_clients, settings.sse_max_clients_per_address)),
        replay: Replay::default(),
        exports: Arc::new(Shares::new(
            settings.max_concurrent_exports * export::OPEN_PER_PLACE,
            settings.max_concurrent_exports * export::OPEN_PER_PLACE / 2,
        )),
        export_places: Arc::new(Semaphore::new(settings.max_concurrent_exports)),
        metrics: HttpMetrics::default(),
        document: endpoints::document()?,
        alerts_today: AlertsToday::default(),
        checkpoints: KnownCheckpoints::default(),
        road_links: KnownLinks::default(),
        same_time_yesterday: SameTimeYesterday::default(),
        newest_overview: NewestOverview::default(),
        gate: settings.gate.clone(),
        mask: access::Mask::default(),
        trail: settings.trail.clone(),
        lately: access::Lately::default(),
        data: Scoping::new(reader),
        settings,
        shutdown,
    });

    let not_allowed = |endpoints: OpenApiRouter<Arc<Api>>| {
        let (router, _) = endpoints.split_for_parts();
        router.method_not_allowed_fallback(layers::method_not_allowed)
    };
    let below_api = not_allowed(endpoints::answers())
        .fallback(error::no_such_endpoint)
        .layer(DefaultBodyLimit::max(api.settings.body_limit))
        .layer(from_fn_with_state(api.clone(), layers::time_out))
        .merge(not_allowed(endpoints::streams()))
        .layer(from_fn_with_state(api.clone(), access::authorize))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(origins, origins::guard));

    let rest = not_allowed(endpoints::operation().merge(endpoints::viid()))
        .fallback(assets::asset)
        .layer(from_fn_with_state(api.clone(), access::authorize))
        .layer(CatchPanicLayer::custom(error::panicked));

    let mut all = rest.nest(endpoints::API, below_api);
    if api.settings.status_only {
        all = all.layer(from_fn(layers::status_only));
    }
    let all = all.layer(layers::compression());
    let operation = not_allowed(endpoints::operation())
        .fallback(error::no_such_endpoint)
        .layer(CatchPanicLayer::custom(error::panicked));
    let finished = |router: Router<Arc<Api>>, is_limited: bool| {
        let around = Outermost { api: api.clone(), is_limited };
        router.layer(from_fn_with_state(around, outermost)).with_state(api.clone())
    };
    Ok(Routers { all: finished(all, true), operation: finished(operation, false) })
}
