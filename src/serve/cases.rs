//! `GET /api/cases`, and `GET` and `PATCH /api/cases/{id}`: plates that two cars are likely to wear, and the work on them.
//!
//! [`super::work`] reads a change; [`crate::work`] decides which state may follow which.

use std::sync::Arc;

use access::trail::Details;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use traffic::{AlertId, Catalogue, Cause};
use utoipa::ToSchema;

use super::access::Record;
use super::alert::PlaceJson;
use super::codes::{CauseName, WorkStatusName};
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, ErrorReason, Success};
use super::fields::{BodyFields, Fields, QueryFields};
use super::query::asked_plate;
use super::records::kkmc_texts;
use super::sight::Sight;
use super::state::Api;
use super::work::{WorkChangeBody, WorkEntrySchema, WorkRefusals, change_of, checked, details, tagged};
use crate::case_json::{
    CarJson, CaseBriefJson, CaseJson, CaseRecordJson, CaseTimesJson, CountJson, ExplanationsJson, PairJson,
    SightingJson, StrongestJson, WorkedCase,
};
use crate::gate::Identity;
use crate::reader::CaseFilter;
use crate::work::{WorkError, WorkStatus};
use crate::work_json::WorkEntryJson;

const MAX_LIMIT: u64 = 100;
const DEFAULT_LIMIT: u64 = 10;

/// One case: a plate that two cars are likely to wear.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of `CaseJson`; a test compares their fields")]
#[schema(as = Case)]
pub(super) struct CaseSchema {
    /// Number of the case in its data directory, from 1.
    #[schema(example = 3)]
    seq: u64,
    /// 16 hexadecimal digits that depend only on the plate and the time at which the case was opened.
    #[schema(example = "33fd7a2a41c6278a")]
    id: String,
    /// The plate.
    #[schema(example = "苏C12345")]
    hphm: String,
    /// That two cars wear the plate, 0 to 1.
    #[schema(example = 0.97)]
    probability: f64,
    /// The likeliest explanation.
    #[schema(value_type = CauseName, example = "clone")]
    cause: Cause,
    /// Each explanation with its probability; together 1.
    explanations: ExplanationsJson,
    /// How many contradictions there were: sightings that no single car can have made.
    #[schema(example = 3)]
    contradictions: u32,
    /// Corrected time of the first contradiction.
    #[schema(example = "2024-01-01 08:00:00")]
    first_time: String,
    /// Corrected time of the newest contradiction.
    #[schema(example = "2024-01-01 09:12:30")]
    last_time: String,
    /// Event time at which the case was opened.
    #[schema(example = "2024-01-01 08:20:00")]
    opened_at: String,
    /// `new` 新建, `investigating` 研判中, `confirmed` 已确认 or `dismissed` 已驳回.
    #[schema(value_type = WorkStatusName, example = "new")]
    status: WorkStatus,
    /// The two cars apart: each sighting of the last day, and where each is likely to pass next.
    cars: Vec<CarJson>,
    /// Sightings of the last day that neither car made: another vehicle, or another plate read as this one.
    strangers: Vec<SightingJson>,
    /// Brands seen in the last day, the most frequent first.
    brands: Vec<CountJson>,
    /// Plate types (HPZL) seen in the last day, the most frequent first.
    plate_types: Vec<CountJson>,
    /// The newest contradictions, at most 100, oldest first.
    pairs: Vec<PairJson>,
    /// The whole hour at which what is learnt of the roads changed last.
    #[schema(example = "2024-01-01 09:00:00")]
    model: Option<String>,
}

