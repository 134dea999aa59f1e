//! Lanes of blocking work: *scans*, which may read the disk and are few at a time; *counters*, which are answered from memory
//! and never wait for a scan; the *status*; *changes*, which wait for the disk; *logins*, which hash a password; *records*, which append
//! to the audit log; *verifications*, which read all of it; and *bodies* of records that are decompressed. Each lane is bounded, and so is the queue
//! of the scans.
//!
//! Work that has begun cannot be interrupted: it keeps its slot until it ends, even if its client has disconnected. A lane
//! does not know what the work is.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError};

use super::error::{ApiError, ErrorReason};

/// Requests that may wait for a scan; more are refused at once.
const MAX_WAITING: usize = 256;
/// Concurrent reads of counters.
const MAX_COUNTER_READS: usize = 64;
/// Concurrent reads of the status, and changes of work: each waits for a lock or the disk, so more would only occupy
/// threads.
const MAX_STATUS_READS: usize = 4;
const MAX_CHANGES: usize = 4;
/// Concurrent logins: each takes a processor for some 20 ms, and 19 MiB.
const MAX_LOGINS: usize = 2;
/// Concurrent entries of the audit log: they wait for one another anyway, and on a disk that hangs for it.
const MAX_RECORDS: usize = 8;
/// Concurrent verifications of the audit log.
const MAX_VERIFICATIONS: usize = 1;
/// Bodies of records that are decompressed at the same time: each takes a processor, and more memory than it came with.
const MAX_BODIES: usize = 2;
/// Seconds after which a refused client should retry.
const RETRY_AFTER_SECONDS: u16 = 2;

/// The slots of all lanes.
pub(super) struct Lanes {
    scans: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    counters: Arc<Semaphore>,
    status: Arc<Semaphore>,
    changes: Arc<Semaphore>,
    logins: Arc<Semaphore>,
    records: Arc<Semaphore>,
    verifications: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    longest_wait: Duration,
}

impl Lanes {
    /// Lanes for `max_scans` concurrent scans; a request waits for a slot for up to half of `timeout`.
    pub(super) fn new(max_scans: usize, timeout: Duration) -> Self {
        let max_scans = max_scans.clamp(1, Semaphore::MAX_PERMITS - MAX_WAITING);
        Self {
            scans: Arc::new(Semaphore::new(max_scans)),
            admitted: Arc::new(Semaphore::new(max_scans + MAX_WAITING)),
            counters: Arc::new(Semaphore::new(MAX_COUNTER_READS)),
            status: Arc::new(Semaphore::new(MAX_STATUS_READS)),
            changes: Arc::new(Semaphore::new(MAX_CHANGES)),
            logins: Arc::new(Semaphore::new(MAX_LOGINS)),
            records: Arc::new(Semaphore::new(MAX_RECORDS)),
            verifications: Arc::new(Semaphore::new(MAX_VERIFICATIONS)),
            bodies: Arc::new(Semaphore::new(MAX_BODIES)),
            longest_wait: timeout / 2,
        }
    }

    /// Runs `work`, which may read the disk.
    ///
    /// # Errors
    /// 503 if too many others wait or the wait is too long, 500 if the work panics.
    pub(super) async fn scan<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let admitted = match self.admitted.clone().try_acquire_owned() {
            Ok(admitted) => admitted,
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => return Err(too_busy()),
        };
        self.block(self.scans.clone(), admitted, work).await
    }

    /// Runs `work`, which is answered from memory.
    ///
    /// # Errors
    /// As [`Lanes::scan`].
    pub(super) async fn counters<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.block(self.counters.clone(), (), work).await
    }

    /// Runs `work`, which reads the status.
    ///
    /// # Errors
    /// As [`Lanes::scan`].
    pub(super) async fn status<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.block(self.status.clone(), (), work).await
    }

    /// Runs `work`, which waits for the disk.
    ///
    /// # Errors
    /// As [`Lanes::scan`].
    pub(super) async fn change<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.block(self.changes.clone(), (), work).await
    }

    /// Runs `work`, which hashes a password.
    ///
    /// # Errors
    /// As [`Lanes::scan`].
    pub(super) async fn login<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.block(self.logins.clone(), (), work).await
    }

    /// Runs `work`, which appends to the audit log.
    ///
    /// # Errors
    /// As [`Lanes::scan`].
    pub(super) async fn record<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.block(self.records.clone(), (), work).await
    }

    /// Runs `work`, which reads the whole audit log.
    ///
    /// # Errors
    /// As [`Lanes::scan`].
    pub(super) async fn verify<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.block(self.verifications.clone(), (), work).await
    }

    /// Runs `work`, which decompresses a body of records.
    ///
    /// # Errors
    /// As [`Lanes::scan`].
    pub(super) async fn unpack<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.block(self.bodies.clone(), (), work).await
    }

    /// Runs `work` on a blocking thread, in its lane.
    async fn block<T, F, A>(&self, lane: Arc<Semaphore>, admitted: A, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
        A: Send + 'static,
    {
        let place = match tokio::time::timeout(self.longest_wait, lane.acquire_owned()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) | Err(_) => return Err(too_busy()),
        };
        let task = tokio::task::spawn_blocking(move || {
            let _held_until_the_work_ends = (place, admitted);
            work()
        });
        task.await.map_err(|error| {
            tracing::error!(%error, "work of a request panicked");
            ApiError::internal()
        })
    }
}

fn too_busy() -> ApiError {
    ApiError::new(ErrorReason::QueriesBusy).retry_after(RETRY_AFTER_SECONDS)
}
