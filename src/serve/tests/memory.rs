//! The storage's twin for tests: everything in vectors, every question answered by looking at all rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use traffic::evidence::{CameraFault, CameraState, HourTimes};
use traffic::{
    Alert, AlertId, AlertSighting, Catalogue, CivilTime, FuelType, PlateCode, RejectReason, Rule, Severity,
    VehicleType, brand_of, province_of,
};

use super::time;
use crate::calibration::Decision;
use crate::cameras::{Camera, CameraReport};
use crate::case_json::{CaseBriefJson, CaseHeadJson, CaseJson, CaseTimesJson, WorkedCase};
use crate::kept_proof::KeptProof;
use crate::prove::Report;
use crate::reader::{
    AlertFilter, CaseFilter, CaseOrder, Group, Order, Page, PassageKey, PassageRow, QueryFilter, ReadError, Reader,
    RejectPiece, RejectRow, Snapshot, TimeRange, Totals, UnitCount,
};
use crate::roads::{Road, Roads, RoadsState};
use crate::status::Status;
use crate::work::{AlertWork, WorkChange, WorkError, WorkedAlert};

/// What a read of the disk does instead of answering.
#[derive(Clone, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    Storage,
    TooExpensive,
    Panic,
    /// Says that it was reached, then waits until it is let go.
    Hang(Arc<Hang>),
}

pub(crate) struct Hang {
    reached: Notify,
    end: Mutex<Receiver<()>>,
}

/// The other end of a [`Hang`]; dropped, it lets go.
pub(crate) struct HangEnd {
    hang: Arc<Hang>,
    _sender: Sender<()>,
}

impl HangEnd {
    /// Waits until a read hangs.
    pub(crate) async fn reached(&self) {
        self.hang.reached.notified().await;
    }
}

impl Fault {
    /// A hang, and what ends it when dropped.
    pub(crate) fn hang() -> (Self, HangEnd) {
        let (sender, receiver) = channel();
        let hang = Arc::new(Hang { reached: Notify::new(), end: Mutex::new(receiver) });
        (Self::Hang(hang.clone()), HangEnd { hang, _sender: sender })
    }

    fn strike(&self) -> Result<(), ReadError> {
        match self {
            Self::None => Ok(()),
            Self::Storage => Err(ReadError::Storage("segment 7 is damaged".to_owned())),
            Self::TooExpensive => Err(ReadError::TooExpensive("too many rows match: narrow the time range".to_owned())),
            Self::Panic => panic!("the read panicked on purpose"),
            Self::Hang(hang) => {
                hang.reached.notify_one();
                let _ = hang.end.lock().recv();
                Ok(())
            }
        }
    }
}

pub(crate) struct MemoryReader {
    newest: Mutex<Arc<Rows>>,
    commits: watch::Sender<u64>,
    catalogue: Arc<Catalogue>,
    status: Mutex<Status>,
    proof: Mutex<Option<Report>>,
}

/// A plate with two contradictions.
pub(crate) fn sample_case() -> CaseJson {
    let sighting = |kkmc: &str, time: &str, brand: &str| {
        serde_json::json!({
            "kkmc": kkmc, "time": time, "corrected_time": time, "gcxh": "G320300109027253771", "brand": brand, "hpzl": "02",
        })
    };
    let first = sighting("S250_Pizhou_Sulu", "2024-01-01 08:00:00", "大众");
    let second = sighting("G3_Sulu", "2024-01-01 08:04:00", "福田");
    let pair = serde_json::json!({
        "earlier": first, "later": second, "gap_seconds": 240, "fastest_seconds": 1260.0, "neighbour_due": "苏C12346",
    });
    let next = serde_json::json!({"kkmc": "G104_Tongshan_Sulu", "time": "2024-01-01 08:20:00", "share": 0.5});
    serde_json::from_value(serde_json::json!({
        "seq": 1, "id": "33fd7a2a41c6278a", "hphm": "苏C12345", "probability": 0.97, "cause": "clone",
        "explanations": {"clone": 0.97, "misread": 0.02, "clock": 0.0, "plate_types": 0.0, "fast": 0.01},
        "contradictions": 2, "first_time": "2024-01-01 08:04:00", "last_time": "2024-01-01 08:04:00",
        "opened_at": "2024-01-01 08:04:10", "status": "new",
        "cars": [{"sightings": [first], "next": []}, {"sightings": [second], "next": [next]}],
        "strangers": [], "brands": [{"name": "大众", "value": 1}], "plate_types": [{"name": "02", "value": 2}],
        "pairs": [pair], "model": "2024-01-01 08:00:00",
    }))
    .unwrap()
}

