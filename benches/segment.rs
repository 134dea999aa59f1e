//! The cost of the columnar segment: encoding and bytes per row, decoding a column, and searching a plate fragment.
//!
//! The rows are like a busy road's: 18-digit ids with nine random digits, 30,000 plates, ten checkpoints, 300 models.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use shard::{
    ColumnKind, ColumnLoader, Compression, PlatePattern, Predicate, Rows, Segment, SegmentReader, encode, scan,
};
use traffic::{CivilTime, Dimension, NameTable, PassageId, PlateCode};

const ROWS: usize = 65_536;

fn main() {
    let (rows, names) = road(ROWS);
    for compression in [Compression::Fast, Compression::Dense] {
        let Segment { zone, bytes } = segment(&rows, &names, compression);
        let reader = SegmentReader::open(&bytes).expect("a segment that was just encoded");
        println!("{compression:?}: {:.2} bytes a row", bytes.len() as f64 / ROWS as f64);
        for kind in ColumnKind::ALL {
            println!("  {kind:?}: {:.2}", reader.column_bytes(kind) as f64 / ROWS as f64);
        }
        let zone = zone.encode().expect("a zone map").len();
        println!("  zone map: {:.2}", zone as f64 / ROWS as f64);
    }
    let (one, names) = road(1);
    println!("one row: {} bytes", segment(&one, &names, Compression::Fast).bytes.len());
    divan::main();
}

fn segment(rows: &Rows, names: &NameTable, compression: Compression) -> Segment {
    encode(rows, names, 0, compression).expect("rows that fit a segment")
}

/// Numbers as splitmix64 gives them.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let hash = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (hash ^ (hash >> 31)) % limit
    }

    /// Small numbers more often, as some brands are seen more often than others.
    fn skewed(&mut self, limit: u64) -> u64 {
        let one = self.below(limit);
        one * self.below(limit) / limit
    }
}

fn road(count: usize) -> (Rows, NameTable) {
    let mut random = Random(1);
    let mut names = NameTable::default();
    for n in 0..10 {
        names.push(Dimension::Checkpoint, format!("徐州市邳州市S25{n}宿邳线K1江苏徐州-S250-苏鲁界省际卡口").into());
    }
    for district in ["铜山县", "睢宁县", "新沂市", "邳州市", "沛县", "丰县", "高速五大队"] {
        names.push(Dimension::District, district.into());
    }
    for (dimension, texts) in
        [(Dimension::Direction, &["1", "2"][..]), (Dimension::PlateType, &["02", "01", "52", "51", "13", "-"])]
    {
        texts.iter().for_each(|text| {
            names.push(dimension, (*text).into());
        });
    }
    for n in 0..300 {
        names.push(Dimension::Model, format!("大众牌-朗逸{n}-20{:02}", n % 25).into());
    }
    let plates: Vec<PlateCode> = (0..30_000)
        .map(|_| {
            let province = ['苏', '苏', '苏', '苏', '鲁', '皖', '豫', '沪'][random.below(8) as usize];
            let city = b"CCCCCABDEFQR"[random.below(12) as usize] as char;
            let digits = random.below(100_000);
            let letter = b"ABCDEFGHJKLMNPQRSTUVWXYZ"[random.below(24) as usize] as char;
            PlateCode::pack(&match random.below(10) {
                0 => format!("{province}{city}D{digits:05}"),
                1..=4 => format!("{province}{city}{letter}{:04}", digits % 10_000),
                5 => format!("{province}{city}{}{letter}{:03}", digits % 10, digits / 10 % 1000),
                _ => format!("{province}{city}{digits:05}"),
            })
        })
        .collect();
    let mut rows = Rows::default();
    let (mut arrival, mut time) = (0, CivilTime(1_704_067_200));
    for _ in 0..count {
        arrival += 1 + random.below(4) / 2;
        time.0 += i64::from(random.below(3) == 0);
        let checkpoint = random.skewed(10) as u32;
        rows.arrivals.push(arrival);
        rows.partitions.push(0);
        // Cameras report up to half a minute late.
        rows.times.push(CivilTime(time.0 - random.skewed(30) as i64));
        let prefix = if checkpoint.is_multiple_of(2) { "G" } else { "" };
        rows.ids.push(PassageId::pack(&format!("{prefix}320300109{:09}", random.below(1_000_000_000))));
        rows.plates.push(plates[random.below(30_000) as usize]);
        rows.columns[Dimension::Checkpoint].push(checkpoint);
        rows.columns[Dimension::District].push(checkpoint % 7);
        rows.columns[Dimension::Direction].push(random.below(2) as u32);
        rows.columns[Dimension::PlateType].push(random.skewed(6) as u32);
        rows.columns[Dimension::Model].push(random.skewed(300) as u32);
    }
    (rows, names)
}

#[divan::bench(args = [Compression::Fast, Compression::Dense])]
fn encode_rows(bencher: Bencher<'_, '_>, compression: Compression) {
    let (rows, names) = road(ROWS);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| segment(black_box(&rows), &names, compression));
}

#[divan::bench(args = [1, 30, 1000])]
fn encode_tail(bencher: Bencher<'_, '_>, count: usize) {
    let (rows, names) = road(count);
    bencher.counter(ItemsCount::new(count)).bench_local(|| segment(black_box(&rows), &names, Compression::Fast));
}

#[divan::bench(args = ColumnKind::ALL)]
fn decode_column(bencher: Bencher<'_, '_>, kind: ColumnKind) {
    let (rows, names) = road(ROWS);
    let bytes = segment(&rows, &names, Compression::Dense).bytes;
    bencher
        .counter(ItemsCount::new(ROWS))
        .bench_local(|| SegmentReader::open(black_box(&bytes)).and_then(|reader| reader.load(kind)));
}

/// Columns as a cache holds them.
struct Decoded(Vec<std::sync::Arc<shard::Column>>);

impl ColumnLoader for Decoded {
    fn load(&self, kind: ColumnKind) -> Result<std::sync::Arc<shard::Column>, shard::SegmentError> {
        ColumnKind::ALL
            .iter()
            .position(|it| *it == kind)
            .and_then(|at| self.0.get(at))
            .cloned()
            .ok_or(shard::SegmentError::Damaged("no such column"))
    }
}

#[divan::bench(args = ["C123", "苏C12345", "12?45", "C1*45", "苏*"])]
fn scan_plates(bencher: Bencher<'_, '_>, pattern: &str) {
    let (rows, names) = road(ROWS);
    let bytes = segment(&rows, &names, Compression::Dense).bytes;
    let reader = SegmentReader::open(&bytes).expect("a segment that was just encoded");
    let columns = Decoded(ColumnKind::ALL.iter().map(|kind| reader.load(*kind).expect("a column")).collect());
    let predicate = Predicate { plate: Some(PlatePattern::compile(pattern)), ..Predicate::default() };
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| scan(black_box(&predicate), ROWS, &columns));
}
