//! Passages as CSV: header, quoting (RFC 4180, lines end with CR LF), and protection against formulas in cells. It does not
//! know which columns there are, where rows come from or how many there are.

use crate::serve::records::{COLUMNS, Column, PassageJson};

/// The byte order mark of UTF-8, without which Excel assumes the legacy encoding of the system.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How a file is written.
#[derive(Clone)]
pub(in crate::serve) struct Form {
    pub(super) columns: Vec<Column>,
    /// Titles in Chinese instead of the columns' names.
    pub(super) titles: bool,
    /// Long numbers and leading zeros are kept as text.
    pub(super) excel: bool,
}

impl Form {
    /// A form with these columns in this order, as often as each is named; all without any.
    ///
    /// # Errors
    /// A name that is not a column's.
    pub(super) fn new(names: &[String]) -> Result<Self, String> {
        let mut columns: Vec<Column> = Vec::new();
        for name in names {
            let known = COLUMNS.iter().find(|(known, ..)| known == name).ok_or_else(|| name.clone())?;
            columns.push(*known);
        }
        if columns.is_empty() {
            columns = COLUMNS.to_vec();
        }
        Ok(Self { columns, titles: false, excel: false })
    }

    /// The names that [`Form::new`] knows.
    pub(in crate::serve) fn names() -> impl Iterator<Item = &'static str> {
        COLUMNS.iter().map(|(name, ..)| *name)
    }

    /// Writes the byte order mark and the header line.
    pub(super) fn write_header(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(BYTE_ORDER_MARK.as_bytes());
        let titles = self.columns.iter().map(|(name, title, _)| if self.titles { *title } else { *name });
        self.write_line(titles, out);
    }

    /// Writes a row.
    pub(super) fn write_row(&self, row: &PassageJson, out: &mut Vec<u8>) {
        self.write_line(self.columns.iter().map(|(_, _, value)| value(row)), out);
    }

    fn write_line<'a>(&self, cells: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
        for (position, cell) in cells.enumerate() {
            if position > 0 {
                out.push(b',');
            }
            self.write_cell(cell, out);
        }
        out.extend_from_slice(b"\r\n");
    }

    fn write_cell(&self, cell: &str, out: &mut Vec<u8>) {
        // A byte order mark at the start of a line could be taken for that of the file.
        let quoted = cell.contains([',', '"', '\r', '\n', ' ', '\t']) || cell.starts_with('\u{feff}');
        if quoted {
            out.push(b'"');
        }
        if begins_a_formula(cell) {
            out.push(b'\'');
        }
        match quoted {
            true => out.extend_from_slice(cell.replace('"', "\"\"").as_bytes()),
            false => out.extend_from_slice(cell.as_bytes()),
        }
        if self.excel && becomes_another_number(cell) {
            out.push(b'\t');
        }
        if quoted {
            out.push(b'"');
        }
    }
}

/// Whether a spreadsheet may evaluate a cell as a formula. A lone `-`, which means "nothing" in the records, is not a formula
/// and stays as it is. The parser removes the `'` before these four characters only, so that a replayed export gives the
/// same rows; a stored text never begins with a TAB or a line ending.
///
/// Source: OWASP, "CSV Injection": the characters with which a formula begins.
fn begins_a_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@']) && cell != "-"
}

/// Whether Excel would show another number: it keeps 15 digits (and writes more than 11 as a power of ten), and drops
/// leading zeros.
fn becomes_another_number(cell: &str) -> bool {
    let digits = !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    digits && (cell.len() > 11 || (cell.len() > 1 && cell.starts_with('0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(excel: bool, text: &str) -> String {
        let mut out = Vec::new();
        Form { excel, ..Form::new(&[]).unwrap() }.write_cell(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells() {
        for (text, plain, excel) in [
            ("", "", ""),
            ("苏C12345", "苏C12345", "苏C12345"),
            ("大众牌-朗逸-2015", "大众牌-朗逸-2015", "大众牌-朗逸-2015"),
            // The most common value of HPHM and CLPPXH, and not a formula.
            ("-", "-", "-"),
            ("-***", "'-***", "'-***"),
            ("=1+1", "'=1+1", "'=1+1"),
            ("+86", "'+86", "'+86"),
            ("@SUM(A1)", "'@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "＝1", "＝1"),
            ("'引号牌", "'引号牌", "'引号牌"),
            ("\u{feff}G1", "\"\u{feff}G1\"", "\"\u{feff}G1\""),
            (
                "=HYPERLINK(\"http://x\",\"y\")",
                "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"",
                "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"",
            ),
            ("a,b", "\"a,b\"", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\"", "\"say \"\"hi\"\"\""),
            ("2024-01-01 00:00:24", "\"2024-01-01 00:00:24\"", "\"2024-01-01 00:00:24\""),
            ("320300108860652979", "320300108860652979", "320300108860652979\t"),
            ("G320300109027253771", "G320300109027253771", "G320300109027253771"),
            ("02", "02", "02\t"),
            ("52", "52", "52"),
            ("0", "0", "0"),
        ] {
            assert_eq!(cell(false, text), plain, "{text:?}");
            assert_eq!(cell(true, text), excel, "{text:?}");
        }
    }

    #[test]
    fn columns_are_chosen_by_name() {
        let header = |names: &[&str], titles| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut out = Vec::new();
            Form::new(&names).map(|form| Form { titles, ..form }.write_header(&mut out))?;
            Ok::<_, String>(String::from_utf8(out).unwrap())
        };
        assert_eq!(header(&["HPHM", "GCSJ"], false).unwrap(), "\u{feff}HPHM,GCSJ\r\n");
        assert_eq!(header(&["HPHM", "GCSJ"], true).unwrap(), "\u{feff}号牌号码,过车时间\r\n");
        assert_eq!(header(&[], false).unwrap().split(',').count(), 12);
        assert_eq!(header(&["hphm"], false), Err("hphm".to_owned()));
        assert_eq!(header(&["HPHM", "HPHM"], false).unwrap(), "\u{feff}HPHM,HPHM\r\n");
    }
}
