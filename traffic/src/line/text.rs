//! Questions about a field's text: what is blank, what is left of it, what names a column, what MyCat can route.

use super::{Column, ColumnOrder};

/// What surrounds a field and is no part of it: white space, and the bytes of a block that was never written.
const AROUND: [char; 7] = ['\0', ' ', '\t', '\r', '\n', '\u{3000}', '\u{a0}'];

/// What a field says, without what others wrapped around it:
///
/// - white space and NUL at both ends;
/// - `="…"`, by which a spreadsheet keeps digits as text;
/// - the `'` before `=`, `+`, `-` or `@` by which an export keeps a spreadsheet from running a text;
/// - `\N`, by which databases write that there is nothing.
pub fn clean_field(text: &str) -> &str {
    let text = text.trim_matches(AROUND);
    // All wrappers begin with one of these.
    if !text.starts_with(['=', '\'', '\\']) {
        return text;
    }
    let wrapped = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"'));
    let text = wrapped.map_or(text, |text| text.trim_matches(AROUND));
    match text.strip_prefix('\'') {
        Some(guarded) if guarded.starts_with(['=', '+', '-', '@']) => guarded,
        _ if text == "\\N" => "",
        _ => text,
    }
}

/// Whether a line holds nothing at all.
pub(super) fn is_blank_line(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b'\0' | b' ' | b'\t'))
}

/// Whether MyCat's versions may route the key to different shards: it holds a quote, a backtick or a control
/// character.
pub(super) fn is_unroutable(key: &str) -> bool {
    key.bytes().any(|byte| matches!(byte, b'\'' | b'"' | b'`' | 0x7f) || byte < 0x20)
}

/// The least number of fields with distinct column names that makes a line a header.
const HEADER_NAMES: usize = 4;

/// What the fields say if they are those of a header: the order of the columns, none if not all are named.
///
/// A column name counts wherever it stands in a field, in any case; a field names one column at most, the first that
/// no field before it names.
pub(super) fn header(fields: &[&str]) -> Option<Option<ColumnOrder>> {
    // In that order: a line of one long field is not looked through.
    if fields.len() < HEADER_NAMES || !fields.iter().any(|field| may_hold_column_name(field)) {
        return None;
    }
    let upper: Vec<_> = fields.iter().map(|field| field.to_uppercase()).collect();
    let mut places = [None; Column::ALL.len()];
    for (index, field) in upper.iter().enumerate() {
        let named =
            Column::ALL.iter().zip(&mut places).find(|(name, at)| at.is_none() && field.contains(name.as_str()));
        if let Some((_, at)) = named {
            *at = Some(index);
        }
    }
    if places.iter().flatten().count() < HEADER_NAMES {
        return None;
    }
    // A field that is the name means the column more than one that holds it, such as KKMC_LABEL.
    for (name, at) in Column::ALL.iter().zip(&mut places) {
        if let (Some(at), Some(exact)) = (at, upper.iter().position(|field| field == name.as_str())) {
            *at = exact;
        }
    }
    Some(ColumnOrder::new(fields.len(), places))
}

/// Whether the text may hold a column name in some case. A no is certain: a name is ASCII, so in the upper-cased text
/// it can only come from ASCII letters or from the few other characters whose upper case has ASCII in it, such as ſ.
pub(super) fn may_hold_column_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let named = bytes.windows(2).enumerate().any(|(start, pair)| {
        // Only these two letters begin a name.
        let pair = [pair.first(), pair.last()].map(|byte| byte.map_or(0, u8::to_ascii_uppercase));
        matches!(&pair, b"GC" | b"XZ" | b"KK" | b"FX" | b"HP" | b"CL")
            && Column::ALL.iter().any(|column| {
                let name = column.as_str().as_bytes();
                bytes.get(start..start + name.len()).is_some_and(|part| part.eq_ignore_ascii_case(name))
            })
    });
    named || (!text.is_ascii() && text.chars().any(becomes_ascii))
}

