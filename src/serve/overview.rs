//! `GET /api/overview`: the headline numbers of the page, from one snapshot and from counters (once a minute one hour is
//! counted in its segments).

mod headline;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;

use super::alerts_today::AlertsToday;
use super::error::{Answer, Envelope, ErrorEnvelope, Success};
use super::sight::Sight;
use super::state::Api;
use crate::reader::Snapshot;

use headline::Overview;
pub(super) use headline::{NewestOverview, SameTimeYesterday};

/// The headline numbers.
#[utoipa::path(
    get,
    path = "/overview",
    tag = "statistics",
    responses(
        (status = 200, description = "The headline numbers", body = Envelope<Overview>),
        (status = 503, description = "The server is busy", body = ErrorEnvelope),
    )
)]
pub(super) async fn overview(State(api): State<Arc<Api>>, sight: Sight) -> Answer<Overview> {
    let now = api.now();
    let checkpoints = sight.catalogue().len() as u64;
    if sight.is_limited() {
        // Nothing is shared with others, and hours at the ends of a range are read from the segments.
        let read = move |snapshot: &dyn Snapshot| {
            Overview::read(snapshot, now, checkpoints, &AlertsToday::default(), &SameTimeYesterday::default())
        };
        return api.scan(&sight, read).await.map(Success);
    }
    let asked = Instant::now();
    let mut newest = api.newest_overview.clone().lock_owned().await;
    if let Some((_, overview)) = newest.as_ref().filter(|(began, _)| *began >= asked) {
        return Ok(Success(overview.clone()));
    }
    let began = Instant::now();
    let shared = api.clone();
    let overview = api.counters(&sight, move |snapshot| {
        let overview = Overview::read(snapshot, now, checkpoints, &shared.alerts_today, &shared.same_time_yesterday)?;
        // Set here, since the work continues if the client disconnects.
        *newest = Some((began, overview.clone()));
        Ok(overview)
    });
    overview.await.map(Success)
}