#[derive(Clone, Default)]
struct Rows {
    rows: Vec<PassageRow>,
    alerts: Vec<Alert>,
    fault: Fault,
    work: BTreeMap<u64, AlertWork>,
    rejects: Vec<RejectRow>,
    case_work: AlertWork,
    case_changes: u64,
}

impl MemoryReader {
    pub(crate) fn empty() -> Self {
        Self {
            newest: Mutex::default(),
            commits: watch::Sender::new(0),
            catalogue: Arc::new(Catalogue::xuzhou()),
            status: Mutex::new(Status { version: "0.1.0", role: "all".to_owned(), ..Status::default() }),
            proof: Mutex::default(),
        }
    }

    /// Eight passages of two days and three alerts.
    pub(crate) fn sample() -> Self {
        let reader = Self::empty();
        reader.prove(Some(Report::sample()));
        let pizhou = "徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口";
        reader.commit(
            vec![
                row(
                    "G1",
                    "邳州市",
                    "S250_Pizhou_Sulu",
                    "1",
                    "2024-01-01 00:00:24",
                    "02",
                    "苏C12345",
                    "大众牌-朗逸-2015",
                ),
                row("G2", "邳州市", pizhou, "2", "2024-01-01 08:30:00", "01", "鲁D8888A", "解放牌-J6P-2019"),
                row("G3", "铜山县", "G104_Tongshan_Sulu", "1", "2024-01-01 23:59:59", "52", "苏CD12345", "比亚迪牌-秦"),
                row("G4", "高速五大队", "G3_Sulu", "1", "2024-01-02 00:00:00", "02", "苏CDM***", "大众牌-速腾"),
                row("G5", "高速五大队", "G3_Sulu", "2", "2024-01-02 11:58:30", "02", "苏C12345", "大众牌-朗逸-2015"),
                row("G7", "某县", "unlisted-1", "1", "2024-01-02 11:59:00", "-", "-", "-"),
                row("G6", "铜山县", "G104_Tongshan_Sulu", "1", "2024-01-02 11:59:00", "02", "皖A00001", "福田牌"),
                row(
                    "G8",
                    "邳州市",
                    "S250_Pizhou_Sulu",
                    "1",
                    "2024-01-02 11:59:20",
                    "02",
                    "苏C12345",
                    "大众牌-朗逸-2015",
                ),
            ],
            vec![
                alert(1, "苏CD12345", "G3_Sulu", "unlisted-1", "2024-01-01 23:59:59", Severity::Medium, Rule::Window),
                alert(
                    2,
                    "苏C12345",
                    "G3_Sulu",
                    "S250_Pizhou_Sulu",
                    "2024-01-02 11:59:20",
                    Severity::High,
                    Rule::Window,
                ),
                alert(
                    3,
                    "皖A00001",
                    "G3_Sulu",
                    "G104_Tongshan_Sulu",
                    "2024-01-02 11:59:30",
                    Severity::Low,
                    Rule::Speed,
                ),
            ],
        );
        reader
    }

    /// Adds rows and alerts as one commit.
    pub(crate) fn commit(&self, rows: Vec<PassageRow>, alerts: Vec<Alert>) {
        let newest = self.change(|state| {
            state.rows.extend(rows);
            state.alerts.extend(alerts);
            state.alerts.last().map_or(0, |alert| alert.seq)
        });
        self.commits.send_replace(newest);
    }

    /// Reports a change of the sample case.
    pub(crate) fn change_sample_case(&self) {
        self.change(|state| state.case_changes += 1);
        self.commit(Vec::new(), Vec::new());
    }

