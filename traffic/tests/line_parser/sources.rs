//! Lines in a row: separators, line numbers, limits, and going on in the middle.

use traffic::{CivilTime, Delimiter, Dimension, Layout, LineForm, LineParser, NameTable, PassageBatch, RejectReason};

use crate::{outcome, parse_source, parser, settings};

const TAB_LINE: &str = "G1\t铜山县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\t-\n";

#[test]
fn the_first_line_with_the_right_number_of_fields_decides_the_separator() {
    let by = |separator: &str| TAB_LINE.replace('\t', separator);
    for (source, passages, delimiter) in [
        (format!("\n \n{TAB_LINE}{}", by(",")), 1, Delimiter::Tab),
        (format!("\n{}{TAB_LINE}{}", by(","), by(",")), 2, Delimiter::Comma),
        // A title above the table, and lines that no separator fits.
        (format!("徐州市卡口过车记录\nx\ty\n{}", by(";")), 1, Delimiter::Semicolon),
        (format!("a,b;c|d\n{}{}", by("|"), by("|")), 2, Delimiter::Pipe),
        // Both would do: the first of them it is.
        (",,,,,,\ta\tb\tc\td\te\tf\tg\n".to_owned() + TAB_LINE, 1, Delimiter::Tab),
        // Quotes are text between TABs, and hold a comma together between commas.
        (TAB_LINE.replace('县', "\"县"), 1, Delimiter::Tab),
        (by(",").replace("铜山县", "\"铜山,县\""), 1, Delimiter::Comma),
        (by(",").replace("铜山县", "\"铜山\"\",县\""), 1, Delimiter::Comma),
    ] {
        let mut parser = parser();
        let found = parse_source(&mut parser, source.as_bytes(), 1_000, &mut NameTable::default());
        assert_eq!((found.passages.len(), parser.form().delimiter), (passages, Some(delimiter)), "{source}");
    }
    let mut parser = parser();
    parse_source(&mut parser, b"\xff\t\na,b\n", 1_000, &mut NameTable::default());
    assert_eq!(parser.form().delimiter, None);
}

#[test]
fn another_source_begins_anew() {
    let mut parser = parser();
    let mut table = NameTable::default();
    parse_source(&mut parser, TAB_LINE.as_bytes(), 1, &mut table);
    parser.begin_source();
    assert_eq!((parser.line_number(), parser.form()), (0, LineForm::default()));
    let found = parse_source(&mut parser, TAB_LINE.replace('\t', ",").as_bytes(), 1, &mut table);
    assert_eq!(found.passages.len(), 1);
    assert_eq!(table.all(Dimension::Checkpoint).len(), 1);
}

#[test]
fn configured_separator_stays() {
    let settings = traffic::ParserSettings { delimiter: Some(Delimiter::Comma), ..settings() };
    let mut parser = LineParser::new(settings, &NameTable::default());
    let found = parse_source(&mut parser, TAB_LINE.as_bytes(), 1, &mut NameTable::default());
    assert_eq!(found.rejects[0].1, RejectReason::WrongColumnCount);
    parser.begin_source();
    let comma_line = TAB_LINE.replace('\t', ",");
    assert_eq!(parse_source(&mut parser, comma_line.as_bytes(), 1, &mut NameTable::default()).passages.len(), 1);
}

const SWAPPED: &str = "GCXH,KKMC,XZQHMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH\n";
const SWAPPED_LINE: &str = "G1,K1,铜山县,1,2024-01-01 00:00:24,02,苏C12345,-\n";

