//! Event-time expiry of plate states. The compaction filter only reclaims space: every reader of a state decides by
//! event time whether it is still alive, so results never depend on when a compaction ran.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use rocksdb::{CompactionDecision, Options};

/// Length of the event time at the start of every value of [`crate::Family::Plates`]: seconds since 1970, `i64`
/// big-endian. The first four bytes of its key are the partition, `u32` big-endian.
pub const EXPIRY_BYTES: usize = 8;

/// Per partition, the event time under which a plate's newest sighting has expired.
///
/// IMPORTANT: advance a horizon only after the commit that moved the watermark has returned.
#[derive(Debug, Clone, Default)]
pub struct Horizons(Arc<RwLock<HashMap<u32, i64>>>);

impl Horizons {
    /// Sets the horizon of a partition, in civil seconds since 1970.
    pub fn advance(&self, partition: u32, horizon: i64) {
        self.0.write().insert(partition, horizon);
    }

    /// Whether the filter may drop this entry. An entry that it cannot read is kept.
    fn expired(&self, key: &[u8], value: &[u8]) -> bool {
        let (Some(partition), Some(newest)) = (key.first_chunk(), value.first_chunk::<EXPIRY_BYTES>()) else {
            return false;
        };
        let horizons = self.0.read();
        horizons.get(&u32::from_be_bytes(*partition)).is_some_and(|&horizon| i64::from_be_bytes(*newest) < horizon)
    }

    pub(crate) fn install(&self, options: &mut Options) {
        let horizons = self.clone();
        options.set_compaction_filter(c"event-time-expiry", move |_level: u32, key: &[u8], value: &[u8]| {
            if horizons.expired(key, value) { CompactionDecision::Remove } else { CompactionDecision::Keep }
        });
    }
}
