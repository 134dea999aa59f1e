//! `GET /api/track`: where one plate was seen, in the order of time.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, Success};
use super::fields::QueryFields;
use super::query::plate_text;
use super::records::PassagePageJson;

const MAX_LIMIT: u64 = 1000;
const DEFAULT_LIMIT: u64 = 200;

/// One plate's sightings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Track {
    /// The plate, normalised.
    #[schema(example = "苏C12345")]
    hphm: String,
    /// All sightings within the range, and the newest `limit` of them in the order of time.
    #[serde(flatten)]
    page: PassagePageJson,
}

/// One plate's sightings in the order of event time: the newest `limit` of them.
#[utoipa::path(
    get,
    path = "/api/track",
    tag = "passages",
    params(
        ("hphm" = String, Query, description = "The whole plate; case, width and `·` do not matter", example = "苏C12345"),
        ("start" = Option<String>, Query, description = "First time that counts", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last time that counts; a date alone means its last second", example = "2024-01-01"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Sightings; default 200", example = 200),
    ),
    responses(
        (status = 200, description = "The sightings, oldest first", body = Envelope<Track>),
        (status = 400, description = "`hphm` is missing, or a parameter has the wrong form", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
        (status = 504, description = "The query took too long", body = ErrorEnvelope),
    )
)]
pub(super) async fn track(State(api): State<Arc<Api>>, QueryFields(fields): QueryFields) -> Answer<Track> {
    let hphm = fields
        .text("hphm")?
        .map(|text| plate_text(&text))
        .filter(|plate| !plate.is_empty())
        .ok_or_else(|| ApiError::bad_request("`hphm` is missing: give the whole plate, such as ?hphm=苏C12345"))?;
    let range = fields.range("start", "end", &api.settings.zone)?;
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let plate = hphm.clone();
    let found = api.scan(move |snapshot| snapshot.track(&plate, range, limit)).await?;
    Ok(Success(Track { hphm, page: PassagePageJson::new(found, &api.reader.catalogue()) }))
}