#[test]
fn a_header_that_names_all_columns_sets_their_order_for_the_rest_of_the_source() {
    let usual = TAB_LINE.replace('\t', ",");
    let source = format!("{usual}{SWAPPED}{SWAPPED_LINE}GCXH,HPHM,KKMC,FXLX,,,,\n{SWAPPED_LINE}");
    let mut parser = parser();
    let mut table = NameTable::default();
    let found = parse_source(&mut parser, source.as_bytes(), 1_000, &mut table);
    assert_eq!((found.headers, found.passages.len()), (2, 3));
    assert!(
        found.passages.iter().all(|passage| (passage.kkmc.as_str(), passage.district.as_str()) == ("K1", "铜山县"))
    );

    // Goes on in the middle with what was learnt, and begins anew with the next source.
    let form = parser.form();
    let mut second = LineParser::new(settings(), &table);
    second.set_form(form);
    second.set_line_number(2);
    let rest = parse_source(&mut second, SWAPPED_LINE.as_bytes(), 1, &mut table);
    assert_eq!(rest.passages, found.passages[1..2]);
    second.begin_source();
    assert_eq!(parse_source(&mut second, usual.as_bytes(), 1, &mut table).passages, found.passages[..1]);
}

#[test]
fn a_header_with_more_columns_tells_how_wide_the_lines_are() {
    let wide = "NOTE;KKMC_LABEL;gcxh;xzqhmc;kkmc;fxlx;gcsj;hpzl;hphm;clppxh\n";
    let line = format!("x;标;{}", TAB_LINE.replace('\t', ";"));
    let found =
        parse_source(&mut parser(), format!("title\n{wide}{line}{line}").as_bytes(), 1_000, &mut NameTable::default());
    assert_eq!((found.rejects.len(), found.headers, found.passages.len()), (1, 1, 2));
    assert_eq!(found.passages[0].kkmc, "K1");
    // Once a line had the configured width, another one's is a mistake of its own.
    let late = format!("{}{wide}{}", TAB_LINE.replace('\t', ";"), TAB_LINE.replace('\t', ";"));
    let found = parse_source(&mut parser(), late.as_bytes(), 1_000, &mut NameTable::default());
    assert_eq!((found.headers, found.passages.len()), (1, 2));
}

#[test]
fn a_header_that_contradicts_the_stated_columns_ends_its_source() {
    let settings = traffic::ParserSettings { layout: Layout::default().stated(), ..settings() };
    let mut parser = LineParser::new(settings, &NameTable::default());
    let usual = TAB_LINE.replace('\t', ",");
    let real = r#"'G'||GCXH,XZQHMC,KKMC,FXLX,"TO_CHAR(GCSJ,'YYYY-MM-DDHH24:M",HPZL,"SUBSTR(HPHM,0,4)||'***'",CLPPXH"#;
    let source = format!("{real}\n{usual}{SWAPPED}{usual}{SWAPPED_LINE}");
    let mut table = NameTable::default();
    let found = parse_source(&mut parser, source.as_bytes(), 1_000, &mut table);
    assert_eq!((found.headers, found.passages.len(), found.rejects.len()), (2, 1, 2));
    let said = parser.conflict().expect("a conflict").to_string();
    assert!(
        said.contains("line 3") && said.contains("GCXH,KKMC,XZQHMC") && said.contains("GCXH,XZQHMC,KKMC"),
        "{said}"
    );
    parser.begin_source();
    assert_eq!(parser.conflict(), None);
    assert_eq!(parse_source(&mut parser, usual.as_bytes(), 1, &mut table).passages.len(), 1);
}

#[test]
fn lines_end_in_any_way() {
    let line = TAB_LINE.trim_end();
    for end in ["\n", "\r\n", "\r", "\r\r\n"] {
        let source = [line, end, line, end, end, line].concat();
        for max_lines in [1, 2, 1_000] {
            let found = parse_source(&mut parser(), source.as_bytes(), max_lines, &mut NameTable::default());
            assert_eq!((found.lines, found.blank, found.passages.len()), (4, 1, 3), "{end:?} {max_lines}");
        }
    }
    let mixed = format!("{line}\r{line}\n{line}\r\n{line}");
    let found = parse_source(&mut parser(), mixed.as_bytes(), 1_000, &mut NameTable::default());
    assert_eq!(found.passages.len(), 4);
    // A CR at the end may have its LF behind it: it is waited for.
    let mut batch = PassageBatch::default();
    let both = format!("{line}\r{line}\r");
    assert_eq!(parser().parse_lines(both.as_bytes(), 10, &mut batch), line.len() + 1);
}

