//! Lines of traffic in every dialect: nothing is lost, it does not matter how many are read at a time, and the naive parser
//! of the contract, which strings and regular tests are made of, says the same.

use traffic::{
    CivilTime, Delimiter, Interner, Layout, LineParser, NameTable, ParserSettings, PassageBatch, TimeZoneName,
};

use super::outcome::{outcome, size};

#[cfg(test)]
#[path = "../../traffic/tests/line_parser/naive.rs"]
mod naive;
#[cfg(test)]
#[path = "../../traffic/tests/line_parser/texts.rs"]
mod texts;

/// Columns and shard key, where they are not the default.
const COLUMNS: (&str, &str) = ("note,SFZRKMC,GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH", "SFZRKMC");
/// The latest GCSJ that is accepted.
const NOT_AFTER: (i64, u32, u32) = (2024, 12, 31);
const SEPARATORS: [(char, Delimiter); 4] =
    [('\t', Delimiter::Tab), (',', Delimiter::Comma), (';', Delimiter::Semicolon), ('|', Delimiter::Pipe)];

/// Input: a byte of options, then the source.
pub(super) fn run(data: &[u8]) -> u64 {
    let Some((&options, source)) = data.split_first() else { return 0 };
    let separator = SEPARATORS.get(usize::from(options >> 2 & 7));
    let (year, month, day) = NOT_AFTER;
    let mut settings = ParserSettings {
        layout: Layout::default(),
        delimiter: separator.map(|(_, delimiter)| *delimiter),
        not_after: CivilTime::from_civil(year, month, day, 12, 0, 0).unwrap_or_default(),
        zone: TimeZoneName::default(),
        max_names: Interner::DEFAULT_MAX_NAMES,
    };
    let has_columns = options & 1 == 1;
    if has_columns {
        let layout = Layout::parse(COLUMNS.0).and_then(|layout| layout.with_shard_key(COLUMNS.1));
        assert!(layout.is_ok());
        settings.layout = layout.unwrap_or_default();
    }
    let whole = read(&settings, source, u64::MAX);
    if options & 2 != 0 {
        let pieces = read(&settings, source, 1 + u64::from(options >> 5));
        assert_eq!(whole.lines, pieces.lines, "lines read {} at a time", 1 + (options >> 5));
        assert_eq!(texts_of(&whole), texts_of(&pieces), "lines read {} at a time", 1 + (options >> 5));
        assert!(pieces.is_rectangular());
    }
    let parts = whole.headers + whole.blank + (whole.rejects.len() + whole.len()) as u64;
    assert_eq!(whole.lines, parts, "a line is neither a passage nor anything else");
    assert!(whole.is_rectangular());
    #[cfg(test)]
    compare(settings, has_columns, separator.map(|(symbol, _)| *symbol), source);
    let reasons: std::collections::BTreeSet<_> = whole.rejects.iter().map(|reject| reject.reason as u8).collect();
    outcome((
        (has_columns, separator.is_some(), reasons),
        (size(whole.len()), size(whole.headers as usize), whole.blank.min(2)),
        (size(whole.odd_ids.len()), size(whole.odd_plates.len()), size(whole.new_names.len())),
        whole.resolutions.last().map(|resolution| *resolution as u8),
    ))
}

/// All lines of a source, at most `most` at a time, in one batch.
fn read(settings: &ParserSettings, source: &[u8], most: u64) -> PassageBatch {
    let mut parser = LineParser::new(settings.clone(), &NameTable::default());
    let (mut batch, mut rest) = (PassageBatch::default(), source);
    loop {
        let consumed = parser.parse_lines(rest, most, &mut batch);
        rest = rest.get(consumed..).unwrap_or_default();
        if consumed == 0 {
            if !rest.is_empty() {
                parser.parse_line(rest, &mut batch);
            }
            assert_eq!(parser.line_number(), batch.lines);
            return batch;
        }
    }
}

/// What tells two batches apart.
fn texts_of(batch: &PassageBatch) -> impl PartialEq + std::fmt::Debug {
    let row =
        |row: usize| (batch.times.get(row).copied(), batch.id_text(row), batch.plate_text(row), batch.raw.number(row));
    let rejects: Vec<_> = batch.rejects.iter().map(|reject| (reject.line, reject.reason, reject.raw.clone())).collect();
    ((0..batch.len()).map(row).collect::<Vec<_>>(), rejects, batch.new_names.clone())
}

#[cfg(test)]
fn compare(settings: ParserSettings, has_columns: bool, separator: Option<char>, source: &[u8]) {
    let mut naive = naive::NaiveParser::new(&settings.not_after.to_string());
    if let Some(separator) = separator {
        naive.candidates = vec![separator];
    }
    if has_columns {
        naive.columns = COLUMNS.0.split(',').map(str::to_owned).collect();
        naive.route = Some(COLUMNS.1.to_owned());
    }
    let mut parser = LineParser::new(settings, &NameTable::default());
    let found = texts::parse_source(&mut parser, source, 7, &mut NameTable::default());
    assert_eq!(found, naive.parse_source(source));
}

#[cfg(test)]
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let fields = [
        "G320300109027253771",
        "铜山县",
        "S250_Pizhou_Sulu",
        "1",
        "2024-01-01 00:00:24",
        "02",
        "苏C12345",
        "大众牌-朗逸",
    ];
    let names = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"];
    let line = |separator: &str, fields: &[&str]| fields.join(separator);
    let mut seeds = Vec::new();
    for (separator, end) in [("\t", "\n"), (",", "\r\n"), (";", "\n"), ("|", "\r")] {
        let mut other = fields;
        (other[0], other[4], other[5], other[6]) = ("过车-1", "2024/1/1 0:05", "2", "苏·ＣD12345");
        let text =
            [line(separator, &names), line(separator, &fields), line(separator, &other), String::new()].join(end);
        seeds.push([b"\xfc", text.as_bytes()].concat());
    }
    let mut swapped = names;
    swapped.swap(0, 7);
    let mut row = fields;
    row.swap(0, 7);
    seeds.push([b"\xbc", [line(",", &swapped), line(",", &row)].join("\n").as_bytes()].concat());
    let quoted = fields.map(|field| format!("\"{field}\""));
    seeds.push([b"\x5c", format!("{}\n{},\n", quoted.join(","), fields.join(",")).as_bytes()].concat());
    let wide = format!("x\tROAD1\t{}\n", fields.join("\t"));
    seeds.push([b"\x7d", wide.repeat(3).as_bytes()].concat());
    for time in [
        "2024-01-01T00:00:24.123+08:00",
        "20240101000024",
        "1704067224",
        "1704067224000",
        "2024-01-01",
        "2024年1月1日 0时0分24秒",
    ] {
        let mut fields = fields;
        fields[4] = time;
        fields[6] = "-";
        seeds.push([b"\x3c", line("\t", &fields).as_bytes(), b"\n"].concat());
    }
    seeds
}
