//! `GET /api/warnings/realtime` and `GET /api/warnings`: alerts, newest first. The JSON of an alert is the same in files, in
//! Redis and here; the history adds the state of the work.

use std::sync::Arc;

use access::trail::Details;
use axum::extract::{Extension, State};
use serde::Serialize;
use traffic::{Alert, Rule, Severity};
use utoipa::ToSchema;

use super::access::Record;
use super::codes::{CauseName, RuleName, SeverityName, WorkStatusName};
use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, Success};
use super::fields::{Fields, QueryFields};
use super::query::asked_plate;
use super::records::kkmc_texts;
use super::sight::Sight;
use super::state::Api;
use crate::alert_json::{AlertJson, ReasonJson};
use crate::reader::AlertFilter;
use crate::work::{AlertWork, WorkStatus};

const MAX_LIMIT: u64 = 1000;
const DEFAULT_LIMIT: u64 = 10;

/// One alert: two sightings of a plate that one car cannot have made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of `AlertJson`; a test compares their fields")]
#[schema(as = Alert)]
pub(super) struct AlertSchema {
    /// Number of the alert in its data directory, from 1 without gaps.
    #[schema(example = 12)]
    seq: u64,
    /// 16 hexadecimal digits that depend only on the plate and the two GCXH.
    #[schema(example = "9f0c5a7be1d24c38")]
    id: String,
    /// The plate.
    #[schema(example = "苏C12345")]
    hphm: String,
    /// Checkpoint of the sighting that is earlier in event time.
    #[schema(example = "S250_Pizhou_Sulu")]
    prev_kkmc: String,
    /// Checkpoint of the later sighting.
    #[schema(example = "G3_Sulu")]
    curr_kkmc: String,
    /// Time of the earlier sighting.
    #[schema(example = "2024-01-01 08:00:00")]
    prev_time: String,
    /// Time of the later sighting.
    #[schema(example = "2024-01-01 08:02:03")]
    curr_time: String,
    /// GCXH of the earlier sighting.
    #[schema(example = "G320300109027253771")]
    prev_gcxh: String,
    /// GCXH of the later sighting.
    #[schema(example = "G320300109027253999")]
    curr_gcxh: String,
    /// Seconds between the two.
    #[schema(example = 123)]
    gap_seconds: i64,
    /// Great-circle distance in km; null if a coordinate is unknown.
    #[schema(example = 63.6)]
    distance_km: Option<f64>,
    /// Distance over gap in km/h; null if the distance is unknown or the gap is 0.
    #[schema(example = 1861.5)]
    speed_kmh: Option<f64>,
    /// Where there is a probability, `high` from 0.9 and `medium` from 0.5. Elsewhere, `high`: even the lower bound of the
    /// speed is impossible. `medium`: only the nominal speed is, or the distance is unknown, or one of the cameras makes
    /// many such pairs. `low`: a car could have driven it, or two vehicles may lawfully carry the number.
    #[schema(value_type = SeverityName, example = "high")]
    severity: Severity,
    /// `window`: two checkpoints within the window. `speed`: an impossible speed beyond it.
    #[schema(value_type = RuleName, example = "window")]
    rule: Rule,
    /// What explains it: `clone`, `misread`, `clock`, `plate_types`, `fast`, or `feasible`, a gap that cars make. Absent if
    /// nothing is known.
    #[schema(value_type = Option<CauseName>, example = "clone")]
    cause: Option<traffic::Cause>,
    /// That two cars made it, 0 to 1. Absent where the travel times between the two checkpoints are not learnt.
    #[schema(example = 0.97)]
    probability: Option<f64>,
    /// Why, each with its numbers. Absent where nothing is learnt.
    reasons: Option<Vec<ReasonJson>>,
    /// The whole hour at which what is learnt of the roads changed last. Absent where nothing is learnt.
    #[schema(example = "2024-01-01 09:00:00")]
    model: Option<String>,
}

/// An alert, and the state of the work on it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertRecord)]
pub(super) struct AlertRecordJson {
    #[serde(flatten)]
    #[schema(value_type = AlertSchema)]
    alert: AlertJson<'static>,
    /// `new` 新建, `investigating` 研判中, `confirmed` 已确认 or `dismissed` 已驳回.
    #[schema(value_type = WorkStatusName, example = "investigating")]
    status: WorkStatus,
    /// Number of changes to the work; send it with a change.
    #[schema(example = 1)]
    version: u64,
    /// Time of the last change of the work, civil time of the road; null if there was none.
    #[schema(example = "2024-01-01 08:05:00")]
    changed_at: Option<String>,
    /// Who changed it last.
    #[schema(example = "王警官")]
    changed_by: Option<String>,
    /// The note of the last change.
    #[schema(example = "已调取两处图像")]
    note: Option<String>,
}

impl AlertRecordJson {
    fn new(alert: Alert, work: AlertWork) -> Self {
        let last = work.history.last();
        Self {
            alert: alert.into(),
            status: work.status,
            version: work.version,
            changed_at: last.map(|change| change.at.to_string()),
            changed_by: last.map(|change| change.by.clone()),
            note: last.map(|change| change.note.clone()).filter(|note| !note.is_empty()),
        }
    }
}

