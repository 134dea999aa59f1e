//! Migration: what an older format of the data directory has in another form is written again before anything reads it.
//!
//! The format version changes with the last commit, so a process killed before that migrates again; what is in the new
//! form already is left as it is. Values that carry a layout version of their own are read in every layout and need no
//! migration. It does not know what the values mean.

use std::time::{Duration, Instant};

use storage::codec::{self, Kind};
use storage::{Database, Durability, Family};

use crate::store::StoreError;
use crate::store::disk::keys;

/// Values that one commit rewrites.
const AT_ONCE: u64 = 4096;
/// How often progress is logged.
const REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// Keys of `meta` whose values have another codec since format version 2: prefix, the old codec, the new one.
const RENAMED: [(&[u8], Kind, Kind); 2] =
    [(keys::MIRROR_PREFIX, keys::OLD_MIRROR, keys::MIRROR), (keys::WORK_PREFIX, keys::OLD_WORK, keys::FIRST_WORK)];

/// Brings a database of an older format to the current one.
pub(super) fn migrate(database: &Database) -> Result<(), StoreError> {
    if !database.is_of_old_format() {
        return Ok(());
    }
    tracing::info!(
        data_dir = %database.path().display(),
        "the data directory is of an older format: it is brought to the current one"
    );
    let mut reported = Instant::now();
    let mut rewritten = 0;
    for (prefix, old, new) in RENAMED {
        let mut commit = database.begin();
        for item in database.scan(Family::Meta, prefix) {
            let (key, value) = item?;
            if !key.starts_with(prefix) {
                break;
            }
            let Some(value) = codec::with_kind(old, new, &value)
                .map_err(|error| database.damaged(&String::from_utf8_lossy(prefix), &error))?
            else {
                continue;
            };
            commit.put(Family::Meta, &key, &value);
            rewritten += 1;
            if rewritten % AT_ONCE == 0 {
                database.commit(std::mem::replace(&mut commit, database.begin()), Durability::AsConfigured)?;
            }
            if reported.elapsed() >= REPORT_INTERVAL {
                tracing::info!(rewritten, "the data directory is brought to the current format");
                reported = Instant::now();
            }
        }
        database.commit(commit, Durability::AsConfigured)?;
        fail::fail_point!("migrate::rewritten");
    }
    let mut commit = database.begin();
    database.set_format(&mut commit)?;
    fail::fail_point!("migrate::before-format");
    database.commit(commit, Durability::AsConfigured)?;
    fail::fail_point!("migrate::after-format");
    tracing::info!(rewritten, "the data directory is of the current format");
    Ok(())
}
