//! Whether MySQL has what local storage has: by hour and checkpoint, counts and sums that do not depend on any order; and
//! setting right what differs.
//!
//! **What is compared.** Each server's groups (hour, KKMC) with those of the rows that belong on it: a row on the wrong
//! server is one too many there and one too few where it should be, a row on both is one too many. Through MyCat there is
//! one server with all rows, as MyCat shows them. Rows that a target refused are left out; they are in the rejects. A
//! GCXH that came again after its TTL is stored twice here and once there, as it came first ([`repeats`]). An instance that
//! is away is no difference, but the end of the comparison.
//!
//! **While the appliance runs.** Local rows are read from the disk in the state of one commit ([`crate::store::Frozen`]),
//! before MySQL is asked and again after. A group that is the same in both states and holds no row that the mirror has
//! not acknowledged must be the same in MySQL. One that is still being written is asked again until it comes to rest or
//! patience ends; rows that wait for their mirror all that time are a difference.
//!
//! It does not know how a difference is shown.

mod local;
mod range;
mod repair;
mod repeats;
mod target;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use traffic::CivilTime;

use crate::config::Config;
use crate::mysql::{MysqlError, MysqlPool};
use crate::store::{Frozen, StoreError};

pub use range::Range;
pub use repair::{Repaired, Stranger};

use local::Local;
use repeats::Repeats;

/// Local shards, each on a server.
pub(crate) const SHARDS: usize = 2;
/// A state of the disk that another process changes meanwhile is read anew so often.
const ATTEMPTS: usize = 5;
/// Between two looks at groups that are still being written.
const PAUSE: Duration = Duration::from_secs(1);

/// Why the two could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The data directory cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An instance does not answer, so nothing can be said of its passages.
    #[error("instance away: {address}: {error}. Nothing is said of its passages: start it, then compare again")]
    Away {
        /// The server that was asked.
        address: String,
        /// What went wrong.
        error: MysqlError,
    },
    /// A server answered with an error.
    #[error("{address}: {error}")]
    Mysql {
        /// Which.
        address: String,
        /// What went wrong.
        error: MysqlError,
    },
    /// A server's answer has not the form that it should have.
    #[error(
        "{address} answers {answer:?} where a group of passages was asked for: check its schema with sql/schema.sql"
    )]
    Answer {
        /// Which.
        address: String,
        /// What it answered.
        answer: String,
    },
}

impl AuditError {
    fn of(address: &str, error: MysqlError) -> Self {
        let address = address.to_owned();
        match error {
            MysqlError::Connection(_)
            | MysqlError::Timeout(..)
            | MysqlError::NoGreeting(_)
            | MysqlError::NodeAway { .. } => Self::Away { address, error },
            MysqlError::Server { .. } | MysqlError::Unfit(_) => Self::Mysql { address, error },
        }
    }
}

/// Passages of one checkpoint in one hour, on one server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// Number of the server: 0 or 1 for instances, 0 for MyCat.
    pub server: usize,
    /// Hour since 1970, civil time of the road.
    pub hour: i64,
    /// KKMC.
    pub kkmc: Arc<str>,
}

impl Group {
    /// Its first and last second.
    pub fn span(&self) -> (CivilTime, CivilTime) {
        (CivilTime(self.hour * 3600), CivilTime(self.hour * 3600 + 3599))
    }
}

/// How many passages there are, and sums over them that depend on no order: of the CRC-32 of GCXH, and of whole rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Passages.
    pub passages: u64,
    /// Over GCXH.
    pub ids: u64,
    /// Over all columns.
    pub contents: u64,
}

impl Sums {
    /// These without some of their rows.
    fn without(self, other: Self) -> Self {
        Self {
            passages: self.passages.saturating_sub(other.passages),
            ids: self.ids.saturating_sub(other.ids),
            contents: self.contents.saturating_sub(other.contents),
        }
    }
}

/// A group that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub group: Group,
    /// Local storage.
    pub local: Sums,
    /// MySQL.
    pub mysql: Sums,
    /// How many of the local rows wait for their mirror.
    pub waiting: u64,
}

/// What a comparison found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was compared.
    pub range: Option<(CivilTime, CivilTime)>,
    /// Passages in groups that are the same on both sides.
    pub same_passages: u64,
    /// Groups that are the same on both sides.
    pub same_groups: u64,
    /// Groups that passages kept coming into, so that nothing can be said of them, and their passages.
    pub moving: (u64, u64),
    /// What differs, by server, hour and checkpoint.
    pub differences: Vec<Difference>,
}

/// Local storage and the servers.
pub struct Audit {
    data_dir: PathBuf,
    pools: Vec<Arc<MysqlPool>>,
    batch_rows: usize,
}

impl Audit {
    /// Of the configured data directory and servers; none if no server is configured. Opens nothing.
    pub fn of(config: &Config) -> Option<Self> {
        let pools = MysqlPool::of(&config.mycat);
        let data_dir = config.data_dir.clone();
        (!pools.is_empty()).then_some(Self { data_dir, pools, batch_rows: config.mycat.batch_rows })
    }

