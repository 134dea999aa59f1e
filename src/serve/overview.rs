//! `GET /api/overview`: the headline numbers of the page, from one snapshot and from counters alone.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use traffic::CivilTime;
use utoipa::ToSchema;

use super::Api;
use super::alerts_today::day;
use super::error::{Answer, Envelope, ErrorEnvelope, Success};
use super::fields::SECONDS_PER_DAY;
use crate::reader::{Group, TimeRange};

const SECONDS_PER_HOUR: i64 = 3600;

/// The headline numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Overview {
    /// Passages that are retained.
    #[schema(example = 1234567)]
    total: u64,
    /// Passages accepted since the data directory was made.
    #[schema(example = 1234567)]
    accepted: u64,
    /// Today's date by the server's clock.
    #[schema(example = "2024-01-01")]
    date: String,
    /// Passages whose GCSJ is today.
    #[schema(example = 45678)]
    today: u64,
    /// Passages in the 60 seconds of event time that end with `newest_gcsj`.
    #[schema(example = 52)]
    last_minute: u64,
    /// Checkpoints with a passage in the 24 whole hours of event time that end with the hour of `newest_gcsj`.
    #[schema(example = 19)]
    active_checkpoints: u64,
    /// Checkpoints in the catalogue.
    #[schema(example = 19)]
    checkpoints: u64,
    /// Alerts raised since the data directory was made.
    #[schema(example = 321)]
    alerts: u64,
    /// Alerts whose later sighting is today.
    #[schema(example = 12)]
    alerts_today: u64,
    /// Newest GCSJ; null as long as there is none.
    #[schema(example = "2024-01-01 12:34:56")]
    newest_gcsj: Option<String>,
}

/// The headline numbers.
#[utoipa::path(
    get,
    path = "/api/overview",
    tag = "statistics",
    responses(
        (status = 200, description = "The headline numbers", body = Envelope<Overview>),
        (status = 503, description = "The server is busy", body = ErrorEnvelope),
    )
)]
pub(super) async fn overview(State(api): State<Arc<Api>>) -> Answer<Overview> {
    let now = api.now();
    let today = day(now.midnight());
    let checkpoints = api.reader.catalogue().len() as u64;
    let shared = api.clone();
    let overview = api.counters(move |snapshot| {
        let totals = snapshot.totals();
        let active = match totals.newest {
            Some(newest) => snapshot.counts(Group::Checkpoint, whole_hours_up_to(newest))?.len() as u64,
            None => 0,
        };
        Ok(Overview {
            total: totals.passages,
            accepted: totals.accepted,
            date: now.to_string().chars().take_while(|c| *c != ' ').collect(),
            today: snapshot.count(today)?,
            last_minute: totals.last_minute,
            active_checkpoints: active,
            checkpoints,
            alerts: totals.alerts,
            alerts_today: shared.alerts_today.count(snapshot, now)?,
            newest_gcsj: totals.newest.map(|newest| newest.to_string()),
        })
    });
    overview.await.map(Success)
}

/// The 24 whole hours that end with the hour of `newest`: whole hours, so that counters answer.
fn whole_hours_up_to(newest: CivilTime) -> TimeRange {
    let end_of_hour = (newest.hour() + 1) * SECONDS_PER_HOUR;
    TimeRange { start: Some(CivilTime(end_of_hour - SECONDS_PER_DAY)), end: Some(CivilTime(end_of_hour - 1)) }
}
