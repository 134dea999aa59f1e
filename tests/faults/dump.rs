//! Everything that a data directory holds, in a form in which two directories can be compared: rows in order with their
//! numbers, segments, plate states, alerts, cases, rejects, rollups, evidence, names, totals, watermarks, positions, cursors and
//! work.
//!
//! It reads the database itself, by family and key, so that nothing can be left out by being forgotten: what is not named
//! here is compared byte by byte. Three things are made alike first, because they may differ rightly: times of the machine's
//! clock, the numbers of the changes of cases (which are such times; their order counts), and what has expired and waits for
//! a compaction.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use shard::{SegmentReader, ZoneMap};
use storage::codec::{self, Kind};
use storage::{Database, EXPIRY_BYTES, Family};
use traffic::{Dimension, WatermarkState};

/// Memory for reading.
const MEMORY: usize = 64 << 20;
/// Magic, version and checksum of a value.
const HEADER: usize = 6;
/// Seconds below the watermark for which plate states live: the default of `detect.state_ttl`.
const TTL: i64 = 600;
const PARTITION: Kind = Kind { magic: b'W', version: 2 };
const PLATE: Kind = Kind { magic: b'P', version: 2 };
const LIFETIMES: Kind = Kind { magic: b'L', version: 2 };
const MIRROR: Kind = Kind { magic: b'U', version: 1 };
const WORK: Kind = Kind { magic: b'E', version: 2 };

type Sightings = Vec<(i64, u32, u64, u32, u8, u8)>;
type Lifetime = (Option<i64>, Option<(i64, i64, u64, i64, i64, i64)>);
/// A run of retention.
type Run = (i64, u64, i64, i64, i64, i64);
type Lifetimes = ([Lifetime; 3], Vec<u64>, Option<Run>);

/// What a mirror's target has: next, newest time, refused, lost, refilled.
type Cursor = (u64, Option<i64>, u64, u64, u64);
/// A change of work: when, who, from, to, and why.
type Entry = (i64, String, u32, u32, String);

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it: the batches were the same.
    Everything,
    /// Not where segments begin and end, which follows from the batches.
    WhateverTheBatches,
}

/// A data directory, line by line: what it is and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dump(BTreeMap<String, String>);

impl Dump {
    /// Reads a directory that no process has open, or that nobody writes.
    pub(crate) fn of(data: &Path, extent: Extent) -> Self {
        let database = Database::open_frozen(data, MEMORY)
            .unwrap_or_else(|error| panic!("{} is not whole: {error}", data.display()));
        let mut dump = Self(BTreeMap::new());
        let watermarks = watermarks(&database);
        for family in Family::all(database.shards()) {
            match family {
                // They are read by their zones; a body without one is a stray.
                Family::Rows(_) => {}
                Family::Zones => dump.segments(&database, extent),
                Family::Plates => dump.plates(&database, &watermarks),
                Family::Meta => dump.meta(&database),
                Family::Alerts | Family::Cases | Family::Evidence | Family::Rejects | Family::Counters => {
                    for (key, value) in entries(&database, family) {
                        dump.put(&format!("{}/{}", family.name(), hex(&key)), hex(&value));
                    }
                }
            }
        }
        dump
    }