#[test]
fn advice_on_columns_comes_once() {
    let mut parser = parser();
    let line = TAB_LINE.replace('\t', ";").replace('\n', ";入口\n");
    parse_source(&mut parser, line.repeat(999).as_bytes(), 1_000, &mut NameTable::default());
    assert_eq!(parser.take_column_advice(false), None);
    parse_source(&mut parser, line.as_bytes(), 1_000, &mut NameTable::default());
    let advice = parser.take_column_advice(false).expect("advice");
    assert_eq!((advice.lines, advice.wrong, advice.expected, advice.fields), (1_000, 1_000, 8, 9));
    assert_eq!(advice.delimiter, Some(Delimiter::Semicolon));
    assert_eq!(parser.take_column_advice(true), None);
}

#[test]
fn only_complete_lines_are_taken_and_no_more_than_asked() {
    let source = format!("{TAB_LINE}{TAB_LINE}{TAB_LINE}G2\t");
    let mut parser = parser();
    let mut batch = PassageBatch::default();
    assert_eq!(parser.parse_lines(source.as_bytes(), 2, &mut batch), 2 * TAB_LINE.len());
    assert_eq!((batch.len(), batch.lines), (2, 2));
    assert_eq!(parser.parse_lines(source.as_bytes(), 0, &mut batch), 0);
    assert_eq!(parser.parse_lines(source.as_bytes(), u64::MAX, &mut batch), 3 * TAB_LINE.len());
    assert_eq!(parser.parse_lines(b"G2\t", u64::MAX, &mut batch), 0);
    assert_eq!((batch.len(), batch.lines, parser.line_number()), (5, 5, 5));
    // More lines than are validated at once, one of them not UTF-8.
    let many = [TAB_LINE.repeat(300).into_bytes(), b"\xff\n".to_vec(), TAB_LINE.repeat(300).into_bytes()].concat();
    let mut batch = PassageBatch::default();
    assert_eq!(parser.parse_lines(&many, u64::MAX, &mut batch), many.len());
    assert_eq!((batch.len(), batch.rejects[0].line, batch.lines), (600, 5 + 301, 601));
}

#[test]
fn goes_on_in_the_middle() {
    let source = format!("x,y\n{}bad\n", TAB_LINE.replace('\t', ","));
    let mut table = NameTable::default();
    let whole = parse_source(&mut parser(), source.as_bytes(), 1_000, &mut table);

    let mut first = parser();
    let mut batch = PassageBatch::default();
    let consumed = first.parse_lines(source.as_bytes(), 1, &mut batch);
    let mut second = LineParser::new(settings(), &table);
    second.set_line_number(first.line_number());
    second.set_form(first.form());
    let rest = parse_source(&mut second, &source.as_bytes()[consumed..], 1_000, &mut table);
    assert_eq!(rest.passages, whole.passages);
    assert_eq!(rest.rejects, whole.rejects[1..]);
    assert_eq!(table.all(Dimension::Checkpoint).len(), 1, "the name was known");
}

#[test]
fn rejects_of_the_source_are_counted_and_cut() {
    let mut parser = parser();
    let mut batch = PassageBatch::default();
    parser.reject_line(&[b'x'; 70_000], RejectReason::LineTooLong, &mut batch);
    parser.reject_line(b"\x81\x30\r", RejectReason::InvalidEncoding, &mut batch);
    parser.reject_long_line(&[b'y'; 65_536], 1 << 40, &mut batch);
    // 4096 is no multiple of 3: the last character is left out whole.
    parser.reject_line("车".repeat(2000).as_bytes(), RejectReason::WrongColumnCount, &mut batch);
    let lines: Vec<_> =
        batch.rejects.iter().map(|reject| (reject.line, reject.reason, reject.raw.len(), reject.bytes)).collect();
    let expected = [
        (1, RejectReason::LineTooLong, 4096, 70_000),
        (2, RejectReason::InvalidEncoding, 2, 2),
        (3, RejectReason::LineTooLong, 4096, 1 << 40),
        (4, RejectReason::WrongColumnCount, 4095, 6000),
    ];
    assert_eq!(lines, expected);
    assert_eq!((batch.lines, parser.line_number()), (4, 4));
}

