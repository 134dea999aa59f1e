//! `GET` and `PATCH /api/warnings/{id}`: one alert with everything that is known about it, and the work on it (研判).
//!
//! [`crate::work`] decides which state may follow which; this module reads the request and reports the outcome.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use traffic::{AlertId, Catalogue, Checkpoint};
use utoipa::ToSchema;

use super::codes::{WorkReasonName, WorkStatusName};
use super::error::{ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::{BodyFields, Fields, MAX_NUMBER, shortened, too_long};
use super::records::label;
use super::state::Api;
use super::warnings::AlertSchema;
use crate::alert_json::AlertJson;
use crate::plain;
use crate::work::{MAX_BY_CHARS, MAX_NOTE_CHARS, WorkChange, WorkEntry, WorkReason, WorkStatus, WorkedAlert};

/// The fields of a change.
const FIELDS: [&str; 5] = ["status", "note", "reason", "by", "version"];

/// A checkpoint of a sighting.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SightingPlace)]
pub(super) struct PlaceJson {
    /// KKMC as it was recorded.
    #[schema(example = "S250_Pizhou_Sulu")]
    kkmc: String,
    /// Code; null if the catalogue does not know the checkpoint.
    #[schema(example = "S250_Pizhou_Sulu")]
    code: Option<String>,
    /// Short name; KKMC where the catalogue does not know it.
    #[schema(example = "S250-邳州-苏鲁界")]
    label: String,
    /// District; null if not known.
    #[schema(example = "邳州市")]
    xzqhmc: Option<String>,
    /// Road; null if not known.
    #[schema(example = "S250")]
    road: Option<String>,
    /// Longitude in degrees; null if not known.
    #[schema(example = 118.06454)]
    lon: Option<f64>,
    /// Latitude in degrees; null if not known.
    #[schema(example = 34.641634)]
    lat: Option<f64>,
}

impl PlaceJson {
    pub(super) fn new(catalogue: &Catalogue, kkmc: &str) -> Self {
        let known = catalogue.find(kkmc);
        Self {
            kkmc: kkmc.to_owned(),
            code: known.map(|checkpoint| checkpoint.code.clone()),
            label: label(catalogue, kkmc),
            xzqhmc: known.map(|checkpoint| checkpoint.district.clone()),
            road: known.map(|checkpoint| checkpoint.road.clone()),
            lon: known.and_then(Checkpoint::position).map(|(lon, _)| lon),
            lat: known.and_then(Checkpoint::position).map(|(_, lat)| lat),
        }
    }
}

/// A change of the work.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkEntry)]
pub(super) struct WorkEntryJson {
    /// When, civil time of the road.
    #[schema(example = "2024-01-01 08:05:00")]
    at: String,
    /// Who.
    #[schema(example = "王警官")]
    by: String,
    /// The state before.
    #[schema(value_type = WorkStatusName, example = "new")]
    from: WorkStatus,
    /// The state after it; the same where only a note was added.
    #[schema(value_type = WorkStatusName, example = "investigating")]
    to: WorkStatus,
    /// Why; may be empty.
    #[schema(example = "已调取两处图像")]
    note: String,
    /// Why, as a code; null if none was given.
    #[schema(value_type = Option<WorkReasonName>, example = "photos")]
    reason: Option<WorkReason>,
}

impl From<WorkEntry> for WorkEntryJson {
    fn from(entry: WorkEntry) -> Self {
        Self {
            at: entry.at.to_string(),
            by: entry.by,
            from: entry.from,
            to: entry.to,
            note: entry.note,
            reason: entry.reason,
        }
    }
}

/// One alert with its places and the work on it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertDetail)]
pub(super) struct AlertDetailJson {
    #[serde(flatten)]
    #[schema(value_type = AlertSchema)]
    alert: AlertJson<'static>,
    /// Where the earlier sighting was.
    prev: PlaceJson,
    /// Where the later sighting was.
    curr: PlaceJson,
    /// `new` 新建, `investigating` 研判中, `confirmed` 已确认 or `dismissed` 已驳回.
    #[schema(value_type = WorkStatusName, example = "investigating")]
    status: WorkStatus,
    /// Number of changes so far; send it with the next one.
    #[schema(example = 1)]
    version: u64,
    /// The states that may follow.
    #[schema(value_type = Vec<WorkStatusName>, example = json!(["confirmed", "dismissed"]))]
    allowed: &'static [WorkStatus],
    /// The newest 100 changes, oldest first.
    history: Vec<WorkEntryJson>,
}

impl AlertDetailJson {
    fn new(worked: WorkedAlert, catalogue: &Catalogue) -> Self {
        let WorkedAlert { alert, work } = worked;
        Self {
            prev: PlaceJson::new(catalogue, &alert.earlier.checkpoint),
            curr: PlaceJson::new(catalogue, &alert.later.checkpoint),
            alert: alert.into(),
            status: work.status,
            version: work.version,
            allowed: work.status.allowed(),
            history: work.history.into_iter().map(WorkEntryJson::from).collect(),
        }
    }

    /// The response, with the version as its entity tag.
    fn into_answer(self) -> Response {
        tagged(self.version, self)
    }
}

/// A response with the version of the work as its entity tag.
pub(super) fn tagged(version: u64, data: impl Serialize) -> Response {
    let tag = HeaderValue::try_from(format!("\"{version}\""));
    let mut response = Success(data).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A change of the work on an alert.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of the body; `change_of` reads the fields one by one")]
#[schema(as = WorkChange, example = json!({"status": "investigating", "note": "已调取两处图像", "by": "王警官", "version": 0}))]
pub(super) struct WorkChangeBody {
    /// The state that should follow: `investigating` after `new`, `confirmed` or `dismissed` after `investigating`, and
    /// `investigating` again after those. Absent or the same: only the note is added.
    #[schema(value_type = Option<String>, example = "investigating")]
    status: Option<String>,
    /// Why, up to 1000 characters. Required to resume work and where the state does not change.
    #[schema(example = "已调取两处图像")]
    note: Option<String>,
    /// Why, as a code: `stopped` 现场查获, `photos` 图像比对, `owner` 车主证实, `misread` 号牌误识别, `clock` 设备时钟错误,
    /// `plate_types` 同号不同种类, `fast` 正常行驶 or `other` 其他.
    #[schema(value_type = Option<String>, example = "photos")]
    reason: Option<String>,
    /// Who makes the change, up to 64 characters.
    #[schema(example = "王警官")]
    by: String,
    /// The version that the change is based on; if it is no longer current the answer is 409. `If-Match` does the same.
    #[schema(example = 0)]
    version: Option<u64>,
}

/// One alert: both sightings with their places, and the work on it.
#[utoipa::path(
    get,
    path = "/warnings/{id}",
    tag = "warnings",
    params(("id" = String, Path, description = "`id` of the alert", example = "9f0c5a7be1d24c38")),
    responses(
        (status = 200, description = "The alert; the header `ETag` is the version of the work", body = Envelope<AlertDetailJson>),
        (status = 400, description = "The id is not 16 hexadecimal digits", body = ErrorEnvelope),
        (status = 404, description = "There is no such alert, or no longer", body = ErrorEnvelope),
        (status = 501, description = "This process has no local storage", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
    )
)]
pub(super) async fn get(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let id = checked(&id, ErrorReason::NotAlertId)?;
    let found = api.scan(move |snapshot| snapshot.alert(id)).await?;
    let worked = found.ok_or(crate::work::WorkError::NotFound(id))?;
    Ok(AlertDetailJson::new(worked, &api.reader.catalogue()).into_answer())
}

/// Changes the work on an alert. The change is on disk before the response is sent.
#[utoipa::path(
    patch,
    path = "/warnings/{id}",
    tag = "warnings",
    params(
        ("id" = String, Path, description = "`id` of the alert", example = "9f0c5a7be1d24c38"),
        ("If-Match" = Option<String>, Header, description = "The version that the change is based on, from `ETag`", example = "\"0\""),
    ),
    request_body(content = WorkChangeBody),
    responses(
        (status = 200, description = "The alert as it is now", body = Envelope<AlertDetailJson>),
        (status = 400, description = "The id or a field has the wrong form; `msg` names it", body = ErrorEnvelope),
        (status = 404, description = "There is no such alert, or no longer", body = ErrorEnvelope),
        (status = 409, description = "The state may not follow, a note is missing, or another change came first; `msg` says what is allowed", body = ErrorEnvelope),
        (status = 413, description = "The body is too large", body = ErrorEnvelope),
        (status = 415, description = "The body is not JSON", body = ErrorEnvelope),
        (status = 501, description = "This process has no local storage", body = ErrorEnvelope),
        (status = 503, description = "It could not be written; `msg` says why", body = ErrorEnvelope),
    )
)]
pub(super) async fn patch(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    BodyFields(fields): BodyFields,
) -> Result<Response, ApiError> {
    let id = checked(&id, ErrorReason::NotAlertId)?;
    let change = change_of(&api, &headers, &fields)?;
    let worked = api.change(move |reader| reader.change_work(id, &change)).await?;
    Ok(AlertDetailJson::new(worked, &api.reader.catalogue()).into_answer())
}

