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

/// An answer could not be given.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The storage failed or a block is damaged.
    #[error("{0}")]
    Storage(String),
    /// The question costs more than is allowed; the text says what to narrow.
    #[error("{0}")]
    TooExpensive(String),
    /// A server that holds the data is away; the text says which, and what ends it.
    #[error("{0}")]
    Unavailable(String),
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
    /// Whether counts over all that is retained are answered at once from memory, without asking a disk or a server.
    fn counts_at_once(&self) -> bool {
        true
    }
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
