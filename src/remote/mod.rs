//! The reader of the `api` role: it answers from MySQL (through MyCat, or from both instances) and from the Redis list,
//! and holds no data of its own.
//!
//! It answers what local storage answers for the same data; `deploy/README.md` lists where the two differ and why.
//! All statistics come from one scan of the table, whose result is kept a while and made anew beside the requests
//! ([`refreshed`]). While a server is away its questions are refused at once with a sentence that says which one it is,
//! the others are answered, and a watch knocks until it is back.
//!
//! It does not know who writes the tables and the list, nor HTTP.

mod cache;
mod passages;
mod refreshed;
pub(crate) mod rows;
mod statements;
mod statistics;
mod target;
mod warnings;
mod watch;

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use traffic::{Alert, Catalogue, CivilTime};

use passages::Passages;
use refreshed::Refreshed;
use statements::Conditions;
use statistics::Statistics;
use target::Target;
use warnings::Warnings;

use crate::config::Config;
use crate::mysql::MysqlPool;
use crate::reader::{
    AlertFilter, Group, HourCounts, Order, Page, PassageKey, PassageRow, QueryFilter, ReadError, Reader, Snapshot,
    TimeRange, Totals,
};
use crate::redis_client::{RedisClientError, RedisServer};
use crate::status::{SourceStatus, Status};
use crate::work::{AlertWork, WorkedAlert};

/// The seconds that `last_minute` counts.
const MINUTE: i64 = 60;
const SECONDS_PER_HOUR: i64 = 3600;
/// Counts that belong to a single question are kept no longer than this.
const QUESTION_LIFETIME: Duration = Duration::from_secs(3);
/// How long the scan for all statistics may take, beside the requests.
const SCAN_TIMEOUT: Duration = Duration::from_secs(600);
/// A range that is shorter is counted by itself.
const SHORT_RANGE: i64 = 2 * SECONDS_PER_HOUR;
const ALL_HOURS: RangeInclusive<i64> = i64::MIN..=i64::MAX;

/// Why the servers cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No MySQL is configured.
    #[error("role = \"api\" answers from MySQL: name it with mycat.urls")]
    NoMysql,
    /// No Redis is configured.
    #[error("role = \"api\" answers from Redis: name it with redis.url")]
    NoRedis,
    /// The settings of Redis cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisClientError),
}

/// MySQL and Redis as one reader.
pub struct Remote {
    core: Arc<Core>,
    commits: tokio::sync::watch::Sender<u64>,
    catalogue: ArcSwap<Catalogue>,
    role: &'static str,
    started: Instant,
}

/// The servers; every question goes to them.
struct Core {
    passages: Arc<Passages>,
    statistics: Arc<Refreshed<Statistics>>,
    /// How long a request waits for statistics that nobody has counted yet.
    patience: Duration,
    warnings: Warnings,
    redis: Arc<Target>,
    runtime: Handle,
}

impl Remote {
    /// A reader of the configured servers, and the watch that knocks at them until `stop`. Waits for none of them.
    ///
    /// # Errors
    /// [`RemoteError`] if a server is not configured.
    pub fn start(config: &Config, runtime: &Handle, stop: CancellationToken) -> Result<Arc<Self>, RemoteError> {
        let mut mycat = config.mycat.clone();
        // Nobody waits for an answer any longer than this.
        mycat.statement_timeout = mycat.statement_timeout.min(config.api.query_timeout);
        // As many statements as there may be queries, within reason: more would wait here instead of there.
        mycat.pool_size = mycat.pool_size.max(config.api.max_concurrent_queries.min(MAX_POOL));
        let pools = MysqlPool::of(&mycat);
        if pools.is_empty() {
            return Err(RemoteError::NoMysql);
        }
        let name = if pools.len() == 1 { "MyCat" } else { "MySQL" };
        let servers = pools.into_iter().map(|pool| {
            let target = Target::new(name, pool.address().to_owned(), "passages and statistics");
            (pool, Arc::new(target))
        });
        let lifetime = config.api.statistics_cache;
        let passages = Arc::new(Passages::new(servers.collect(), lifetime.min(QUESTION_LIFETIME)));
        let server = RedisServer::of(&config.redis)?.ok_or(RemoteError::NoRedis)?;
        let redis = Arc::new(Target::new("Redis", server.address().to_owned(), "warnings"));
        let warnings = Warnings::new(server, &config.redis.key, config.redis.max_length, redis.clone());
        let remote = Arc::new(Self {
            core: Arc::new(Core {
                passages,
                statistics: Refreshed::new(lifetime),
                // Less than the interface itself gives a request.
                patience: config.api.query_timeout.mul_f64(0.9),
                warnings,
                redis,
                runtime: runtime.clone(),
            }),
            commits: tokio::sync::watch::Sender::new(0),
            catalogue: ArcSwap::from_pointee(Catalogue::xuzhou()),
            role: config.role.as_str(),
            started: Instant::now(),
        });
        runtime.spawn(watch::watch(remote.clone(), stop));
        Ok(remote)
    }

    fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.core.passages.targets().chain([&self.core.redis])
    }
}

/// Most connections to one address.
const MAX_POOL: usize = 32;

impl Reader for Remote {
    fn counts_at_once(&self) -> bool {
        false
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.core.clone()
    }

    fn commits(&self) -> tokio::sync::watch::Receiver<u64> {
        self.commits.subscribe()
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    fn status(&self) -> Status {
        Status {
            version: env!("CARGO_PKG_VERSION"),
            role: self.role.to_owned(),
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            source: SourceStatus {
                kind: "none".to_owned(),
                state: "finished".to_owned(),
                description: "none: this process answers from MySQL and Redis".to_owned(),
                ..SourceStatus::default()
            },
            backends: self.targets().map(|target| target.status()).collect(),
            failure: self.failure(),
            ..Status::default()
        }
    }

    fn failure(&self) -> Option<String> {
        let failures: Vec<String> = self.targets().filter_map(|target| target.failure()).collect();
        (!failures.is_empty()).then(|| failures.join("; "))
    }
}

impl Core {
    /// Waits for an answer, from wherever it is asked.
    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        // On a worker of the runtime its other tasks go on elsewhere; on a blocking thread this is nothing special.
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

    /// Has the statistics counted, where they are kept.
    async fn count_ahead(&self) {
        if self.statistics.keeps() {
            // Whoever asks is told what is wrong.
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
            // What is away is told by the questions that can fail.
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

    fn track(&self, hphm: &str, range: TimeRange, limit: usize) -> Result<Page<PassageRow>, ReadError> {
        self.wait(self.passages.track(hphm, range, limit))
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

    fn alert(&self, id: &str) -> Result<Option<WorkedAlert>, ReadError> {
        let found = self.wait(self.warnings.by_id(id))?;
        Ok(found.map(|alert| WorkedAlert { alert, work: AlertWork::default() }))
    }
}
