//! What a view answers about alerts, the work on them, and rejects: found in the index as far as it reaches, read from
//! the disk beyond it and for what is shown.

use shard::PlatePattern;
use storage::Family;
use traffic::{Alert, AlertId, CivilTime, Dimension, NameId, NameTable, PlateCode};

use super::view::{View, read_error};
use crate::reader::{AlertFilter, Page, ReadError};
use crate::store::disk::records::{decode_alert, load_work};
use crate::store::state::{AlertRow, FoundAlerts, WorkStates};
use crate::work::{AlertWork, WorkStatus, WorkedAlert};

impl View {
    /// The number of the oldest alert that is kept.
    pub(in crate::store) fn oldest_alert(&self) -> u64 {
        self.totals.oldest_alert.max(1)
    }

    /// Bytes of the alerts in memory.
    pub fn alert_index_bytes(&self) -> usize {
        self.alerts.bytes()
    }

    /// The alerts with these numbers; one that was dropped meanwhile is left out.
    fn alerts_of(&self, seqs: &[u64]) -> Result<Vec<Alert>, ReadError> {
        let read = |seq: &u64| match self.reading.database.get(Family::Alerts, &seq.to_be_bytes()) {
            Ok(Some(value)) => Some(decode_alert(&value).map_err(read_error)),
            Ok(None) => None,
            Err(error) => Some(Err(read_error(error))),
        };
        seqs.iter().filter_map(read).collect()
    }

    /// Alerts that are too old for the index, newest first.
    fn alerts_before_index(&self) -> impl Iterator<Item = Result<Alert, ReadError>> + '_ {
        let first = self.alerts.first_seq().unwrap_or(self.totals.alerts + 1);
        let how_many = first.saturating_sub(self.oldest_alert());
        self.alerts_back(first.saturating_sub(1)).take(how_many as usize)
    }

    /// Alerts from number `newest` down.
    pub(in crate::store) fn alerts_back(&self, newest: u64) -> impl Iterator<Item = Result<Alert, ReadError>> + '_ {
        self.reading.database.scan_back(Family::Alerts, &newest.to_be_bytes()).map(|item| {
            let (_, value) = item.map_err(read_error)?;
            decode_alert(&value).map_err(read_error)
        })
    }

    /// See [`Snapshot::alerts`](crate::reader::Snapshot::alerts).
    pub(in crate::store) fn search_alerts(
        &self,
        filter: &AlertFilter,
        page: u64,
        limit: usize,
    ) -> Result<Page<Alert>, ReadError> {
        let skip = page.saturating_sub(1).saturating_mul(limit as u64);
        if *filter == AlertFilter::default() {
            // Numbers have no gaps: those of the page are known without reading the others.
            let total = self.totals.alerts - self.totals.oldest_alert.saturating_sub(1).min(self.totals.alerts);
            let newest = self.totals.alerts.saturating_sub(skip);
            let limit = limit.min(total.saturating_sub(skip) as usize);
            let records = self.alerts_back(newest).take(limit).collect::<Result<_, _>>()?;
            return Ok(Page { total, records });
        }
        let states = self.reading.work.states();
        let test = AlertTest::new(filter, &self.names, &states);
        let touches = |from, to| test.touches(from, to);
        let accepts = |seq, row: &AlertRow<'_>| test.accepts_row(seq, row);
        let mut found: FoundAlerts = self.alerts.search(touches, accepts, self.oldest_alert(), (skip, limit));
        for alert in self.alerts_before_index() {
            let alert = alert?;
            if test.accepts(&alert) {
                found.take(alert.seq, skip, limit);
            }
        }
        Ok(Page { total: found.total, records: self.alerts_of(&found.page)? })
    }

    /// See [`Snapshot::alerts_after`](crate::reader::Snapshot::alerts_after).
    pub(super) fn alerts_from(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError> {
        let newest = self.totals.alerts;
        self.reading
            .database
            .scan(Family::Alerts, &seq.saturating_add(1).to_be_bytes())
            .map(|item| {
                let (_, value) = item.map_err(read_error)?;
                decode_alert(&value).map_err(read_error)
            })
            .take_while(|alert| alert.as_ref().map_or(true, |alert| alert.seq <= newest))
            .take(limit)
            .collect()
    }

    /// See [`Snapshot::alert`](crate::reader::Snapshot::alert).
    pub(in crate::store) fn alert_by_id(&self, id: AlertId) -> Result<Option<WorkedAlert>, ReadError> {
        let found = match self.alerts.find(id, self.oldest_alert()) {
            Some(seq) => self.alerts_of(&[seq])?.pop(),
            None => self
                .alerts_before_index()
                .find(|alert| alert.as_ref().map_or(true, |alert| alert.id == id))
                .transpose()?,
        };
        let Some(alert) = found else { return Ok(None) };
        let work = load_work(&self.reading.database, alert.seq).map_err(read_error)?;
        Ok(Some(WorkedAlert { alert, work }))
    }

    /// See [`Snapshot::work`](crate::reader::Snapshot::work).
    pub(in crate::store) fn work_on(&self, seqs: &[u64]) -> Result<Vec<AlertWork>, ReadError> {
        let states = self.reading.work.states();
        let load = |seq: &u64| match states.of(*seq) {
            Some(_) => load_work(&self.reading.database, *seq).map_err(read_error),
            None => Ok(AlertWork::default()),
        };
        seqs.iter().map(load).collect()
    }
}

