//! What every handler shares: the reader, the settings, and what is kept between requests. Questions to the reader go
//! through the [`lanes`](super::lanes). It does not know any endpoint.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use traffic::CivilTime;

use super::alerts_today::AlertsToday;
use super::checkpoints::KnownCheckpoints;
use super::error::ApiError;
use super::lanes::Lanes;
use super::metrics::HttpMetrics;
use super::openapi::Document;
use super::overview::{NewestOverview, SameTimeYesterday};
use super::replay::Replay;
use super::settings::ServeSettings;
use super::shares::Shares;
use crate::reader::{ReadError, Reader, Snapshot};
use crate::status::Status;
use crate::work::WorkError;

/// What every handler shares.
pub(super) struct Api {
    pub(super) reader: Arc<dyn Reader>,
    pub(super) settings: ServeSettings,
    pub(super) shutdown: CancellationToken,
    pub(super) lanes: Lanes,
    pub(super) streams: Arc<Shares>,
    pub(super) replay: Replay,
    /// Files that are on their way to clients.
    pub(super) exports: Arc<Shares>,
    /// Files of which a piece is being made.
    pub(super) export_places: Arc<Semaphore>,
    pub(super) metrics: HttpMetrics,
    pub(super) document: Document,
    pub(super) alerts_today: AlertsToday,
    pub(super) checkpoints: KnownCheckpoints,
    pub(super) same_time_yesterday: SameTimeYesterday,
    pub(super) newest_overview: NewestOverview,
}

impl Api {
    /// The clock's time.
    pub(super) fn now(&self) -> CivilTime {
        (self.settings.clock)()
    }

    /// A moment of Unix time as civil time of the road; empty where its calendar has none.
    pub(super) fn civil(&self, unix: i64) -> String {
        self.settings.zone.civil(unix).map(|time| time.to_string()).unwrap_or_default()
    }

    /// Event streams that are open.
    pub(super) fn open_streams(&self) -> usize {
        self.streams.held()
    }

    /// Runs `read`, which may read the disk, over one snapshot.
    ///
    /// # Errors
    /// 503 if too many others wait or the wait is too long, and what `read` returns.
    pub(super) async fn scan<T, F>(&self, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Snapshot) -> Result<T, ReadError> + Send + 'static,
    {
        let reader = self.reader.clone();
        Ok(self.lanes.scan(move || read(&*reader.snapshot())).await??)
    }

    /// Runs `read`, which is answered from memory, over one snapshot.
    ///
    /// # Errors
    /// As [`Api::scan`].
    pub(super) async fn counters<T, F>(&self, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Snapshot) -> Result<T, ReadError> + Send + 'static,
    {
        let reader = self.reader.clone();
        Ok(self.lanes.counters(move || read(&*reader.snapshot())).await??)
    }

    /// How the appliance is. It waits behind no query; the sizes in it are read from the disk.
    ///
    /// # Errors
    /// As [`Api::scan`].
    pub(super) async fn status(&self) -> Result<Status, ApiError> {
        let reader = self.reader.clone();
        self.lanes.status(move || reader.status()).await
    }

    /// Runs `change`, which waits for the disk.
    ///
    /// # Errors
    /// As [`Api::scan`].
    pub(super) async fn change<T, F>(&self, change: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Reader) -> Result<T, WorkError> + Send + 'static,
    {
        let reader = self.reader.clone();
        Ok(self.lanes.change(move || change(&*reader)).await??)
    }
}