#[test]
fn clock_goes_on() {
    let mut parser = parser();
    let mut batch = PassageBatch::default();
    let line = TAB_LINE.replace("2024", "2025");
    parser.parse_lines(line.as_bytes(), 1, &mut batch);
    assert_eq!(batch.rejects[0].reason, RejectReason::GcsjInFuture);
    parser.set_not_after(CivilTime(i64::MAX));
    parser.parse_lines(line.as_bytes(), 1, &mut batch);
    assert_eq!(batch.len(), 1);
}

#[test]
fn too_many_names_reject_the_record_and_keep_numbers_dense() {
    let settings = traffic::ParserSettings { max_names: 2, ..settings() };
    let mut parser = LineParser::new(settings, &NameTable::default());
    let line = |kkmc: &str, model: &str| format!("G1\t铜山县\t{kkmc}\t1\t2024-01-01 00:00:24\t02\t苏C12345\t{model}\n");
    let source =
        [line("K1", "a"), line("K2", "b"), line("K3", "a"), line("K1", "c"), line("K2", "a"), line("K1", "b")].concat();
    let mut table = NameTable::default();
    let found = parse_source(&mut parser, source.as_bytes(), 1_000, &mut table);
    let places: Vec<_> = found.passages.iter().map(|passage| (passage.kkmc.as_str(), passage.model.as_str())).collect();
    assert_eq!(places, [("K1", "a"), ("K2", "b"), ("K2", "a"), ("K1", "b")]);
    let rejects: Vec<_> = found.rejects.iter().map(|(line, reason, _)| (*line, *reason)).collect();
    assert_eq!(rejects, [(3, RejectReason::TooManyNames), (4, RejectReason::TooManyNames)]);
}

#[test]
fn names_of_a_rejected_line_are_handed_out() {
    let settings = traffic::ParserSettings { max_names: 1, ..settings() };
    let mut parser = LineParser::new(settings, &NameTable::default());
    let mut batch = PassageBatch::default();
    parser.parse_line("G1\t县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\ta".as_bytes(), &mut batch);
    parser.parse_line("G2\t县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\tb".as_bytes(), &mut batch);
    parser.parse_line("G3\t县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\ta".as_bytes(), &mut batch);
    assert_eq!((batch.len(), batch.rejects.len(), batch.new_names.len()), (2, 1, 5));
    assert_eq!(outcome(&batch, &mut NameTable::default()).passages[1].gcxh, "G3");
}

#[test]
fn extra_columns_count_in_a_header() {
    let layout = Layout::parse("A,B,C,D,GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH").expect("valid columns");
    let mut parser = LineParser::new(traffic::ParserSettings { layout, ..settings() }, &NameTable::default());
    let source = format!("\t\t\t\t{TAB_LINE}gcxh\tKKMC\tfxlx\t\t{TAB_LINE}gcxh\tKKMC\tfxlx\thphm\t{TAB_LINE}");
    let found = parse_source(&mut parser, source.as_bytes(), 1_000, &mut NameTable::default());
    assert_eq!((found.passages.len(), found.headers), (2, 1));
}

#[test]
fn extra_column_routes() {
    let layout = Layout::parse("GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM,CLPPXH,SFZRKMC,NOTE").expect("valid columns");
    let settings =
        traffic::ParserSettings { layout: layout.with_shard_key("SFZRKMC").expect("a column"), ..settings() };
    let mut parser = LineParser::new(settings, &NameTable::default());
    let line = TAB_LINE.trim_end();
    let source = format!("{line}\t 入口 \tx\n{line}\ta'b\tx\n{line}\t\t\n{line}\n");
    let found = parse_source(&mut parser, source.as_bytes(), 1_000, &mut NameTable::default());
    let routes: Vec<_> = found.passages.iter().map(|passage| passage.route.as_deref()).collect();
    assert_eq!(routes, [Some("入口"), Some("")]);
    let reasons: Vec<_> = found.rejects.iter().map(|(line, reason, _)| (*line, *reason)).collect();
    assert_eq!(reasons, [(2, RejectReason::KkmcUnroutable), (4, RejectReason::WrongColumnCount)]);
}
