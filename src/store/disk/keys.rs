//! Keys and value layouts of the data directory, in one place. All numbers in keys are big-endian, so that keys sort.
//!
//! | family | key | value |
//! |---|---|---|
//! | `shard_` number, one for each shard | first row `u64` | [`shard::Segment`] body |
//! | `zones` | shard `u8`, first row `u64` | [`shard::ZoneMap`] |
//! | `plates` | partition `u32`, plate code `u64` | newest event time `i64`, then codec `P` |
//! | `alerts` | seq `u64` | codec `A` |
//! | `cases` | seq `u64` | codec `O` |
//! | `evidence` | partition `u32`, part `u32` | codec `X` for part 0, `s` for the last (segments), `Z` for others |
//! | `rejects` | seq `u64` · refused by a mirror: `0xff`, shard `u8`, row `u64` | codecs `J`, `R` |
//! | `counters` | hour since 1970 `i64` with the sign bit flipped | codec `H` |
//! | `meta` | `totals` · `rejects_bytes` · `lifetimes` · `checkpoints` · `work-changes` count `u64` · `detection` · `clocks/` partition `u32` · `clock-samples/` partition, checkpoint `u32` · `partition/` id `u32` · `position/` source (`kafka/` topic `/` partition for Kafka) · `mirror/` name · `name/` dimension `u8` id `u32` · `work/` seq of an alert `u64` · `case-work/` seq of a case `u64` · `case-change/` and `case-work-change/` seq of a case `u64` | codecs `T`, `B`, `L`, `G`, number, `D`, `Q`, `l`, `W`, opaque, `U`, text, `E`, `E`, numbers `u64` |
//!
//! In format version 1 of the directory there were always two shards, and `mirror/` and `work/` had the codecs `C` and `K`,
//! which positions of sources have too.

use shard::ShardId;
use storage::codec::Kind;
use traffic::{Dimension, NameId, PlateCode};

pub(in crate::store) const PLATE: Kind = Kind { magic: b'P', version: 2 };
pub(in crate::store) const ALERT: Kind = Kind { magic: b'A', version: 4 };
pub(in crate::store) const REJECT: Kind = Kind { magic: b'J', version: 2 };
/// The fingerprint of the key of the pseudonyms.
pub(in crate::store) const PLATE_KEY: Kind = Kind { magic: b'k', version: 1 };
pub(in crate::store) const REJECTS_BYTES: Kind = Kind { magic: b'B', version: 1 };
pub(in crate::store) const HOUR: Kind = Kind { magic: b'H', version: 1 };
pub(in crate::store) const TOTALS: Kind = Kind { magic: b'T', version: 2 };
pub(in crate::store) const PARTITION: Kind = Kind { magic: b'W', version: 2 };
pub(in crate::store) const DETECTION: Kind = Kind { magic: b'D', version: 2 };
pub(in crate::store) const RECENT_MINUTE: Kind = Kind { magic: b'M', version: 1 };
pub(in crate::store) const CLOCKS: Kind = Kind { magic: b'Q', version: 1 };
pub(in crate::store) const MIRROR: Kind = Kind { magic: b'U', version: 1 };
pub(in crate::store) const REFUSED: Kind = Kind { magic: b'R', version: 1 };
pub(in crate::store) const WORK: Kind = Kind { magic: b'E', version: 2 };
/// [`WORK`] as format version 2 began with it.
pub(in crate::store) const FIRST_WORK: Kind = Kind { version: 1, ..WORK };
/// [`MIRROR`] and [`WORK`] in format version 1.
pub(in crate::store) const OLD_MIRROR: Kind = Kind { magic: b'C', version: 1 };
pub(in crate::store) const OLD_WORK: Kind = Kind { magic: b'K', version: 1 };
pub(in crate::store) const CLOCK_SAMPLES: Kind = Kind { magic: b'l', version: 1 };
pub(in crate::store) const LIFETIMES: Kind = Kind { magic: b'L', version: 2 };
pub(in crate::store) const CASE: Kind = Kind { magic: b'O', version: 1 };
pub(in crate::store) const EVIDENCE: Kind = Kind { magic: b'X', version: 4 };
pub(in crate::store) const LAST_SIGHTINGS: Kind = Kind { magic: b'Z', version: 1 };
pub(in crate::store) const SEGMENTS: Kind = Kind { magic: b's', version: 1 };
pub(in crate::store) const CHECKPOINTS: Kind = Kind { magic: b'G', version: 1 };
/// In the tally, not in the database.
pub(in crate::store) const CENSUS: Kind = Kind { magic: b'N', version: 2 };

