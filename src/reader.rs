//! What the HTTP interface asks of whoever holds the data: domain questions, domain answers.
//!
//! Local storage answers them from one immutable snapshot per request. It does not know HTTP, JSON or paging syntax,
//! nor how an answer is found.

use std::sync::Arc;

use traffic::{Alert, Catalogue, CivilTime, FuelType, Rule, Severity, VehicleType};

use crate::status::Status;

/// A range of event time, both ends inclusive; an absent end is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first second that counts.
    pub start: Option<CivilTime>,
    /// The last second that counts.
    pub end: Option<CivilTime>,
}

/// What a count is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// KKMC as it was recorded.
    Checkpoint,
    /// XZQHMC.
    District,
    /// [`VehicleType`].
    VehicleType,
    /// The brand of CLPPXH ([`traffic::brand_of`]).
    Brand,
}

/// The filters of `POST /api/query`; all that are present must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryFilter {
    /// Event time.
    pub time: TimeRange,
    /// KKMC: any one of these exact texts (a code and the full name of one checkpoint, say).
    pub kkmc: Option<Vec<String>>,
    /// HPHM contains this; `*` stands for any run and `?` for one character.
    pub hphm: Option<String>,
    /// XZQHMC equals this.
    pub xzqhmc: Option<String>,
    /// FXLX equals this.
    pub fxlx: Option<String>,
    /// HPZL equals this, padded to two digits.
    pub hpzl: Option<String>,
    /// CLPPXH contains this.
    pub clppxh: Option<String>,
    /// The plate's first character.
    pub province: Option<String>,
    /// Type of vehicle.
    pub vehicle_type: Option<VehicleType>,
    /// Fuel.
    pub fuel_type: Option<FuelType>,
}

/// One stored passage, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassageRow {
    /// GCXH.
    pub gcxh: String,
    /// XZQHMC.
    pub xzqhmc: Arc<str>,
    /// KKMC.
    pub kkmc: Arc<str>,
    /// FXLX.
    pub fxlx: Arc<str>,
    /// GCSJ.
    pub gcsj: CivilTime,
    /// HPZL.
    pub hpzl: Arc<str>,
    /// HPHM.
    pub hphm: String,
    /// CLPPXH.
    pub clppxh: Arc<str>,
}

/// One page of a longer list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// How many there are on all pages.
    pub total: u64,
    /// Those of this page.
    pub records: Vec<T>,
}

/// The filters of `GET /api/warnings`; all that are present must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertFilter {
    /// Time of the later sighting.
    pub time: TimeRange,
    /// HPHM contains this.
    pub hphm: Option<String>,
    /// Either sighting's KKMC is one of these exact texts.
    pub kkmc: Option<Vec<String>>,
    /// Severity.
    pub severity: Option<Severity>,
    /// Rule.
    pub rule: Option<Rule>,
}

/// Totals of a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Passages that are retained.
    pub passages: u64,
    /// Passages accepted since the data directory was made.
    pub accepted: u64,
    /// Alerts raised since the data directory was made (the newest `seq`).
    pub alerts: u64,
    /// Newest GCSJ.
    pub newest: Option<CivilTime>,
    /// Passages in the 60 seconds of event time that end with `newest`.
    pub last_minute: u64,
}

/// The passages of one hour by checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourCounts {
    /// The hour, counted from 1970.
    pub hour: i64,
    /// Whether nothing of it is missing: it is neither the first that is retained nor the newest.
    pub is_whole: bool,
    /// KKMC and passages, of those that had any.
    pub checkpoints: Vec<(Arc<str>, u64)>,
}

/// Where hours are asked for one by one, none older than this before the newest is looked at.
const HOURS_BACK: i64 = 31 * 24;

/// An answer could not be given.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The storage failed or a block is damaged.
    #[error("{0}")]
    Storage(String),
    /// The question costs more than is allowed; the text says what to narrow.
    #[error("{0}")]
    TooExpensive(String),
}

/// One consistent state of the data. Methods may read the disk: call them where blocking is allowed.
pub trait Snapshot: Send + Sync {
    /// Totals.
    fn totals(&self) -> Totals;
    /// Counts per group within `range`, busiest first, ties by name.
    ///
    /// # Errors
    /// [`ReadError`] if a partly covered hour could not be read.
    fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError>;
    /// Counts per hour of the day within `range`.
    ///
    /// # Errors
    /// As [`Snapshot::counts`].
    fn counts_by_hour_of_day(&self, range: TimeRange) -> Result<[u64; 24], ReadError>;
    /// The hours from `from` to `to` (counted from 1970) in which anything passed, in order; the first `limit` of them.
    ///
    /// # Errors
    /// As [`Snapshot::counts`].
    fn hours(&self, from: i64, to: i64, limit: usize) -> Result<Vec<HourCounts>, ReadError> {
        let Some(newest) = self.totals().newest else { return Ok(Vec::new()) };
        let mut hours = Vec::new();
        for hour in from.max(newest.hour() - HOURS_BACK)..=newest.hour().min(to) {
            if hours.len() == limit {
                break;
            }
            let end = CivilTime(hour * 3600 + 3599);
            let checkpoints =
                self.counts(Group::Checkpoint, TimeRange { start: Some(CivilTime(hour * 3600)), end: Some(end) })?;
            if !checkpoints.is_empty() {
                hours.push(HourCounts { hour, is_whole: hour < newest.hour(), checkpoints });
            }
        }
        Ok(hours)
    }
    /// Whether [`Snapshot::hours`] is answered from memory, so that it may be called where blocking is not allowed.
    fn has_hours_at_hand(&self) -> bool {
        false
    }
    /// Passages within `range`.
    ///
    /// # Errors
    /// As [`Snapshot::counts`].
    fn count(&self, range: TimeRange) -> Result<u64, ReadError>;
    /// Matching passages, newest first, ties by GCXH; page `page` (from 1) of `limit` each.
    ///
    /// # Errors
    /// [`ReadError`] if a block could not be read.
    fn query(&self, filter: &QueryFilter, page: u64, limit: usize) -> Result<Page<PassageRow>, ReadError>;
    /// One plate's sightings in the order of event time: the newest `limit` of them. `hphm` is normalised and exact.
    ///
    /// # Errors
    /// As [`Snapshot::query`].
    fn track(&self, hphm: &str, range: TimeRange, limit: usize) -> Result<Page<PassageRow>, ReadError>;
    /// The newest alerts, newest first.
    ///
    /// # Errors
    /// [`ReadError`] if they could not be read.
    fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>, ReadError>;
    /// Matching alerts, newest first.
    ///
    /// # Errors
    /// As [`Snapshot::newest_alerts`].
    fn alerts(&self, filter: &AlertFilter, page: u64, limit: usize) -> Result<Page<Alert>, ReadError>;
    /// Alerts with a `seq` above `seq`, oldest first.
    ///
    /// # Errors
    /// As [`Snapshot::newest_alerts`].
    fn alerts_after(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError>;
}

/// Whoever holds the data.
pub trait Reader: Send + Sync + 'static {
    /// The newest consistent state; cheap.
    fn snapshot(&self) -> Arc<dyn Snapshot>;
    /// Wakes at every commit; the value is the newest alert's `seq`.
    fn commits(&self) -> tokio::sync::watch::Receiver<u64>;
    /// The checkpoints that are known.
    fn catalogue(&self) -> Arc<Catalogue>;
    /// How the pipeline, its source and the storage are. May read the disk.
    fn status(&self) -> Status;
    /// Why no more input is taken, if it is not. Touches no disk.
    fn failure(&self) -> Option<String>;
}
