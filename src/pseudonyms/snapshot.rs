//! The questions to one state of the data, asked by pseudonyms and answered with plates. A question that is new in [`Snapshot`] is
//! answered by its default, from these, or not at all.

use std::sync::Arc;

use traffic::evidence::Reason;
use traffic::{Alert, AlertId, CivilTime, RejectReason, normalise_plate};

use super::cipher::{NO_PLATE, PlateCipher, is_whole};
use crate::calibration::Decision;
use crate::case_json::{CaseBriefJson, CaseHeadJson, CaseJson, CaseTimesJson, WorkedCase};
use crate::reader::{
    AlertFilter, CaseFilter, CaseOrder, Group, HourCounts, Order, Page, PassageCursor, PassageKey, PassageRow,
    QueryFilter, ReadError, RejectPiece, Snapshot, TimeRange, Totals, UnitCount,
};
use crate::work::{AlertWork, WorkedAlert};

/// One state of the data, with plates.
pub(super) struct RevealedSnapshot {
    pub(super) stored: Arc<dyn Snapshot>,
    pub(super) cipher: Arc<PlateCipher>,
}

impl PlateCipher {
    fn shown(&self, stored: &mut String) {
        if let Some(plate) = self.reveal(stored) {
            *stored = plate;
        }
    }

    /// The pseudonym that a question means; none where it does not ask for a plate.
    ///
    /// # Errors
    /// [`ReadError::PartOfPlate`] if it asks for a part: pseudonyms have none.
    fn asked(&self, hphm: Option<&String>) -> Result<Option<String>, ReadError> {
        let Some(hphm) = hphm else { return Ok(None) };
        let normal = normalise_plate(hphm.trim());
        if hphm.trim().is_empty() || normal.chars().all(|character| character == '*') {
            return Ok(None);
        }
        if normal == NO_PLATE || self.reveal(&normal).is_some() {
            return Ok(Some(normal.into_owned()));
        }
        if !is_whole(&normal) {
            return Err(ReadError::PartOfPlate(hphm.clone()));
        }
        Ok(Some(self.hide_plate(&normal)))
    }

    pub(super) fn alert(&self, mut alert: Alert) -> Alert {
        self.shown(&mut alert.plate);
        for reason in alert.evidence.iter_mut().flat_map(|evidence| &mut evidence.reasons) {
            if let Reason::NeighbourDue(code) = reason
                && let Some(plate) = code.pseudonym().and_then(|pseudonym| self.reveal_packed(pseudonym))
            {
                *code = plate;
            }
        }
        alert
    }

    pub(super) fn work(&self, mut work: AlertWork) -> AlertWork {
        work.history.iter_mut().for_each(|entry| entry.note = self.reveal_in(&entry.note));
        work
    }

    pub(super) fn case(&self, WorkedCase { mut case, work }: WorkedCase) -> WorkedCase {
        self.shown(&mut case.hphm);
        for pair in &mut case.pairs {
            if let Some(due) = &mut pair.neighbour_due {
                self.shown(due);
            }
        }
        WorkedCase { case, work: self.work(work) }
    }

    fn rows(&self, mut rows: Vec<PassageRow>) -> Vec<PassageRow> {
        rows.iter_mut().for_each(|row| self.shown(&mut row.hphm));
        rows
    }
}

impl RevealedSnapshot {
    fn stored_query(&self, filter: &QueryFilter) -> Result<QueryFilter, ReadError> {
        Ok(QueryFilter { hphm: self.cipher.asked(filter.hphm.as_ref())?, ..filter.clone() })
    }

    fn page(&self, Page { total, records }: Page<PassageRow>) -> Page<PassageRow> {
        Page { total, records: self.cipher.rows(records) }
    }

    fn alerts_of(&self, alerts: Vec<Alert>) -> Vec<Alert> {
        alerts.into_iter().map(|alert| self.cipher.alert(alert)).collect()
    }
}

impl Snapshot for RevealedSnapshot {
    fn totals(&self) -> Totals {
        self.stored.totals()
    }

    fn newest(&self) -> Option<CivilTime> {
        self.stored.newest()
    }

    fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        self.stored.counts(group, range)
    }

    fn counts_by_unit(&self, range: TimeRange) -> Result<Vec<UnitCount>, ReadError> {
        self.stored.counts_by_unit(range)
    }

    fn counts_by_hour_of_day(&self, range: TimeRange) -> Result<[u64; 24], ReadError> {
        self.stored.counts_by_hour_of_day(range)
    }

    fn hours(&self, from: i64, to: i64, limit: usize) -> Result<Vec<HourCounts>, ReadError> {
        self.stored.hours(from, to, limit)
    }

    fn has_hours_at_hand(&self) -> bool {
        self.stored.has_hours_at_hand()
    }

    fn count(&self, range: TimeRange) -> Result<u64, ReadError> {
        self.stored.count(range)
    }

    fn query(
        &self,
        filter: &QueryFilter,
        order: Order,
        page: u64,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        Ok(self.page(self.stored.query(&self.stored_query(filter)?, order, page, limit)?))
    }

    /// The whole plate, whatever it is.
    fn track(
        &self,
        hphm: &str,
        range: TimeRange,
        kkmc: Option<&[String]>,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        let normal = normalise_plate(hphm);
        let stored =
            if self.cipher.reveal(&normal).is_some() { normal.into() } else { self.cipher.hide_plate(&normal) };
        Ok(self.page(self.stored.track(&stored, range, kkmc, limit)?))
    }

    fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>, ReadError> {
        Ok(self.alerts_of(self.stored.newest_alerts(limit)?))
    }

    fn alerts(&self, filter: &AlertFilter, page: u64, limit: usize) -> Result<Page<Alert>, ReadError> {
        let filter = AlertFilter { hphm: self.cipher.asked(filter.hphm.as_ref())?, ..filter.clone() };
        let Page { total, records } = self.stored.alerts(&filter, page, limit)?;
        Ok(Page { total, records: self.alerts_of(records) })
    }

    fn alerts_after(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError> {
        Ok(self.alerts_of(self.stored.alerts_after(seq, limit)?))
    }

    fn alert(&self, id: AlertId) -> Result<Option<WorkedAlert>, ReadError> {
        let found = self.stored.alert(id)?;
        Ok(found.map(|WorkedAlert { alert, work }| WorkedAlert {
            alert: self.cipher.alert(alert),
            work: self.cipher.work(work),
        }))
    }

    fn cases(
        &self,
        filter: &CaseFilter,
        order: CaseOrder,
        page: u64,
        limit: usize,
    ) -> Result<Page<CaseBriefJson>, ReadError> {
        let filter = CaseFilter { hphm: self.cipher.asked(filter.hphm.as_ref())?, ..filter.clone() };
        let mut found = self.stored.cases(&filter, order, page, limit)?;
        found.records.iter_mut().for_each(|case| self.cipher.shown(&mut case.hphm));
        Ok(found)
    }

    fn case(&self, id: u64) -> Result<Option<WorkedCase>, ReadError> {
        Ok(self.stored.case(id)?.map(|case| self.cipher.case(case)))
    }

    fn decisions(&self) -> Result<Vec<Decision>, ReadError> {
        self.stored.decisions()
    }

    fn case_times(&self, case: &CaseJson) -> Option<CaseTimesJson> {
        let hphm = self.cipher.hide_plate(&case.hphm);
        self.stored.case_times(&CaseJson { hphm, ..case.clone() })
    }

    fn cases_changed(&self, after: u64) -> (u64, Vec<CaseHeadJson>) {
        let (newest, mut heads) = self.stored.cases_changed(after);
        heads.iter_mut().for_each(|head| self.cipher.shown(&mut head.hphm));
        (newest, heads)
    }

    fn work(&self, seqs: &[u64]) -> Result<Vec<AlertWork>, ReadError> {
        Ok(self.stored.work(seqs)?.into_iter().map(|work| self.cipher.work(work)).collect())
    }

    /// None of a question that cannot be asked: [`Snapshot::query_after`] says so.
    fn cursor(self: Arc<Self>, filter: &QueryFilter, order: Order) -> Option<Box<dyn PassageCursor>> {
        let stored = self.stored.clone().cursor(&self.stored_query(filter).ok()?, order)?;
        Some(Box::new(RevealedCursor { stored, cipher: self.cipher.clone() }))
    }

    fn query_after(
        &self,
        filter: &QueryFilter,
        order: Order,
        after: Option<&PassageKey>,
        limit: usize,
    ) -> Result<Vec<PassageRow>, ReadError> {
        Ok(self.cipher.rows(self.stored.query_after(&self.stored_query(filter)?, order, after, limit)?))
    }

    fn rejects(
        &self,
        reason: Option<RejectReason>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<RejectPiece, ReadError> {
        let mut piece = self.stored.rejects(reason, before, limit)?;
        for reject in &mut piece.records {
            if let Some(line) = self.cipher.open(&reject.raw) {
                // A line that was written again from its row has the pseudonym.
                reject.raw = match String::from_utf8(line) {
                    Ok(text) => self.cipher.reveal_in(&text).into_bytes(),
                    Err(error) => error.into_bytes(),
                };
            }
        }
        Ok(piece)
    }
}

struct RevealedCursor {
    stored: Box<dyn PassageCursor>,
    cipher: Arc<PlateCipher>,
}

impl PassageCursor for RevealedCursor {
    fn next(&mut self, limit: usize) -> Result<Vec<PassageRow>, ReadError> {
        Ok(self.cipher.rows(self.stored.next(limit)?))
    }
}