pub(in crate::store) const TOTALS_KEY: &[u8] = b"totals";
pub(in crate::store) const DETECTION_KEY: &[u8] = b"detection";
pub(in crate::store) const RECENT_MINUTE_KEY: &[u8] = b"recent_minute";
pub(in crate::store) const CLOCKS_PREFIX: &[u8] = b"clocks/";
pub(in crate::store) const CLOCK_SAMPLES_PREFIX: &[u8] = b"clock-samples/";
pub(in crate::store) const LIFETIMES_KEY: &[u8] = b"lifetimes";
pub(in crate::store) const CHECKPOINTS_KEY: &[u8] = b"checkpoints";
/// Not below `work/`, where numbers of alerts are.
pub(in crate::store) const WORK_CHANGES_KEY: &[u8] = b"work-changes";
pub(in crate::store) const PLATE_KEY_KEY: &[u8] = b"plate_key";
pub(in crate::store) const REJECTS_BYTES_KEY: &[u8] = b"rejects_bytes";
pub(in crate::store) const PARTITION_PREFIX: &[u8] = b"partition/";
pub(in crate::store) const POSITION_PREFIX: &[u8] = b"position/";
pub(in crate::store) const NAME_PREFIX: &[u8] = b"name/";
pub(in crate::store) const MIRROR_PREFIX: &[u8] = b"mirror/";
/// Sorts after every number of a reject.
const REFUSED_PREFIX: u8 = 0xff;
pub(in crate::store) const WORK_PREFIX: &[u8] = b"work/";
pub(in crate::store) const CASE_WORK_PREFIX: &[u8] = b"case-work/";
pub(in crate::store) const CASE_CHANGE_PREFIX: &[u8] = b"case-change/";
pub(in crate::store) const CASE_WORK_CHANGE_PREFIX: &[u8] = b"case-work-change/";

pub(in crate::store) fn zone(shard: ShardId, first_row: u64) -> [u8; 9] {
    let mut key = [shard.number(); 9];
    if let Some((_, row)) = key.split_first_mut() {
        row.copy_from_slice(&first_row.to_be_bytes());
    }
    key
}

pub(in crate::store) fn plate(partition: u32, plate: PlateCode) -> [u8; 12] {
    let mut key = [0; 12];
    let (head, tail) = key.split_at_mut(4);
    head.copy_from_slice(&partition.to_be_bytes());
    tail.copy_from_slice(&plate.as_u64().to_be_bytes());
    key
}

/// Partition and plate of a key made by [`plate`].
pub(in crate::store) fn split_plate(key: &[u8]) -> Option<(u32, PlateCode)> {
    let (partition, code) = key.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*partition), PlateCode::from_u64(u64::from_be_bytes(*code.first_chunk::<8>()?))))
}

pub(in crate::store) fn hour(hour: i64) -> [u8; 8] {
    ((hour as u64) ^ (1 << 63)).to_be_bytes()
}

pub(in crate::store) fn split_hour(key: &[u8]) -> Option<i64> {
    key.first_chunk().map(|bytes| (u64::from_be_bytes(*bytes) ^ (1 << 63)) as i64)
}

pub(in crate::store) fn partition(id: u32) -> Vec<u8> {
    [PARTITION_PREFIX, &id.to_be_bytes()].concat()
}

pub(in crate::store) fn clocks(partition: u32) -> Vec<u8> {
    [CLOCKS_PREFIX, &partition.to_be_bytes()].concat()
}

/// The samples of the clock of a checkpoint, or with checkpoint 0 where those of the partition begin.
pub(in crate::store) fn clock_samples(partition: u32, checkpoint: NameId) -> Vec<u8> {
    [CLOCK_SAMPLES_PREFIX, &partition.to_be_bytes(), &checkpoint.to_be_bytes()].concat()
}

pub(in crate::store) fn position(source: &str) -> Vec<u8> {
    [POSITION_PREFIX, source.as_bytes()].concat()
}

pub(in crate::store) fn mirror(name: &str) -> Vec<u8> {
    [MIRROR_PREFIX, name.as_bytes()].concat()
}

pub(in crate::store) fn refused(shard: ShardId, row: u64) -> Vec<u8> {
    [&[REFUSED_PREFIX, shard.number()][..], &row.to_be_bytes()].concat()
}

/// Whether the key of `rejects` is one of [`refused`].
pub(in crate::store) fn is_refused(key: &[u8]) -> bool {
    key.first() == Some(&REFUSED_PREFIX)
}

pub(in crate::store) fn name(dimension: Dimension, id: NameId) -> Vec<u8> {
    [NAME_PREFIX, &[dimension as u8], &id.to_be_bytes()].concat()
}

pub(in crate::store) fn work(seq: u64) -> Vec<u8> {
    [WORK_PREFIX, &seq.to_be_bytes()].concat()
}

pub(in crate::store) fn case_work(seq: u64) -> Vec<u8> {
    [CASE_WORK_PREFIX, &seq.to_be_bytes()].concat()
}

/// The number of the newest change of a case.
pub(in crate::store) fn case_change(seq: u64) -> Vec<u8> {
    [CASE_CHANGE_PREFIX, &seq.to_be_bytes()].concat()
}

/// The number of the newest change of the work on a case.
pub(in crate::store) fn case_work_change(seq: u64) -> Vec<u8> {
    [CASE_WORK_CHANGE_PREFIX, &seq.to_be_bytes()].concat()
}

/// The part of the evidence that holds the segments: no other has this number.
pub(in crate::store) const SEGMENTS_PART: u32 = u32::MAX;

/// The evidence of a partition, or a part of its last sightings.
pub(in crate::store) fn evidence(partition: u32, part: u32) -> [u8; 8] {
    (u64::from(partition) << 32 | u64::from(part)).to_be_bytes()
}

/// The number that ends a key.
pub(in crate::store) fn last_u64(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The number that ends a key.
pub(in crate::store) fn last_u32(key: &[u8]) -> Option<u32> {
    key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}