    pub(crate) fn set_fault(&self, fault: Fault) {
        self.change(|state| state.fault = fault);
    }

    pub(crate) fn set_status(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock());
    }

    pub(crate) fn prove(&self, report: Option<Report>) {
        *self.proof.lock() = report;
    }

    pub(crate) fn reject(&self, rows: Vec<RejectRow>) {
        self.change(|state| state.rejects.extend(rows));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Rows) -> T) -> T {
        let mut newest = self.newest.lock();
        let mut state = Rows::clone(&newest);
        let answer = change(&mut state);
        *newest = Arc::new(state);
        answer
    }
}

impl Reader for MemoryReader {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.newest.lock().clone()
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.clone()
    }

    fn status(&self) -> Status {
        self.status.lock().clone()
    }

    fn failure(&self) -> Option<String> {
        self.status.lock().failure.clone()
    }

    fn change_work(&self, id: AlertId, change: &WorkChange) -> Result<WorkedAlert, WorkError> {
        self.change(|state| {
            let mut worked = state.alert(id).unwrap().ok_or(WorkError::NotFound(id))?;
            worked.work.change(change)?;
            state.work.insert(worked.alert.seq, worked.work.clone());
            Ok(worked)
        })
    }

    fn cameras(&self) -> Result<CameraReport, ReadError> {
        let known = CameraState {
            offset: 300.0,
            error: 2.0,
            drift: 0.0,
            records: 5200,
            ahead: 0,
            compared: 4100,
            contradicted: 3,
            unread: 40,
            unbranded: 90,
            doubles: 12,
            usual_share: 0.5,
            faults: vec![CameraFault::Offset],
        };
        let sound = CameraState { offset: 0.4, faults: Vec::new(), ..known.clone() };
        let camera = Camera { kkmc: "G3_Sulu".into(), known, silence: None };
        let well = Camera { kkmc: "G104_Tongshan_Sulu".into(), known: sound, silence: None };
        Ok(CameraReport { is_on: true, model: Some(473_352), cameras: [well, camera].into() })
    }

    fn proof(&self) -> Result<Option<KeptProof>, ReadError> {
        Ok(self.proof.lock().clone().map(|report| KeptProof { report, kept_unix: 1_704_067_200 }))
    }

    fn roads(&self) -> Result<Arc<Roads>, ReadError> {
        let now = time("2024-01-05 08:30:00");
        let hour = |back: i64, median| HourTimes {
            hour: (now.hour() - back) as i32,
            cars: 20,
            low: median - 10,
            median,
            high: median + 20,
        };
        let days = (1..=3).rev().flat_map(|day| [hour(day * 24, 2800), hour(day * 24 - 1, 2900)]);
        let hours: Vec<HourTimes> = days.chain([hour(1, 3000)]).collect();
        let slow = ["G104_Tongshan_Sulu".into(), "徐州市睢宁县G104北京-福州K873江苏徐州-G104-苏皖界省际卡口".into()];
        let slow = Road::new(slow, 2700.0, &[(60, 5400); 5], 2.0, hours.into());
        let quick = ["G3_Sulu".into(), "S251_Pizhou_Sulu".into()];
        let quick = Road::new(quick, 1500.0, &[(60, 1600); 9], 2.0, Arc::default());
        Ok(Arc::new(Roads { state: RoadsState::Ready, now: Some(now.0), all: vec![slow, quick] }))
    }

    fn change_case(&self, id: u64, change: &WorkChange) -> Result<WorkedCase, WorkError> {
        self.change(|state| {
            let mut worked = state.case(id).unwrap().ok_or(WorkError::NoCase(AlertId(id)))?;
            worked.work.change(change)?;
            state.case_work = worked.work.clone();
            Ok(worked)
        })
    }
}

impl Rows {
    fn within(&self, range: TimeRange) -> impl Iterator<Item = &PassageRow> {
        self.rows.iter().filter(move |row| contains(range, row.gcsj))
    }
}

