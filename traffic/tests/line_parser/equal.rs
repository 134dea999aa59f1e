//! The parser against the naive one, on dirty lines and on anything at all.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use traffic::{Layout, LineParser, NameTable};

use crate::naive::NaiveParser;
use crate::{dirty, parse_source, settings};

/// Both parsers read `source`; the real one `max_lines` at a time.
fn check(source: &[u8], columns: Option<(&str, &str)>, max_lines: u64) -> TestCaseResult {
    let mut settings = settings();
    let mut naive = NaiveParser::new(&settings.not_after.to_string());
    if let Some((columns, route)) = columns {
        settings.layout = Layout::parse(columns).expect("valid columns").with_shard_key(route).expect("a column");
        naive.columns = columns.split(',').map(str::to_owned).collect();
        naive.route = Some(route.to_owned());
    }
    let mut parser = LineParser::new(settings, &NameTable::default());
    let found = parse_source(&mut parser, source, max_lines, &mut NameTable::default());
    let expected = naive.parse_source(source);
    prop_assert_eq!(found.lines, found.headers + found.blank + (found.rejects.len() + found.passages.len()) as u64);
    prop_assert_eq!(parser.line_number(), found.lines);
    prop_assert_eq!(found, expected);
    Ok(())
}

/// Lines that a failure shows as text.
#[derive(Clone)]
struct Source(Vec<u8>);

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

fn source(separator: char) -> impl Strategy<Value = Source> {
    let ends = select(vec!["\n", "\r\n", "\r", "\r\r\n"]);
    (vec(dirty::line(separator), 1..60), any::<bool>(), ends).prop_map(|(lines, ended, end)| {
        let mut source = lines.join(end.as_bytes());
        if ended {
            source.extend(end.bytes());
        }
        Source(source)
    })
}

fn max_lines() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1), Just(7), Just(1_000)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tab_lines(source in source('\t'), max_lines in max_lines()) {
        check(&source.0, None, max_lines)?;
    }

    #[test]
    fn comma_lines(source in source(','), max_lines in max_lines()) {
        check(&source.0, None, max_lines)?;
    }

    #[test]
    fn lines_of_any_separator(source in prop_oneof![source(';'), source('|')], max_lines in max_lines()) {
        check(&source.0, None, max_lines)?;
    }

    #[test]
    fn lines_with_extra_columns(source in source('\t'), extra in "(ROAD[0-9]|HPHM|GCSJ| |a'b)", max_lines in max_lines()) {
        let mut wide = Vec::new();
        for line in source.0.split_inclusive(|byte| *byte == b'\n') {
            wide.extend(format!("x{extra}\t{extra}\t").bytes());
            wide.extend(line);
        }
        let columns = "note,SFZRKMC,GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH";
        check(&wide, Some((columns, "SFZRKMC")), max_lines)?;
    }

    #[test]
    fn anything(source in vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b'\t'), Just(b','), Just(b'"'), Just(0)], 0..400).prop_map(Source), max_lines in max_lines()) {
        check(&source.0, None, max_lines)?;
    }
}
