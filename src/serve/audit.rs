//! `GET /api/audit`: the audit log, newest entries first, and `POST /api/audit/verify`: whether it is as it was written.
//!
//! It shows plates to who may read it, who need not be allowed to see them elsewhere. Reading it leaves an entry too.

use std::sync::Arc;

use access::trail::{Action, Details, Entry, Purpose, PurposeCode, Via};
use axum::extract::{Extension, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Record;
use super::codes::{ActionName, PurposeCodeName, ViaName};
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::{Fields, MAX_WHOLE, QueryFields};
use super::query::plate_text;
use super::state::Api;
use crate::gate::{Broken, Trail, TrailError, TrailFilter};
use crate::pseudonyms::PlateCipher;

const MAX_LENGTH: u64 = 500;
const DEFAULT_LENGTH: u64 = 50;
const MILLIS: i64 = 1000;

/// What a request was for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Purpose)]
pub(super) struct PurposeJson {
    /// The code.
    #[schema(value_type = PurposeCodeName, example = "case")]
    code: PurposeCode,
    /// The words; may be empty.
    #[schema(example = "案件 2026-17")]
    text: String,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct EntryJson {
    /// Its number, from 1, without gaps.
    #[schema(example = 17)]
    n: u64,
    /// When, civil time of the road.
    #[schema(example = "2026-11-28 08:00:00")]
    at: String,
    /// The name of the user; null where nobody needs to log in, and on the command line.
    #[schema(example = "wang")]
    user: Option<String>,
    /// By which name others see that user today; null if there is none of that name.
    #[schema(example = "王警官")]
    shown: Option<String>,
    /// How it is known who did it: `session`, `token`, `open` (nobody needs to log in), `nothing` (a failed login), `command` (the
    /// command line) or `process` (the program by itself).
    #[schema(value_type = ViaName, example = "session")]
    via: Via,
    /// The public name of the session or token.
    #[schema(example = "ba7816bf8f01")]
    credential: Option<String>,
    /// From where; for IPv6 the /64 network.
    #[schema(example = "10.0.0.7")]
    address: Option<String>,
    /// What was done.
    #[schema(value_type = ActionName, example = "query")]
    action: String,
    /// The status of the answer; null where there was none.
    #[schema(example = 200)]
    status: Option<u16>,
    /// How many records were shown.
    #[schema(example = 12)]
    rows: Option<u64>,
    /// What for; null if it was not said.
    purpose: Option<PurposeJson>,
    /// The request as it was understood: texts, whole numbers, flags and lists of texts; null if there is nothing to say, or if it was
    /// erased.
    #[schema(value_type = Option<Object>, example = json!({"hphm": "苏C12345", "order": "newest", "page": 1, "limit": 10}))]
    details: Option<Details>,
    /// Whether the details were erased.
    #[schema(example = false)]
    erased: bool,
}

/// The newest entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditHead)]
pub(super) struct HeadJson {
    /// Its number.
    #[schema(example = 17)]
    n: u64,
    /// Its hash.
    #[schema(example = "9f0c5a7be1d24c389f0c5a7be1d24c389f0c5a7be1d24c389f0c5a7be1d24c38")]
    hash: String,
    /// When, civil time of the road.
    #[schema(example = "2026-11-28 08:00:00")]
    at: String,
}

/// The oldest entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditFirst)]
pub(super) struct FirstJson {
    /// Its number.
    #[schema(example = 1)]
    n: u64,
    /// When, civil time of the road.
    #[schema(example = "2026-11-01 08:00:00")]
    at: String,
}

/// Some entries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditPage)]
pub(super) struct PageJson {
    /// Newest first. There may be fewer than `length`, even none, although `next` says that there may be more.
    entries: Vec<EntryJson>,
    /// Value of `before` for the next page; null at the end.
    #[schema(example = 3)]
    next: Option<u64>,
    /// The newest entry of the log; null if there is none.
    head: Option<HeadJson>,
    /// The oldest entry of the log; null if there is none.
    first: Option<FirstJson>,
}

/// The audit log, newest entries first.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "access",
    params(
        ("from" = Option<String>, Query, description = "First time that counts", example = "2026-11-28 00:00:00"),
        ("to" = Option<String>, Query, description = "Last time that counts; a date alone means its last second", example = "2026-11-28"),
        ("user" = Option<String>, Query, description = "The name of a user", example = "wang"),
        ("action" = Option<String>, Query, description = "What was done", example = "query"),
        ("hphm" = Option<String>, Query, description = "The plate, or pattern, of the request contains this", example = "苏C123"),
        ("address" = Option<String>, Query, description = "From where", example = "10.0.0.7"),
        ("before" = Option<u64>, Query, description = "Only entries with a number below this: `next` of the page before", example = 17),
        ("length" = Option<u32>, Query, minimum = 1, maximum = 500, description = "Entries; default 50", example = 50),
    ),
    responses(
        (status = 200, description = "The entries", body = Envelope<PageJson>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
        (status = 501, description = "This process keeps no audit log", body = ErrorEnvelope),
    )
)]
pub(super) async fn audit_log(
    State(api): State<Arc<Api>>,
    Extension(record): Extension<Record>,
    QueryFields(fields): QueryFields,
) -> Answer<PageJson> {
    let length = fields.whole("length", 1..=MAX_LENGTH, DEFAULT_LENGTH)? as usize;
    let filter = filter(&api, &fields)?;
    let trail = trail(&api)?;
    let given = fields.given(&["from", "to", "user", "action", "address", "before"]);
    record.details(given.with("length", length as u64).with_any(Details::PLATE, filter.plate.clone()));
    let shown = shown(api.settings.plates.clone());
    let page = api.lanes.scan(move || trail.search(&filter, length, shown)).await?.map_err(unreadable)?;
    record.rows(page.entries.len());
    Ok(Success(PageJson {
        next: page.next,
        head: page.newest.map(|newest| head(&api, &newest)),
        first: page.oldest.map(|oldest| first(&api, &oldest)),
        entries: page.entries.into_iter().map(|entry| in_json(&api, entry)).collect(),
    }))
}

fn filter(api: &Api, fields: &Fields) -> Result<TrailFilter, ApiError> {
    let range = fields.range("from", "to", &api.settings.zone)?;
    let owned = |name| -> Result<Option<String>, ApiError> { Ok(fields.text(name)?.map(|text| text.into_owned())) };
    Ok(TrailFilter {
        from: range.start,
        to: range.end,
        user: owned("user")?.map(|user| user.to_ascii_lowercase()),
        action: fields.named::<Action>("action")?.map(|action| action.as_str().to_owned()),
        plate: fields.text("hphm")?.map(|text| plate_text(&text)),
        address: owned("address")?,
        before: fields.whole_if_given("before", 0..=MAX_WHOLE)?,
    })
}

fn trail(api: &Api) -> Result<Arc<Trail>, ApiError> {
    api.trail.clone().ok_or_else(|| ApiError::new(ErrorReason::NoAudit))
}

fn unreadable(error: TrailError) -> ApiError {
    tracing::error!(%error, "the audit log cannot be read");
    ApiError::new(ErrorReason::StorageUnreadable).with("error", error.to_string())
}

fn first(api: &Api, entry: &Entry) -> FirstJson {
    FirstJson { n: entry.n, at: api.civil(entry.t.div_euclid(MILLIS)) }
}

fn head(api: &Api, entry: &Entry) -> HeadJson {
    HeadJson { n: entry.n, hash: entry.hash.to_string(), at: api.civil(entry.t.div_euclid(MILLIS)) }
}

/// A text of an entry as it is shown: with a plate key it names plates.
fn shown(cipher: Option<Arc<PlateCipher>>) -> impl Fn(&str) -> String {
    move |text| cipher.as_ref().map_or_else(|| text.to_owned(), |cipher| cipher.reveal_in(text))
}

fn in_json(api: &Api, entry: Entry) -> EntryJson {
    let shown = shown(api.settings.plates.clone());
    EntryJson {
        n: entry.n,
        at: api.civil(entry.t.div_euclid(MILLIS)),
        shown: entry.user.as_deref().and_then(|user| api.gate.shown(user)),
        erased: entry.is_erased(),
        user: entry.user,
        via: entry.via,
        credential: entry.credential,
        address: entry.address,
        action: entry.action,
        status: entry.status,
        rows: entry.rows,
        purpose: entry.purpose.map(|Purpose { code, text }| PurposeJson { code, text: shown(&text) }),
        details: entry.details.map(|details| details.map_texts(|_, text| shown(text))),
    }
}

/// Where the log is not as it was written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditBroken)]
pub(super) struct BrokenJson {
    /// The file in `access/audit`.
    #[schema(example = "2026-11-28.jsonl")]
    file: String,
    /// The line in it, from 1.
    #[schema(example = 3)]
    line: u64,
    /// What is wrong.
    #[schema(example = "entry 17 was changed")]
    what: String,
}

/// What a verification found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditVerified)]
pub(super) struct VerifiedJson {
    /// How many entries there are; where the log is broken, those of the files before.
    #[schema(example = 12345)]
    entries: u64,
    /// The oldest entry; null in an empty log, and where it is broken.
    first: Option<FirstJson>,
    /// The newest entry; null in an empty log, and where it is broken.
    head: Option<HeadJson>,
    /// Where the log is broken first; null if it is sound.
    broken: Option<BrokenJson>,
}

/// Reads the whole audit log and verifies its chain of hashes. Compare `head` with what the log of the process said, or with a head
/// noted elsewhere: who can change the files can compute all hashes anew. It takes some seconds for each million entries.
#[utoipa::path(
    post,
    path = "/audit/verify",
    tag = "access",
    responses(
        (status = 200, description = "What was found", body = Envelope<VerifiedJson>),
        (status = 501, description = "This process keeps no audit log", body = ErrorEnvelope),
    )
)]
pub(super) async fn verify_audit(
    State(api): State<Arc<Api>>,
    Extension(record): Extension<Record>,
) -> Answer<VerifiedJson> {
    let trail = trail(&api)?;
    let verified = api.lanes.verify(move || trail.verify(None, &mut |_, _| {})).await?.map_err(unreadable)?;
    let sound = verified.days.iter().map(|day| day.entries).sum();
    record.details(Details::default().with("entries", sound).with("sound", verified.result.is_ok()));
    let (checked, broken) = match verified.result {
        Ok(checked) => (Some(checked), None),
        Err(Broken { file, line, what }) => {
            tracing::error!(file, line, what, "the audit log is not as it was written");
            (None, Some(BrokenJson { file, line, what }))
        }
    };
    let (oldest, newest) = checked.map_or((None, None), |checked| (checked.first, checked.last));
    Ok(Success(VerifiedJson {
        entries: sound,
        first: oldest.map(|oldest| first(&api, &oldest)),
        head: newest.map(|newest| head(&api, &newest)),
        broken,
    }))
}
