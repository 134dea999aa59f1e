//! `GET` and `PATCH /api/warnings/{id}`: one alert with everything that is known about it, and the work on it (研判).
//!
//! [`super::work`] reads a change; [`crate::work`] decides which state may follow which.

use std::sync::Arc;

use access::trail::Details;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use traffic::{Catalogue, Checkpoint};
use utoipa::ToSchema;

use super::access::Record;
use super::codes::WorkStatusName;
use super::error::{ApiError, Envelope, ErrorEnvelope, ErrorReason};
use super::fields::BodyFields;
use super::records::label;
use super::sight::Sight;
use super::state::Api;
use super::warnings::AlertSchema;
use super::work::{WorkChangeBody, WorkEntrySchema, WorkRefusals, change_of, checked, details, tagged};
use crate::alert_json::AlertJson;
use crate::gate::Identity;
use crate::work::{WorkStatus, WorkedAlert};
use crate::work_json::WorkEntryJson;

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
    /// The newest 100 decisions (changes of the state) and the newest 100 notes, oldest first.
    #[schema(value_type = Vec<WorkEntrySchema>)]
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
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(record): Extension<Record>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = checked(&id, ErrorReason::NotAlertId)?;
    record.details(Details::default().with("id", id.to_string()));
    let found = api.scan(&sight, move |snapshot| snapshot.alert(id)).await?;
    let worked = found.ok_or(crate::work::WorkError::NotFound(id))?;
    record.detail(Details::PLATE, worked.alert.plate.as_str());
    record.rows(1);
    Ok(AlertDetailJson::new(worked, &sight.catalogue()).into_answer())
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
        WorkRefusals,
    )
)]
pub(super) async fn patch(
    State(api): State<Arc<Api>>,
    sight: Sight,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<Record>,
    Path(id): Path<String>,
    headers: HeaderMap,
    BodyFields(fields): BodyFields,
) -> Result<Response, ApiError> {
    let id = checked(&id, ErrorReason::NotAlertId)?;
    let change = change_of(&api, &identity, &headers, &fields)?;
    record.details(details(id, &change));
    let worked = api.change(&sight, move |reader| reader.change_work(id, &change)).await?;
    record.detail(Details::PLATE, worked.alert.plate.as_str());
    Ok(AlertDetailJson::new(worked, &sight.catalogue()).into_answer())
}
