//! What the HTTP interface asks of the holder of the data: domain questions, domain answers.
//!
//! Local storage answers them from one immutable snapshot per request. It does not know HTTP, JSON or paging syntax,
//! nor how an answer is found.

mod order;

use std::sync::Arc;

use traffic::{
    Alert, AlertId, Catalogue, Cause, CivilTime, Column, Dimension, FuelType, RejectReason, Rule, Severity, VehicleType,
};

use crate::calibration::Decision;
use crate::cameras::CameraReport;
use crate::case_json::{CaseBriefJson, CaseHeadJson, CaseJson, CaseTimesJson, WorkedCase};
use crate::kept_proof::KeptProof;
use crate::roads::Roads;
use crate::status::Status;
use crate::work::{AlertWork, WorkChange, WorkError, WorkStatus, WorkedAlert};
pub use order::Order;
pub use traffic::TimeRange;

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

/// Passages with the same XZQHMC and the same KKMC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitCount {
    /// XZQHMC as it was recorded.
    pub district: Arc<str>,
    /// KKMC as it was recorded.
    pub kkmc: Arc<str>,
    /// How many there are.
    pub passages: u64,
}

/// The filters of `POST /api/query`; all that are present must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryFilter {
    /// Event time.
    pub time: TimeRange,
    /// KKMC: any one of these exact texts (a code and the full name of one checkpoint, say).
    pub kkmc: Option<Vec<String>>,
    /// HPHM contains this; `*` matches any run and `?` one character.
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

impl PassageRow {
    /// The stored columns, in the order of [`PassageRow::texts`].
    pub const COLUMNS: [Column; 8] = Column::ALL;

    /// A passage whose repeated texts are those that `name` returns for each dimension.
    ///
    /// # Errors
    /// The first of `name`.
    pub fn of<E>(
        gcxh: String,
        gcsj: CivilTime,
        hphm: String,
        name: impl Fn(Dimension) -> Result<Arc<str>, E>,
    ) -> Result<Self, E> {
        Ok(Self {
            gcxh,
            xzqhmc: name(Dimension::District)?,
            kkmc: name(Dimension::Checkpoint)?,
            fxlx: name(Dimension::Direction)?,
            gcsj,
            hpzl: name(Dimension::PlateType)?,
            hphm,
            clppxh: name(Dimension::Model)?,
        })
    }

    /// The texts of [`PassageRow::COLUMNS`], with `gcsj` for the time.
    pub fn texts<'a>(&'a self, gcsj: &'a str) -> [&'a str; Self::COLUMNS.len()] {
        let Self { gcxh, xzqhmc, kkmc, fxlx, gcsj: _, hpzl, hphm, clppxh } = self;
        [gcxh, xzqhmc, kkmc, fxlx, gcsj, hpzl, hphm, clppxh]
    }
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
    /// HPHM contains this; wildcards as in [`QueryFilter::hphm`].
    pub hphm: Option<String>,
    /// Either sighting's KKMC is one of these exact texts.
    pub kkmc: Option<Vec<String>>,
    /// Severity.
    pub severity: Option<Severity>,
    /// Rule.
    pub rule: Option<Rule>,
    /// The state of the work on it.
    pub status: Option<WorkStatus>,
}

/// The filters of `GET /api/cases`; all that are present must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseFilter {
    /// Corrected time of the newest contradiction.
    pub time: TimeRange,
    /// HPHM contains this; wildcards as in [`QueryFilter::hphm`].
    pub hphm: Option<String>,
    /// One of its contradictions is at one of these exact texts.
    pub kkmc: Option<Vec<String>>,
    /// The probability is at least this.
    pub min_probability: Option<f64>,
    /// The likeliest explanation.
    pub cause: Option<Cause>,
    /// The state of the work on it.
    pub status: Option<WorkStatus>,
}

/// Which cases come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CaseOrder {
    /// The likeliest; of equal ones the one that contradicted itself last.
    #[default]
    Probability,
    /// The one that was opened last.
    Newest,
}

