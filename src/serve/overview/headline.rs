//! The headline numbers, read from one snapshot, and the caches by which many concurrent requests cost one read. It knows no
//! HTTP.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;
use traffic::CivilTime;
use utoipa::ToSchema;

use crate::reader::{Group, ReadError, Snapshot, TimeRange};
use crate::serve::alerts_today::{AlertsToday, day};
use crate::serve::fields::SECONDS_PER_DAY;

const SECONDS_PER_HOUR: i64 = 3600;
const SECONDS_PER_MINUTE: i64 = 60;

/// The headline numbers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(in crate::serve) struct Overview {
    /// Passages that are retained.
    #[schema(example = 1234567)]
    total: u64,
    /// Passages accepted since the data directory was made.
    #[schema(example = 1234567)]
    accepted: u64,
    /// The day of the numbers: today by the server's clock; where all data is older (an old capture, a stopped source), the
    /// day of `newest_gcsj`.
    #[schema(example = "2024-01-01")]
    date: String,
    /// Whether that is today.
    #[schema(example = true)]
    date_is_today: bool,
    /// Passages of that day.
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
    /// Alerts whose later sighting is on that day.
    #[schema(example = 12)]
    alerts_today: u64,
    /// Of these, severity high.
    #[schema(example = 3)]
    alerts_today_high: u64,
    /// Newest GCSJ; null as long as there is none.
    #[schema(example = "2024-01-01 12:34:56")]
    newest_gcsj: Option<String>,
    /// Passages of the day before.
    #[schema(example = 81234)]
    yesterday: u64,
    /// Passages of the day before up to the time of day that it is now (for an older day: of `newest_gcsj`), to the minute.
    #[schema(example = 44210)]
    yesterday_same_time: u64,
    /// The server's clock, civil time of the road.
    #[schema(example = "2024-01-01 12:34:57")]
    now: String,
    /// Seconds by which the newest GCSJ is behind the server's clock (negative if ahead); null as long as there is none.
    #[schema(example = 1)]
    lag_seconds: Option<i64>,
}

impl Overview {
    /// The numbers of one snapshot at `now`; `checkpoints` is the size of the catalogue.
    ///
    /// # Errors
    /// [`ReadError`] if something could not be read.
    pub(super) fn read(
        snapshot: &dyn Snapshot,
        now: CivilTime,
        checkpoints: u64,
        alerts_today: &AlertsToday,
        same_time_yesterday: &SameTimeYesterday,
    ) -> Result<Self, ReadError> {
        let totals = snapshot.totals();
        let at = spoken_of(now, totals.newest);
        let today = day(at.midnight());
        let yesterday = day(CivilTime(at.midnight().0 - SECONDS_PER_DAY));
        let active = match totals.newest {
            Some(newest) => snapshot.counts(Group::Checkpoint, whole_hours_up_to(newest))?.len() as u64,
            None => 0,
        };
        let alerts = alerts_today.count(snapshot, at)?;
        Ok(Self {
            total: totals.passages,
            accepted: totals.accepted,
            date_is_today: at.day() == now.day(),
            date: at.to_string().chars().take_while(|c| *c != ' ').collect(),
            today: snapshot.count(today)?,
            last_minute: totals.last_minute,
            active_checkpoints: active,
            checkpoints,
            alerts: totals.alerts,
            alerts_today: alerts.all,
            alerts_today_high: alerts.high,
            newest_gcsj: totals.newest.map(|newest| newest.to_string()),
            yesterday: snapshot.count(yesterday)?,
            yesterday_same_time: same_time_yesterday.count(snapshot, at)?,
            now: now.to_string(),
            lag_seconds: totals.newest.map(|newest| now.0 - newest.0),
        })
    }
}

/// Passages of yesterday up to this time of day: counted once a minute, since the current hour must be counted in the
/// segments.
#[derive(Default)]
pub(in crate::serve) struct SameTimeYesterday(Mutex<Option<(i64, u64)>>);

impl SameTimeYesterday {
    fn count(&self, snapshot: &dyn Snapshot, now: CivilTime) -> Result<u64, ReadError> {
        let minute = now.minute();
        // Held while reading, so that only one of many concurrent requests counts.
        let mut known = self.0.lock();
        if let Some((_, count)) = known.filter(|(at, _)| *at == minute) {
            return Ok(count);
        }
        let start = now.midnight().0 - SECONDS_PER_DAY;
        let end = minute * SECONDS_PER_MINUTE - SECONDS_PER_DAY - 1;
        let range = TimeRange { start: Some(CivilTime(start)), end: Some(CivilTime(end)) };
        let count = if end < start { 0 } else { snapshot.count(range)? };
        *known = Some((minute, count));
        Ok(count)
    }
}

/// The newest answer, and when its read began. Locked during a read: of many concurrent requests the first one reads, and
/// one more for all that arrived meanwhile.
pub(in crate::serve) type NewestOverview = Arc<tokio::sync::Mutex<Option<(Instant, Overview)>>>;

/// The time of the numbers: now, or the newest passage if all data is of earlier days.
fn spoken_of(now: CivilTime, newest: Option<CivilTime>) -> CivilTime {
    newest.filter(|newest| newest.day() < now.day()).unwrap_or(now)
}

/// The 24 whole hours that end with the hour of `newest`: whole hours, so that counters answer.
fn whole_hours_up_to(newest: CivilTime) -> TimeRange {
    let end_of_hour = (newest.hour() + 1) * SECONDS_PER_HOUR;
    TimeRange { start: Some(CivilTime(end_of_hour - SECONDS_PER_DAY)), end: Some(CivilTime(end_of_hour - 1)) }
}
