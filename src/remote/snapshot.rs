//! MySQL and Redis as a snapshot: it queries the servers for the interface and waits for the answers. It keeps the
//! statistics of one scan for all requests, and does not know who watches the servers.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use traffic::{Alert, AlertId, CivilTime};

use super::case_changes::CaseChanges;
use super::cases::Cases;
use super::passages::Passages;
use super::refreshed::Refreshed;
use super::statements::Conditions;
use super::statistics::Statistics;
use super::target::Target;
use super::warnings::Warnings;
use crate::case_json::{CaseBriefJson, CaseHeadJson, WorkedCase};
use crate::reader::{
    AlertFilter, CaseFilter, CaseOrder, Group, HourCounts, Order, Page, PassageKey, PassageRow, QueryFilter, ReadError,
    Snapshot, TimeRange, Totals, UnitCount,
};
use crate::work::{AlertWork, WorkedAlert};

/// The seconds that `last_minute` counts.
const MINUTE: i64 = 60;
const SECONDS_PER_HOUR: i64 = 3600;
/// How long the background scan for all statistics may take.
const SCAN_TIMEOUT: Duration = Duration::from_secs(600);
/// A range that is shorter is counted by itself.
const SHORT_RANGE: i64 = 2 * SECONDS_PER_HOUR;
const ALL_HOURS: RangeInclusive<i64> = i64::MIN..=i64::MAX;

/// The servers; every query goes to them.
pub(super) struct Core {
    pub(super) passages: Arc<Passages>,
    pub(super) statistics: Arc<Refreshed<Statistics>>,
    /// How long a request waits for statistics that have not been counted yet.
    pub(super) patience: Duration,
    pub(super) warnings: Warnings,
    pub(super) cases: Cases,
    pub(super) case_changes: CaseChanges,
    pub(super) redis: Arc<Target>,
    pub(super) runtime: Handle,
}

impl Core {
    /// Waits for an answer, on any kind of thread.
    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        // On a worker of the runtime its other tasks move to another thread; on a blocking thread this has no effect.
        tokio::task::block_in_place(|| self.runtime.block_on(answer))
    }

    async fn totals(&self) -> Result<Totals, ReadError> {
        self.passages.targets().try_for_each(|target| target.check())?;
        let newest = self.passages.newest_time().await?;
        let last_minute = match newest {
            Some(newest) => {
                let range = TimeRange { start: Some(CivilTime(newest.0 - MINUTE + 1)), end: Some(newest) };
                self.passages.count(&Conditions::within(range)).await?
            }
            None => 0,
        };
        let passages = self.all().await?.passages(ALL_HOURS).map(|(_, count)| count).sum();
        Ok(Totals { passages, accepted: passages, alerts: 0, newest, last_minute })
    }

    /// The statistics over all passages.
    async fn all(&self) -> Result<Arc<Statistics>, ReadError> {
        self.passages.targets().try_for_each(|target| target.check())?;
        let scan = || {
            let passages = self.passages.clone();
            async move { passages.statistics(TimeRange::default(), SCAN_TIMEOUT).await }
        };
        match tokio::time::timeout(self.patience, self.statistics.get(scan)).await {
            Ok(answer) => answer,
            Err(_) => Err(ReadError::Unavailable(
                "the passages in MySQL are still being counted, which takes some seconds per million: ask again in a moment"
                    .to_owned(),
            )),
        }
    }

    /// Counts the statistics in advance, where they are kept.
    pub(super) async fn count_ahead(&self) {
        if self.statistics.keeps() {
            // The next request reports what is wrong.
            let _ = self.all().await;
        }
    }

    /// Statistics that together have the passages within `range`, each with the hours of it that count: those of all
    /// passages for whole hours, and single scans of the hours at its ends.
    async fn within(&self, range: TimeRange) -> Result<Vec<(Arc<Statistics>, RangeInclusive<i64>)>, ReadError> {
        let part = async |range| Ok::<_, ReadError>((self.passages.part(range, self.patience).await?, ALL_HOURS));
        if let (Some(start), Some(end)) = (range.start, range.end)
            && end.0.saturating_sub(start.0) < SHORT_RANGE
        {
            return Ok(vec![part(range).await?]);
        }
        let mut chosen = Vec::new();
        let mut first = i64::MIN;
        if let Some(start) = range.start {
            first = start.hour();
            if start.0.rem_euclid(SECONDS_PER_HOUR) != 0 {
                first += 1;
                let end = Some(CivilTime(first * SECONDS_PER_HOUR - 1));
                chosen.push(part(TimeRange { start: Some(start), end }).await?);
            }
        }
        let mut last = i64::MAX;
        if let Some(end) = range.end {
            last = end.hour();
            if end.0.rem_euclid(SECONDS_PER_HOUR) != SECONDS_PER_HOUR - 1 {
                let start = Some(CivilTime(last * SECONDS_PER_HOUR));
                chosen.push(part(TimeRange { start, end: Some(end) }).await?);
                last -= 1;
            }
        }
        chosen.push((self.all().await?, first..=last));
        Ok(chosen)
    }

    async fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        let mut counts: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for (statistics, hours) in self.within(range).await? {
            statistics.count_into(group, hours, &mut counts);
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        // Stable: ties stay in the order of their names.
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(counts)
    }

    /// Passages by hour within `range`.
    async fn hours(&self, range: TimeRange) -> Result<BTreeMap<i64, u64>, ReadError> {
        let mut counts = BTreeMap::new();
        for (statistics, hours) in self.within(range).await? {
            statistics.passages(hours).for_each(|(hour, count)| *counts.entry(hour).or_default() += count);
        }
        Ok(counts)
    }
}