/// A case in a list; `GET /api/cases/{id}` has all of it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of `CaseBriefJson`; a test compares their fields")]
#[schema(as = CaseBrief)]
pub(super) struct CaseBriefSchema {
    /// Number of the case in its data directory, from 1.
    #[schema(example = 3)]
    seq: u64,
    /// 16 hexadecimal digits that depend only on the plate and the time at which the case was opened.
    #[schema(example = "33fd7a2a41c6278a")]
    id: String,
    /// The plate.
    #[schema(example = "苏C12345")]
    hphm: String,
    /// That two cars wear the plate, 0 to 1.
    #[schema(example = 0.97)]
    probability: f64,
    /// The likeliest explanation.
    #[schema(value_type = CauseName, example = "clone")]
    cause: Cause,
    /// Each explanation with its probability; together 1.
    explanations: ExplanationsJson,
    /// How many contradictions there were: sightings that no single car can have made.
    #[schema(example = 3)]
    contradictions: u32,
    /// Corrected time of the first contradiction.
    #[schema(example = "2024-01-01 08:00:00")]
    first_time: String,
    /// Corrected time of the newest contradiction.
    #[schema(example = "2024-01-01 09:12:30")]
    last_time: String,
    /// Event time at which the case was opened.
    #[schema(example = "2024-01-01 08:20:00")]
    opened_at: String,
    /// `new` 新建, `investigating` 研判中, `confirmed` 已确认 or `dismissed` 已驳回.
    #[schema(value_type = WorkStatusName, example = "new")]
    status: WorkStatus,
    /// The contradiction with the smallest gap for its way; null if none is kept.
    strongest: Option<StrongestJson>,
}

/// One page of cases.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CasePage)]
pub(super) struct CasePageJson {
    /// How many match on all pages.
    #[schema(example = 1)]
    total: u64,
    /// Those of this page, in the requested order.
    #[schema(value_type = Vec<CaseBriefSchema>)]
    records: Vec<CaseBriefJson>,
}

/// One case with the work on it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseDetail)]
pub(super) struct CaseDetailJson {
    #[serde(flatten)]
    #[schema(value_type = CaseSchema)]
    case: CaseJson,
    /// The checkpoints that it names, each once.
    places: Vec<PlaceJson>,
    /// How long cars take on the way of its clearest contradiction, of those whose ways are learnt; null if none is, and in
    /// the role `api`.
    times: Option<CaseTimesJson>,
    /// Number of changes so far; send it with the next one.
    #[schema(example = 1)]
    version: u64,
    /// The states that may follow.
    #[schema(value_type = Vec<WorkStatusName>, example = json!(["confirmed", "dismissed"]))]
    allowed: &'static [WorkStatus],
    /// The newest 100 decisions (changes of the state) and the newest 100 notes, oldest first.
    #[schema(value_type = Vec<WorkEntrySchema>)]
    history: Vec<WorkEntryJson>,
}

impl CaseDetailJson {
    fn new(worked: WorkedCase, sight: &Sight) -> Self {
        let CaseRecordJson { case, version, history } = worked.into();
        Self {
            places: places(&case, &sight.catalogue()),
            times: sight.snapshot().case_times(&case),
            allowed: case.status.allowed(),
            case,
            version,
            history,
        }
    }

    fn into_answer(self) -> Response {
        tagged(self.version, self)
    }
}

fn places(case: &CaseJson, catalogue: &Catalogue) -> Vec<PlaceJson> {
    let of_cars = case.cars.iter().flat_map(|car| {
        car.sightings.iter().map(|sighting| &sighting.kkmc).chain(car.next.iter().map(|next| &next.kkmc))
    });
    let of_pairs = case.pairs.iter().flat_map(|pair| [&pair.earlier.kkmc, &pair.later.kkmc]);
    let strangers = case.strangers.iter().map(|sighting| &sighting.kkmc);
    let mut all: Vec<&String> = of_cars.chain(of_pairs).chain(strangers).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|kkmc| PlaceJson::new(catalogue, kkmc)).collect()
}