/// The number of the checkpoint with this exact text, if it has one.
pub(super) fn checkpoint_named(text: &str, names: &NameTable) -> Option<NameId> {
    names.all(Dimension::Checkpoint).iter().position(|name| **name == *text).map(|at| at as NameId)
}

/// The numbers of the checkpoints with these exact texts, of those that have one.
pub(super) fn checkpoints_named(texts: &[String], names: &NameTable) -> Vec<NameId> {
    texts.iter().filter_map(|text| checkpoint_named(text, names)).collect()
}

/// A compiled [`AlertFilter`].
struct AlertTest<'a> {
    filter: &'a AlertFilter,
    plate: Option<PlatePattern>,
    /// Numbers of the requested checkpoints.
    checkpoints: Option<Vec<NameId>>,
    work: &'a WorkStates,
}

impl<'a> AlertTest<'a> {
    pub(in crate::store) fn new(filter: &'a AlertFilter, names: &NameTable, work: &'a WorkStates) -> Self {
        Self {
            filter,
            plate: filter.hphm.as_deref().map(PlatePattern::compile).filter(|pattern| !pattern.is_any()),
            checkpoints: filter.kkmc.as_ref().map(|texts| checkpoints_named(texts, names)),
            work,
        }
    }

    fn touches(&self, min_time: i64, max_time: i64) -> bool {
        self.filter.time.touches(CivilTime(min_time), CivilTime(max_time))
    }

    #[inline]
    fn accepts_row(&self, seq: u64, row: &AlertRow<'_>) -> bool {
        let filter = self.filter;
        self.touches(row.time, row.time)
            && filter.severity.is_none_or(|severity| row.is_of(severity))
            && filter.rule.is_none_or(|rule| row.is_by(rule))
            && self.checkpoints.as_ref().is_none_or(|wanted| row.checkpoints.iter().any(|id| wanted.contains(id)))
            && self.plate.as_ref().is_none_or(|plate| plate.matches(row.plate, row.odd_plate))
            && self.accepts_status(seq)
    }

    fn accepts_status(&self, seq: u64) -> bool {
        self.filter.status.is_none_or(|status| self.work.of(seq).unwrap_or(WorkStatus::New) == status)
    }

    /// The same for an alert that was read from the disk.
    pub(in crate::store) fn accepts(&self, alert: &Alert) -> bool {
        let filter = self.filter;
        let time = alert.later.passed_at.0;
        self.touches(time, time)
            && filter.severity.is_none_or(|severity| severity == alert.severity)
            && filter.rule.is_none_or(|rule| rule == alert.rule)
            && filter.kkmc.as_ref().is_none_or(|names| names.iter().any(|name| alert.is_at(name)))
            && self.plate.as_ref().is_none_or(|plate| plate.matches(PlateCode::pack(&alert.plate), &alert.plate))
            && self.accepts_status(alert.seq)
    }
}
