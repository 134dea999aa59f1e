//! Alerts from the list that the Redis mirror keeps: newest first, one JSON each, numbered without gaps.
//!
//! The list is bounded, so only the alerts that it keeps are here, while local storage has all that it retains. An
//! element that is not an alert is skipped and counted. It does not know who writes the list.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisError};
use shard::PlatePattern;
use tokio::sync::Mutex;
use traffic::{Alert, AlertId, PlateCode};

use super::target::{Kind, Target};
use crate::alert_json;
use crate::reader::{AlertFilter, Page, ReadError};
use crate::redis_client::RedisServer;
use crate::work::WorkStatus;

/// The list, and what was read of it last.
pub(super) struct Warnings {
    server: RedisServer,
    key: String,
    /// How many alerts are read at most.
    most: usize,
    target: Arc<Target>,
    connection: Mutex<Option<MultiplexedConnection>>,
    known: Mutex<Option<Known>>,
    told_of_strangers: AtomicBool,
}

/// The whole list as last read, and its head and length then.
struct Known {
    head: String,
    length: usize,
    alerts: Arc<Vec<Alert>>,
}

impl Warnings {
    pub(super) fn new(server: RedisServer, key: &str, most: usize, target: Arc<Target>) -> Self {
        Self {
            server,
            key: key.to_owned(),
            most,
            target,
            connection: Mutex::default(),
            known: Mutex::default(),
            told_of_strangers: AtomicBool::new(false),
        }
    }

    /// The number of the newest alert, 0 without any. Asked even while the server is away: the watch's probe.
    pub(super) async fn newest_seq(&self) -> Result<u64, ReadError> {
        let head: Vec<String> = self.send(redis::cmd("LRANGE").arg(&self.key).arg(0).arg(0)).await?;
        self.target.answered();
        Ok(self.parsed(head).first().map_or(0, |alert| alert.seq))
    }

    /// The newest alerts, newest first.
    pub(super) async fn newest(&self, limit: usize) -> Result<Vec<Alert>, ReadError> {
        self.target.check()?;
        self.range(limit).await
    }

    /// Alerts with a number above `seq`, oldest first.
    pub(super) async fn after(&self, seq: u64, limit: usize) -> Result<Vec<Alert>, ReadError> {
        self.target.check()?;
        let newest = self.newest_seq().await?;
        // One more alert may have come meanwhile; it is read next time.
        let wanted = usize::try_from(newest.saturating_sub(seq)).unwrap_or(usize::MAX);
        let mut alerts = self.range(wanted.min(self.most)).await?;
        alerts.retain(|alert| alert.seq > seq);
        alerts.reverse();
        alerts.truncate(limit);
        Ok(alerts)
    }

    /// A page of those that match.
    pub(super) async fn matching(
        &self,
        filter: &AlertFilter,
        page: u64,
        limit: usize,
    ) -> Result<Page<Alert>, ReadError> {
        self.target.check()?;
        let all = self.all().await?;
        let wanted = AlertTest::of(filter);
        let matching: Vec<&Alert> = all.iter().filter(|alert| wanted.accepts(alert)).collect();
        let skip = page.saturating_sub(1).saturating_mul(limit as u64);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let records = matching.iter().skip(skip).take(limit).map(|alert| (*alert).clone()).collect();
        Ok(Page { total: matching.len() as u64, records })
    }

    /// The newest alert with this id.
    pub(super) async fn by_id(&self, id: AlertId) -> Result<Option<Alert>, ReadError> {
        self.target.check()?;
        Ok(self.all().await?.iter().find(|alert| alert.id == id).cloned())
    }

