//! Which cases changed last, from the list that the Redis mirror keeps: the one that changed last first, each with a number
//! that grows with each change. The watch looks once a second; streams ask what was seen.
//!
//! The list is no condition for anything else: while it cannot be read, no case is told of. It does not know who writes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use redis::aio::MultiplexedConnection;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::case_json::CaseHeadJson;
use crate::redis_client::RedisServer;

/// Cases that are looked at: more do not change within a second.
const LOOKED_AT: isize = 100;

/// The head of the list, as it was seen last.
pub(super) struct CaseChanges {
    server: RedisServer,
    key: String,
    connection: Mutex<Option<MultiplexedConnection>>,
    /// The one that changed last first.
    seen: ArcSwap<Vec<Element>>,
    /// The newest number ever seen: a list that is emptied and filled again tells nothing twice.
    newest: AtomicU64,
}

/// What is read of an element.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Element {
    #[serde(flatten)]
    head: CaseHeadJson,
    version: u64,
}

impl CaseChanges {
    pub(super) fn new(server: RedisServer, key: &str) -> Self {
        Self {
            server,
            key: key.to_owned(),
            connection: Mutex::default(),
            seen: ArcSwap::default(),
            newest: AtomicU64::new(0),
        }
    }

    /// Reads the head of the list; true if it is another than before.
    pub(super) async fn look(&self) -> bool {
        let mut kept = self.connection.lock().await;
        let connection = match kept.take() {
            Some(connection) => connection,
            None => match self.server.connect().await {
                Ok(connection) => connection,
                // The watch has told of it.
                Err(_) => return false,
            },
        };
        let mut used = connection.clone();
        let mut command = redis::cmd("LRANGE");
        command.arg(&self.key).arg(0).arg(LOOKED_AT - 1);
        let Ok(elements) = command.query_async::<Vec<String>>(&mut used).await else { return false };
        *kept = Some(connection);
        let found: Vec<Element> = elements.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
        if found == **self.seen.load() {
            return false;
        }
        let newest = found.iter().map(|element| element.version).max().unwrap_or(0);
        self.seen.store(Arc::new(found));
        self.newest.fetch_max(newest, Ordering::Relaxed);
        true
    }

    /// The newest number, and the cases with a larger number than `after`, in the order of those.
    pub(super) fn after(&self, after: u64) -> (u64, Vec<CaseHeadJson>) {
        let newest = self.newest.load(Ordering::Relaxed);
        let seen = self.seen.load();
        let is_new = |element: &&Element| (after.saturating_add(1)..=newest).contains(&element.version);
        let mut changed: Vec<&Element> = seen.iter().filter(is_new).collect();
        changed.sort_by_key(|element| element.version);
        (newest, changed.into_iter().map(|element| element.head.clone()).collect())
    }
}
