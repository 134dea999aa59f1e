//! Plain lists: traffic to commit, which of it must be accepted, and every question answered by looking at every row.

use std::collections::BTreeMap;

use traffic::{CivilTime, FuelType, PlateCode, VehicleType, Watermark, brand_of};

use crate::reader::{Order, QueryFilter, TimeRange};

/// SplitMix64: small, seeded, and the same everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(super) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// True once in `times` calls, on average.
    pub(super) fn rarely(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A passage as its line has it, already normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) partition: u32,
    pub(super) gcxh: String,
    pub(super) xzqhmc: String,
    pub(super) kkmc: String,
    pub(super) fxlx: String,
    pub(super) gcsj: CivilTime,
    pub(super) hpzl: String,
    pub(super) hphm: String,
    pub(super) clppxh: String,
}

impl Row {
    fn line(&self) -> String {
        let time = self.gcsj.to_string();
        [&self.gcxh, &self.xzqhmc, &self.kkmc, &self.fxlx, &time, &self.hpzl, &self.hphm, &self.clppxh]
            .map(String::as_str)
            .join("\t")
    }
}

/// A line to commit.
#[derive(Debug, Clone)]
pub(super) enum Line {
    Passage(Row),
    /// A header, a blank line or a rejected line.
    Other(&'static str),
}

impl Line {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Passage(row) => row.line(),
            Self::Other(text) => (*text).to_owned(),
        }
    }
}

pub(super) const CHECKPOINTS: [&str; 6] =
    ["S250_Pizhou_Sulu", "G3_Sulu", "G104_Tongshan_Sulu", "某路口", "S505_Xinyi_West", "无坐标 卡口"];
pub(super) const DISTRICTS: [&str; 3] = ["铜山县", "邳州市", ""];
pub(super) const PLATE_TYPES: [&str; 5] = ["02", "01", "52", "-", "13"];
pub(super) const MODELS: [&str; 6] = ["大众牌-朗逸-2015", "福田牌", "-", "大众牌-帕萨特", "宇通牌-客车", "解放牌-J6"];
pub(super) const PLATES: [&str; 16] = [
    "苏C12345",
    "苏C12346",
    "苏CD12345",
    "苏CF1234D",
    "鲁Q8A8B8",
    "苏CDM***",
    "-***",
    "无牌",
    "苏宁CZ***",
    "苏C1234警",
    "粤Z1A2B港",
    "-",
    "苏C123456789",
    "苏CA1234",
    "皖L99999",
    "苏CA1235",
];
const OTHERS: [&str; 5] = [
    "",
    "GCXH\tXZQHMC\tKKMC\tFXLX\tGCSJ\tHPZL\tHPHM\tCLPPXH",
    "G1\t铜山县\t某路口\t1\t2024-02-30 00:00:00\t02\t苏C12345\t-",
    "one\ttwo",
    "\t铜山县\t某路口\t1\t2024-01-01 00:00:00\t02\t苏C12345\t-",
];

/// `count` lines that go forward `step` seconds each: plates that come again, ids that come again, late passages, and
/// partitions that are hours apart.
pub(super) fn lines(seed: u64, count: usize, step: i64, partitions: usize) -> Vec<(u32, Line)> {
    let mut random = Random(seed);
    let start = CivilTime::from_civil(2024, 1, 1, 5, 40, 0).expect("a real time").0;
    let mut partition = 0;
    let mut ids: Vec<String> = Vec::new();
    let mut seen: BTreeMap<(String, i64), usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for number in 0..count {
        if random.rarely(20) {
            partition = random.below(partitions);
        }
        if random.rarely(30) {
            lines.push((partition as u32, Line::Other(random.one(&OTHERS))));
            continue;
        }
        let mut time = start + number as i64 * step + partition as i64 * 7_000 - random.below(120) as i64;
        if random.rarely(12) {
            time -= random.below(900) as i64;
        }
        if random.rarely(40) {
            time -= random.below(20_000) as i64;
        }
        let gcxh = match random.below(12) {
            0 if !ids.is_empty() => ids[ids.len() - 1 - random.below(ids.len().min(30))].clone(),
            1 if !ids.is_empty() => ids[random.below(ids.len())].clone(),
            2 => format!("过车-{number}"),
            _ => format!("G{}", 320_300_000 + random.below(1_000_000_000)),
        };
        ids.push(gcxh.clone());
        // One id at one second in two partitions would be two rows whose order is not defined.
        while *seen.entry((gcxh.clone(), time)).or_insert(partition) != partition {
            time -= 1;
        }
        lines.push((
            partition as u32,
            Line::Passage(Row {
                partition: partition as u32,
                gcxh,
                xzqhmc: random.one(&DISTRICTS).to_owned(),
                kkmc: random.one(&CHECKPOINTS).to_owned(),
                fxlx: random.one(&["1", "2"]).to_owned(),
                gcsj: CivilTime(time),
                hpzl: random.one(&PLATE_TYPES).to_owned(),
                hphm: random.one(&PLATES).to_owned(),
                clppxh: random.one(&MODELS).to_owned(),
            }),
        ));
    }
    lines
}

