//! Settings of the store.

use std::sync::Arc;

use shard::ShardCount;
use traffic::evidence::EvidenceSettings;
use traffic::{CivilTime, DetectorSettings};

use super::disk::records::Keep;
use crate::clock::Clock;
use crate::pseudonyms::PlateCipher;

/// Settings of the store.
#[derive(Clone)]
pub struct StoreSettings {
    /// Number of local shards, which an existing directory must have; none = as many as it has, and in a new one two.
    pub shards: Option<ShardCount>,
    /// Memory for the database and for decoded columns together, in bytes.
    pub memory: usize,
    /// Whether each commit is forced to the disk.
    pub sync: bool,
    /// Whether background compaction runs.
    pub compaction: bool,
    /// Whether a store that has lost committed data is opened with what is left.
    pub accept_loss: bool,
    /// Whether the store drops what is too old and records how long it keeps data; otherwise both stay unchanged.
    pub expires: bool,
    /// How long passages are kept.
    pub retention: Keep,
    /// How long alerts are kept.
    pub alerts_retention: Keep,
    /// How long rejects are kept.
    pub rejects_retention: Keep,
    /// Seconds of the clock between the announcement of a shorter retention and its first drop.
    pub retention_grace: i64,
    /// Bytes that rejects may take; none = unlimited.
    pub rejects_size: Option<u64>,
    /// Bytes of expired segments that may wait for mirrors.
    pub mirror_hold: u64,
    /// Whether there are readers, so that every commit publishes a view.
    pub publish: bool,
    /// Bytes of memory for the alert index; the oldest alerts, those that do not fit, are read from the disk.
    pub alert_index: usize,
    /// Settings of the rule.
    pub detector: DetectorSettings,
    /// Settings of the evidence; none = it is off.
    pub evidence: Option<EvidenceSettings>,
    /// The key of pseudonyms; none = plates are stored as they come.
    pub plates: Option<Arc<PlateCipher>>,
    /// The clock, which retention never runs ahead of.
    pub clock: Clock,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            shards: None,
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
            evidence: Some(EvidenceSettings::default()),
            plates: None,
            clock: Arc::new(|| CivilTime(i64::MAX)),
        }
    }
}
