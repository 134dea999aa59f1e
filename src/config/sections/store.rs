//! `[store]`: what the data directory keeps, and for how long.

use std::time::Duration;

use shard::ShardCount;

use crate::config::checks::{at_least_an_hour, within};
use crate::config::declare::{choices, settings};
use crate::config::units::{ByteSize, Retention};

settings! {
    /// The embedded database.
    pub struct StoreConfig {
        /// How long passages are kept, in event time. Whole segments are dropped, so a little more is kept. A data directory
        /// remembers its retention: the default changes nothing in one that holds data, a longer time takes effect at once,
        /// and a shorter one that is written here is announced first, see `retention_grace`.
        retention: Retention = Retention::Unwritten(Duration::from_secs(3 * 86_400)), at_least_an_hour;
        /// How long alerts are kept, in event time.
        alerts_retention: Retention = Retention::Unwritten(Duration::from_secs(90 * 86_400)), at_least_an_hour;
        /// How long rejected lines are kept, by the event time around them. The counts by reason stay.
        rejects_retention: Retention = Retention::Unwritten(Duration::from_secs(3 * 86_400)), at_least_an_hour;
        /// How long a shorter retention is announced before it drops anything, by the clock, over restarts too. The log,
        /// `/api/status` and the system page say what will be dropped. `"0s"` drops with the next commit.
        retention_grace: Duration = Duration::from_secs(86_400), within(Duration::ZERO, Duration::from_secs(365 * 86_400));
        /// Maximum size of rejected lines. Above it the oldest are dropped, and the log says so; the counts by reason stay.
        rejects_size: ByteSize = ByteSize::mib(1 << 10), within(ByteSize::mib(1), ByteSize(1 << 50));
        /// Maximum size of the data directory while passages older than `retention` wait for a mirror that has not received
        /// them yet. Above it the oldest are dropped anyway, and the log, `/api/status` and `/metrics` say so.
        mirror_hold: ByteSize = ByteSize::mib(32 << 10), within(ByteSize::mib(16), ByteSize(1 << 50));
        /// Memory for storage: half for the database's block cache and write buffers, half for decoded columns of
        /// queries.
        memory: ByteSize = ByteSize::mib(512), within(ByteSize::mib(32), ByteSize(1 << 46));
        /// Memory for the search index of alerts, about 33 bytes each, in addition to `memory`. The oldest that do not fit
        /// are read from the disk by every search.
        alert_index: ByteSize = ByteSize::mib(64), within(ByteSize::mib(1), ByteSize(1 << 40));
        /// How many local shards passages are placed on, by MyCat's murmur rule: as many as MyCat has dataNodes for
        /// `traffic_data`, where there is a MyCat. A data directory keeps the number that it was made with: with another one
        /// here it is refused, and the message says how to build a new one from it.
        shards: usize = 2, within(1, ShardCount::MAX);
        /// When the write-ahead log is synced to disk: with each commit, so that a power cut loses nothing that was
        /// committed, or when the operating system decides. A killed process loses nothing either way.
        sync: Sync = Sync::Commit;
        /// Maximum number of distinct values in one column of repeated texts (checkpoints, districts, directions,
        /// plate types, models); their texts together may have 64 MiB for checkpoints and for models, 16 MiB for the others. A
        /// record with a further value is rejected.
        max_names: usize = 1_000_000, within(1_000, 2_000_000);
    }
}

choices! {
    /// When the write-ahead log is synced to disk.
    pub enum Sync {
        /// With each commit.
        Commit = "commit",
        /// When the operating system decides.
        Off = "off",
    }
}
