//! How a store works.

use std::sync::Arc;

use traffic::{CivilTime, DetectorSettings};

use super::disk::records::Keep;
use crate::clock::Clock;

/// How the store works.
#[derive(Clone)]
pub struct StoreSettings {
    /// Memory for the database and for decoded columns together, in bytes.
    pub memory: usize,
    /// Whether each commit is forced to the disk.
    pub sync: bool,
    /// Whether background compaction runs.
    pub compaction: bool,
    /// Whether a store that has lost what was committed is opened with what is left.
    pub accept_loss: bool,
    /// Whether it drops what is too old and remembers how long it keeps; otherwise both stay as they are.
    pub expires: bool,
    /// How long passages are kept.
    pub retention: Keep,
    /// How long alerts are kept.
    pub alerts_retention: Keep,
    /// How long rejects are kept.
    pub rejects_retention: Keep,
    /// Seconds of the clock between the announcement of a shorter retention and its first drop.
    pub retention_grace: i64,
    /// Bytes that rejects may take; none = any.
    pub rejects_size: Option<u64>,
    /// Bytes of expired segments that may wait for mirrors.
    pub mirror_hold: u64,
    /// Whether there are readers, so that every commit publishes a view.
    pub publish: bool,
    /// Bytes of memory in which alerts are found; those that do not fit, the oldest, are read from the disk.
    pub alert_index: usize,
    /// The rule.
    pub detector: DetectorSettings,
    /// The clock, which retention never runs ahead of.
    pub clock: Clock,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            sync: true,
            compaction: true,
            accept_loss: false,
            expires: true,
            retention: Keep::by_default(),
            alerts_retention: Keep::by_default(),
            rejects_retention: Keep::by_default(),
            retention_grace: 0,
            rejects_size: None,
            mirror_hold: u64::MAX,
            publish: true,
            alert_index: 64 << 20,
            detector: DetectorSettings::default(),
            clock: Arc::new(|| CivilTime(i64::MAX)),
        }
    }
}