/// The id in a path; `reason` says what it is where it is none.
pub(super) fn checked(id: &str, reason: ErrorReason) -> Result<AlertId, ApiError> {
    AlertId::parse(&id.to_ascii_lowercase()).ok_or_else(|| ApiError::new(reason))
}

/// The change that a request asks for.
///
/// # Errors
/// 400 that names the field.
pub(super) fn change_of(api: &Api, headers: &HeaderMap, fields: &Fields) -> Result<WorkChange, ApiError> {
    fields.only(&FIELDS)?;
    let short = |name: &'static str, limit: usize| -> Result<String, ApiError> {
        let text = fields.exact(name)?.unwrap_or_default();
        match text.chars().nth(limit) {
            Some(_) => Err(too_long(name, limit)),
            None => Ok(text.to_owned()),
        }
    };
    let by = short("by", MAX_BY_CHARS)?;
    no_hazard("by", &by)?;
    if by.trim().is_empty() {
        return Err(ApiError::new(ErrorReason::MissingName));
    }
    // A note may be written in several lines; it is kept as one.
    let note = short("note", MAX_NOTE_CHARS)?.replace("\r\n", " ").replace(['\n', '\t'], " ");
    no_hazard("note", &note)?;
    Ok(WorkChange {
        status: fields.named("status")?,
        note: note.trim().to_owned(),
        reason: fields.named("reason")?,
        by: by.trim().to_owned(),
        at: api.now(),
        version: version(headers, fields)?,
    })
}