impl Snapshot for Rows {
    fn totals(&self) -> Totals {
        let newest = self.rows.iter().map(|row| row.gcsj).max();
        let minute = newest.map(|last| TimeRange { start: Some(CivilTime(last.0 - 59)), end: Some(last) });
        Totals {
            passages: self.rows.len() as u64,
            accepted: self.rows.len() as u64,
            alerts: self.alerts.last().map_or(0, |alert| alert.seq),
            newest,
            last_minute: minute.map_or(0, |minute| self.within(minute).count() as u64),
        }
    }

    fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        let mut counts = BTreeMap::<Arc<str>, u64>::new();
        for row in self.within(range) {
            let name = match group {
                Group::Checkpoint => row.kkmc.clone(),
                Group::District => row.xzqhmc.clone(),
                Group::VehicleType => VehicleType::of(&row.hpzl, &row.clppxh).as_str().into(),
                Group::Brand => brand_of(&row.clppxh).into(),
            };
            *counts.entry(name).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(counts)
    }

    fn counts_by_unit(&self, range: TimeRange) -> Result<Vec<UnitCount>, ReadError> {
        let unit = |row: &PassageRow| UnitCount { district: row.xzqhmc.clone(), kkmc: row.kkmc.clone(), passages: 1 };
        Ok(self.within(range).map(unit).collect())
    }

    fn counts_by_hour_of_day(&self, range: TimeRange) -> Result<[u64; 24], ReadError> {
        let mut counts = [0; 24];
        for row in self.within(range) {
            counts[usize::from(row.gcsj.hour_of_day())] += 1;
        }
        Ok(counts)
    }

    fn count(&self, range: TimeRange) -> Result<u64, ReadError> {
        Ok(self.within(range).count() as u64)
    }

    fn query(
        &self,
        filter: &QueryFilter,
        order: Order,
        page: u64,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        self.fault.strike()?;
        let mut rows: Vec<_> = self.rows.iter().filter(|row| matches(filter, row)).cloned().collect();
        rows.sort_by(|a, b| order.compare((a.gcsj, &a.gcxh), (b.gcsj, &b.gcxh)));
        Ok(page_of(rows, page, limit))
    }

    fn track(
        &self,
        hphm: &str,
        range: TimeRange,
        kkmc: Option<&[String]>,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        self.fault.strike()?;
        let is_there = |row: &PassageRow| kkmc.is_none_or(|any| any.iter().any(|kkmc| **kkmc == *row.kkmc));
        let mut rows: Vec<_> = self.within(range).filter(|row| row.hphm == hphm && is_there(row)).cloned().collect();
        rows.sort_by_key(|row| row.gcsj);
        let total = rows.len() as u64;
        Ok(Page { total, records: rows.split_off(rows.len().saturating_sub(limit)) })
    }

    fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>, ReadError> {
        Ok(self.alerts.iter().rev().take(limit).cloned().collect())
    }

    fn alerts(&self, filter: &AlertFilter, page: u64, limit: usize) -> Result<Page<Alert>, ReadError> {
        let matching = self.alerts.iter().rev().filter(|alert| {
            contains(filter.time, alert.later.passed_at)
                && filter.hphm.as_ref().is_none_or(|part| wildcard(&format!("*{part}*"), &alert.plate))
                && filter
                    .kkmc
                    .as_ref()
                    .is_none_or(|any| any.contains(&alert.earlier.checkpoint) || any.contains(&alert.later.checkpoint))
                && filter.severity.is_none_or(|severity| alert.severity == severity)
                && filter.rule.is_none_or(|rule| alert.rule == rule)
                && filter
                    .status
                    .is_none_or(|status| self.work.get(&alert.seq).cloned().unwrap_or_default().status == status)
        });
        Ok(page_of(matching.cloned().collect(), page, limit))
    }

