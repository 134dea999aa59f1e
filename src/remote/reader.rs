//! MySQL and Redis as one reader: its snapshot, its newest commit, the catalogue, and the state of the servers. It does
//! not know how they are queried.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use traffic::Catalogue;

use super::snapshot::Core;
use super::target::Target;
use crate::reader::{Reader, Snapshot};
use crate::status::{SourceState, SourceStatus, Status};

/// MySQL and Redis as one reader.
pub struct Remote {
    pub(super) core: Arc<Core>,
    pub(super) commits: tokio::sync::watch::Sender<u64>,
    pub(super) catalogue: ArcSwap<Catalogue>,
    pub(super) role: &'static str,
    pub(super) started: Instant,
}

impl Remote {
    fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.core.passages.targets().chain([&self.core.redis])
    }
}

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
                state: SourceState::Finished,
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