/// Names and notes are shown to others, so control characters and bidirectional marks are refused.
fn no_hazard(name: &str, text: &str) -> Result<(), ApiError> {
    match text.chars().find(|character| plain::is_hazard(*character)) {
        Some(character) => Err(ApiError::new(ErrorReason::ControlCharacter)
            .with("name", name)
            .with("given", format!("U+{:04X}", u32::from(character)))),
        None => Ok(()),
    }
}

/// The version that the change is based on, from the body or from `If-Match`.
fn version(headers: &HeaderMap, fields: &Fields) -> Result<Option<u64>, ApiError> {
    let in_body = fields.whole_if_given("version", 0..=MAX_NUMBER)?;
    let Some(tag) = headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap_or("?").trim()) else {
        return Ok(in_body);
    };
    if tag == "*" {
        return Ok(in_body);
    }
    let number = version_of(tag).ok_or_else(|| ApiError::new(ErrorReason::NotEtag).with("given", shortened(tag)))?;
    match in_body {
        Some(other) if other != number => Err(ApiError::new(ErrorReason::TwoVersions)),
        _ => Ok(Some(number)),
    }
}

/// The version in an entity tag, weak or not, or without its quotes.
fn version_of(tag: &str) -> Option<u64> {
    let quoted = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let digits = quoted.unwrap_or(tag);
    (1..=9)
        .contains(&digits.len())
        .then_some(digits)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?
        .parse()
        .ok()
}
