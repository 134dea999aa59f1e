//! `GET /api/stats/*`: counts for the dashboard, answered from counters by hour. If the ends of a range are not whole hours,
//! the hours at its ends may be read from disk, so such a range uses the lane of scans; a day does not.

mod districts;

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Answer, ApiError, Envelope, ErrorEnvelope, Success};
use super::fields::{Fields, QueryFields};
use super::records::label;
use super::sight::Sight;
use super::state::Api;
use crate::reader::{Group, ReadError, Snapshot, TimeRange};

/// Maximum number of entries of a ranking.
const MAX_LIMIT: u64 = 1000;
const DEFAULT_LIMIT: u64 = 10;
const SECONDS_PER_HOUR: i64 = 3600;

/// A name and how many passages it has.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamedCount {
    /// The name.
    #[schema(example = "邳州市")]
    name: String,
    /// Passages.
    #[schema(example = 12345)]
    value: u64,
}

/// A checkpoint and how many passages it has.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckpointCount {
    /// KKMC as it was recorded.
    #[schema(example = "S250_Pizhou_Sulu")]
    name: String,
    /// Passages.
    #[schema(example = 12345)]
    value: u64,
    /// Short name from the catalogue; KKMC where it is not known there.
    #[schema(example = "S250-邳州-苏鲁界")]
    label: String,
}

/// Passages per hour of the day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HourCounts {
    /// `00:00` to `23:00`.
    #[schema(example = json!(["00:00", "01:00", "02:00"]), min_items = 24, max_items = 24)]
    hours: Vec<String>,
    /// Passages in each.
    #[schema(example = json!([120, 80, 64]), min_items = 24, max_items = 24)]
    data: Vec<u64>,
}