    /// The whole list; read again only when its head or its length has changed.
    async fn all(&self) -> Result<Arc<Vec<Alert>>, ReadError> {
        let mut known = self.known.lock().await;
        let head: Vec<String> = self.send(redis::cmd("LRANGE").arg(&self.key).arg(0).arg(0)).await?;
        let length: usize = self.send(redis::cmd("LLEN").arg(&self.key)).await?;
        let head = head.into_iter().next().unwrap_or_default();
        if let Some(known) = known.as_ref().filter(|known| known.head == head && known.length == length) {
            return Ok(known.alerts.clone());
        }
        let alerts = Arc::new(self.range(self.most).await?);
        *known = Some(Known { head, length, alerts: alerts.clone() });
        Ok(alerts)
    }

    async fn range(&self, limit: usize) -> Result<Vec<Alert>, ReadError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let last = isize::try_from(limit - 1).unwrap_or(isize::MAX);
        let elements = self.send(redis::cmd("LRANGE").arg(&self.key).arg(0).arg(last)).await?;
        Ok(self.parsed(elements))
    }

    fn parsed(&self, elements: Vec<String>) -> Vec<Alert> {
        let count = elements.len();
        let alerts: Vec<Alert> = elements.iter().filter_map(|element| alert_json::from_text(element).ok()).collect();
        if alerts.len() < count && !self.told_of_strangers.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                key = self.key,
                elements = count - alerts.len(),
                "the list holds elements that are no alerts, they are passed over"
            );
        }
        alerts
    }

    /// Sends a command; the connection is thrown away after an error.
    async fn send<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, ReadError> {
        let asked = async {
            let kept = self.connection.lock().await.clone();
            let mut connection = match kept {
                Some(connection) => connection,
                None => {
                    let opened = self.server.connect().await?;
                    *self.connection.lock().await = Some(opened.clone());
                    opened
                }
            };
            command.query_async(&mut connection).await
        };
        match asked.await {
            Ok(value) => Ok(value),
            Err(error) => {
                *self.connection.lock().await = None;
                // An error message of Redis is an answer.
                let refused = error.kind() == redis::ErrorKind::AuthenticationFailed || error.code().is_some();
                Err(self.target.failed(if refused { Kind::Blocked } else { Kind::Away }, &self.words(&error)))
            }
        }
    }

    /// The error in words that name no account.
    fn words(&self, error: &RedisError) -> String {
        if error.kind() == redis::ErrorKind::AuthenticationFailed {
            return REFUSED.to_owned();
        }
        match error.code() {
            Some("WRONGPASS" | "NOAUTH" | "NOPERM") => REFUSED.to_owned(),
            Some("WRONGTYPE") => format!("its key {} is not a list: rename or delete it, or check redis.key", self.key),
            Some("MOVED" | "ASK" | "CLUSTERDOWN") => {
                format!("it is a node of a Redis Cluster ({error}): set redis.url to a single Redis")
            }
            _ => error.to_string(),
        }
    }
}

const REFUSED: &str = "it refuses the account: check redis.user and redis.password";

/// A compiled [`AlertFilter`].
struct AlertTest<'a> {
    filter: &'a AlertFilter,
    plate: Option<PlatePattern>,
}

impl<'a> AlertTest<'a> {
    fn of(filter: &'a AlertFilter) -> Self {
        Self { filter, plate: filter.hphm.as_deref().map(PlatePattern::compile) }
    }

    fn accepts(&self, alert: &Alert) -> bool {
        let filter = self.filter;
        let time = alert.later.passed_at;
        filter.time.start.is_none_or(|start| time >= start)
            && filter.time.end.is_none_or(|end| time <= end)
            && self.plate.as_ref().is_none_or(|plate| plate.matches(PlateCode::pack(&alert.plate), &alert.plate))
            && filter.kkmc.as_ref().is_none_or(|names| names.iter().any(|name| alert.is_at(name)))
            && filter.severity.is_none_or(|severity| severity == alert.severity)
            && filter.rule.is_none_or(|rule| rule == alert.rule)
            // Work on alerts is not kept here: every alert has the default status.
            && filter.status.is_none_or(|status| status == WorkStatus::default())
    }
}
