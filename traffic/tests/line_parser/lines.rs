//! One line at a time: what it becomes.

use traffic::{NameTable, PassageBatch};

use crate::{Outcome, outcome, parser};

/// What `line` becomes: `header`, `blank`, the reason of its reject, or the passage's texts. It must become the same as
/// the first line of all, after the separator is known, and when its names have been met.
fn check(line: &str, expected: &str) {
    check_bytes(line.as_bytes(), expected);
}

fn check_bytes(line: &[u8], expected: &str) {
    let mut parser = parser();
    let mut table = NameTable::default();
    for known in ["nothing", "the separator", "the names"] {
        let mut batch = PassageBatch::default();
        parser.set_line_number(0);
        parser.parse_line(line, &mut batch);
        let found = describe(&outcome(&batch, &mut table));
        assert_eq!(batch.lines, 1);
        assert_eq!(found, expected, "{:?}, {known} known", String::from_utf8_lossy(line));
    }
}

fn describe(outcome: &Outcome) -> String {
    match (&outcome.passages[..], &outcome.rejects[..], outcome.headers, outcome.blank) {
        ([passage], [], 0, 0) => [
            &passage.time,
            &passage.gcxh,
            &passage.district,
            &passage.kkmc,
            &passage.direction,
            &passage.plate_type,
            &passage.plate,
            passage.class.as_str(),
            &passage.model,
        ]
        .join("|"),
        ([], [(1, reason, _)], 0, 0) => reason.as_str().to_owned(),
        ([], [], 1, 0) => "header".to_owned(),
        ([], [], 0, 1) => "blank".to_owned(),
        _ => format!("{outcome:?}"),
    }
}

/// A clean line with one column changed.
fn with(column: usize, text: &str) -> String {
    let mut fields = [
        "G320300109027253771",
        "铜山县",
        "S250_Pizhou_Sulu",
        "1",
        "2024-01-01 00:00:24",
        "02",
        "苏C12345",
        "大众牌-朗逸-2015",
    ];
    fields[column] = text;
    fields.join("\t")
}

const CLEAN: &str =
    "2024-01-01 00:00:24|G320300109027253771|铜山县|S250_Pizhou_Sulu|1|02|苏C12345|ordinary|大众牌-朗逸-2015";

#[test]
fn clean_lines() {
    let line = with(0, "G320300109027253771");
    check(&line, CLEAN);
    check(&format!("{line}\r"), CLEAN);
    check(&format!("{line}\r\r"), CLEAN);
    check(&format!("\u{feff}{line}"), CLEAN);
    check(&format!("\u{feff}\u{feff}{line}"), CLEAN);
    for separator in [",", ";", "|"] {
        check(&line.replace('\t', separator), CLEAN);
        check(&format!("\"{}\"", line.replace('\t', &format!("\"{separator}\""))), CLEAN);
    }
    check(&format!("\0\0{line}\0"), CLEAN);
    check(&format!("\0\u{feff}{line}"), CLEAN);
    check(&line.replace('\t', " , "), CLEAN);
    check(&format!("\"{}\"", line.replace('\t', "\",\"")), CLEAN);
    check(&line.replace('\t', "\u{3000}\t\u{a0}\0"), CLEAN);
}

#[test]
fn lines_that_their_columns_give_back_are_not_kept() {
    let kept = |lines: &[&str]| {
        let mut batch = PassageBatch::default();
        let mut parser = parser();
        lines.iter().for_each(|line| parser.parse_line(line.as_bytes(), &mut batch));
        assert_eq!(batch.len(), 2);
        batch.raw.bytes()
    };
    let line = with(0, "G320300109027253772");
    let comma = line.replace('\t', ",");
    assert_eq!(kept(&[&line, &with(0, "320300108860652979")]), 0);
    assert_eq!(kept(&[&comma, &format!("{comma}\r")]), 0);
    let header = "CLPPXH,GCXH,XZQHMC,KKMC,FXLX,GCSJ,HPZL,HPHM";
    let (rest, model) = comma.rsplit_once(',').unwrap();
    let moved = format!("{model},{rest}");
    assert_eq!(kept(&[header, &moved, &moved]), 0);
    for (column, text) in
        [(0, "过车 1"), (2, " S253_Peixian_Sulu"), (4, "2024/01/01 00:00:24"), (5, "2"), (6, "苏c12345")]
    {
        let odd = with(column, text);
        assert_eq!(kept(&[&line, &odd]), odd.len(), "{odd}");
    }
}

