//! Every endpoint, registered once: the annotation of a handler holds its method, its path and its documentation, and both
//! the router and the OpenAPI document are made from the lists here. It knows no layers; [`super::routers()`] adds them.

use std::sync::Arc;

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ErrorEnvelope;
use super::openapi::{Document, endpoint as openapi};
use super::state::Api;
use super::{
    alert, audit, calibration, cameras, cases, checkpoints, export, health, ingest, metrics, overview, predict, prove,
    query, recent, rejects, roads, session, sessions, sign_on, stats, status, stream, tokens, track, users, viid,
    warnings,
};

/// The path below which the API lies.
pub(super) const API: &str = "/api";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Platewatch",
        version = env!("CARGO_PKG_VERSION"),
        description = "Passages, statistics and cloned-plate warnings of expressway checkpoints.\n\nEvery JSON answer is an envelope `{\"code\":200,\"msg\":\"success\",\"data\":…}`; an error carries its HTTP status, the same `code`, a `msg` that says what to change, and `data: null`. Times are civil times of the road, `YYYY-MM-DD HH:MM:SS`. Every answer under `/api` has a `Server-Timing` header with the server's time in milliseconds.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ErrorEnvelope)),
    tags(
        (name = "passages", description = "Passages that are retained"),
        (name = "statistics", description = "Counts for the dashboard"),
        (name = "warnings", description = "Cloned-plate warnings 套牌预警"),
        (name = "cases", description = "Plates that two cars are likely to wear 嫌疑车辆"),
        (name = "prediction", description = "Flow prediction"),
        (name = "checkpoints", description = "The checkpoint catalogue"),
        (name = "access", description = "Login, sessions, users, tokens and the audit log"),
        (name = "viid", description = "GA/T 1400 视图库: what cameras and platforms register, keep alive and send, as the standard has it"),
        (name = "operation", description = "State, health and metrics"),
    )
)]
struct Described;

/// The endpoints below [`API`] that answer within `api.query_timeout`.
pub(super) fn answers() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(query::query))
        .routes(routes!(export::export))
        .routes(routes!(stats::kkmc_count))
        .routes(routes!(stats::hour_count))
        .routes(routes!(stats::map_data))
        .routes(routes!(stats::vehicle_type))
        .routes(routes!(stats::vehicle_brand))
        .routes(routes!(recent::recent))
        .routes(routes!(warnings::realtime))
        .routes(routes!(warnings::history))
        .routes(routes!(alert::get, alert::patch))
        .routes(routes!(cameras::cameras))
        .routes(routes!(roads::roads))
        .routes(routes!(roads::road_hours))
        .routes(routes!(cases::list_cases))
        .routes(routes!(calibration::calibration))
        .routes(routes!(cases::get_case, cases::patch_case))
        .routes(routes!(predict::flow))
        .routes(routes!(predict::day))
        .routes(routes!(predict::model))
        .routes(routes!(overview::overview))
        .routes(routes!(track::track))
        .routes(routes!(checkpoints::checkpoints))
        .routes(routes!(status::status))
        .routes(routes!(prove::prove))
        .routes(routes!(rejects::rejects))
        .routes(routes!(openapi::openapi))
        .routes(routes!(session::session, session::log_in, session::log_out))
        .routes(routes!(session::change_password))
        .routes(routes!(sessions::own_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(audit::audit_log))
        .routes(routes!(users::list_users, users::add_user))
        .routes(routes!(users::change_user))
        .routes(routes!(tokens::list_tokens, tokens::add_token))
        .routes(routes!(tokens::revoke_token))
}

/// The endpoints below [`API`] whose answers have no end, or may take long.
pub(super) fn streams() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(stream::stream))
        .routes(routes!(ingest::ingest))
        .routes(routes!(ingest::ingest_events))
        .routes(routes!(audit::verify_audit))
        .routes(routes!(sign_on::begin_sign_on))
        .routes(routes!(sign_on::end_sign_on))
}

/// The endpoints beside the API, for those who operate the process.
pub(super) fn operation() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
}

/// The endpoints of GA/T 1400, below `/VIID`.
pub(super) fn viid() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(viid::system::viid_register))
        .routes(routes!(viid::system::viid_unregister))
        .routes(routes!(viid::system::viid_keepalive))
        .routes(routes!(viid::system::viid_time))
        .routes(routes!(viid::viid_vehicles))
        .routes(routes!(viid::viid_notifications))
}

/// The document of all endpoints.
///
/// # Errors
/// Only if it cannot be written as JSON.
pub(super) fn document() -> Result<Document, serde_json::Error> {
    let all = OpenApiRouter::with_openapi(Described::openapi())
        .nest(API, answers().merge(streams()))
        .merge(operation())
        .merge(viid());
    Document::new(&all.into_openapi())
}

/// The OpenAPI document as indented JSON with a final line feed: the text of `docs/openapi.json`.
///
/// # Errors
/// Only if it cannot be written as JSON.
#[cfg(test)]
pub fn openapi_json() -> Result<String, serde_json::Error> {
    document().map(|document| document.text().to_owned())
}
