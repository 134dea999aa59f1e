//! Simulated passages for the benches, as text and parsed.

use platewatch::internals::{Simulator, SimulatorSettings};
use traffic::{
    Catalogue, CivilTime, Dimension, Interner, Layout, LineParser, NameTable, ParserSettings, PassageBatch,
    TimeZoneName,
};

/// Lines in the order of time, without defects.
pub(crate) fn capture(lines: usize) -> Vec<u8> {
    let mut simulator = Simulator::new(SimulatorSettings::default().clean()).expect("the defaults are right");
    let mut text = Vec::with_capacity(lines * 112);
    for _ in 0..lines {
        simulator.next_passage(&mut text);
    }
    text
}

pub(crate) fn parser_settings() -> ParserSettings {
    ParserSettings {
        layout: Layout::default(),
        delimiter: None,
        not_after: CivilTime(i64::MAX),
        zone: TimeZoneName::default(),
        max_names: Interner::DEFAULT_MAX_NAMES,
    }
}

/// The capture parsed, in batches of `rows` rows.
#[allow(dead_code, reason = "each bench uses its part of this module")]
pub(crate) fn batches(lines: usize, rows: u64) -> Vec<PassageBatch> {
    let text = capture(lines);
    let mut parser = LineParser::new(parser_settings(), &NameTable::default());
    let mut batches = Vec::new();
    let mut rest = text.as_slice();
    while !rest.is_empty() {
        let mut batch = PassageBatch::default();
        let consumed = parser.parse_lines(rest, rows, &mut batch);
        batches.push(batch);
        rest = rest.get(consumed..).unwrap_or_default();
    }
    batches
}

/// Where the checkpoints of the batches are.
#[allow(dead_code, reason = "each bench uses its part of this module")]
pub(crate) fn places(batches: &[PassageBatch]) -> Vec<Option<(f64, f64)>> {
    let catalogue = Catalogue::xuzhou();
    let names = batches.iter().flat_map(|batch| &batch.new_names);
    let checkpoints = names.filter(|(dimension, _)| *dimension == Dimension::Checkpoint);
    checkpoints.map(|(_, name)| catalogue.position(name)).collect()
}
