//! Parsing: nanoseconds and bytes per line, for lines as the contract shows them.
//!
//! `items` of the report are lines. Run with `cargo bench --bench parse --profile release`.

#![expect(clippy::indexing_slicing, reason = "a bench fails by panicking")]

use std::fmt::Write as _;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use traffic::{
    Catalogue, CivilTime, Interner, Layout, LineParser, NameTable, ParserSettings, PassageBatch, PassageId, PlateCode,
    TimeZoneName,
};

const LINES: usize = 100_000;
/// Rows of a batch.
const BATCH: u64 = 20_000;

fn main() {
    divan::main();
}

/// How a capture is written.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// TAB, codes for checkpoints: about 100 bytes a line.
    Tab,
    /// TAB, full checkpoint names.
    FullNames,
    /// Comma, nothing quoted.
    Comma,
    /// Comma, every field quoted.
    Quoted,
    /// TAB, `2023/12/9 0:00:09`.
    SlashDates,
    /// TAB, every twentieth line with a plate, time or column count that is not clean.
    Dirty,
}

#[divan::bench(args = [Shape::Tab, Shape::FullNames, Shape::Comma, Shape::Quoted, Shape::SlashDates, Shape::Dirty])]
fn lines(bencher: Bencher<'_, '_>, shape: Shape) {
    let capture = capture(shape);
    let mut parser = parser();
    let mut batch = PassageBatch::default();
    parse_all(&mut parser, &capture, &mut batch);
    bencher.counter(ItemsCount::new(LINES)).counter(BytesCount::new(capture.len())).bench_local(|| {
        parser.begin_source();
        parse_all(&mut parser, black_box(&capture), &mut batch)
    });
}

#[divan::bench]
fn time(bencher: Bencher<'_, '_>) {
    let zone = TimeZoneName::default();
    let fields: Vec<_> = (0..1_000).map(|second| CivilTime(1_704_067_200 + second * 7_919).to_string()).collect();
    bencher.counter(ItemsCount::new(fields.len())).bench_local(|| {
        fields
            .iter()
            .filter_map(|field| CivilTime::parse(black_box(field.as_bytes()), &zone))
            .map(|time| time.0)
            .sum::<i64>()
    });
}

#[divan::bench]
fn plate(bencher: Bencher<'_, '_>) {
    let mut random = Random(7);
    let fields: Vec<_> = (0..1_000).map(|_| random.plate()).collect();
    bencher.counter(ItemsCount::new(fields.len())).bench_local(|| {
        let packed = fields.iter().filter_map(|field| PlateCode::pack_raw(black_box(field.as_bytes())));
        packed.map(|(plate, class)| plate.as_u64() ^ class as u64).sum::<u64>()
    });
}

#[divan::bench]
fn passage_id(bencher: Bencher<'_, '_>) {
    let mut random = Random(7);
    let fields: Vec<_> = (0..1_000).map(|_| random.gcxh()).collect();
    bencher
        .counter(ItemsCount::new(fields.len()))
        .bench_local(|| fields.iter().map(|field| PassageId::pack(black_box(field)).number).fold(0, u64::wrapping_add));
}

fn parse_all(parser: &mut LineParser, mut chunk: &[u8], batch: &mut PassageBatch) -> u64 {
    let mut rows = 0;
    loop {
        *batch = PassageBatch::default();
        let consumed = parser.parse_lines(chunk, BATCH, batch);
        rows += batch.len() as u64;
        chunk = &chunk[consumed..];
        if consumed == 0 {
            return rows;
        }
    }
}

fn parser() -> LineParser {
    let settings = ParserSettings {
        layout: Layout::default(),
        delimiter: None,
        not_after: CivilTime(i64::MAX),
        zone: TimeZoneName::default(),
        max_names: Interner::DEFAULT_MAX_NAMES,
    };
    LineParser::new(settings, &NameTable::default())
}

fn capture(shape: Shape) -> Vec<u8> {
    let catalogue = Catalogue::xuzhou();
    let checkpoints: Vec<_> = catalogue.iter().collect();
    let mut random = Random(1);
    let mut text = String::new();
    for number in 0..LINES {
        let checkpoint = checkpoints[random.below(checkpoints.len())];
        let kkmc = if matches!(shape, Shape::FullNames) { &checkpoint.name } else { &checkpoint.code };
        let mut time = CivilTime(1_704_067_200 + number as i64 / 8).to_string();
        let mut hphm = random.plate();
        if matches!(shape, Shape::SlashDates) {
            time = time.replace('-', "/").replacen("/01", "/1", 1).replace(" 0", " ");
        }
        if matches!(shape, Shape::Dirty) && number % 20 == 0 {
            match random.below(4) {
                0 => hphm = "苏CDM***".into(),
                1 => hphm = "苏宁CZ***".into(),
                2 => time.truncate(12),
                _ => hphm.push('\t'),
            }
        }
        let hpzl = ["02", "02", "02", "01", "52", "-"][random.below(6)];
        let gcxh = random.gcxh();
        let fields =
            [&gcxh, &checkpoint.district, kkmc, ["1", "2"][random.below(2)], &time, hpzl, &hphm, &random.model()];
        let line = match shape {
            Shape::Comma => fields.join(","),
            Shape::Quoted => format!("\"{}\"", fields.join("\",\"")),
            _ => fields.join("\t"),
        };
        let _ = writeln!(text, "{line}");
    }
    text.into_bytes()
}

/// SplitMix64: small, seeded, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn gcxh(&mut self) -> String {
        let prefix = if self.below(2) == 0 { "G" } else { "" };
        format!("{prefix}320300{:012}", self.next() % 1_000_000_000_000)
    }

    fn plate(&mut self) -> String {
        let province = ["苏", "苏", "苏", "鲁", "皖", "豫", "沪"][self.below(7)];
        let number = self.below(100_000);
        if self.below(6) == 0 { format!("{province}CD{number:05}") } else { format!("{province}C{number:05}") }
    }

    fn model(&mut self) -> String {
        // A few models are frequent, as on the road.
        let brand = ["大众牌-朗逸", "别克牌-君威", "福田牌-欧曼", "比亚迪牌-秦", "丰田牌-卡罗拉", "本田牌-思域"];
        let rank = self.below(40).min(self.below(40));
        format!("{}{rank}-{}", brand[self.below(brand.len())], 2010 + self.below(10))
    }
}