#[test]
fn fields_are_normalised() {
    let check_part = |column: usize, text: &str, before: &str, after: &str| {
        check(&with(column, text), &CLEAN.replace(before, after));
    };
    check_part(0, "320300108860652979", "G320300109027253771", "320300108860652979");
    check_part(0, "any id 过车", "G320300109027253771", "any id 过车");
    check_part(1, "", "铜山县", "");
    check_part(2, "徐州 K1", "S250_Pizhou_Sulu", "徐州 K1");
    check_part(3, "", "|1|", "||");
    check_part(4, "2023/12/9 0:00:09", "2024-01-01 00:00:24", "2023-12-09 00:00:09");
    check_part(4, "2023/12/15", "2024-01-01 00:00:24", "2023-12-15 00:00:00");
    check_part(4, "2024-01-01T00:00:24.5Z", "2024-01-01 00:00:24", "2024-01-01 08:00:24");
    check_part(5, "2", "02", "02");
    check_part(5, " 7 ", "|02|", "|07|");
    check_part(5, "-", "|02|", "|-|");
    check_part(5, "", "|02|", "||");
    check_part(5, "９", "|02|", "|９|");
    check_part(6, "苏 c·１2345", "苏C12345", "苏C12345");
    check_part(6, "苏CD12345", "苏C12345|ordinary", "苏CD12345|new_energy");
    check_part(6, "苏CDM***", "苏C12345|ordinary", "苏CDM***|masked");
    check_part(6, "苏宁CZ***", "苏C12345|ordinary", "苏宁CZ***|masked");
    check_part(6, "", "苏C12345|ordinary", "-|irregular");
    check_part(7, "-", "大众牌-朗逸-2015", "-");
    check_part(0, "=\"320300108860652979\"", "G320300109027253771", "320300108860652979");
    check_part(1, "'@县", "铜山县", "@县");
    check_part(1, "\\N", "铜山县", "");
    check_part(7, "'-CX-5", "大众牌-朗逸-2015", "-CX-5");
    check_part(7, "'引号牌", "大众牌-朗逸-2015", "'引号牌");
    check_part(6, "苏С-1234５", "苏C12345", "苏C12345");
    check_part(6, "黄苏C12345", "苏C12345", "苏C12345");
    check_part(6, "\\N", "苏C12345|ordinary", "-|irregular");
    check_part(6, "苏C00000", "苏C12345|ordinary", "苏C00000|irregular");
    check_part(6, "WJ苏12345", "苏C12345|ordinary", "WJ苏12345|special");
    check_part(6, "苏C1234超", "苏C12345|ordinary", "苏C1234超|special");
    check_part(7, "", "大众牌-朗逸-2015", "");
}

#[test]
fn rejects_in_the_order_of_their_reasons() {
    check("a\tb", "wrong_column_count");
    check(&format!("{}\t", with(0, "G1")), "wrong_column_count");
    check(&with(7, &"x".repeat(1025)).replace("G3203", ""), "field_too_long");
    check(&with(6, &"\u{fdfa}".repeat(100)), "field_too_long");
    check("\t\t\t\t\t\t\tx", "empty_gcxh");
    check("G1\t\t \t\t\t\t\t", "empty_kkmc");
    for kkmc in ["a'b", "a\"b", "`", "a\u{1}b", "a\u{7f}"] {
        check(&with(2, kkmc), "kkmc_unroutable");
    }
    check(&with(2, "a'b").replace("2024", "x"), "kkmc_unroutable");
    for time in ["", "-", "2024-02-30 00:00:00", "2024-01-01 24:00:00", "0000-01-01 00:00:00", "24-01-01"] {
        check(&with(4, time), "invalid_gcsj");
    }
    check(&with(4, "1999-12-31 23:59:59"), "gcsj_too_old");
    check(&with(4, "2000-01-01 00:00:00+08:01"), "gcsj_too_old");
    check(&with(4, "2024-12-31 12:00:01"), "gcsj_in_future");
    check(&with(4, "2024-12-31 12:00:00"), &CLEAN.replace("2024-01-01 00:00:24", "2024-12-31 12:00:00"));
    check_bytes(b"G1\xff\tx", "invalid_encoding");
    check_bytes(&[b'x'; 65_537], "line_too_long");
    check_bytes(&[0xff; 65_537], "line_too_long");
    check_bytes(&[0xff; 65_536], "invalid_encoding");
    let long = |bytes: usize| format!("{}{}", with(7, "x"), "\tx".repeat((bytes - with(7, "x").len()) / 2));
    let (longest, odd) = (long(65_536), long(65_536).len() % 2);
    check(&format!("{longest}{}", "x".repeat(odd)), "wrong_column_count");
    check(&format!("{longest}xx\r\r"), "line_too_long");
    let model = "x".repeat(1024);
    check(&with(7, &model), &CLEAN.replace("大众牌-朗逸-2015", &model));
}

