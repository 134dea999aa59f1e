//! `GET /api/stats/recent`: the current flow by checkpoint, for the map: passages of the newest minutes of event time, with
//! the coordinates of each checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use traffic::{Catalogue, CivilTime};
use utoipa::ToSchema;

use super::error::{Answer, Envelope, ErrorEnvelope, Success};
use super::fields::QueryFields;
use super::records::label;
use super::sight::Sight;
use super::state::Api;
use crate::reader::{Group, TimeRange};

const DEFAULT_MINUTES: u64 = 5;
const MAX_MINUTES: u64 = 24 * 60;
const SECONDS_PER_MINUTE: i64 = 60;

/// A checkpoint and its flow.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckpointFlow {
    /// Code; where the catalogue does not know the checkpoint, KKMC as it was recorded.
    #[schema(example = "S250_Pizhou_Sulu")]
    code: String,
    /// Short name.
    #[schema(example = "S250-邳州-苏鲁界")]
    label: String,
    /// Passages in the window, recorded with its code or its full name.
    #[schema(example = 42)]
    value: u64,
    /// Longitude in degrees; null if it is not known.
    #[schema(example = 118.06454)]
    lon: Option<f64>,
    /// Latitude in degrees; null if it is not known.
    #[schema(example = 34.641634)]
    lat: Option<f64>,
}

/// The current flow.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecentFlow {
    /// First second of the window; null while there is no passage.
    #[schema(example = "2024-01-01 12:29:57")]
    start: Option<String>,
    /// Last second of the window: the newest GCSJ, or the server's clock if that is earlier.
    #[schema(example = "2024-01-01 12:34:56")]
    end: Option<String>,
    /// Length of the window in minutes.
    #[schema(example = 5)]
    minutes: u64,
    /// Passages in the window.
    #[schema(example = 250)]
    total: u64,
    /// Every checkpoint of the catalogue and every other that had a passage, busiest first.
    checkpoints: Vec<CheckpointFlow>,
}

/// Passages of the newest minutes by checkpoint.
#[utoipa::path(
    get,
    path = "/stats/recent",
    tag = "statistics",
    params(("minutes" = Option<u32>, Query, minimum = 1, maximum = 1440, description = "Length of the window; default 5", example = 5)),
    responses(
        (status = 200, description = "The current flow", body = Envelope<RecentFlow>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
        (status = 503, description = "Too many queries wait", body = ErrorEnvelope),
        (status = 504, description = "The query took too long", body = ErrorEnvelope),
    )
)]
pub(super) async fn recent(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<RecentFlow> {
    let minutes = fields.whole("minutes", 1..=MAX_MINUTES, DEFAULT_MINUTES)?;
    let (now, catalogue) = (api.now(), sight.catalogue());
    let flow = api.scan(&sight, move |snapshot| {
        // A camera whose clock is ahead must not move the window past the others.
        let Some(end) = snapshot.newest().map(|newest| newest.min(now)) else {
            // Either there is no passage yet, or the data is unavailable, which is an error.
            snapshot.count(TimeRange::default())?;
            return Ok(flow(None, minutes, &[], &catalogue));
        };
        let start = CivilTime(end.0 - minutes as i64 * SECONDS_PER_MINUTE + 1);
        let range = TimeRange { start: Some(start), end: Some(end) };
        let counts = snapshot.counts(Group::Checkpoint, range)?;
        Ok(flow(Some((start, end)), minutes, &counts, &catalogue))
    });
    flow.await.map(Success)
}

/// The flow from the counts of a window.
fn flow(
    window: Option<(CivilTime, CivilTime)>,
    minutes: u64,
    counts: &[(Arc<str>, u64)],
    catalogue: &Catalogue,
) -> RecentFlow {
    let mut by_code: BTreeMap<&str, u64> = catalogue.iter().map(|checkpoint| (checkpoint.code.as_str(), 0)).collect();
    for (kkmc, count) in counts {
        let code = catalogue.find(kkmc).map_or(&**kkmc, |checkpoint| checkpoint.code.as_str());
        *by_code.entry(code).or_default() += count;
    }
    let mut checkpoints: Vec<CheckpointFlow> = by_code
        .into_iter()
        .map(|(code, value)| {
            let place = catalogue.position(code);
            CheckpointFlow {
                code: code.to_owned(),
                label: label(catalogue, code),
                value,
                lon: place.map(|(lon, _)| lon),
                lat: place.map(|(_, lat)| lat),
            }
        })
        .collect();
    checkpoints.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.value));
    RecentFlow {
        start: window.map(|(start, _)| start.to_string()),
        end: window.map(|(_, end)| end.to_string()),
        minutes,
        total: counts.iter().map(|(_, count)| count).sum(),
        checkpoints,
    }
}