    /// The address of a server, without credentials.
    pub fn address(&self, server: usize) -> &str {
        self.pools.get(server).map_or("", |pool| pool.address())
    }

    /// The server that has a shard's rows.
    fn server_of(&self, shard: usize) -> usize {
        shard.min(self.pools.len().saturating_sub(1))
    }

    /// Compares the passages within `range`; groups that are being written are waited for as long as `patience`.
    ///
    /// # Errors
    /// [`AuditError`].
    pub async fn compare(&self, range: &Range, patience: Duration) -> Result<Report, AuditError> {
        let deadline = Instant::now() + patience;
        let Some(span) = range.resolve(self.frozen()?.newest()) else { return Ok(Report::default()) };
        let mut report = Report { range: Some(span), ..Report::default() };
        // What must be acknowledged in the end: all that there was in the beginning.
        let mut wanted = None;
        let mut span = span;
        let mut suspects: Option<HashMap<Group, ()>> = None;
        loop {
            let before = self.local(span)?;
            let wanted = *wanted.get_or_insert(before.end_rows);
            let mysql = target::groups(&self.pools, span).await?;
            let after = self.local(span)?;
            let mut open = BTreeMap::new();
            let repeated = self.repeated(&before, &mysql, span)?;
            let all = before.groups.keys().chain(mysql.keys()).chain(after.groups.keys());
            let mut seen = HashMap::new();
            for group in all {
                let asked = suspects.as_ref().is_none_or(|suspects| suspects.contains_key(group));
                if !asked || seen.insert(group.clone(), ()).is_some() {
                    continue;
                }
                let repeats = repeated.get(group).copied().unwrap_or_default();
                let [first, last] = [before.sums(group), after.sums(group)].map(|sums| sums.without(repeats));
                let there = mysql.get(group).copied().unwrap_or_default();
                if there == first || there == last {
                    report.same_groups += 1;
                    report.same_passages += there.passages;
                } else {
                    let waiting = before.waiting(group);
                    let difference = Difference { group: group.clone(), local: last, mysql: there, waiting };
                    if first == last && waiting == 0 {
                        report.differences.push(difference);
                    } else {
                        open.insert(group.clone(), difference);
                    }
                }
            }
            if open.is_empty() {
                break;
            }
            if Instant::now() >= deadline {
                let behind = after.acknowledged.iter().zip(wanted).any(|(acknowledged, wanted)| *acknowledged < wanted);
                for difference in open.into_values() {
                    if behind && difference.waiting > 0 {
                        report.differences.push(difference);
                    } else {
                        report.moving.0 += 1;
                        report.moving.1 += difference.local.passages;
                    }
                }
                break;
            }
            let hours = open.keys().map(|group| group.hour);
            if let (Some(first), Some(last)) = (hours.clone().min(), hours.max()) {
                let within = |hour: i64| CivilTime(hour * 3600);
                span = (span.0.max(within(first)), span.1.min(CivilTime(within(last + 1).0 - 1)));
            }
            suspects = Some(open.into_keys().map(|group| (group, ())).collect());
            tokio::time::sleep(PAUSE).await;
        }
        report.differences.sort_by(|a, b| a.group.cmp(&b.group));
        Ok(report)
    }

    /// The sums of rows whose GCXH stands earlier in the same shard, by group. Looked for only where MySQL has less than
    /// is here.
    fn repeated(
        &self,
        local: &Local,
        mysql: &HashMap<Group, Sums>,
        span: (CivilTime, CivilTime),
    ) -> Result<HashMap<Group, Sums>, AuditError> {
        let has_less = |(group, sums): (&Group, &Sums)| {
            mysql.get(group).map_or(0, |there| there.passages) < sums.passages && local.waiting(group) == 0
        };
        if !local.groups.iter().any(has_less) {
            return Ok(HashMap::new());
        }
        again(|| {
            let frozen = Frozen::open(&self.data_dir)?;
            let repeats = Repeats::find(&frozen)?;
            Local::sums_of(&frozen, span, |shard| self.server_of(shard), |shard, row| repeats.contains(shard, row))
        })
    }

    fn local(&self, span: (CivilTime, CivilTime)) -> Result<Local, AuditError> {
        again(|| Local::read(&Frozen::open(&self.data_dir)?, span, |shard| self.server_of(shard)))
    }

    fn frozen(&self) -> Result<Frozen, AuditError> {
        again(|| Frozen::open(&self.data_dir))
    }
}

/// Reads anew what another process changed under us.
fn again<T>(read: impl Fn() -> Result<T, StoreError>) -> Result<T, AuditError> {
    let mut attempt = 1;
    loop {
        match read() {
            Err(error) if attempt == ATTEMPTS => return Err(error.into()),
            Err(_) => attempt += 1,
            Ok(value) => return Ok(value),
        }
    }
}
