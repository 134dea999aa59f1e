//! The line parser from outside: what each kind of line becomes, case by case, and against a naive parser that was
//! written from the contract alone.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "a test fails by panicking")]

mod dirty;
mod equal;
mod lines;
mod naive;
mod sources;

use traffic::{
    CivilTime, Dimension, Interner, Layout, LineParser, NameTable, ParserSettings, PassageBatch, PlateClass,
    RejectReason, TimeZoneName,
};

/// A passage with all its texts, as both parsers give it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Passage {
    time: String,
    /// In seconds.
    resolution: i64,
    gcxh: String,
    district: String,
    kkmc: String,
    direction: String,
    plate_type: String,
    plate: String,
    class: PlateClass,
    model: String,
    route: Option<String>,
    /// Number and bytes of its line.
    line: (u64, Vec<u8>),
}

/// All that comes out of lines, as both parsers give it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Outcome {
    passages: Vec<Passage>,
    rejects: Vec<(u64, RejectReason, Vec<u8>)>,
    lines: u64,
    headers: u64,
    blank: u64,
}

fn settings() -> ParserSettings {
    ParserSettings {
        layout: Layout::default(),
        delimiter: None,
        not_after: CivilTime::from_civil(2024, 12, 31, 12, 0, 0).expect("a real time"),
        zone: TimeZoneName::default(),
        max_names: Interner::DEFAULT_MAX_NAMES,
    }
}

fn parser() -> LineParser {
    LineParser::new(settings(), &NameTable::default())
}

/// Reads a batch back into texts; `table` takes its new names.
fn outcome(batch: &PassageBatch, table: &mut NameTable) -> Outcome {
    for (dimension, name) in &batch.new_names {
        table.push(*dimension, name.clone());
    }
    let text = |dimension: Dimension, row: usize| table.text(dimension, batch.names(dimension)[row]).to_owned();
    let passage = |row: usize| Passage {
        time: batch.times[row].to_string(),
        resolution: batch.resolutions[row].seconds(),
        gcxh: batch.id_text(row),
        district: text(Dimension::District, row),
        kkmc: text(Dimension::Checkpoint, row),
        direction: text(Dimension::Direction, row),
        plate_type: text(Dimension::PlateType, row),
        plate: batch.plate_text(row),
        class: batch.classes[row],
        model: text(Dimension::Model, row),
        route: (!batch.columns[Dimension::Route].is_empty()).then(|| text(Dimension::Route, row)),
        line: (batch.raw.number(row), batch.line(row, table)),
    };
    let rejects = batch.rejects.iter().map(|reject| (reject.line, reject.reason, reject.raw.clone())).collect();
    Outcome {
        passages: (0..batch.len()).map(passage).collect(),
        rejects,
        lines: batch.lines,
        headers: batch.headers,
        blank: batch.blank,
    }
}

/// Parses a whole source, `max_lines` at a time; what is left without a line ending is its last line.
fn parse_source(parser: &mut LineParser, source: &[u8], max_lines: u64, table: &mut NameTable) -> Outcome {
    let mut total = Outcome::default();
    let mut rest = source;
    loop {
        let mut batch = PassageBatch::default();
        let consumed = parser.parse_lines(rest, max_lines, &mut batch);
        rest = &rest[consumed..];
        if consumed == 0 && !rest.is_empty() {
            parser.parse_line(rest, &mut batch);
        }
        let part = outcome(&batch, table);
        total.passages.extend(part.passages);
        total.rejects.extend(part.rejects);
        total.lines += part.lines;
        total.headers += part.headers;
        total.blank += part.blank;
        if consumed == 0 {
            return total;
        }
    }
}
