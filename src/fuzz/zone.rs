//! Zone maps: what can be read is written and read back as the same, and a query may look at it.

use shard::{PlatePattern, Predicate, ZoneMap};
use traffic::{CivilTime, TimeRange};
use xxhash_rust::xxh3::xxh3_64;

use super::outcome::{kind, outcome, size};

/// Input: a zone map without its checksum.
pub(super) fn run(data: &[u8]) -> u64 {
    let bytes = [data, &xxh3_64(data).to_le_bytes()].concat();
    let zone = match ZoneMap::decode(&bytes) {
        Ok(zone) => zone,
        Err(error) => return outcome(kind(error)),
    };
    let written = zone.encode().unwrap_or_default();
    assert_eq!(ZoneMap::decode(&written).ok().as_ref(), Some(&zone), "it is another one read back");
    let range = |from: CivilTime, to: CivilTime| TimeRange { start: Some(from), end: Some(to) };
    let all = range(zone.min_time, zone.max_time);
    assert!(zone.is_within(all) && zone.touches(all) && zone.end_row() > zone.first_row);
    let checkpoints = Some(zone.checkpoints.iter().take(2).map(|name| name.to_string()).collect::<Vec<_>>());
    let listed = Predicate { time: all, checkpoints, ..Predicate::default() };
    assert!(listed.may_match(&zone) || zone.checkpoints.is_empty(), "a listed checkpoint is not found");
    let plate = Predicate { plate: Some(PlatePattern::exact("苏C12345")), ..Predicate::default() };
    outcome((
        (zone.plates.is_some(), zone.checkpoints_incomplete, plate.may_match(&zone)),
        (size(zone.partitions.len()), size(zone.checkpoints.len()), size(zone.memory())),
    ))
}

#[cfg(test)]
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let zone = |rows: usize| {
        let bytes = super::segment::example(rows, shard::Compression::Fast).zone.encode().unwrap();
        bytes[..bytes.len() - 8].to_vec()
    };
    vec![zone(1), zone(40), zone(1024)]
}