impl Snapshot for Core {
    fn totals(&self) -> Totals {
        self.wait(async {
            // The queries that can fail report what is away.
            let passages = self.totals().await.unwrap_or_default();
            let alerts = match self.redis.check() {
                Ok(()) => self.warnings.newest_seq().await.unwrap_or_default(),
                Err(_) => 0,
            };
            Totals { alerts, ..passages }
        })
    }

    fn counts(&self, group: Group, range: TimeRange) -> Result<Vec<(Arc<str>, u64)>, ReadError> {
        self.wait(self.counts(group, range))
    }

    fn counts_by_unit(&self, range: TimeRange) -> Result<Vec<UnitCount>, ReadError> {
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        for (statistics, hours) in self.wait(self.within(range))? {
            statistics.units_into(hours, &mut counts);
        }
        let counts = counts.into_iter().map(|([district, kkmc], passages)| UnitCount { district, kkmc, passages });
        Ok(counts.collect())
    }

    fn counts_by_hour_of_day(&self, range: TimeRange) -> Result<[u64; 24], ReadError> {
        let mut counts = [0; 24];
        for (hour, count) in self.wait(self.hours(range))? {
            if let Some(sum) = counts.get_mut(hour.rem_euclid(24) as usize) {
                *sum += count;
            }
        }
        Ok(counts)
    }

    fn hours(&self, from: i64, to: i64, limit: usize) -> Result<Vec<HourCounts>, ReadError> {
        let statistics = self.wait(self.all())?;
        let Some((first, newest)) = statistics.span() else { return Ok(Vec::new()) };
        let counts = statistics.checkpoints(from..=to).take(limit).map(|(hour, checkpoints)| HourCounts {
            hour,
            is_whole: hour != first && hour < newest,
            checkpoints,
        });
        Ok(counts.collect())
    }

    fn count(&self, range: TimeRange) -> Result<u64, ReadError> {
        Ok(self.wait(self.hours(range))?.values().sum())
    }

    fn query(
        &self,
        filter: &QueryFilter,
        order: Order,
        page: u64,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        self.wait(self.passages.query(filter, order, page, limit))
    }

    fn query_after(
        &self,
        filter: &QueryFilter,
        order: Order,
        after: Option<&PassageKey>,
        limit: usize,
    ) -> Result<Vec<PassageRow>, ReadError> {
        self.wait(self.passages.query_after(filter, order, after, limit))
    }

    fn track(
        &self,
        hphm: &str,
        range: TimeRange,
        kkmc: Option<&[String]>,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        self.wait(self.passages.track(hphm, range, kkmc, limit))
    }

    fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>, ReadError> {
        self.wait(self.warnings.newest(limit))
    }

    fn alerts(&self, filter: &AlertFilter, page: u64, limit: usize) -> Result<Page<Alert>, ReadError> {
        self.wait(self.warnings.matching(filter, page, limit))
    }

    fn alerts_after(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError> {
        self.wait(self.warnings.after(seq, limit))
    }

    fn alert(&self, id: AlertId) -> Result<Option<WorkedAlert>, ReadError> {
        let found = self.wait(self.warnings.by_id(id))?;
        Ok(found.map(|alert| WorkedAlert { alert, work: AlertWork::default() }))
    }

    fn cases(
        &self,
        filter: &CaseFilter,
        order: CaseOrder,
        page: u64,
        limit: usize,
    ) -> Result<Page<CaseBriefJson>, ReadError> {
        self.wait(self.cases.matching(filter, order, page, limit))
    }

    fn case(&self, id: u64) -> Result<Option<WorkedCase>, ReadError> {
        self.wait(self.cases.by_id(id))
    }

    fn cases_changed(&self, after: u64) -> (u64, Vec<CaseHeadJson>) {
        self.case_changes.after(after)
    }
}
