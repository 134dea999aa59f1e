//! GA/T 1400 (公安视频图像信息应用系统, 视图库, VIID): motor vehicles from cameras and platforms. They register here by digest
//! authentication, keep themselves alive and send vehicles; or we register at a platform and subscribe to its vehicles ([`peer`]).
//!
//! | | |
//! |---|---|
//! | once | MotorVehicleID becomes GCXH, and what was not answered comes again |
//! | pictures | are left out while a body comes ([`Elision`]) |
//! | state | who is registered is in memory alone: after a restart they register again, and so do we |
//!
//! It knows the standard's objects, and not how a request is answered over HTTP.

mod accounts;
mod body;
mod checkpoints;
mod codes;
mod devices;
mod digest;
mod elide;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod id;
mod nonces;
mod peer;
mod upload;
mod vehicle;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::{ViidConfig, ViidProof};
use crate::deliveries::Receipt;
use crate::trust::TrustError;

pub use accounts::{Accounts, AccountsError, Stranger};
pub use checkpoints::{Checkpoints, CheckpointsError};
pub use devices::{DeviceCounts, Devices, NotRegistered};
pub use elide::Elision;
pub use id::DeviceId;
pub use peer::{Peer, PeerState, PeerStatus, Stage};
pub use upload::{MOST_OBJECTS, Notification, Upload, UploadError, notifications, vehicles};

/// A time as GA/T 1400 writes it: `20240101000024`.
pub fn compact(time: &impl std::fmt::Display) -> String {
    time.to_string().chars().filter(char::is_ascii_digit).collect()
}

/// It cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ViidError {
    /// The accounts.
    #[error("viid.users_file: {0}")]
    Accounts(#[from] AccountsError),
    /// The table of checkpoints.
    #[error("viid.checkpoints: {0}")]
    Checkpoints(#[from] CheckpointsError),
    /// The authorities of the platform.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// An id is none; never after the configuration was checked.
    #[error("viid: an id does not have 20 digits")]
    Id,
}

/// Counts since the process began.
#[derive(Debug, Default)]
struct Counters {
    vehicles: AtomicU64,
    rejected: AtomicU64,
    refused: AtomicU64,
}

/// What `/api/status` and `/metrics` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViidStatus {
    /// Our own id.
    pub id: String,
    /// Devices and platforms that have registered here.
    pub devices: DeviceCounts,
    /// Objects that were stored, or had been.
    pub vehicles: u64,
    /// Objects that were rejected.
    pub rejected: u64,
    /// Requests that nobody proved to have sent.
    pub refused: u64,
    /// Ids that came and are not in the table of checkpoints.
    pub unknown_ids: usize,
    /// The platform at which we register.
    pub peer: Option<PeerStatus>,
}

/// GA/T 1400 as one process speaks it.
#[derive(Debug)]
pub struct Viid {
    /// Our own id.
    pub id: DeviceId,
    /// Who may register.
    pub accounts: Accounts,
    /// Who has.
    pub devices: Devices,
    /// Ids that may register; all with an account if there are none.
    allowed: Vec<DeviceId>,
    /// Which checkpoint an id is.
    pub checkpoints: Checkpoints,
    /// Whether each request needs a digest.
    pub needs_digest: bool,
    /// Bytes of a body with its pictures at most.
    pub most_bytes: usize,
    /// The platform at which we register.
    pub peer: Option<Arc<PeerState>>,
    counters: Counters,
}

impl Viid {
    /// As it is configured; none where it is not.
    ///
    /// # Errors
    /// [`ViidError`].
    pub fn of(config: &ViidConfig) -> Result<Option<Self>, ViidError> {
        if !config.is_on() {
            return Ok(None);
        }
        let id = |text: &String| DeviceId::parse(text).ok_or(ViidError::Id);
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Some(Self {
            id: id(&config.device_id)?,
            accounts: Accounts::load(config.users_file.as_deref(), &config.realm, key)?,
            devices: Devices::new(i64::try_from(config.keepalive_timeout.as_secs()).unwrap_or(i64::MAX)),
            allowed: config.devices.iter().map(id).collect::<Result<_, _>>()?,
            checkpoints: Checkpoints::load(config.checkpoints.as_deref())?,
            needs_digest: config.proof == ViidProof::Digest,
            most_bytes: config.max_body.bytes(),
            peer: PeerState::of(config)?.map(Arc::new),
            counters: Counters::default(),
        }))
    }

    /// Whether a device may register or send, if it has an account.
    pub fn allows(&self, id: &DeviceId) -> bool {
        self.allowed.is_empty() || self.allowed.contains(id)
    }

    /// Whether all ids with an account may.
    pub fn allows_all(&self) -> bool {
        self.allowed.is_empty()
    }

    /// Counts what became of objects.
    pub fn stored(&self, receipt: &Receipt) {
        self.counters.vehicles.fetch_add(receipt.accepted + receipt.duplicates, Ordering::Relaxed);
        self.counters.rejected.fetch_add(receipt.rejected, Ordering::Relaxed);
    }

    /// Counts a request that nobody proved to have sent.
    pub fn refused(&self) {
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// How it is.
    pub fn status(&self, now: i64) -> ViidStatus {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ViidStatus {
            id: self.id.to_string(),
            devices: self.devices.counts(now),
            vehicles: count(&self.counters.vehicles),
            rejected: count(&self.counters.rejected),
            refused: count(&self.counters.refused),
            unknown_ids: self.checkpoints.unknown(),
            peer: self.peer.as_ref().map(|peer| peer.status()),
        }
    }
}