/// A passage's place in either [`Order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassageKey {
    /// GCSJ.
    pub gcsj: CivilTime,
    /// GCXH.
    pub gcxh: String,
}

impl PassageKey {
    /// The place of a row.
    pub fn of(row: &PassageRow) -> Self {
        Self { gcsj: row.gcsj, gcxh: row.gcxh.clone() }
    }
}

/// A line that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectRow {
    /// Number of the reject in its data directory, from 1 without gaps.
    pub seq: u64,
    /// File or topic.
    pub origin: String,
    /// Number of the line in it, from 1; an offset for a topic.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
    /// The line's bytes, or its first ones.
    pub raw: Vec<u8>,
    /// Newest event time when it came.
    pub near: Option<CivilTime>,
    /// Bytes of the whole line.
    pub bytes: u64,
}

/// A part of the list of rejects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RejectPiece {
    /// How many are kept, for any reason.
    pub kept: u64,
    /// Newest first.
    pub records: Vec<RejectRow>,
    /// Where the next part begins, below this number; none at the end.
    pub next: Option<u64>,
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
    /// Newest GCSJ that is not far ahead of all others: one wrong clock does not move it.
    pub newest: Option<CivilTime>,
    /// Passages in the 60 seconds of event time that end with `newest`.
    pub last_minute: u64,
}

/// The passages of one hour by checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourCounts {
    /// The hour, counted from 1970.
    pub hour: i64,
    /// Whether the hour is complete: it is neither the first that is retained nor the newest.
    pub is_whole: bool,
    /// KKMC and passages, of those that had any.
    pub checkpoints: Vec<(Arc<str>, u64)>,
}

/// If hours are read one by one, none older than this before the newest is read.
const HOURS_BACK: i64 = 31 * 24;

/// An answer could not be given.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The storage failed or a block is damaged.
    #[error("{0}")]
    Storage(String),
    /// The question costs more than is allowed; the text says how to narrow it.
    #[error("{0}")]
    TooExpensive(String),
    /// A server that holds the data is unavailable; the text says which, and what ends it.
    #[error("{0}")]
    Unavailable(String),
    /// The question asks for a part of a plate, and the plates that are stored are pseudonyms.
    #[error("plates are stored as pseudonyms, which have no parts: {0:?} is no whole plate")]
    PartOfPlate(String),
    /// This reader cannot answer it; the text says who can.
    #[error("{0}")]
    Unsupported(String),
}

/// The error text for an answer that only local storage has.
fn needs_local_storage(what: &str) -> String {
    format!("{what} is kept in local storage, which this process does not have: ask a process of role \"all\"")
}

