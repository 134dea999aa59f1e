//! `POST /api/query`: passages by filter, newest or oldest first.

use std::sync::Arc;

use access::trail::Details;
use axum::extract::{Extension, State};
use traffic::{Catalogue, LongPseudonym, PlateCode, clean_field, normalise_plate};
use utoipa::ToSchema;

use super::access::Record;
use super::codes::Named as _;
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::{BodyFields, Fields};
use super::records::{PassagePageJson, kkmc_texts};
use super::settings::ServeSettings;
use super::sight::Sight;
use super::state::Api;
use crate::reader::{Order, QueryFilter};

/// The fields of the body.
pub(super) const FIELDS: [&str; 15] = [
    "kkmc",
    "hphm",
    "startTime",
    "endTime",
    "vehicleType",
    "province",
    "fuelType",
    "xzqhmc",
    "fxlx",
    "hpzl",
    "clppxh",
    "order",
    "timeFormat",
    "page",
    "limit",
];
/// Maximum number of records of a page.
pub(super) const MAX_LIMIT: u64 = 500;
pub(super) const DEFAULT_LIMIT: u64 = 10;

/// Filters of the query: all are optional, null or "" means no filter, and a passage must match all that are given. A
/// number may be written as a string, and a string of digits as a number.
#[derive(serde::Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "the document's view of the body; `filter` reads the fields one by one for better messages"
)]
#[schema(as = Query, example = json!({"kkmc": "S250_Pizhou_Sulu", "hphm": "苏C*88", "startTime": "2024-01-01 00:00:00", "endTime": "2024-01-01", "page": 1, "limit": 10}))]
pub(super) struct QueryBody {
    /// Checkpoint: its code, its full name or its label.
    #[schema(example = "S250_Pizhou_Sulu")]
    kkmc: Option<String>,
    /// The plate contains this; `*` stands for any run of characters and `?` for one.
    #[schema(example = "苏C*88")]
    hphm: Option<String>,
    /// First time that counts: `YYYY-MM-DD HH:MM:SS`, with `T`, or a date (its first second).
    #[schema(rename = "startTime", example = "2024-01-01 00:00:00")]
    start_time: Option<String>,
    /// Last time that counts; a date alone means its last second.
    #[schema(rename = "endTime", example = "2024-01-01")]
    end_time: Option<String>,
    /// 小型客车, 大型客车, 货车 or 其他.
    #[schema(rename = "vehicleType", example = "小型客车")]
    vehicle_type: Option<String>,
    /// The plate's first character.
    #[schema(example = "苏")]
    province: Option<String>,
    /// 新能源 or 燃油.
    #[schema(rename = "fuelType", example = "燃油")]
    fuel_type: Option<String>,
    /// District equals this.
    #[schema(example = "邳州市")]
    xzqhmc: Option<String>,
    /// Direction equals this.
    #[schema(example = "1")]
    fxlx: Option<String>,
    /// Plate type equals this; one digit is padded to two.
    #[schema(example = "02")]
    hpzl: Option<String>,
    /// Brand and model contains this.
    #[schema(example = "大众")]
    clppxh: Option<String>,
    /// `newest` or `oldest` first; passages of the same second are ordered by GCXH.
    #[schema(default = "newest", example = "newest")]
    order: Option<String>,
    /// How GCSJ is written: `plain` (`2025-01-07 20:24:08`) or `http` (`Tue, 07 Jan 2025 20:24:08 GMT`, in civil time all the
    /// same); without it as `api.time_format` says. It has no effect on an export.
    #[schema(rename = "timeFormat", example = "plain")]
    time_format: Option<String>,
    /// Page, from 1.
    #[schema(minimum = 1, default = 1, example = 1)]
    page: Option<u32>,
    /// Records of a page.
    #[schema(minimum = 1, maximum = 500, default = 10, example = 10)]
    limit: Option<u32>,
}

