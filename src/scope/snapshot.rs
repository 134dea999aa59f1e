//! The questions to one state of the data, narrowed to what a scope reaches. What cannot be narrowed is not answered: a question
//! that is new in [`Snapshot`] is answered by its default, from the narrowed ones, or not at all.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use traffic::{Alert, AlertId, CivilTime};

use super::hide;
use super::reach::Reach;
use crate::calibration::Decision;
use crate::case_json::{CaseBriefJson, CaseHeadJson, CaseJson, CaseTimesJson, WorkedCase};
use crate::reader::{
    AlertFilter, CaseFilter, CaseOrder, Group, HourCounts, Order, Page, PassageCursor, PassageKey, PassageRow,
    QueryFilter, ReadError, Snapshot, TimeRange, Totals, UnitCount,
};
use crate::work::{AlertWork, WorkedAlert};

/// Alerts that are read at once to find those in reach.
const BATCH: usize = 1000;
const SECONDS_PER_HOUR: i64 = 3600;
const MINUTE: i64 = 60;
/// The district of a checkpoint that the catalogue does not know.
const UNKNOWN_DISTRICT: &str = "未知";

/// One state of the data, as far as a scope reaches.
pub(super) struct ScopedSnapshot {
    whole: Arc<dyn Snapshot>,
    reach: Arc<Reach>,
    totals: OnceLock<Totals>,
}

impl ScopedSnapshot {
    pub(super) fn new(whole: Arc<dyn Snapshot>, reach: Arc<Reach>) -> Self {
        Self { whole, reach, totals: OnceLock::new() }
    }

    /// The filter within reach; none if nothing can match.
    fn narrowed_query(&self, filter: &QueryFilter) -> Option<QueryFilter> {
        let kkmc = self.narrowed(filter.kkmc.as_deref())?;
        Some(QueryFilter { kkmc: Some(kkmc), ..filter.clone() })
    }

    fn narrowed_alerts(&self, filter: &AlertFilter) -> Option<AlertFilter> {
        let kkmc = self.narrowed(filter.kkmc.as_deref())?;
        Some(AlertFilter { kkmc: Some(kkmc), ..filter.clone() })
    }

    fn narrowed(&self, kkmc: Option<&[String]>) -> Option<Vec<String>> {
        Some(self.reach.narrowed(kkmc)).filter(|kkmc| !kkmc.is_empty())
    }

    fn by_checkpoint(&self, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        let mut counts = self.whole.counts(Group::Checkpoint, range)?;
        counts.retain(|(kkmc, _)| self.reach.has(kkmc));
        Ok(counts)
    }

    fn by_district(&self, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let by_checkpoint = self.by_checkpoint(range)?;
        for (kkmc, count) in &by_checkpoint {
            let district = self.reach.catalogue().find(kkmc).map(|checkpoint| checkpoint.district.as_str());
            *counts.entry(district.unwrap_or(UNKNOWN_DISTRICT)).or_default() += count;
        }
        let mut counts: Vec<(Arc<str>, u64)> = counts.into_iter().map(|(name, count)| (name.into(), count)).collect();
        // Stable: ties stay in the order of their names.
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(counts)
    }

    fn shown(&self, alerts: Vec<Alert>) -> Vec<Alert> {
        alerts.into_iter().filter_map(|alert| hide::alert(&self.reach, alert)).collect()
    }

    fn read_totals(&self) -> Totals {
        let whole = self.whole.totals();
        let minute =
            whole.newest.map(|newest| TimeRange { start: Some(CivilTime(newest.0 - MINUTE + 1)), end: Some(newest) });
        // The questions that can fail report what is away.
        let count = |range| self.count(range).unwrap_or_default();
        let passages = count(TimeRange::default());
        Totals {
            passages,
            // What was accepted and is gone is not known by checkpoint.
            accepted: passages,
            alerts: self.alerts(&AlertFilter::default(), 1, 1).map_or(0, |page| page.total),
            newest: whole.newest,
            last_minute: minute.map_or(0, count),
        }
    }
}

impl Snapshot for ScopedSnapshot {
    fn totals(&self) -> Totals {
        *self.totals.get_or_init(|| self.read_totals())
    }

    /// The clock of all data: where it stands says nothing of a place.
    fn newest(&self) -> Option<CivilTime> {
        self.whole.newest()
    }

    fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        match group {
            Group::Checkpoint => self.by_checkpoint(range),
            Group::District => self.by_district(range),
            Group::VehicleType | Group::Brand => Err(ReadError::Unsupported(
                "vehicle types and brands are not counted by checkpoint: ask somebody who sees all districts"
                    .to_owned(),
            )),
        }
    }

    fn counts_by_unit(&self, range: TimeRange) -> Result<Vec<UnitCount>, ReadError> {
        let mut counts = self.whole.counts_by_unit(range)?;
        counts.retain(|count| self.reach.has(&count.kkmc));
        Ok(counts)
    }

    fn counts_by_hour_of_day(&self, range: TimeRange) -> Result<[u64; 24], ReadError> {
        let mut counts = [0; 24];
        let mut add = |hour: i64, more: &[(Arc<str>, u64)]| {
            let more: u64 = more.iter().filter(|(kkmc, _)| self.reach.has(kkmc)).map(|(_, count)| count).sum();
            if let Some(count) = counts.get_mut(hour.rem_euclid(24) as usize) {
                *count += more;
            }
        };
        let (hours, parts) = split(range);
        if let Some((first, last)) = hours {
            for hour in self.whole.hours(first, last, usize::MAX)? {
                add(hour.hour, &hour.checkpoints);
            }
        }
        for (hour, part) in parts {
            add(hour, &self.whole.counts(Group::Checkpoint, part)?);
        }
        Ok(counts)
    }

    fn hours(&self, from: i64, to: i64, limit: usize) -> Result<Vec<HourCounts>, ReadError> {
        let mut hours = self.whole.hours(from, to, limit)?;
        // An hour without a passage in reach stays: there it is a count of zero.
        hours.iter_mut().for_each(|hour| hour.checkpoints.retain(|(kkmc, _)| self.reach.has(kkmc)));
        Ok(hours)
    }

    fn has_hours_at_hand(&self) -> bool {
        self.whole.has_hours_at_hand()
    }

    fn count(&self, range: TimeRange) -> Result<u64, ReadError> {
        Ok(self.by_checkpoint(range)?.iter().map(|(_, count)| count).sum())
    }

    fn query(
        &self,
        filter: &QueryFilter,
        order: Order,
        page: u64,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        match self.narrowed_query(filter) {
            Some(filter) => self.whole.query(&filter, order, page, limit),
            None => Ok(nothing()),
        }
    }

    fn track(
        &self,
        hphm: &str,
        range: TimeRange,
        kkmc: Option<&[String]>,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        match self.narrowed(kkmc) {
            Some(kkmc) => self.whole.track(hphm, range, Some(&kkmc), limit),
            None => Ok(nothing()),
        }
    }

    fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>, ReadError> {
        Ok(self.alerts(&AlertFilter::default(), 1, limit)?.records)
    }

    fn alerts(&self, filter: &AlertFilter, page: u64, limit: usize) -> Result<Page<Alert>, ReadError> {
        let Some(filter) = self.narrowed_alerts(filter) else { return Ok(nothing()) };
        let Page { total, records } = self.whole.alerts(&filter, page, limit)?;
        Ok(Page { total, records: self.shown(records) })
    }

    fn alerts_after(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError> {
        let (mut found, mut last) = (Vec::new(), seq);
        while found.len() < limit {
            let batch = self.whole.alerts_after(last, BATCH)?;
            let is_end = batch.len() < BATCH;
            last = batch.last().map_or(last, |alert| alert.seq);
            found.extend(self.shown(batch));
            if is_end {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    fn alert(&self, id: AlertId) -> Result<Option<WorkedAlert>, ReadError> {
        let Some(WorkedAlert { alert, work }) = self.whole.alert(id)? else { return Ok(None) };
        Ok(hide::alert(&self.reach, alert).map(|alert| WorkedAlert { alert, work }))
    }

    fn cases(
        &self,
        filter: &CaseFilter,
        order: CaseOrder,
        page: u64,
        limit: usize,
    ) -> Result<Page<CaseBriefJson>, ReadError> {
        let Some(kkmc) = self.narrowed(filter.kkmc.as_deref()) else { return Ok(nothing()) };
        self.whole.cases(&CaseFilter { kkmc: Some(kkmc), ..filter.clone() }, order, page, limit)
    }

    fn case(&self, id: u64) -> Result<Option<WorkedCase>, ReadError> {
        let Some(WorkedCase { case, work }) = self.whole.case(id)? else { return Ok(None) };
        Ok(hide::case(&self.reach, case).map(|case| WorkedCase { case, work }))
    }

    /// Probabilities and decisions, without a place.
    fn decisions(&self) -> Result<Vec<Decision>, ReadError> {
        self.whole.decisions()
    }

    fn case_times(&self, case: &CaseJson) -> Option<CaseTimesJson> {
        let times = self.whole.case_times(case)?;
        Some(times).filter(|times| self.reach.has(&times.from_kkmc) && self.reach.has(&times.to_kkmc))
    }

    /// Unlike that of the whole data it may read the disk: a change does not say where the case is.
    fn cases_changed(&self, after: u64) -> (u64, Vec<CaseHeadJson>) {
        let (newest, mut heads) = self.whole.cases_changed(after);
        heads.retain(|head| {
            let case = u64::from_str_radix(&head.id, 16).ok().and_then(|id| self.whole.case(id).ok().flatten());
            case.is_some_and(|worked| hide::concerns(&self.reach, &worked.case))
        });
        (newest, heads)
    }

    fn work(&self, seqs: &[u64]) -> Result<Vec<AlertWork>, ReadError> {
        self.whole.work(seqs)
    }

    fn cursor(self: Arc<Self>, filter: &QueryFilter, order: Order) -> Option<Box<dyn PassageCursor>> {
        let filter = self.narrowed_query(filter)?;
        self.whole.clone().cursor(&filter, order)
    }

    fn query_after(
        &self,
        filter: &QueryFilter,
        order: Order,
        after: Option<&PassageKey>,
        limit: usize,
    ) -> Result<Vec<PassageRow>, ReadError> {
        match self.narrowed_query(filter) {
            Some(filter) => self.whole.query_after(&filter, order, after, limit),
            None => Ok(Vec::new()),
        }
    }
}

fn nothing<T>() -> Page<T> {
    Page { total: 0, records: Vec::new() }
}

/// A part of an hour, with that hour.
type Part = (i64, TimeRange);

/// The whole hours of a range, the first and the last; and its parts that are no whole hours, each with its hour.
fn split(range: TimeRange) -> (Option<(i64, i64)>, Vec<Part>) {
    let (mut first, mut last, mut parts) = (i64::MIN, i64::MAX, Vec::new());
    if let Some(start) = range.start {
        first = start.hour() + i64::from(start.0.rem_euclid(SECONDS_PER_HOUR) != 0);
    }
    if let Some(end) = range.end {
        last = end.hour() - i64::from(end.0.rem_euclid(SECONDS_PER_HOUR) != SECONDS_PER_HOUR - 1);
    }
    if let (Some(start), Some(end)) = (range.start, range.end)
        && start.hour() == end.hour()
        && first > last
    {
        return (None, vec![(start.hour(), range)]);
    }
    if let Some(start) = range.start.filter(|start| start.hour() < first) {
        parts
            .push((start.hour(), TimeRange { start: Some(start), end: Some(CivilTime(first * SECONDS_PER_HOUR - 1)) }));
    }
    if let Some(end) = range.end.filter(|end| end.hour() > last) {
        parts.push((end.hour(), TimeRange { start: Some(CivilTime(end.hour() * SECONDS_PER_HOUR)), end: Some(end) }));
    }
    ((first <= last).then_some((first, last)), parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_whole_hours_and_their_rest() {
        let range =
            |start: Option<i64>, end: Option<i64>| TimeRange { start: start.map(CivilTime), end: end.map(CivilTime) };
        let part = |hour, start, end| (hour, range(Some(start), Some(end)));
        assert_eq!(split(range(None, None)), (Some((i64::MIN, i64::MAX)), vec![]));
        assert_eq!(split(range(Some(3600), Some(7199))), (Some((1, 1)), vec![]));
        assert_eq!(split(range(Some(3601), Some(7199))), (None, vec![part(1, 3601, 7199)]));
        assert_eq!(split(range(Some(3700), Some(3800))), (None, vec![part(1, 3700, 3800)]));
        assert_eq!(split(range(Some(3700), Some(7300))), (None, vec![part(1, 3700, 7199), part(2, 7200, 7300)]));
        assert_eq!(
            split(range(Some(10), Some(14_410))),
            (Some((1, 3)), vec![part(0, 10, 3599), part(4, 14_400, 14_410)])
        );
        assert_eq!(split(range(None, Some(7200))), (Some((i64::MIN, 1)), vec![part(2, 7200, 7200)]));
    }
}
