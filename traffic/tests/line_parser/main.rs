//! The line parser from outside: what each kind of line becomes, case by case, and against a naive parser that was
//! written from the contract alone.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "a test fails by panicking")]

mod dirty;
mod equal;
mod lines;
mod naive;
mod sources;
mod texts;

use texts::{Outcome, outcome, parse_source};
use traffic::{CivilTime, Interner, Layout, LineParser, NameTable, ParserSettings, TimeZoneName};

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