    fn alerts_after(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError> {
        Ok(self.alerts.iter().filter(|alert| alert.seq > seq).take(limit).cloned().collect())
    }

    fn alert(&self, id: AlertId) -> Result<Option<WorkedAlert>, ReadError> {
        let found = self.alerts.iter().rev().find(|alert| alert.id == id).cloned();
        Ok(found.map(|alert| WorkedAlert { work: self.work.get(&alert.seq).cloned().unwrap_or_default(), alert }))
    }

    fn cases(
        &self,
        filter: &CaseFilter,
        _order: CaseOrder,
        page: u64,
        limit: usize,
    ) -> Result<Page<CaseBriefJson>, ReadError> {
        let accepts = |case: &CaseJson| {
            filter.min_probability.is_none_or(|least| case.probability >= least)
                && filter.cause.is_none_or(|cause| case.cause == cause)
                && filter.status.is_none_or(|status| self.case_work.status == status)
                && filter.hphm.as_ref().is_none_or(|text| case.hphm.contains(text))
                && filter.kkmc.as_ref().is_none_or(|any| {
                    let ends = case.pairs.iter().flat_map(|pair| [&pair.earlier.kkmc, &pair.later.kkmc]);
                    ends.into_iter().any(|kkmc| any.contains(kkmc))
                })
        };
        let found: Vec<CaseJson> = Some(sample_case()).filter(accepts).into_iter().collect();
        let skip = usize::try_from(page.saturating_sub(1).saturating_mul(limit as u64)).unwrap_or(usize::MAX);
        let records = found.iter().skip(skip).take(limit).map(CaseBriefJson::of).collect();
        Ok(Page { total: found.len() as u64, records })
    }

    fn case(&self, id: u64) -> Result<Option<WorkedCase>, ReadError> {
        let case = Some(sample_case()).filter(|case| case.id == format!("{id:016x}"));
        Ok(case.map(|case| WorkedCase { case, work: self.case_work.clone() }))
    }

    fn decisions(&self) -> Result<Vec<Decision>, ReadError> {
        let of = |is_confirmed| Decision { probability: 0.85, is_confirmed };
        Ok([of(true), of(true), of(false)].to_vec())
    }

    fn case_times(&self, case: &CaseJson) -> Option<CaseTimesJson> {
        let pair = case.pairs.first()?;
        Some(CaseTimesJson {
            from_kkmc: pair.earlier.kkmc.clone(),
            to_kkmc: pair.later.kkmc.clone(),
            gap_seconds: pair.gap_seconds,
            fastest_seconds: pair.fastest_seconds,
            drives: 400,
            bucket_seconds: 600,
            shares: vec![0.0, 0.25, 0.7],
            longer_share: 0.05,
            quicker_share: 0.0,
            model: "2024-01-01 08:00:00".to_owned(),
        })
    }

    fn cases_changed(&self, after: u64) -> (u64, Vec<CaseHeadJson>) {
        let case = sample_case();
        let head = CaseHeadJson {
            seq: case.seq,
            id: case.id,
            hphm: case.hphm,
            probability: case.probability,
            cause: case.cause,
            contradictions: case.contradictions,
            last_time: case.last_time,
        };
        (self.case_changes, Some(head).filter(|_| self.case_changes > after).into_iter().collect())
    }

    fn work(&self, seqs: &[u64]) -> Result<Vec<AlertWork>, ReadError> {
        Ok(seqs.iter().map(|seq| self.work.get(seq).cloned().unwrap_or_default()).collect())
    }

    fn query_after(
        &self,
        filter: &QueryFilter,
        order: Order,
        after: Option<&PassageKey>,
        limit: usize,
    ) -> Result<Vec<PassageRow>, ReadError> {
        let rows = self.query(filter, order, 1, usize::MAX)?.records.into_iter();
        let behind = |row: &PassageRow| {
            after.is_none_or(|key| order.compare((row.gcsj, &row.gcxh), (key.gcsj, &key.gcxh)).is_gt())
        };
        Ok(rows.filter(behind).take(limit).collect())
    }

    fn rejects(
        &self,
        reason: Option<RejectReason>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<RejectPiece, ReadError> {
        let of_reason = |row: &&RejectRow| reason.is_none_or(|reason| row.reason == reason);
        let below = self.rejects.iter().rev().filter(|row| before.is_none_or(|before| row.seq < before));
        let mut records: Vec<_> = below.filter(of_reason).take(limit + 1).cloned().collect();
        let next = (records.len() > limit).then(|| records.pop().map(|row| row.seq + 1)).flatten();
        Ok(RejectPiece { kept: self.rejects.len() as u64, records, next })
    }
}

fn contains(range: TimeRange, time: CivilTime) -> bool {
    range.start.is_none_or(|start| time >= start) && range.end.is_none_or(|end| time <= end)
}

fn matches(filter: &QueryFilter, row: &PassageRow) -> bool {
    let class = PlateCode::pack(&row.hphm).class(&row.hphm);
    contains(filter.time, row.gcsj)
        && filter.kkmc.as_ref().is_none_or(|any| any.iter().any(|kkmc| **kkmc == *row.kkmc))
        && filter.hphm.as_ref().is_none_or(|pattern| wildcard(&format!("*{pattern}*"), &row.hphm))
        && filter.xzqhmc.as_ref().is_none_or(|text| **text == *row.xzqhmc)
        && filter.fxlx.as_ref().is_none_or(|text| **text == *row.fxlx)
        && filter.hpzl.as_ref().is_none_or(|text| **text == *row.hpzl)
        && filter.clppxh.as_ref().is_none_or(|text| row.clppxh.contains(text.as_str()))
        && filter.province.as_ref().is_none_or(|text| province_of(&row.hphm) == text)
        && filter.vehicle_type.is_none_or(|kind| VehicleType::of(&row.hpzl, &row.clppxh) == kind)
        && filter.fuel_type.is_none_or(|kind| FuelType::of(&row.hpzl, class) == kind)
}

fn wildcard(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| wildcard(rest.as_str(), &text[at..]))
        }
        Some(wanted) => {
            let mut characters = text.chars();
            characters.next().is_some_and(|found| wanted == '?' || wanted == found)
                && wildcard(rest.as_str(), characters.as_str())
        }
    }
}

