//! The state that all handlers share: the reader, the settings, and caches between requests. Reads go through the
//! [`lanes`](super::lanes). It knows no endpoint.

use std::sync::Arc;

use access::Scope;
use axum::http::HeaderValue;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use traffic::CivilTime;

use super::access::{Lately, Mask};
use super::alerts_today::AlertsToday;
use super::checkpoints::KnownCheckpoints;
use super::error::ApiError;
use super::lanes::Lanes;
use super::metrics::HttpMetrics;
use super::openapi::Document;
use super::overview::{NewestOverview, SameTimeYesterday};
use super::rates::Rates;
use super::replay::Replay;
use super::roads::KnownLinks;
use super::settings::ServeSettings;
use super::shares::Shares;
use super::sight::Sight;
use crate::gate::{Gate, Trail};
use crate::reader::{ReadError, Reader, Snapshot};
use crate::scope::Scoping;
use crate::status::Status;
use crate::work::WorkError;

/// The state that all handlers share.
pub(super) struct Api {
    /// Handlers read it by the [`Sight`] of their request.
    pub(super) data: Scoping,
    pub(super) settings: ServeSettings,
    pub(super) gate: Arc<Gate>,
    pub(super) mask: Mask,
    /// None where nothing is recorded: only tests have no data directory.
    pub(super) trail: Option<Arc<Trail>>,
    pub(super) lately: Lately,
    pub(super) shutdown: CancellationToken,
    /// What answers by HTTPS say: that there is nothing but HTTPS here. None says nothing.
    pub(super) https_only: Option<HeaderValue>,
    pub(super) rates: Arc<Rates>,
    pub(super) lanes: Lanes,
    pub(super) streams: Arc<Shares>,
    pub(super) replay: Replay,
    /// Open exports.
    pub(super) exports: Arc<Shares>,
    /// Slots for producing a piece of an export.
    pub(super) export_places: Arc<Semaphore>,
    pub(super) metrics: HttpMetrics,
    pub(super) document: Document,
    pub(super) alerts_today: AlertsToday,
    pub(super) checkpoints: KnownCheckpoints,
    pub(super) road_links: KnownLinks,
    pub(super) same_time_yesterday: SameTimeYesterday,
    pub(super) newest_overview: NewestOverview,
}

impl Api {
    /// The current time.
    pub(super) fn now(&self) -> CivilTime {
        (self.settings.clock)()
    }

    /// Unix time as civil time of the road; empty if it is out of range.
    pub(super) fn civil(&self, unix: i64) -> String {
        self.settings.zone.civil(unix).map(|time| time.to_string()).unwrap_or_default()
    }

    /// Open event streams.
    pub(super) fn open_streams(&self) -> usize {
        self.streams.held()
    }

    /// What somebody may see who is limited to `scope`.
    pub(super) fn sight(&self, scope: &Scope) -> Sight {
        Sight::new(self.data.within(scope), scope.words())
    }

    /// Runs `read`, which may read the disk, over one snapshot.
    ///
    /// # Errors
    /// 503 if too many others wait or the wait is too long, and what `read` returns.
    pub(super) async fn scan<T, F>(&self, sight: &Sight, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Snapshot) -> Result<T, ReadError> + Send + 'static,
    {
        let reader = sight.reader().clone();
        Ok(self.lanes.scan(move || read(&*reader.snapshot())).await??)
    }

    /// Runs `read`, which is answered from memory, over one snapshot.
    ///
    /// # Errors
    /// As [`Api::scan`].
    pub(super) async fn counters<T, F>(&self, sight: &Sight, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Snapshot) -> Result<T, ReadError> + Send + 'static,
    {
        let reader = sight.reader().clone();
        Ok(self.lanes.counters(move || read(&*reader.snapshot())).await??)
    }

    /// The status of the appliance. It waits for no query; sizes are read from the disk.
    ///
    /// # Errors
    /// As [`Api::scan`].
    pub(super) async fn status(&self, sight: &Sight) -> Result<Status, ApiError> {
        let reader = sight.reader().clone();
        self.lanes.status(move || reader.status()).await
    }

    /// Runs `ask` on the gate, which takes a processor for a while: passwords are slow to check.
    ///
    /// # Errors
    /// As [`Api::scan`].
    pub(super) async fn at_the_gate<T, F>(&self, ask: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Gate) -> T + Send + 'static,
    {
        let gate = self.gate.clone();
        self.lanes.login(move || ask(&gate)).await
    }

    /// Runs `change`, which waits for the disk.
    ///
    /// # Errors
    /// As [`Api::scan`].
    pub(super) async fn change<T, F>(&self, sight: &Sight, change: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Reader) -> Result<T, WorkError> + Send + 'static,
    {
        let reader = sight.reader().clone();
        Ok(self.lanes.change(move || change(&*reader)).await??)
    }
}