fn becomes_ascii(character: char) -> bool {
    // Nothing from the CJK blocks on up has a case, until the compatibility forms.
    let cased = !character.is_ascii() && !('\u{2e80}'..='\u{9fff}').contains(&character);
    cased && character.to_uppercase().any(|upper| upper.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning() {
        for (text, clean) in [
            ("\u{3000}\u{a0}\t\0 苏C1 2\r\0", "苏C1 2"),
            ("\u{feff}x\u{200b}", "\u{feff}x\u{200b}"),
            ("\u{2003}x\x1f", "\u{2003}x\x1f"),
            (" \r", ""),
            ("=\"0012\"", "0012"),
            ("=\" 0012\u{3000}\"", "0012"),
            ("=\"\"", ""),
            ("=\"", "=\""),
            ("=\"=\"a\"\"", "=\"a\""),
            ("'=1+1", "=1+1"),
            ("'+86", "+86"),
            ("'-***", "-***"),
            ("'@县", "@县"),
            ("''=1", "''=1"),
            ("'引号牌", "'引号牌"),
            ("'", "'"),
            ("=\"'-1\"", "-1"),
            ("'=\"a\"", "=\"a\""),
            ("\\N", ""),
            (" \\N ", ""),
            ("=\"\\N\"", ""),
            ("\\n", "\\n"),
            ("\\NA", "\\NA"),
            ("-", "-"),
        ] {
            assert_eq!(clean_field(text), clean, "{text:?}");
        }
    }

    #[test]
    fn blank_lines() {
        assert!(is_blank_line("") && is_blank_line("\t \0"));
        assert!(!is_blank_line("\u{3000}") && !is_blank_line(" \u{feff}") && !is_blank_line("\x1c"));
    }

    #[test]
    fn routing() {
        for key in ["S250_Pizhou_Sulu", "徐州 K1", "a;b", "\u{80}"] {
            assert!(!is_unroutable(key), "{key}");
        }
        for key in ["a'b", "a\"", "`", "a\tb", "a\0", "\x7f"] {
            assert!(is_unroutable(key), "{key}");
        }
    }

    #[test]
    fn headers() {
        let check = |line: &str, is_header: bool| {
            let fields: Vec<_> = line.split(';').collect();
            assert_eq!(header(&fields).is_some(), is_header, "{line}");
        };
        check("GCXH;XZQHMC;KKMC;FXLX", true);
        check("gcxh;xzqhmc;kkmc;fxlx;x", true);
        check("'G'||GCXH;TO_CHAR(GCSJ,;SUBSTR(HPHM,0,4);CLPPXH", true);
        check("GCXH;XZQHMC;KKMC", false);
        check("GCXH;GCXH;GCXH;GCXH", false);
        check("GCXH XZQHMC KKMC FXLX", false);
        check("GCXH XZQHMC;GCXH XZQHMC;KKMC;FXLX", true);
        check("GCXHPZL;KKMCLPPXH", false);
        check("gcſj;gcx\u{1e96};kkmc;fxlx", true);
        check("ＧＣＸＨ;XZQHMC;KKMC;FXLX", false);
        check("G320300109027253771;铜山县;S250_Pizhou_Sulu;1", false);
    }

    #[test]
    fn headers_that_name_all_columns() {
        let order = |line: &str| header(&line.split(';').collect::<Vec<_>>()).flatten();
        let places =
            |line: &str| order(line).map(|order| (order.width(), Column::ALL.map(|column| order.place(column))));
        let real = "'G'||GCXH;XZQHMC;KKMC;FXLX;TO_CHAR(GCSJ,'YYYY-MM-DDHH24:M;HPZL;SUBSTR(HPHM,0,4)||'***';CLPPXH";
        assert_eq!(places(real), Some((8, [0, 1, 2, 3, 4, 5, 6, 7])));
        assert_eq!(
            places("KKMC_LABEL;gcxh;kkmc;XZQHMC;FXLX;GCSJ;HPZL;HPHM;CLPPXH"),
            Some((9, [1, 3, 2, 4, 5, 6, 7, 8]))
        );
        assert_eq!(places("GCXH;XZQHMC;KKMC;FXLX;GCSJ;HPZL;HPHM"), None);
    }

    #[test]
    fn a_no_is_certain() {
        // Every character whose upper case has ASCII in it is seen.
        for character in ('\u{80}'..=char::MAX).filter(|c| c.to_uppercase().any(|upper| upper.is_ascii())) {
            assert!(may_hold_column_name(&character.to_string()), "{character}");
        }
        for column in Column::ALL {
            assert!(may_hold_column_name(&format!("苏{}x", column.as_str().to_lowercase())));
        }
        assert!(!may_hold_column_name("大众牌-朗逸-2015 GCX HPZ"));
    }
}
