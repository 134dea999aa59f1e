//! What a view answers of alerts, the work on them, and rejects: found in the index as far as it reaches, read from the
//! disk beyond it and for what is shown.

use storage::Family;
use traffic::{Alert, CivilTime, RejectReason};

use super::alerts::{AlertTest, FoundAlerts, id_number};
use super::view::read_error;
use super::{StoredReject, View, keys, stored_alert, work};
use crate::reader::{AlertFilter, Page, ReadError, RejectPiece, RejectRow};
use crate::work::{AlertWork, WorkedAlert};

/// Rejects that one question looks at; there may be millions that are not of the reason asked for.
const MAX_REJECTS_LOOKED_AT: usize = 20_000;

impl View {
    /// The number of the oldest alert that is kept.
    pub(super) fn oldest_alert(&self) -> u64 {
        self.totals.oldest_alert.max(1)
    }

    /// Bytes of the alerts in memory.
    pub fn alert_index_bytes(&self) -> usize {
        self.alerts.bytes()
    }

    /// The alerts with these numbers; one that was dropped meanwhile is left out.
    fn alerts_of(&self, seqs: &[u64]) -> Result<Vec<Alert>, ReadError> {
        let read = |seq: &u64| match self.database.get(Family::Alerts, &seq.to_be_bytes()) {
            Ok(Some(value)) => Some(stored_alert::decode(&value).map_err(read_error)),
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
    pub(super) fn alerts_back(&self, newest: u64) -> impl Iterator<Item = Result<Alert, ReadError>> + '_ {
        self.database.scan_back(Family::Alerts, &newest.to_be_bytes()).map(|item| {
            let (_, value) = item.map_err(read_error)?;
            stored_alert::decode(&value).map_err(read_error)
        })
    }

    /// See [`Snapshot::alerts`](crate::reader::Snapshot::alerts).
    pub(super) fn search_alerts(
        &self,
        filter: &AlertFilter,
        page: u64,
        limit: usize,
    ) -> Result<Page<Alert>, ReadError> {
        let skip = page.saturating_sub(1).saturating_mul(limit as u64);
        if *filter == AlertFilter::default() {
            // Numbers have no gaps: the page's are known without reading the others.
            let total = self.totals.alerts - self.totals.oldest_alert.saturating_sub(1).min(self.totals.alerts);
            let newest = self.totals.alerts.saturating_sub(skip);
            let limit = limit.min(total.saturating_sub(skip) as usize);
            let records = self.alerts_back(newest).take(limit).collect::<Result<_, _>>()?;
            return Ok(Page { total, records });
        }
        let states = self.work.states();
        let test = AlertTest::new(filter, &self.names, &states);
        let mut found: FoundAlerts = self.alerts.search(&test, self.oldest_alert(), skip, limit);
        for alert in self.alerts_before_index() {
            let alert = alert?;
            if test.accepts(&alert) {
                found.take(alert.seq, skip, limit);
            }
        }
        Ok(Page { total: found.total, records: self.alerts_of(&found.page)? })
    }

    /// See [`Snapshot::alert`](crate::reader::Snapshot::alert).
    pub(super) fn alert_by_id(&self, id: &str) -> Result<Option<WorkedAlert>, ReadError> {
        let Some(number) = id_number(id) else { return Ok(None) };
        let found = match self.alerts.find(number, self.oldest_alert()) {
            Some(seq) => self.alerts_of(&[seq])?.pop(),
            None => self
                .alerts_before_index()
                .find(|alert| alert.as_ref().map_or(true, |alert| alert.id == id))
                .transpose()?,
        };
        let Some(alert) = found else { return Ok(None) };
        let work = work::load(&self.database, alert.seq).map_err(read_error)?;
        Ok(Some(WorkedAlert { alert, work }))
    }

    /// See [`Snapshot::work`](crate::reader::Snapshot::work).
    pub(super) fn work_on(&self, seqs: &[u64]) -> Result<Vec<AlertWork>, ReadError> {
        let states = self.work.states();
        let load = |seq: &u64| match states.of(*seq) {
            Some(_) => work::load(&self.database, *seq).map_err(read_error),
            None => Ok(AlertWork::default()),
        };
        seqs.iter().map(load).collect()
    }

    /// See [`Snapshot::rejects`](crate::reader::Snapshot::rejects).
    pub(super) fn rejects_before(
        &self,
        reason: Option<RejectReason>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<RejectPiece, ReadError> {
        let oldest = self.totals.oldest_reject.max(1);
        let newest = self.totals.rejects.min(before.map_or(u64::MAX, |before| before.saturating_sub(1)));
        let mut piece =
            RejectPiece { kept: (self.totals.rejects + 1).saturating_sub(oldest), ..RejectPiece::default() };
        if newest < oldest {
            return Ok(piece);
        }
        for (looked_at, item) in self.database.scan_back(Family::Rejects, &newest.to_be_bytes()).enumerate() {
            let (key, value) = item.map_err(read_error)?;
            let seq = keys::last_u64(&key).unwrap_or_default();
            if seq < oldest {
                break;
            }
            if piece.records.len() >= limit || looked_at >= MAX_REJECTS_LOOKED_AT {
                piece.next = Some(seq + 1);
                break;
            }
            let StoredReject { origin, line, reason: found, raw, near, bytes } =
                StoredReject::decode(&value).map_err(read_error)?;
            if reason.is_none_or(|reason| reason == found) {
                let near = near.map(CivilTime);
                piece.records.push(RejectRow { seq, origin, line, reason: found, raw, near, bytes });
            }
        }
        Ok(piece)
    }

    /// Rejects with a number above `seq`, oldest first, each with its number.
    ///
    /// # Errors
    /// [`ReadError`] if they could not be read.
    pub fn rejects_after(&self, seq: u64, limit: usize) -> Result<Vec<(u64, StoredReject)>, ReadError> {
        self.database
            .scan(Family::Rejects, &seq.saturating_add(1).to_be_bytes())
            .take_while(|item| item.as_ref().map_or(true, |(key, _)| !keys::is_refused(key)))
            .take(limit)
            .map(|item| {
                let (key, value) = item.map_err(read_error)?;
                let reject = StoredReject::decode(&value).map_err(read_error)?;
                Ok((keys::last_u64(&key).unwrap_or_default(), reject))
            })
            .collect()
    }
}
