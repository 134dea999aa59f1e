//! What requests about work (研判) have in common, on an alert as on a case: reading a change, its refusals, and the version
//! as the entity tag of an answer.
//!
//! [`crate::work`] decides which state may follow which. This module does not know what is worked on.

use access::trail::Details;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use traffic::AlertId;
use utoipa::{IntoResponses, ToSchema};

use super::codes::{WorkReasonName, WorkStatusName};
use super::error::{ApiError, ErrorEnvelope, ErrorReason, Success};
use super::fields::{Fields, MAX_NUMBER, no_hazard, shortened, too_long};
use super::state::Api;
use crate::gate::Identity;
use crate::work::{MAX_BY_CHARS, MAX_NOTE_CHARS, WorkChange, WorkReason, WorkStatus};

/// The fields of a change.
const FIELDS: [&str; 5] = ["status", "note", "reason", "by", "version"];

/// A change of the work.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of `WorkEntryJson`")]
#[schema(as = WorkEntry)]
pub(super) struct WorkEntrySchema {
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

/// Why a change was not made.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document's view of the refusals")]
pub(super) enum WorkRefusals {
    /// The id or a field has the wrong form; `msg` names it
    #[response(status = 400)]
    WrongForm(ErrorEnvelope),
    /// There is no such record, or no longer
    #[response(status = 404)]
    None(ErrorEnvelope),
    /// The state may not follow, a note is missing, or another change came first; `msg` says what is allowed
    #[response(status = 409)]
    NotAllowed(ErrorEnvelope),
    /// The body is too large
    #[response(status = 413)]
    TooLarge(ErrorEnvelope),
    /// The body is not JSON
    #[response(status = 415)]
    NotJson(ErrorEnvelope),
    /// This process has no local storage
    #[response(status = 501)]
    NoStorage(ErrorEnvelope),
    /// It could not be written; `msg` says why
    #[response(status = 503)]
    NotWritten(ErrorEnvelope),
}

/// A change of the work on an alert or a case.
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
    /// Who makes the change, up to 64 characters. Who is logged in need not give it, and is named whatever is given.
    #[schema(example = "王警官")]
    by: String,
    /// The version that the change is based on; if it is no longer current the answer is 409. `If-Match` does the same.
    #[schema(example = 0)]
    version: Option<u64>,
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

/// The id in a path; `reason` says what it is where it is none.
pub(super) fn checked(id: &str, reason: ErrorReason) -> Result<AlertId, ApiError> {
    AlertId::parse(&id.to_ascii_lowercase()).ok_or_else(|| ApiError::new(reason))
}

/// The change that a request asks for.
///
/// # Errors
/// 400 that names the field.
pub(super) fn change_of(
    api: &Api,
    identity: &Identity,
    headers: &HeaderMap,
    fields: &Fields,
) -> Result<WorkChange, ApiError> {
    fields.only(&FIELDS)?;
    let short = |name: &'static str, limit: usize| -> Result<String, ApiError> {
        let text = fields.exact(name)?.unwrap_or_default();
        match text.chars().nth(limit) {
            Some(_) => Err(too_long(name, limit)),
            None => Ok(text.to_owned()),
        }
    };
    let given = short("by", MAX_BY_CHARS)?;
    no_hazard("by", &given)?;
    // Nobody works under another's name.
    let by = identity.who.as_ref().map_or(given, |who| who.shown.clone());
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

/// A change as the audit log says it. The note is in the history of what was worked on.
pub(super) fn details(id: AlertId, change: &WorkChange) -> Details {
    Details::default()
        .with("id", id.to_string())
        .with_any("status", change.status.map(WorkStatus::as_str))
        .with_any("reason", change.reason.map(WorkReason::as_str))
        .with("note", !change.note.is_empty())
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
