//! A message's value, or a delivery, to passages. It knows no broker and no offset.
//!
//! | value | outcome |
//! |---|---|
//! | one line, with or without its line ending | that line |
//! | several lines | each of them, numbered from 1; they are committed together. A header sets the order of the columns for the lines after it in the same message |
//! | empty | one blank line |
//! | none (a tombstone) | one blank line, counted as a null value too |
//! | a line that is not a passage | a reject with its reason; the lines around it are kept |
//! | a line over 64 KiB, however large the message | a reject of which the first 64 KiB are kept |

use traffic::{Delimiter, LineParser, PassageBatch, RejectReason, line_end};

/// How values are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// The separator; none: each message is detected by itself.
    pub(super) delimiter: Option<Delimiter>,
    /// Whether values are GB18030 instead of UTF-8.
    pub(super) gb18030: bool,
}

impl Reading {
    /// Adds the lines of `value` to `out`.
    pub(super) fn take(self, value: &[u8], parser: &mut LineParser, out: &mut PassageBatch) {
        parser.begin_message();
        parser.set_delimiter(self.delimiter);
        if self.gb18030 {
            let body = value.strip_suffix(b"\n").unwrap_or(value);
            let mut rest = body;
            while let Some((length, ending)) = line_end(rest) {
                take_gb18030(rest.get(..length).unwrap_or_default(), parser, out);
                rest = rest.get(length + ending..).unwrap_or_default();
            }
            take_gb18030(rest, parser, out);
        } else {
            let used = parser.parse_lines(value, u64::MAX, out);
            match value.get(used..) {
                Some(rest) if !rest.is_empty() || used == 0 => parser.parse_line(rest, out),
                _ => {}
            }
        }
    }
}

fn take_gb18030(line: &[u8], parser: &mut LineParser, out: &mut PassageBatch) {
    if line.len() > LineParser::MAX_LINE_BYTES + 2 {
        return parser.parse_line(line, out);
    }
    match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(line) {
        Some(text) => parser.parse_line(text.as_bytes(), out),
        None => parser.reject_line(line, RejectReason::InvalidEncoding, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::{CivilTime, Column, Layout, NameTable, ParserSettings, Reject, TimeZoneName};

    const TAB_LINE: &str = "G1\t铜山县\tK1\t1\t2024-01-01 00:00:24\t02\t苏C12345\t大众牌-朗逸-2015";
    const COMMA_LINE: &str = "G2,铜山县,K1,1,2024-01-01 00:00:25,02,苏C12345,福田牌";

    fn read(values: &[&[u8]], gb18030: bool) -> PassageBatch {
        let settings = ParserSettings {
            layout: Layout::parse(&Column::ALL.map(Column::as_str).join(",")).unwrap(),
            delimiter: None,
            not_after: CivilTime(4_000_000_000),
            zone: TimeZoneName::default(),
            max_names: 1000,
        };
        let mut parser = LineParser::new(settings, &NameTable::default());
        let mut out = PassageBatch::default();
        for value in values {
            Reading { delimiter: None, gb18030 }.take(value, &mut parser, &mut out);
        }
        out
    }

    #[test]
    fn each_message_decides_its_separator() {
        let third = format!("{TAB_LINE}\r\n").replace("G1", "G3");
        let values = [TAB_LINE, COMMA_LINE, &third, COMMA_LINE].map(str::as_bytes);
        let out = read(&values, false);
        assert_eq!((out.len(), out.lines, out.rejects.len()), (4, 4, 0), "{:?}", out.rejects);
    }

    #[test]
    fn a_message_may_hold_several_lines() {
        let value = format!("\n{TAB_LINE}\nnot a line\n{TAB_LINE}");
        let out = read(&[value.as_bytes(), b"\n", b""], false);
        assert_eq!((out.len(), out.lines, out.blank, out.rejects.len()), (2, 6, 3, 1));
        assert_eq!((out.rejects[0].line, out.rejects[0].reason), (3, RejectReason::WrongColumnCount));
    }

    #[test]
    fn a_huge_message_costs_at_most_one_kept_line() {
        let huge = vec![b'x'; 10 << 20];
        for gb18030 in [false, true] {
            let out = read(&[&huge], gb18030);
            assert_eq!((out.lines, out.rejects.len()), (1, 1));
            assert_eq!(out.rejects[0].reason, RejectReason::LineTooLong);
            assert_eq!(out.rejects[0].raw.len(), Reject::MAX_RAW_BYTES);
        }
    }

    #[test]
    fn other_encodings_are_read_or_rejected() {
        let (encoded, ..) = encoding_rs::GB18030.encode(TAB_LINE);
        let out = read(&[&encoded, b"\xff\xff"], true);
        assert_eq!((out.len(), out.rejects.len()), (1, 1));
        assert_eq!(out.rejects[0].reason, RejectReason::InvalidEncoding);
        assert_eq!(read(&[&encoded], false).rejects[0].reason, RejectReason::InvalidEncoding);
    }
}