fn page_of<T>(mut all: Vec<T>, page: u64, limit: usize) -> Page<T> {
    let total = all.len() as u64;
    let skipped = ((page - 1) as usize).saturating_mul(limit).min(all.len());
    let mut records = all.split_off(skipped);
    records.truncate(limit);
    Page { total, records }
}

#[expect(clippy::too_many_arguments, reason = "one per column of a record, in their order")]
pub(crate) fn row(
    gcxh: &str,
    xzqhmc: &str,
    kkmc: &str,
    fxlx: &str,
    gcsj: &str,
    hpzl: &str,
    hphm: &str,
    clppxh: &str,
) -> PassageRow {
    PassageRow {
        gcxh: gcxh.to_owned(),
        xzqhmc: xzqhmc.into(),
        kkmc: kkmc.into(),
        fxlx: fxlx.into(),
        gcsj: time(gcsj),
        hpzl: hpzl.into(),
        hphm: hphm.to_owned(),
        clppxh: clppxh.into(),
    }
}

/// An alert whose earlier sighting is 50 seconds before `curr_time`.
pub(crate) fn alert(
    seq: u64,
    hphm: &str,
    prev_kkmc: &str,
    curr_kkmc: &str,
    curr_time: &str,
    severity: Severity,
    rule: Rule,
) -> Alert {
    let known = severity != Severity::Medium;
    Alert {
        seq,
        id: AlertId::of(hphm, &format!("A{seq}"), &format!("B{seq}")),
        plate: hphm.to_owned(),
        earlier: AlertSighting {
            checkpoint: prev_kkmc.to_owned(),
            passed_at: CivilTime(time(curr_time).0 - 50),
            passage: format!("A{seq}"),
        },
        later: AlertSighting {
            checkpoint: curr_kkmc.to_owned(),
            passed_at: time(curr_time),
            passage: format!("B{seq}"),
        },
        gap_seconds: 50,
        distance_km: known.then_some(45.2),
        speed_kmh: known.then_some(3254.4),
        severity,
        rule,
        cause: None,
        evidence: None,
    }
}