/// Cases that match the filters, in a brief form, the likeliest first.
#[utoipa::path(
    get,
    path = "/cases",
    tag = "cases",
    params(
        ("hphm" = Option<String>, Query, description = "The plate contains this; `*` matches any characters and `?` one", example = "苏C123"),
        ("kkmc" = Option<String>, Query, description = "One of its contradictions is at this checkpoint: code, full name or label", example = "G3_Sulu"),
        ("probability" = Option<f64>, Query, minimum = 0, maximum = 1, description = "Least probability", example = 0.9),
        ("cause" = Option<String>, Query, description = "The likeliest explanation", example = "clone"),
        ("status" = Option<String>, Query, description = "State of the work: `new`, `investigating`, `confirmed` or `dismissed`", example = "new"),
        ("start" = Option<String>, Query, description = "First time of the newest contradiction that counts", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last one; a date alone means its last second", example = "2024-01-01"),
        ("order" = Option<String>, Query, description = "`probability` (default): the likeliest first, of equal ones the one that contradicted itself last; `newest`: the one that was opened last first", example = "newest"),
        ("page" = Option<u32>, Query, minimum = 1, description = "Page, from 1", example = 1),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Cases of a page; default 10", example = 10),
    ),
    responses(
        (status = 200, description = "One page of cases, and how many match on all pages", body = Envelope<CasePageJson>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
        (status = 501, description = "This process cannot list cases", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
        (status = 504, description = "The query took too long", body = ErrorEnvelope),
    )
)]
pub(super) async fn list_cases(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(record): Extension<Record>,
    QueryFields(fields): QueryFields,
) -> Answer<CasePageJson> {
    let filter = filter(&api, &sight, &fields)?;
    let order = fields.named("order")?.unwrap_or_default();
    let page = fields.page()?;
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let given = fields.given(&["kkmc", "probability", "cause", "status", "start", "end", "order"]);
    let given = given.with("page", page).with("limit", limit as u64);
    record.details(given.with_any(Details::PLATE, filter.hphm.clone()));
    let found = api.scan(&sight, move |snapshot| snapshot.cases(&filter, order, page, limit)).await?;
    record.rows(found.records.len());
    Ok(Success(CasePageJson { total: found.total, records: found.records }))
}

fn filter(api: &Api, sight: &Sight, fields: &Fields) -> Result<CaseFilter, ApiError> {
    Ok(CaseFilter {
        time: fields.range("start", "end", &api.settings.zone)?,
        hphm: asked_plate(fields, &api.settings)?,
        kkmc: fields.text("kkmc")?.map(|text| kkmc_texts(&sight.catalogue(), &text)),
        min_probability: fields.share("probability")?,
        cause: fields.named("cause")?,
        status: fields.named("status")?,
    })
}

/// One case: everything that is known of it, and the work on it.
#[utoipa::path(
    get,
    path = "/cases/{id}",
    tag = "cases",
    params(("id" = String, Path, description = "`id` of the case", example = "33fd7a2a41c6278a")),
    responses(
        (status = 200, description = "The case; the header `ETag` is the version of the work", body = Envelope<CaseDetailJson>),
        (status = 400, description = "The id is not 16 hexadecimal digits", body = ErrorEnvelope),
        (status = 404, description = "There is no such case, or no longer", body = ErrorEnvelope),
        (status = 501, description = "This process cannot show a case", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
    )
)]
pub(super) async fn get_case(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(record): Extension<Record>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = checked(&id, ErrorReason::NotCaseId)?.0;
    record.details(Details::default().with("id", AlertId(id).to_string()));
    let found = api.scan(&sight, move |snapshot| snapshot.case(id)).await?;
    let worked = found.ok_or(WorkError::NoCase(AlertId(id)))?;
    record.detail(Details::PLATE, worked.case.hphm.as_str());
    record.rows(1);
    Ok(CaseDetailJson::new(worked, &sight).into_answer())
}

/// Changes the work on a case. The change is on disk before the response is sent.
#[utoipa::path(
    patch,
    path = "/cases/{id}",
    tag = "cases",
    params(
        ("id" = String, Path, description = "`id` of the case", example = "33fd7a2a41c6278a"),
        ("If-Match" = Option<String>, Header, description = "The version that the change is based on, from `ETag`", example = "\"0\""),
    ),
    request_body(content = WorkChangeBody),
    responses(
        (status = 200, description = "The case as it is now", body = Envelope<CaseDetailJson>),
        WorkRefusals,
    )
)]
pub(super) async fn patch_case(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<Record>,
    Path(id): Path<String>,
    headers: HeaderMap,
    BodyFields(fields): BodyFields,
) -> Result<Response, ApiError> {
    let id = checked(&id, ErrorReason::NotCaseId)?.0;
    let change = change_of(&api, &identity, &headers, &fields)?;
    record.details(details(AlertId(id), &change));
    let worked = api.change(&sight, move |reader| reader.change_case(id, &change)).await?;
    record.detail(Details::PLATE, worked.case.hphm.as_str());
    Ok(CaseDetailJson::new(worked, &sight).into_answer())
}
