//! Batches as texts, in the form in which the naive parser gives them too. The fuzzing of the program has both as well.

use traffic::{Dimension, LineParser, NameTable, PassageBatch, PlateClass, RejectReason};

/// A passage with all its texts, as both parsers give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) time: String,
    /// In seconds.
    pub(crate) resolution: i64,
    pub(crate) gcxh: String,
    pub(crate) district: String,
    pub(crate) kkmc: String,
    pub(crate) direction: String,
    pub(crate) plate_type: String,
    pub(crate) plate: String,
    pub(crate) class: PlateClass,
    pub(crate) model: String,
    pub(crate) route: Option<String>,
    /// Number and bytes of its line.
    pub(crate) line: (u64, Vec<u8>),
}

/// All that comes out of lines, as both parsers give it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    pub(crate) passages: Vec<Passage>,
    pub(crate) rejects: Vec<(u64, RejectReason, Vec<u8>)>,
    pub(crate) lines: u64,
    pub(crate) headers: u64,
    pub(crate) blank: u64,
}

/// Reads a batch back into texts; `table` takes its new names.
pub(crate) fn outcome(batch: &PassageBatch, table: &mut NameTable) -> Outcome {
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
pub(crate) fn parse_source(parser: &mut LineParser, source: &[u8], max_lines: u64, table: &mut NameTable) -> Outcome {
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
