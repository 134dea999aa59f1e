//! Every question that a view answers.

use std::sync::Arc;

use traffic::{Alert, AlertId, RejectReason};

use super::cursor::RowCursor;
use super::passages;
use super::view::View;
use crate::calibration::Decision;
use crate::case_json::{CaseBriefJson, CaseHeadJson, CaseJson, CaseTimesJson, WorkedCase};
use crate::reader::{
    AlertFilter, CaseFilter, CaseOrder, Group, HourCounts, Order, Page, PassageCursor, PassageRow, QueryFilter,
    ReadError, RejectPiece, Snapshot, TimeRange, Totals, UnitCount,
};
use crate::work::{AlertWork, WorkedAlert};

impl Snapshot for View {
    fn totals(&self) -> Totals {
        Totals {
            passages: self.rollups.all.total,
            accepted: self.totals.accepted,
            alerts: self.totals.alerts,
            newest: self.newest,
            last_minute: self.last_minute,
        }
    }

    fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        self.counts_by(group, range)
    }

    fn counts_by_unit(&self, range: TimeRange) -> Result<Vec<UnitCount>, ReadError> {
        self.by_unit(range)
    }

    fn counts_by_hour_of_day(&self, range: TimeRange) -> Result<[u64; 24], ReadError> {
        self.by_hour_of_day(range)
    }

    fn hours(&self, from: i64, to: i64, limit: usize) -> Result<Vec<HourCounts>, ReadError> {
        self.hours_between(from, to, limit)
    }

    fn has_hours_at_hand(&self) -> bool {
        true
    }

    fn count(&self, range: TimeRange) -> Result<u64, ReadError> {
        Ok(self.by_hour_of_day(range)?.iter().sum())
    }

    fn query(
        &self,
        filter: &QueryFilter,
        order: Order,
        page: u64,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        passages::query(self, filter, order, page, limit)
    }

    fn track(
        &self,
        hphm: &str,
        range: TimeRange,
        kkmc: Option<&[String]>,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        passages::track(self, hphm, range, kkmc, limit)
    }

    fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>, ReadError> {
        self.alerts_back(self.totals.alerts).take(limit).collect()
    }

    fn alerts(&self, filter: &AlertFilter, page: u64, limit: usize) -> Result<Page<Alert>, ReadError> {
        self.search_alerts(filter, page, limit)
    }

    fn alert(&self, id: AlertId) -> Result<Option<WorkedAlert>, ReadError> {
        self.alert_by_id(id)
    }

    fn cases(
        &self,
        filter: &CaseFilter,
        order: CaseOrder,
        page: u64,
        limit: usize,
    ) -> Result<Page<CaseBriefJson>, ReadError> {
        self.search_cases(filter, order, page, limit)
    }

    fn case(&self, id: u64) -> Result<Option<WorkedCase>, ReadError> {
        self.case_by_id(id)
    }

    fn case_times(&self, case: &CaseJson) -> Option<CaseTimesJson> {
        self.times_of_case(case)
    }

    fn cases_changed(&self, after: u64) -> (u64, Vec<CaseHeadJson>) {
        self.case_heads_after(after)
    }

    fn decisions(&self) -> Result<Vec<Decision>, ReadError> {
        Ok(self.case_decisions())
    }

    fn work(&self, seqs: &[u64]) -> Result<Vec<AlertWork>, ReadError> {
        self.work_on(seqs)
    }

    fn cursor(self: Arc<Self>, filter: &QueryFilter, order: Order) -> Option<Box<dyn PassageCursor>> {
        Some(Box::new(RowCursor::new(self, filter, order)))
    }

    fn rejects(
        &self,
        reason: Option<RejectReason>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<RejectPiece, ReadError> {
        self.rejects_before(reason, before, limit)
    }

    fn alerts_after(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError> {
        self.alerts_from(seq, limit)
    }
}