    /// How many lines there are of a kind, such as `row` or `alerts`.
    pub(crate) fn count(&self, kind: &str) -> usize {
        let prefix = format!("{kind}/");
        self.0.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)).count()
    }

    /// Each row's GCSJ.
    pub(super) fn rows(&self) -> BTreeMap<&str, String> {
        let rows = self.0.iter().filter(|(key, _)| key.starts_with("row/"));
        // Arrival number, partition and its number, day, time of day.
        rows.map(|(key, line)| (key.as_str(), line.split(' ').skip(3).take(2).collect::<Vec<_>>().join(" "))).collect()
    }

    /// Panics with what differs, if anything does.
    #[track_caller]
    pub(crate) fn equals(&self, expected: &Self, when: &str) {
        if self == expected {
            return;
        }
        let mut text = String::new();
        let keys: std::collections::BTreeSet<_> = self.0.keys().chain(expected.0.keys()).collect();
        let different: Vec<_> = keys.into_iter().filter(|key| self.0.get(*key) != expected.0.get(*key)).collect();
        for key in different.iter().take(8) {
            let short = |dump: &Self| dump.0.get(*key).map(|value| value.chars().take(400).collect::<String>());
            writeln!(text, "  {key}\n    is       {:?}\n    expected {:?}", short(self), short(expected)).unwrap();
        }
        panic!("{when}: {} of {} lines differ, such as\n{text}", different.len(), expected.0.len());
    }

    fn put(&mut self, key: &str, value: String) {
        assert!(self.0.insert(key.to_owned(), value).is_none(), "{key} twice");
    }

    fn segments(&mut self, database: &Database, extent: Extent) {
        for (key, value) in entries(database, Family::Zones) {
            let (shard, zone) = (key[0], ZoneMap::decode(&value).unwrap());
            if extent == Extent::Everything {
                self.put(&format!("segment/{shard}/{:012}", zone.first_row), hex(&value));
            }
            let body = database.get(Family::Rows(shard), &zone.first_row.to_be_bytes()).unwrap().expect("a body");
            let mut names: BTreeMap<Dimension, Vec<Arc<str>>> = BTreeMap::new();
            let rows = SegmentReader::open(&body).unwrap().rows(|dimension, text| {
                let known = names.entry(dimension).or_default();
                known.push(text.clone());
                (known.len() - 1) as u32
            });
            let rows = rows.unwrap();
            for at in 0..rows.len() {
                let mut line = format!(
                    "{} partition {} {} {:?} {} {}",
                    rows.arrivals[at],
                    rows.partitions[at],
                    rows.times[at],
                    rows.resolution(at),
                    rows.id_text(at),
                    rows.plate_text(at)
                );
                for dimension in Dimension::STORED {
                    write!(line, " {}", names[&dimension][rows.names(dimension)[at] as usize]).unwrap();
                }
                self.put(&format!("row/{shard}/{:012}", zone.first_row + at as u64), line);
            }
        }
    }

    fn plates(&mut self, database: &Database, watermarks: &BTreeMap<u32, i64>) {
        for (key, value) in entries(database, Family::Plates) {
            let partition = u32::from_be_bytes(*key.first_chunk().unwrap());
            let (mut sightings, mut odd): (Sightings, Vec<(u64, u32, String)>) =
                codec::decode(PLATE, &value[EXPIRY_BYTES..]).unwrap();
            let live_from = watermarks[&partition] - TTL;
            sightings.retain(|sighting| sighting.0 >= live_from);
            odd.retain(|(number, tag, _)| sightings.iter().any(|it| (it.2, it.3) == (*number, *tag)));
            if !sightings.is_empty() {
                self.put(&format!("plates/{}", hex(&key)), format!("{sightings:?} {odd:?}"));
            }
        }
    }

    fn meta(&mut self, database: &Database) {
        let mut changes = Vec::new();
        for (key, value) in entries(database, Family::Meta) {
            let name = text_of(&key);
            if name.starts_with("case-change/") || name.starts_with("case-work-change/") {
                changes.push((u64::from_be_bytes(*value.last_chunk().unwrap()), name));
                continue;
            }
            let value = if name == "lifetimes" {
                // When retention ran, and how it was spread over runs, is not state.
                let (kept, dropped_rows, last) = lifetimes(&value);
                let kept = kept.map(|(seconds, announced)| {
                    (seconds, announced.map(|(seconds, older, count, from, to, _)| (seconds, older, count, from, to)))
                });
                format!("{kept:?} dropped {dropped_rows:?} retention {:?}", last.map(|last| last.5))
            } else if name.starts_with("position/") {
                without_limit(value.get(HEADER..).unwrap())
            } else if name.starts_with("mirror/") && name.ends_with("cases") {
                // Its place is the number of a change of a case.
                let (_, time, refused, lost, refilled): Cursor = codec::decode(MIRROR, &value).unwrap();
                format!("time {time:?} refused {refused} lost {lost} refilled {refilled}")
            } else if name.starts_with("work/") || name.starts_with("case-work/") {
                work_without_times(&value)
            } else {
                hex(&value)
            };
            self.put(&format!("meta/{name}"), value);
        }
        // Their order is state.
        changes.sort();
        for (rank, (_, name)) in changes.into_iter().enumerate() {
            self.put(&format!("meta/{name}"), format!("change {rank}"));
        }
    }
}

/// The watermark of each partition.
fn watermarks(database: &Database) -> BTreeMap<u32, i64> {
    let prefix = b"partition/";
    let all = entries(database, Family::Meta).into_iter().filter(|(key, _)| key.starts_with(prefix));
    let state = |value: &[u8]| codec::decode::<(WatermarkState, WatermarkState, u64)>(PARTITION, value).unwrap().0;
    all.map(|(key, value)| (u32::from_be_bytes(*key.last_chunk().unwrap()), state(&value).time.unwrap_or(i64::MIN / 2)))
        .collect()
}

/// How long things are kept, in either layout.
fn lifetimes(value: &[u8]) -> Lifetimes {
    match codec::version(LIFETIMES, value).unwrap() {
        1 => {
            let (kept, dropped, last): ([Lifetime; 3], [u64; 2], Option<Run>) =
                codec::decode(LIFETIMES, value).unwrap();
            (kept, dropped.to_vec(), last)
        }
        _ => codec::decode(LIFETIMES, value).unwrap(),
    }
}

/// A position without the newest GCSJ that is taken: a day after the start.
fn without_limit(value: &[u8]) -> String {
    let text = text_of(value);
    match text.split_once("\"not_after\":") {
        Some((before, after)) => {
            format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-'))
        }
        None => text,
    }
}

/// The work on an alert or a case without the times of the clock.
fn work_without_times(value: &[u8]) -> String {
    match codec::version(WORK, value).unwrap() {
        1 => {
            let (status, version, history): (u32, u64, Vec<Entry>) = codec::decode(WORK, value).unwrap();
            let history: Vec<_> = history.into_iter().map(|(_, by, from, to, note)| (by, from, to, note)).collect();
            format!("{status} {version} {history:?}")
        }
        _ => {
            let (status, version, history): (u32, u64, Vec<(Entry, Option<u32>)>) = codec::decode(WORK, value).unwrap();
            let timeless = |((_, by, from, to, note), reason)| (by, from, to, note, reason);
            let history: Vec<_> = history.into_iter().map(timeless).collect();
            format!("{status} {version} {history:?}")
        }
    }
}

fn entries(database: &Database, family: Family) -> Vec<storage::Entry> {
    database.scan(family, &[]).map(|item| item.unwrap()).collect()
}

/// Bytes as text, those that are none by their number.
fn text_of(key: &[u8]) -> String {
    let mut text = String::new();
    for byte in key {
        match byte {
            b' '..=b'~' => text.push(char::from(*byte)),
            byte => write!(text, "\\{byte:02x}").unwrap(),
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}
