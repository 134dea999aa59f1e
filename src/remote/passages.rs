//! Passages from MySQL: queried through MyCat, or from both instances at once and merged here.
//!
//! A page of a long list is found by counting: matches are counted by hour, and by second where the page begins deep in
//! an hour, so that no statement reads much more than the page. The servers skip no rows, so both ways give the same
//! result: each server sends its first rows of the right time, they are merged, and the page is cut here. Between the
//! statements of one answer passages may be added and removed: a page then shows a state of the last few seconds. Every
//! answer is a trusted one ([`MysqlPool::trusted`]): all instances were there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use mysql_async::Row;
use traffic::{Catalogue, CivilTime};

use super::cache::{Cache, Groups};
use super::statements::{self, Conditions};
use super::statistics::Statistics;
use super::target::{Kind, Target};
use crate::mysql::{MysqlError, MysqlPool, civil_time, table, texts, whole};
use crate::reader::{Order, Page, PassageKey, PassageRow, QueryFilter, ReadError, TimeRange};

const SECONDS_PER_HOUR: i64 = 3600;
/// Most groups of one answer of a server.
const MAX_GROUPS: usize = 1_000_000;
/// A page that begins deeper than this within its hour is found by counting per second.
const DEEP: u64 = 2_000;
/// Most rows that a server sends for one page.
const MAX_ROWS: u64 = 100_000;

/// The servers, and what they answered lately.
pub(super) struct Passages {
    servers: Vec<(Arc<MysqlPool>, Arc<Target>)>,
    cache: Cache<Groups>,
    parts: Cache<Statistics>,
}

impl Passages {
    /// Counts for a single query are kept for `lifetime`.
    pub(super) fn new(servers: Vec<(Arc<MysqlPool>, Arc<Target>)>, lifetime: Duration) -> Self {
        Self { servers, cache: Cache::new(lifetime), parts: Cache::new(lifetime) }
    }

