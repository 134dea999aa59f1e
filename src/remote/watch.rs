//! Probes the servers: notices that one is away or back, wakes the streams of alerts, refreshes the checkpoints, and
//! has the statistics counted in advance.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::reader::Remote;

/// How often a server is probed.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often the checkpoints are read.
const CATALOGUE_INTERVAL: Duration = Duration::from_secs(30);

/// MySQL and Redis side by side, so that one that does not answer does not delay the other. Ends with `stop`.
pub(super) async fn watch(remote: Arc<Remote>, stop: CancellationToken) {
    tokio::join!(mysql(&remote, &stop), redis(&remote, &stop));
}

async fn mysql(remote: &Remote, stop: &CancellationToken) {
    let mut catalogue_read: Option<Instant> = None;
    let mut has_counted = false;
    while !stop.is_cancelled() {
        let passages = &remote.core.passages;
        let answers = passages.newest_time().await.is_ok();
        // The first request should not have to wait for the first scan.
        if answers && !has_counted {
            has_counted = true;
            let core = remote.core.clone();
            tokio::spawn(async move { core.count_ahead().await });
        }
        if answers && catalogue_read.is_none_or(|at| at.elapsed() >= CATALOGUE_INTERVAL) {
            match passages.checkpoints().await {
                // An empty table was never filled: the built-in checkpoints are better than none.
                Ok(catalogue) if catalogue.is_empty() => {}
                Ok(catalogue) => remote.catalogue.store(Arc::new(catalogue)),
                Err(error) => tracing::warn!(%error, "checkpoints cannot be read"),
            }
            catalogue_read = Some(Instant::now());
        }
        pause(stop).await;
    }
}

async fn redis(remote: &Remote, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        if let Ok(newest) = remote.core.warnings.newest_seq().await {
            remote.commits.send_if_modified(|known| std::mem::replace(known, newest) != newest);
            // The streams of alerts send cases too.
            if remote.core.case_changes.look().await {
                remote.commits.send_modify(|_| {});
            }
        }
        pause(stop).await;
    }
}

async fn pause(stop: &CancellationToken) {
    let _ = tokio::time::timeout(INTERVAL, stop.cancelled()).await;
}