/// The rows that must be accepted: those whose GCXH is not that of a row accepted within the TTL of the partition's watermark.
pub(super) fn accepted(lines: &[(u32, Line)], ttl: i64) -> Vec<Row> {
    let mut accepted: Vec<Row> = Vec::new();
    let mut watermarks: BTreeMap<u32, Watermark> = BTreeMap::new();
    for (partition, line) in lines {
        let Line::Passage(row) = line else { continue };
        let watermark = watermarks.entry(*partition).or_default();
        let is_guarded = |other: &Row| watermark.time().is_none_or(|now| other.gcsj.0 >= now - ttl);
        let seen =
            accepted.iter().any(|other| other.partition == *partition && other.gcxh == row.gcxh && is_guarded(other));
        if !seen {
            accepted.push(row.clone());
            let checkpoint = CHECKPOINTS.iter().position(|name| *name == row.kkmc).expect("one of them");
            watermark.see(row.gcsj, checkpoint as u32);
        }
    }
    accepted
}

pub(super) fn in_range(range: TimeRange, time: CivilTime) -> bool {
    range.start.is_none_or(|start| time >= start) && range.end.is_none_or(|end| time <= end)
}

/// Whether a row passes a filter.
pub(super) fn passes(filter: &QueryFilter, row: &Row) -> bool {
    let equal = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
    in_range(filter.time, row.gcsj)
        && filter.kkmc.as_ref().is_none_or(|names| names.contains(&row.kkmc))
        && filter.hphm.as_ref().is_none_or(|pattern| finds(pattern, &row.hphm))
        && equal(&filter.xzqhmc, &row.xzqhmc)
        && equal(&filter.fxlx, &row.fxlx)
        && equal(&filter.hpzl, &row.hpzl)
        && filter.clppxh.as_ref().is_none_or(|part| row.clppxh.contains(part.as_str()))
        && filter.province.as_ref().is_none_or(|province| row.hphm.starts_with(province.as_str()))
        && filter.vehicle_type.is_none_or(|kind| VehicleType::of(&row.hpzl, &row.clppxh) == kind)
        && filter
            .fuel_type
            .is_none_or(|fuel| FuelType::of(&row.hpzl, PlateCode::pack(&row.hphm).class(&row.hphm)) == fuel)
}

/// Whether a pattern with `*` and `?` is found anywhere in a plate: tries every way.
pub(super) fn finds(pattern: &str, plate: &str) -> bool {
    fn from(pattern: &[char], plate: &[char]) -> bool {
        match pattern {
            [] => true,
            ['*', rest @ ..] => (0..=plate.len()).any(|skipped| from(rest, &plate[skipped..])),
            [wanted, rest @ ..] => {
                plate.first().is_some_and(|here| *wanted == '?' || wanted == here) && from(rest, &plate[1..])
            }
        }
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let plate: Vec<char> = plate.chars().collect();
    (0..=plate.len()).any(|start| from(&pattern, &plate[start..]))
}

/// Rows newest first, ties by GCXH.
pub(super) fn newest_first<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<&'a Row> {
    in_order(Order::Newest, rows)
}

pub(super) fn in_order<'a>(order: Order, rows: impl IntoIterator<Item = &'a Row>) -> Vec<&'a Row> {
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|row| (if order == Order::Newest { -row.gcsj.0 } else { row.gcsj.0 }, &row.gcxh));
    rows
}

/// Counts by key, busiest first, ties by name.
pub(super) fn busiest<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

/// The name of a row in one of the groups of the dashboard.
pub(super) fn group_of(group: crate::reader::Group, row: &Row) -> &str {
    match group {
        crate::reader::Group::Checkpoint => &row.kkmc,
        crate::reader::Group::District => &row.xzqhmc,
        crate::reader::Group::VehicleType => VehicleType::of(&row.hpzl, &row.clppxh).as_str(),
        crate::reader::Group::Brand => brand_of(&row.clppxh),
    }
}