/// Busiest checkpoints.
#[utoipa::path(
    get,
    path = "/stats/kkmc_count",
    tag = "statistics",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Entries; default 10", example = 10),
        ("start" = Option<String>, Query, description = "First time that counts; default: all that is retained", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last time that counts; a date alone means its last second", example = "2024-01-01"),
        ("day" = Option<String>, Query, description = "In the place of `start` and `end`: `today` (the civil day of the server's clock), or a date", example = "today"),
    ),
    responses(
        (status = 200, description = "Checkpoints, busiest first", body = Envelope<Vec<CheckpointCount>>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
    )
)]
pub(super) async fn kkmc_count(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<Vec<CheckpointCount>> {
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let range = api.asked_range(&fields)?;
    let counts = api.counted(&sight, range, move |snapshot| snapshot.counts(Group::Checkpoint, range)).await?;
    let catalogue = sight.catalogue();
    let named = counts.into_iter().take(limit).map(|(name, value)| CheckpointCount {
        label: label(&catalogue, &name),
        name: name.to_string(),
        value,
    });
    Ok(Success(named.collect()))
}

/// Passages per hour of the day.
#[utoipa::path(
    get,
    path = "/stats/hour_count",
    tag = "statistics",
    params(
        ("start" = Option<String>, Query, description = "First time that counts; default: all that is retained", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last time that counts; a date alone means its last second", example = "2024-01-01"),
        ("day" = Option<String>, Query, description = "In the place of `start` and `end`: `today` (the civil day of the server's clock), or a date", example = "today"),
    ),
    responses(
        (status = 200, description = "24 hours and their counts", body = Envelope<HourCounts>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
    )
)]
pub(super) async fn hour_count(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<HourCounts> {
    let range = api.asked_range(&fields)?;
    let counts = api.counted(&sight, range, move |snapshot| snapshot.counts_by_hour_of_day(range)).await?;
    let hours = (0..counts.len()).map(|hour| format!("{hour:02}:00")).collect();
    Ok(Success(HourCounts { hours, data: counts.to_vec() }))
}

/// Passages per district.
#[utoipa::path(
    get,
    path = "/stats/map_data",
    tag = "statistics",
    params(
        ("start" = Option<String>, Query, description = "First time that counts; default: all that is retained", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last time that counts; a date alone means its last second", example = "2024-01-01"),
        ("day" = Option<String>, Query, description = "In the place of `start` and `end`: `today` (the civil day of the server's clock), or a date", example = "today"),
        ("fold" = Option<String>, Query, description = "`true` counts passages whose XZQHMC is no district (高速五大队) to the district where their checkpoint is; the sum stays the same", example = "true"),
    ),
    responses(
        (status = 200, description = "Districts, busiest first", body = Envelope<Vec<NamedCount>>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
    )
)]
pub(super) async fn map_data(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<Vec<NamedCount>> {
    let range = api.asked_range(&fields)?;
    if !fields.flag("fold")?.unwrap_or(false) {
        return api.named_counts(&sight, Group::District, range, usize::MAX).await;
    }
    let catalogue = sight.catalogue();
    let counts = api.scan(&sight, move |snapshot| snapshot.counts_by_unit(range)).await?;
    let folded = districts::folded(counts, &catalogue).into_iter();
    Ok(Success(folded.map(|(name, value)| NamedCount { name: name.to_string(), value }).collect()))
}

/// Passages per type of vehicle.
#[utoipa::path(
    get,
    path = "/stats/vehicle_type",
    tag = "statistics",
    params(
        ("start" = Option<String>, Query, description = "First time that counts; default: all that is retained", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last time that counts; a date alone means its last second", example = "2024-01-01"),
        ("day" = Option<String>, Query, description = "In the place of `start` and `end`: `today` (the civil day of the server's clock), or a date", example = "today"),
    ),
    responses(
        (status = 200, description = "小型客车, 大型客车, 货车 and 其他, as far as there are any, busiest first", body = Envelope<Vec<NamedCount>>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
    )
)]
pub(super) async fn vehicle_type(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<Vec<NamedCount>> {
    let range = api.asked_range(&fields)?;
    api.named_counts(&sight, Group::VehicleType, range, usize::MAX).await
}

/// Most frequent brands: CLPPXH up to 牌 or `-`.
#[utoipa::path(
    get,
    path = "/stats/vehicle_brand",
    tag = "statistics",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Entries; default 10", example = 10),
        ("start" = Option<String>, Query, description = "First time that counts; default: all that is retained", example = "2024-01-01 00:00:00"),
        ("end" = Option<String>, Query, description = "Last time that counts; a date alone means its last second", example = "2024-01-01"),
        ("day" = Option<String>, Query, description = "In the place of `start` and `end`: `today` (the civil day of the server's clock), or a date", example = "today"),
    ),
    responses(
        (status = 200, description = "Brands, most frequent first", body = Envelope<Vec<NamedCount>>),
        (status = 400, description = "A parameter has the wrong form; `msg` names it", body = ErrorEnvelope),
    )
)]
pub(super) async fn vehicle_brand(
    State(api): State<Arc<Api>>,
    sight: Sight,
    QueryFields(fields): QueryFields,
) -> Answer<Vec<NamedCount>> {
    let limit = fields.limit(1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let range = api.asked_range(&fields)?;
    api.named_counts(&sight, Group::Brand, range, limit).await
}

impl Api {
    /// The range that is asked for.
    fn asked_range(&self, fields: &Fields) -> Result<TimeRange, ApiError> {
        fields.day_or_range(|| self.now(), &self.settings.zone)
    }

    /// Reads counts: in the lane of counters if the range has whole hours, since that only reads counters in memory; else in
    /// the lane of scans.
    async fn counted<T, F>(&self, sight: &Sight, range: TimeRange, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Snapshot) -> Result<T, ReadError> + Send + 'static,
    {
        if has_whole_hours(range) && sight.counts_at_once() {
            self.counters(sight, read).await
        } else {
            self.scan(sight, read).await
        }
    }

    async fn named_counts(
        &self,
        sight: &Sight,
        group: Group,
        range: TimeRange,
        limit: usize,
    ) -> Answer<Vec<NamedCount>> {
        let counts = self.counted(sight, range, move |snapshot| snapshot.counts(group, range)).await?;
        let named = counts.into_iter().take(limit).map(|(name, value)| NamedCount { name: name.to_string(), value });
        Ok(Success(named.collect()))
    }
}

/// Whether a range, as far as it has ends, begins with an hour and ends with one.
fn has_whole_hours(range: TimeRange) -> bool {
    range.start.is_none_or(|start| start.0.rem_euclid(SECONDS_PER_HOUR) == 0)
        && range.end.is_none_or(|end| (end.0 + 1).rem_euclid(SECONDS_PER_HOUR) == 0)
}
