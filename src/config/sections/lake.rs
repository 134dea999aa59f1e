//! `[lake]`: passages as Parquet in a folder.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::checks::within;
use crate::config::declare::settings;

settings! {
    /// All passages as Parquet in a folder, by day, for DuckDB, Spark and whatever reads such files. Each row is there exactly once, and
    /// a file never changes.
    pub struct LakeConfig {
        /// The folder. It is created if missing; each appliance needs one of its own. `""` means no lake.
        dir: Option<PathBuf> = None;
        /// A file is written as soon as so many passages of a shard wait for it. A row group has 122,880 rows or more where there are as many.
        file_rows: u64 = 983_040, within(1, 16_777_216);
        /// Longest time that a passage waits for others before a file is written all the same. The longer, the fewer and larger the files.
        max_delay: Duration = Duration::from_secs(3_600), within(Duration::from_millis(10), Duration::from_secs(7 * 86_400));
        /// Maximum pause between two attempts while the folder cannot be written. The number of attempts is not limited.
        retry_max: Duration = Duration::from_secs(10), within(Duration::from_millis(10), Duration::from_secs(3_600));
        /// Raise it, and name an empty folder, to write all that is stored once more.
        edition: u64 = 1, within(1, 1_000_000);
    }
}
