//! `GET /api/track`: the sightings of one plate in order of time, and the moves between them that no car can have made, as
//! judged by the rule ([`Evidence`]).

use std::sync::Arc;

use access::trail::Details;
use axum::extract::{Extension, State};
use serde::Serialize;
use traffic::{
    Catalogue, DetectorSettings, Evidence, Pair, PlateCode, PlateScope, PlateType, Resolution, Rule, Severity,
};
use utoipa::ToSchema;

use super::access::Record;
use super::codes::RuleName;
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::QueryFields;
use super::query::asked_plate;
use super::records::PassagePageJson;
use super::sight::Sight;
use super::state::Api;
use crate::config::TimeFormat;
use crate::reader::PassageRow;

const MAX_LIMIT: u64 = 1000;
const DEFAULT_LIMIT: u64 = 200;

/// One plate's sightings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Track {
    /// The plate, normalised.
    #[schema(example = "苏C12345")]
    hphm: String,
    /// The number of sightings in the range, and the newest `limit` of them in order of time.
    #[serde(flatten)]
    page: PassagePageJson,
    /// Whether the cloned-plate rule compares this plate; a masked or irregular one may belong to many cars.
    #[schema(example = true)]
    compared: bool,
    /// The moves from each sighting to the next: one less than there are records.
    hops: Vec<HopJson>,
}

/// A move from one sighting to the next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hop)]
pub(super) struct HopJson {
    /// GCXH of the earlier sighting.
    #[schema(example = "G320300109027253771")]
    from: String,
    /// GCXH of the later sighting.
    #[schema(example = "G320300109027253999")]
    to: String,
    /// Seconds between them.
    #[schema(example = 123)]
    gap_seconds: i64,
    /// Great-circle distance in km; null if a coordinate is unknown.
    #[schema(example = 63.6)]
    distance_km: Option<f64>,
    /// Distance over gap in km/h; null if the distance is unknown or the gap is 0.
    #[schema(example = 1861.5)]
    speed_kmh: Option<f64>,
    /// Whether one car cannot have made both: even the lower bound of its speed is above `detect.max_speed_kmh`. Never true
    /// for a plate that is not compared, or for two different plate types.
    #[schema(example = true)]
    impossible: bool,
    /// The rule by which two such sightings raise an alert, `window` or `speed`; null if none.
    #[schema(value_type = Option<RuleName>, example = "window")]
    rule: Option<Rule>,
}

fn hops(rows: &[PassageRow], compared: bool, settings: &DetectorSettings, catalogue: &Catalogue) -> Vec<HopJson> {
    let tenths = |number: f64| (number * 10.0).round() / 10.0;
    let hop = |pair: &[PassageRow]| {
        let [from, to] = pair else { return None };
        let gap_seconds = to.gcsj.0 - from.gcsj.0;
        let place = |row: &PassageRow| catalogue.position(&row.kkmc);
        let plate_type = |row: &PassageRow| PlateType::of(&row.hpzl);
        let known = Pair {
            gap_seconds,
            slack_seconds: 2 * Resolution::Second.seconds(),
            from: place(from),
            to: place(to),
            twins: plate_type(from).are_twins(plate_type(to)),
        };
        let found = Evidence::of(settings, &known);
        let elsewhere = compared && from.kkmc != to.kkmc;
        Some(HopJson {
            from: from.gcxh.clone(),
            to: to.gcxh.clone(),
            gap_seconds,
            distance_km: found.distance_km.map(tenths),
            speed_kmh: found.speed_kmh.map(tenths),
            impossible: elsewhere && found.severity == Severity::High,
            rule: found.rule.filter(|_| elsewhere),
        })
    };
    rows.windows(2).filter_map(hop).collect()
}

/// One plate's sightings in the order of event time: the newest `limit` of them.
#[utoipa::path(
    get,
    path = "/track",
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
pub(super) async fn track(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(record): Extension<Record>,
    QueryFields(fields): QueryFields,
) -> Answer<Track> {
    if !fields.has("hphm") {
        return Err(ApiError::new(ErrorReason::MissingPlate));
    }
    let hphm = asked_plate(&fields, &api.settings)?.unwrap_or_default();
    let range = fields.range("start", "end", &api.settings.zone)?;
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let details = Details::default().with(Details::PLATE, hphm.as_str()).with("limit", limit as u64);
    let details = details.with_any("start", range.start.map(|time| time.to_string()));
    record.details(details.with_any("end", range.end.map(|time| time.to_string())));
    let plate = hphm.clone();
    let found = api.scan(&sight, move |snapshot| snapshot.track(&plate, range, None, limit)).await?;
    record.rows(found.records.len());
    let catalogue = sight.catalogue();
    let detector = &api.settings.detector;
    let compared = detector.plates == PlateScope::Any || PlateCode::pack(&hphm).class(&hphm).is_valid();
    let hops = hops(&found.records, compared, detector, &catalogue);
    Ok(Success(Track { hphm, page: PassagePageJson::new(found, &catalogue, TimeFormat::Plain), compared, hops }))
}