/// One consistent state of the data. Methods may read the disk: call them where blocking is allowed.
pub trait Snapshot: Send + Sync {
    /// Totals.
    fn totals(&self) -> Totals;
    /// [`Totals::newest`] alone.
    fn newest(&self) -> Option<CivilTime> {
        self.totals().newest
    }
    /// Counts per group within `range`, busiest first, ties by name.
    ///
    /// # Errors
    /// [`ReadError`] if a partly covered hour could not be read.
    fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError>;
    /// Counts per XZQHMC and KKMC together within `range`, in no order. Reads the passages themselves.
    ///
    /// # Errors
    /// As [`Snapshot::counts`]; [`ReadError::Unsupported`] unless a reader can do it.
    fn counts_by_unit(&self, range: TimeRange) -> Result<Vec<UnitCount>, ReadError> {
        let _ = range;
        Err(ReadError::Unsupported(needs_local_storage("the count of each district by checkpoint")))
    }
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
        let Some(newest) = self.newest() else { return Ok(Vec::new()) };
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
    /// Matching passages in `order`; page `page` (from 1) of `limit` each.
    ///
    /// # Errors
    /// [`ReadError`] if a block could not be read.
    fn query(&self, filter: &QueryFilter, order: Order, page: u64, limit: usize)
    -> Result<Page<PassageRow>, ReadError>;
    /// One plate's sightings in the order of event time: the newest `limit` of them. `hphm` is normalised and exact; with
    /// `kkmc` only those at any one of these exact texts, as in [`QueryFilter::kkmc`].
    ///
    /// # Errors
    /// As [`Snapshot::query`].
    fn track(
        &self,
        hphm: &str,
        range: TimeRange,
        kkmc: Option<&[String]>,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError>;
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
    /// The newest alert with this id, and the work on it.
    ///
    /// # Errors
    /// As [`Snapshot::newest_alerts`]; [`ReadError::Unsupported`] unless a reader can do it.
    fn alert(&self, id: AlertId) -> Result<Option<WorkedAlert>, ReadError> {
        let _ = id;
        Err(ReadError::Unsupported(needs_local_storage("a single alert")))
    }
    /// Matching cases in `order`, in their brief form.
    ///
    /// # Errors
    /// As [`Snapshot::newest_alerts`]; [`ReadError::Unsupported`] unless a reader can do it.
    fn cases(
        &self,
        filter: &CaseFilter,
        order: CaseOrder,
        page: u64,
        limit: usize,
    ) -> Result<Page<CaseBriefJson>, ReadError> {
        let _ = (filter, order, page, limit);
        Err(ReadError::Unsupported(needs_local_storage("the list of cases")))
    }
    /// The case with this id, and the work on it.
    ///
    /// # Errors
    /// As [`Snapshot::cases`].
    fn case(&self, id: u64) -> Result<Option<WorkedCase>, ReadError> {
        let _ = id;
        Err(ReadError::Unsupported(needs_local_storage("a single case")))
    }
    /// What the desk has decided of cases, with the probability that each has now. Touches no disk.
    ///
    /// # Errors
    /// [`ReadError::Unsupported`] unless a reader keeps work.
    fn decisions(&self) -> Result<Vec<Decision>, ReadError> {
        Err(ReadError::Unsupported(needs_local_storage("the desk's decisions")))
    }
    /// How long cars take on the way of a case's clearest contradiction, of those whose ways are learnt; none if none is.
    /// Touches no disk.
    fn case_times(&self, case: &CaseJson) -> Option<CaseTimesJson> {
        let _ = case;
        None
    }
    /// The number of the newest change of any case, and the cases that changed after the change `after`, in the order of
    /// their newest changes. Touches no disk. A reader that keeps no cases knows of no change.
    fn cases_changed(&self, after: u64) -> (u64, Vec<CaseHeadJson>) {
        let _ = after;
        (0, Vec::new())
    }
    /// The work on alerts, one for each `seq`. A reader that keeps no work returns the default, new, for all.
    ///
    /// # Errors
    /// As [`Snapshot::newest_alerts`].
    fn work(&self, seqs: &[u64]) -> Result<Vec<AlertWork>, ReadError> {
        Ok(vec![AlertWork::default(); seqs.len()])
    }
    /// A reader's own way through all matching passages in `order`; without one they are read with
    /// [`Snapshot::query_after`], see [`cursor_of`].
    fn cursor(self: Arc<Self>, filter: &QueryFilter, order: Order) -> Option<Box<dyn PassageCursor>> {
        let _ = (filter, order);
        None
    }
    /// The next matching passages after `after` (from the first without it) in `order`, at most `limit`: so a long list
    /// is read in parts, each at the cost of its own rows.
    ///
    /// # Errors
    /// As [`Snapshot::query`]; [`ReadError::Unsupported`] unless a reader can do it.
    fn query_after(
        &self,
        filter: &QueryFilter,
        order: Order,
        after: Option<&PassageKey>,
        limit: usize,
    ) -> Result<Vec<PassageRow>, ReadError> {
        let _ = (filter, order, after, limit);
        Err(ReadError::Unsupported(needs_local_storage("the whole result of a query")))
    }
    /// Rejects with a number below `before` (the newest without it), newest first, at most `limit`. It may look at only
    /// a bounded number of them, and then returns fewer and says where to continue.
    ///
    /// # Errors
    /// [`ReadError`] if they could not be read; [`ReadError::Unsupported`] unless a reader can do it.
    fn rejects(
        &self,
        reason: Option<RejectReason>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<RejectPiece, ReadError> {
        let _ = (reason, before, limit);
        Err(ReadError::Unsupported(needs_local_storage("the list of rejected lines")))
    }
}

/// A way through a long list of passages. It keeps the snapshot it began with.
pub trait PassageCursor: Send {
    /// The next passages, at most `limit` (a few more if those have the last one's key); none after the last. Each part
    /// costs about its own rows.
    ///
    /// # Errors
    /// As [`Snapshot::query`]; [`ReadError::Unsupported`] unless a reader can do it.
    fn next(&mut self, limit: usize) -> Result<Vec<PassageRow>, ReadError>;
}

/// A cursor over all passages of `snapshot` that match, in `order`.
pub fn cursor_of(snapshot: Arc<dyn Snapshot>, filter: &QueryFilter, order: Order) -> Box<dyn PassageCursor> {
    let own = snapshot.clone().cursor(filter, order);
    own.unwrap_or_else(|| Box::new(KeyCursor { snapshot, filter: filter.clone(), order, after: None }))
}

/// Continues after the key of the last passage.
struct KeyCursor {
    snapshot: Arc<dyn Snapshot>,
    filter: QueryFilter,
    order: Order,
    after: Option<PassageKey>,
}

impl PassageCursor for KeyCursor {
    fn next(&mut self, limit: usize) -> Result<Vec<PassageRow>, ReadError> {
        let rows = self.snapshot.query_after(&self.filter, self.order, self.after.as_ref(), limit)?;
        if let Some(last) = rows.last() {
            self.after = Some(PassageKey::of(last));
        }
        Ok(rows)
    }
}

/// A holder of the data.
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
    /// The state of the pipeline, its source and the storage. May read the disk.
    fn status(&self) -> Status;
    /// What the traffic says about each camera. Touches no disk.
    ///
    /// # Errors
    /// [`ReadError::Unsupported`] unless a reader learns from the traffic.
    fn cameras(&self) -> Result<CameraReport, ReadError> {
        Err(ReadError::Unsupported(needs_local_storage("what is known of cameras")))
    }
    /// The newest proof of the detection; none if none was made.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be read; [`ReadError::Unsupported`] unless a reader has local storage.
    fn proof(&self) -> Result<Option<KeptProof>, ReadError> {
        Err(ReadError::Unsupported(needs_local_storage("the proof of the detection")))
    }
    /// How the roads flow. Touches no disk.
    ///
    /// # Errors
    /// [`ReadError::Unsupported`] unless a reader learns from the traffic.
    fn roads(&self) -> Result<Arc<Roads>, ReadError> {
        Err(ReadError::Unsupported(needs_local_storage("what is known of roads")))
    }
    /// Why no more input is accepted, if it is not. Touches no disk.
    fn failure(&self) -> Option<String>;
    /// Changes the work on the newest alert with this id; when it returns, the change is durable. May wait for the disk.
    ///
    /// # Errors
    /// [`WorkError`]; [`WorkError::Unsupported`] unless a reader keeps work.
    fn change_work(&self, id: AlertId, change: &WorkChange) -> Result<WorkedAlert, WorkError> {
        let _ = (id, change);
        Err(WorkError::Unsupported(needs_local_storage("work on alerts")))
    }
    /// As [`Reader::change_work`], for the case with this id.
    ///
    /// # Errors
    /// As [`Reader::change_work`].
    fn change_case(&self, id: u64, change: &WorkChange) -> Result<WorkedCase, WorkError> {
        let _ = (id, change);
        Err(WorkError::Unsupported(needs_local_storage("work on cases")))
    }
}