/// One page of alerts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertPage)]
pub(super) struct AlertPageJson {
    /// How many match on all pages.
    #[schema(example = 1)]
    total: u64,
    /// Those of this page, newest first.
    records: Vec<AlertRecordJson>,
}

/// The newest alerts that match the filters of `GET /api/warnings`; without any, the newest of all.
#[utoipa::path(
    get,
    path = "/warnings/realtime",
    tag = "warnings",
    params(
        ("hphm" = Option<String>, Query, description = "The plate contains this; `*` matches any characters and `?` one", example = "苏C123"),
        ("kkmc" = Option<String>, Query, description = "Either sighting's checkpoint: code, full name or label", example = "G3_Sulu"),
        ("severity" = Option<String>, Query, description = "`high`, `medium` or `low`", example = "high"),
        ("rule" = Option<String>, Query, description = "`window` or `speed`", example = "window"),
        ("status" = Option<String>, Query, description = "State of the work: `new`, `investigating`, `confirmed` or `dismissed`", example = "new"),
        ("start" = Option<String>, Query, description = "First time of the later sighting that counts", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last one; a date alone means its last second", example = "2024-01-01"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Alerts; default 10", example = 10),
    ),
    responses(
        (status = 200, description = "Alerts, newest first", body = Envelope<Vec<AlertSchema>>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
    )
)]
pub(super) async fn realtime(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(record): Extension<Record>,
    QueryFields(fields): QueryFields,
) -> Answer<Vec<AlertJson<'static>>> {
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let filter = filter(&api, &sight, &fields)?;
    record.details(details(&fields, &filter).with("limit", limit as u64));
    let found = if filter == AlertFilter::default() {
        api.counters(&sight, move |snapshot| snapshot.newest_alerts(limit).map(in_json)).await?
    } else {
        api.scan(&sight, move |snapshot| Ok(in_json(snapshot.alerts(&filter, 1, limit)?.records))).await?
    };
    record.rows(found.len());
    Ok(Success(found))
}

/// A list as the audit log says it.
fn details(fields: &Fields, filter: &AlertFilter) -> Details {
    let given = fields.given(&["kkmc", "severity", "rule", "status", "start", "end"]);
    given.with_any(Details::PLATE, filter.hphm.clone())
}

fn in_json(alerts: Vec<Alert>) -> Vec<AlertJson<'static>> {
    alerts.into_iter().map(AlertJson::from).collect()
}

/// The filters of a request.
///
/// # Errors
/// 400 that names the parameter.
fn filter(api: &Api, sight: &Sight, fields: &Fields) -> Result<AlertFilter, ApiError> {
    Ok(AlertFilter {
        time: fields.range("start", "end", &api.settings.zone)?,
        hphm: asked_plate(fields, &api.settings)?,
        kkmc: fields.text("kkmc")?.map(|text| kkmc_texts(&sight.catalogue(), &text)),
        severity: fields.named("severity")?,
        rule: fields.named("rule")?,
        status: fields.named("status")?,
    })
}

/// Alerts that match the filters, newest first.
#[utoipa::path(
    get,
    path = "/warnings",
    tag = "warnings",
    params(
        ("hphm" = Option<String>, Query, description = "The plate contains this; `*` matches any characters and `?` one", example = "苏C123"),
        ("kkmc" = Option<String>, Query, description = "Either sighting's checkpoint: code, full name or label", example = "G3_Sulu"),
        ("severity" = Option<String>, Query, description = "`high`, `medium` or `low`", example = "high"),
        ("rule" = Option<String>, Query, description = "`window` or `speed`", example = "window"),
        ("status" = Option<String>, Query, description = "State of the work: `new`, `investigating`, `confirmed` or `dismissed`", example = "new"),
        ("start" = Option<String>, Query, description = "First time of the later sighting that counts", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last one; a date alone means its last second", example = "2024-01-01"),
        ("page" = Option<u32>, Query, minimum = 1, description = "Page, from 1", example = 1),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Alerts of a page; default 10", example = 10),
    ),
    responses(
        (status = 200, description = "One page of alerts, and how many match on all pages", body = Envelope<AlertPageJson>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
        (status = 504, description = "The query took too long", body = ErrorEnvelope),
    )
)]
pub(super) async fn history(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(record): Extension<Record>,
    QueryFields(fields): QueryFields,
) -> Answer<AlertPageJson> {
    let filter = filter(&api, &sight, &fields)?;
    let page = fields.page()?;
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    record.details(details(&fields, &filter).with("page", page).with("limit", limit as u64));
    let found = api.scan(&sight, move |snapshot| {
        let found = snapshot.alerts(&filter, page, limit)?;
        record.rows(found.records.len());
        let seqs: Vec<u64> = found.records.iter().map(|alert| alert.seq).collect();
        let work = snapshot.work(&seqs)?;
        let records = found.records.into_iter().zip(work).map(|(alert, work)| AlertRecordJson::new(alert, work));
        Ok(AlertPageJson { total: found.total, records: records.collect() })
    });
    found.await.map(Success)
}