/// Passages that match the filters, newest first unless asked otherwise, ties by GCXH.
#[utoipa::path(
    post,
    path = "/query",
    tag = "passages",
    request_body(content = Option<QueryBody>, description = "Filters; an empty body means none"),
    responses(
        (status = 200, description = "One page of passages, and how many match on all pages", body = Envelope<PassagePageJson>),
        (status = 400, description = "A field has the wrong form; `msg` names it", body = ErrorEnvelope),
        (status = 413, description = "The body is too large", body = ErrorEnvelope),
        (status = 415, description = "The body is not JSON", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
        (status = 504, description = "The query took too long", body = ErrorEnvelope),
    )
)]
pub(super) async fn query(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(record): Extension<Record>,
    BodyFields(fields): BodyFields,
) -> Answer<PassagePageJson> {
    fields.only(&FIELDS)?;
    let catalogue = sight.catalogue();
    let filter = filter(&fields, &catalogue, &api.settings)?;
    let order = order(&fields)?;
    let times = fields.named("timeFormat")?.unwrap_or(api.settings.time_format);
    let page = fields.page()?;
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    record.details(details(&fields, &filter, order).with("page", page).with("limit", limit as u64));
    let page = api.scan(&sight, move |snapshot| {
        let found = snapshot.query(&filter, order, page, limit)?;
        record.rows(found.records.len());
        Ok(PassagePageJson::new(found, &catalogue, times))
    });
    page.await.map(Success)
}

/// A search as the audit log says it: plate and times as they were understood.
pub(super) fn details(fields: &Fields, filter: &QueryFilter, order: Order) -> Details {
    fields
        .given(&["kkmc", "vehicleType", "province", "fuelType", "xzqhmc", "fxlx", "clppxh"])
        .with_any("hpzl", filter.hpzl.clone())
        .with_any(Details::PLATE, filter.hphm.clone())
        .with_any("startTime", filter.time.start.map(|time| time.to_string()))
        .with_any("endTime", filter.time.end.map(|time| time.to_string()))
        .with("order", order.name())
}

/// The filters of a request.
///
/// # Errors
/// 400 that names the field.
pub(super) fn filter(
    fields: &Fields,
    catalogue: &Catalogue,
    settings: &ServeSettings,
) -> Result<QueryFilter, ApiError> {
    let owned = |name| -> Result<Option<String>, ApiError> { Ok(fields.text(name)?.map(|text| text.into_owned())) };
    let province = fields.exact("province")?.map(str::to_owned);
    if province.as_ref().is_some_and(|text| text.chars().nth(1).is_some()) {
        return Err(ApiError::new(ErrorReason::NotOneCharacter));
    }
    Ok(QueryFilter {
        time: fields.range("startTime", "endTime", &settings.zone)?,
        kkmc: fields.text("kkmc")?.map(|text| kkmc_texts(catalogue, &text)),
        hphm: asked_plate(fields, settings)?,
        xzqhmc: owned("xzqhmc")?,
        fxlx: owned("fxlx")?,
        hpzl: fields.text("hpzl")?.map(|text| padded_plate_type(&text)),
        clppxh: owned("clppxh")?,
        province,
        vehicle_type: fields.named("vehicleType")?,
        fuel_type: fields.named("fuelType")?,
    })
}

/// The requested order.
///
/// # Errors
/// 400 that lists the choices.
pub(super) fn order(fields: &Fields) -> Result<Order, ApiError> {
    Ok(fields.named("order")?.unwrap_or_default())
}

/// The plate, or part of one, that a request asks for; none if it asks for none.
///
/// # Errors
/// 400 if it is not one text; 409 where the plates behind pseudonyms are not known, so that it would never be found.
pub(super) fn asked_plate(fields: &Fields, settings: &ServeSettings) -> Result<Option<String>, ApiError> {
    let Some(asked) = fields.text("hphm")?.map(|text| plate_text(&text)) else { return Ok(None) };
    let is_any = asked.chars().all(|character| character == '*');
    let is_known = || PlateCode::pack(&asked).is_pseudonym() || LongPseudonym::parse(&asked).is_some();
    if settings.lacks_plate_key && !is_any && !is_known() {
        return Err(ApiError::new(ErrorReason::NoPlateKey));
    }
    Ok(Some(asked))
}

/// A plate normalised like the HPHM of a record; wildcards are kept.
pub(super) fn plate_text(text: &str) -> String {
    normalise_plate(clean_field(text)).into_owned()
}

/// HPZL as it is stored: one digit is padded to two.
fn padded_plate_type(text: &str) -> String {
    match text.as_bytes() {
        [digit] if digit.is_ascii_digit() => format!("0{text}"),
        _ => text.to_owned(),
    }
}
