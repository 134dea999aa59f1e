//! `GET /api/roads` and `GET /api/roads/hours`: how the roads flow, the worst first, and one segment by hour.

mod distance;
mod json;
mod links;
mod listed;

use std::sync::Arc;

use axum::extract::State;

use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::QueryFields;
use super::records::kkmc_texts;
use super::sight::Sight;
use super::state::Api;

pub(super) use distance::DistanceBasis;
use json::{RoadHoursJson, RoadListJson};
pub(super) use links::{KnownLinks, RoadLink};
use listed::{listed, segment};

/// How the roads flow: the present travel time of each segment against that of a free road.
///
/// A segment leads from one checkpoint to the next; each direction is one of its own. Those that the traffic drives are
/// listed, and the neighbours of the catalogue, which say `too_few` as long as they are not learnt. It follows event time,
/// corrected by the clocks' offsets.
#[utoipa::path(
    get,
    path = "/roads",
    tag = "checkpoints",
    responses(
        (status = 200, description = "All segments, the worst first", body = Envelope<RoadListJson>),
        (status = 501, description = "This process has no local storage", body = ErrorEnvelope),
        (status = 503, description = "The server is busy", body = ErrorEnvelope),
    )
)]
pub(super) async fn roads(State(api): State<Arc<Api>>, sight: Sight) -> Answer<RoadListJson> {
    let roads = sight.roads().map_err(ApiError::from)?;
    let (catalogue, shared) = (sight.catalogue(), api.clone());
    let listed = api.counters(&sight, move |_| Ok(listed(&roads, &catalogue, &shared.road_links.of(&catalogue))));
    listed.await.map(Success)
}

/// The travel times of one segment by hour: today, its own profile of the last two weeks, and what the next hours will take.
///
/// The next hours are the profile's median times 1 + (present median ÷ profile of the present hour − 1) × decay^(hours from
/// now to the middle of that hour); `measured` says how wrong that would have been an hour ahead, over the hours that are kept.
#[utoipa::path(
    get,
    path = "/roads/hours",
    tag = "checkpoints",
    params(
        ("from" = String, Query, description = "The first checkpoint: code, full name or label", example = "G3_Sulu"),
        ("to" = String, Query, description = "The last checkpoint", example = "G104_Tongshan_Sulu"),
    ),
    responses(
        (status = 200, description = "The segment by hour", body = Envelope<RoadHoursJson>),
        (status = 400, description = "A parameter is missing or has the wrong form; `msg` says what is valid", body = ErrorEnvelope),
        (status = 404, description = "There is no such segment", body = ErrorEnvelope),
        (status = 501, description = "This process has no local storage", body = ErrorEnvelope),
        (status = 503, description = "The server is busy", body = ErrorEnvelope),
    )
)]
pub(super) async fn road_hours(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<RoadHoursJson> {
    let end = |name: &'static str| {
        fields.text(name)?.ok_or_else(|| ApiError::new(ErrorReason::MissingEnd).with("name", name))
    };
    let (from, to) = (end("from")?, end("to")?);
    let roads = sight.roads().map_err(ApiError::from)?;
    let (catalogue, shared) = (sight.catalogue(), api.clone());
    let ends = [&*from, &*to].map(|text| kkmc_texts(&catalogue, text));
    let found = api
        .counters(&sight, move |_| Ok(segment(&roads, &catalogue, &shared.road_links.of(&catalogue), &ends)))
        .await?;
    let quoted = |text: &str| format!("{:?}", text.chars().take(60).collect::<String>());
    found
        .map(Success)
        .ok_or_else(|| ApiError::new(ErrorReason::UnknownRoad).with("from", quoted(&from)).with("to", quoted(&to)))
}