#[test]
fn headers_and_blank_lines() {
    check(
        r#"'G'||GCXH,XZQHMC,KKMC,FXLX,"TO_CHAR(GCSJ,'YYYY-MM-DDHH24:M",HPZL,"SUBSTR(HPHM,0,4)||'***'",CLPPXH"#,
        "header",
    );
    check("gcxh\txzqhmc\tkkmc\tfxlx\t\t\t\t", "header");
    // As the first line it has no separator that is sure, and so no fields.
    check("gcxh\txzqhmc\tkkmc\tfxlx", "wrong_column_count");
    check("gcxh\txzqhmc\tkkmc\t\t\t\t\t", "invalid_gcsj");
    // Column names in the fields of what would else be a passage.
    let names = with(0, "GCXH1").replace("铜山县", "XZQHMC").replace("大众牌", "KKMC牌");
    check(
        &names,
        &CLEAN.replace("G320300109027253771", "GCXH1").replace("铜山县", "XZQHMC").replace("大众牌", "KKMC牌"),
    );
    check(&names.replace("苏C12345", "苏GCSJ"), "header");
    for blank in ["", "\r", " ", "\t\t\t", "\u{feff}", "\u{feff} \r", "\0\0\0", "\0\u{feff}\0 \t"] {
        check(blank, "blank");
    }
    for other in ["\u{3000}", "\x1c", " \u{feff}"] {
        check(other, "wrong_column_count");
    }
}

#[test]
fn a_new_energy_plate_that_lacks_a_character_is_irregular() {
    let part = |hpzl: &str, plate: &str| {
        let mut parser = parser();
        let mut batch = PassageBatch::default();
        for _ in ["the long way", "the short way"] {
            parser.parse_line(with(5, hpzl).replace("苏C12345", plate).as_bytes(), &mut batch);
        }
        assert_eq!((batch.len(), batch.classes[0]), (2, batch.classes[1]), "{hpzl} {plate}");
        batch.classes[0].as_str()
    };
    for (hpzl, plate, class) in [
        ("52", "苏CD1234", "irregular"),
        ("51", "苏C12345", "irregular"),
        ("52", "苏C1234超", "irregular"),
        ("52", "苏CD12345", "new_energy"),
        ("52", "苏CDM***", "masked"),
        ("02", "苏CD1234", "ordinary"),
        ("-", "苏CD1234", "ordinary"),
    ] {
        assert_eq!(part(hpzl, plate), class, "{hpzl} {plate}");
    }
}

/// The short way must see a header whose every field would pass, also when each of its names was met before.
#[test]
fn headers_among_names_that_were_met() {
    let fields = |district: &str, kkmc: &str, direction: &str, plate_type: &str, model: &str| {
        format!("G1\t{district}\t{kkmc}\t{direction}\t2024-01-01 00:00:24\t{plate_type}\t苏C12345\t{model}")
    };
    let mut parser = parser();
    let mut batch = PassageBatch::default();
    let mut expect = |line: String, passages: usize, headers: u64| {
        parser.parse_line(line.as_bytes(), &mut batch);
        assert_eq!((batch.len(), batch.headers, batch.rejects.len()), (passages, headers, 0), "{line}");
    };
    expect(fields("xzqhmc", "KKMC", "fxlx", "02", "-"), 1, 0);
    expect(fields("铜山县", "KKMC", "fxlx", "HPZL", "-"), 2, 0);
    expect(fields("铜山县", "K1", "fxlx", "HPZL", "clppxh"), 3, 0);
    expect(fields("xzqhmc", "KKMC", "fxlx", "HPZL", "-"), 3, 1);
    expect(fields("铜山县", "KKMC", "fxlx", "HPZL", "clppxh"), 3, 2);
    expect(fields("xzqhmc", "KKMC", "fxlx", "02", "-"), 4, 2);
}

/// Where the order is known, a line of column names is a line as any other, and what follows keeps its order.
#[test]
fn a_source_without_headers_has_none() {
    let passage = "G1\txzqhmc\tKKMC\tfxlx\t2024-01-01 00:00:24\tHPZL\t苏C12345\tclppxh";
    let names = "CLPPXH\tGCXH\tXZQHMC\tKKMC\tFXLX\tGCSJ\tHPZL\tHPHM";
    let mut parser = parser();
    let mut batch = PassageBatch::default();
    parser.begin_source();
    parser.without_headers();
    for line in [passage, names, passage] {
        parser.parse_line(line.as_bytes(), &mut batch);
    }
    assert_eq!((batch.len(), batch.headers, batch.rejects.len()), (2, 0, 1));
    // Another source may have them again.
    parser.begin_source();
    parser.parse_line(names.as_bytes(), &mut batch);
    assert_eq!(batch.headers, 1);
}