    /// The servers, for the watch.
    pub(super) fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.servers.iter().map(|(_, target)| target)
    }

    /// Passages by hour since 1970.
    pub(super) async fn by_hour(&self, conditions: &Conditions) -> Result<BTreeMap<i64, u64>, ReadError> {
        let groups = self.groups(&statements::by_hour(conditions), 1).await?;
        let mut hours = BTreeMap::new();
        for (keys, count) in groups.iter() {
            let hour = keys.first().and_then(|text| civil_time(&format!("{text}:00:00")));
            let hour = hour.ok_or_else(|| ReadError::Storage(format!("{keys:?} is not an hour")))?;
            *hours.entry(hour.hour()).or_default() += count;
        }
        Ok(hours)
    }

    /// All statistics over `range`, from one scan that may take up to `limit`.
    pub(super) async fn statistics(&self, range: TimeRange, limit: Duration) -> Result<Statistics, ReadError> {
        let statement = statements::statistics(&Conditions::within(range));
        let asked = self.servers.iter().map(|(pool, target)| async {
            target.check()?;
            let folded = pool.fold(&statement, limit, |statistics: &mut Statistics, row| statistics.add(texts(row)));
            match pool.trusted(folded).await {
                Ok(Some(statistics)) => Ok(statistics),
                Ok(None) => {
                    Err(ReadError::Storage(format!("{} answers what is no count: {statement}", pool.address())))
                }
                Err(error) => Err(target.failed_mysql(&error)),
            }
        });
        let mut all = Statistics::default();
        for statistics in futures_util::future::try_join_all(asked).await? {
            all.merge(statistics);
        }
        Ok(all)
    }

    /// The same over a short range, kept a few seconds.
    pub(super) async fn part(&self, range: TimeRange, limit: Duration) -> Result<Arc<Statistics>, ReadError> {
        let key = statements::statistics(&Conditions::within(range));
        self.parts.get(&key, self.statistics(range, limit)).await
    }

    /// How many passages there are.
    pub(super) async fn count(&self, conditions: &Conditions) -> Result<u64, ReadError> {
        Ok(self.groups(&statements::count(conditions), 0).await?.iter().map(|(_, count)| count).sum())
    }

    /// The newest time of all. Never cached, and also asked of servers that are away: it is the probe of the watch.
    pub(super) async fn newest_time(&self) -> Result<Option<CivilTime>, ReadError> {
        let asked = self.servers.iter().map(|(pool, target)| async {
            match pool.trusted(pool.rows(&statements::newest_time())).await {
                Ok(rows) => {
                    target.answered();
                    Ok(rows)
                }
                // The index answers this at once: a server that does not answer is away.
                Err(error @ MysqlError::Timeout(..)) => Err(target.failed(Kind::Away, &error.to_string())),
                Err(error) => Err(target.failed_mysql(&error)),
            }
        });
        let mut newest = None;
        let mut failure = None;
        for answer in futures_util::future::join_all(asked).await {
            match answer {
                Ok(rows) => {
                    let times = rows.into_iter().flat_map(texts).flatten();
                    newest = newest.max(times.filter_map(|text| civil_time(&text)).max());
                }
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(newest), Err)
    }

    /// The checkpoints of the global table, in their order. Any server has all of them.
    pub(super) async fn checkpoints(&self) -> Result<Catalogue, ReadError> {
        let Some(server) = self.servers.first() else { return Ok(Catalogue::default()) };
        let mut checkpoints: Vec<_> = ask(server, &statements::checkpoints())
            .await?
            .into_iter()
            .filter_map(|row| table::checkpoint(texts(row)))
            .collect();
        checkpoints.sort_by(|a, b| (a.0, &a.1.code).cmp(&(b.0, &b.1.code)));
        Catalogue::new(checkpoints.into_iter().map(|(_, checkpoint)| checkpoint).collect())
            .map_err(|error| ReadError::Storage(format!("the table kkmc_info: {error}; import the checkpoints again")))
    }

    /// A page of a query.
    pub(super) async fn query(
        &self,
        filter: &QueryFilter,
        order: Order,
        page: u64,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        let conditions = Conditions::of(filter);
        let hours = self.by_hour(&conditions).await?;
        let total: u64 = hours.values().sum();
        let skip = page.saturating_sub(1).saturating_mul(limit as u64);
        let within = order.page_hours(&hours, skip, limit as u64).filter(|_| limit > 0);
        let Some(within) = within else { return Ok(Page { total, records: Vec::new() }) };
        let (oldest, newest) = within.span();
        let hour_end = |hour: i64| CivilTime((hour + 1) * SECONDS_PER_HOUR - 1);
        let mut range = TimeRange { start: Some(CivilTime(oldest * SECONDS_PER_HOUR)), end: Some(hour_end(newest)) };
        let mut offset = skip - within.before;
        if offset > DEEP {
            let hour = TimeRange {
                start: Some(CivilTime(within.first * SECONDS_PER_HOUR)),
                end: Some(hour_end(within.first)),
            };
            let second;
            (second, offset) = self.deep(&conditions, order, hour, offset).await?;
            match order {
                Order::Newest => range.end = Some(second),
                Order::Oldest => range.start = Some(second),
            }
        } else if order == Order::Newest && within.before == 0 {
            // NOTE: the newest hour stays open, so that the first page shows what came since the hours were counted.
            range.end = None;
        }
        let records = self.first(conditions.and_within(range), order, offset, limit).await?;
        Ok(Page { total, records })
    }

    /// The second within `hour` that holds the match after the first `offset`, and its place within that second.
    async fn deep(
        &self,
        conditions: &Conditions,
        order: Order,
        hour: TimeRange,
        offset: u64,
    ) -> Result<(CivilTime, u64), ReadError> {
        let statement = statements::by_columns(&["gcsj"], &conditions.clone().and_within(hour));
        let mut seconds = BTreeMap::new();
        for (keys, count) in self.groups(&statement, 1).await?.iter() {
            let time = keys.first().and_then(|text| civil_time(text));
            let time = time.ok_or_else(|| ReadError::Storage(format!("{keys:?} is not a time")))?;
            *seconds.entry(time).or_default() += count;
        }
        let mut seconds: Vec<(CivilTime, u64)> = seconds.into_iter().collect();
        if order == Order::Newest {
            seconds.reverse();
        }
        let mut left = offset;
        for &(second, count) in &seconds {
            if left < count {
                return Ok((second, left));
            }
            left -= count;
        }
        // Passages were removed since the hours were counted.
        let end = if order == Order::Newest { hour.start } else { hour.end };
        Ok((end.unwrap_or(CivilTime::MIN), left))
    }

    /// The next `limit` passages of a query after `after`.
    pub(super) async fn query_after(
        &self,
        filter: &QueryFilter,
        order: Order,
        after: Option<&PassageKey>,
        limit: usize,
    ) -> Result<Vec<PassageRow>, ReadError> {
        let conditions = Conditions::of(filter);
        let Some(after) = after else { return self.first(conditions, order, 0, limit).await };
        // Two plain statements instead of one with OR.
        let same_second = conditions.clone().and_behind(after.gcsj, &after.gcxh);
        let mut passages = self.first(same_second, order, 0, limit).await?;
        if passages.len() < limit {
            let behind = match order {
                Order::Newest => TimeRange { start: None, end: Some(CivilTime(after.gcsj.0 - 1)) },
                Order::Oldest => TimeRange { start: Some(CivilTime(after.gcsj.0 + 1)), end: None },
            };
            passages.extend(self.first(conditions.and_within(behind), order, 0, limit - passages.len()).await?);
        }
        Ok(passages)
    }

    /// One plate's newest sightings, oldest first.
    pub(super) async fn track(
        &self,
        hphm: &str,
        range: TimeRange,
        kkmc: Option<&[String]>,
        limit: usize,
    ) -> Result<Page<PassageRow>, ReadError> {
        let conditions = Conditions::of_plate(hphm, range, kkmc);
        let total = self.count(&conditions).await?;
        let mut records = self.first(conditions, Order::Newest, 0, limit).await?;
        records.sort_by(|a, b| Order::Oldest.compare((a.gcsj, &a.gcxh), (b.gcsj, &b.gcxh)));
        Ok(Page { total: total.max(records.len() as u64), records })
    }

    /// `limit` rows from the `offset`-th on.
    async fn first(
        &self,
        conditions: Conditions,
        order: Order,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<PassageRow>, ReadError> {
        let wanted = offset.saturating_add(limit as u64);
        if wanted > MAX_ROWS {
            return Err(ReadError::TooExpensive(
                "too many passages in one second before this page: narrow the time range or the filter".to_owned(),
            ));
        }
        let statement = statements::first_passages(&conditions, order, wanted);
        let mut passages = Vec::new();
        for rows in self.ask_all(&statement).await? {
            for row in rows {
                let passage = table::passage(texts(row));
                passages.push(passage.ok_or_else(|| {
                    ReadError::Storage("a row of traffic_data has not the form that sql/schema.sql gives it".to_owned())
                })?);
            }
        }
        passages.sort_by(|a, b| order.compare((a.gcsj, &a.gcxh), (b.gcsj, &b.gcxh)));
        Ok(passages.into_iter().skip(offset as usize).take(limit).collect())
    }

    /// Groups of all servers together, through the cache. `keys` columns, then the count.
    async fn groups(&self, statement: &str, keys: usize) -> Result<Arc<Groups>, ReadError> {
        let ask = async {
            let mut groups: HashMap<Vec<Arc<str>>, u64> = HashMap::new();
            for rows in self.ask_all(statement).await? {
                for row in rows {
                    let mut texts = texts(row);
                    let count = texts.get(keys).and_then(Option::as_deref).and_then(whole);
                    let count = count.ok_or_else(|| ReadError::Storage(format!("a count is missing: {statement}")))?;
                    texts.truncate(keys);
                    let names = texts.into_iter().map(|text| Arc::from(text.unwrap_or_default())).collect();
                    *groups.entry(names).or_default() += count;
                }
            }
            Ok(groups.into_iter().collect())
        };
        self.cache.get(statement, ask).await
    }

    async fn ask_all(&self, statement: &str) -> Result<Vec<Vec<Row>>, ReadError> {
        let asked = self.servers.iter().map(|server| ask(server, statement));
        futures_util::future::join_all(asked).await.into_iter().collect()
    }
}

async fn ask((pool, target): &(Arc<MysqlPool>, Arc<Target>), statement: &str) -> Result<Vec<Row>, ReadError> {
    target.check()?;
    match pool.trusted(pool.rows_up_to(statement, MAX_GROUPS)).await {
        Ok(Some(rows)) => Ok(rows),
        Ok(None) => Err(ReadError::TooExpensive(format!(
            "the answer has more than {MAX_GROUPS} rows: narrow the time range or the filter"
        ))),
        Err(error) => Err(target.failed_mysql(&error)),
    }
}
