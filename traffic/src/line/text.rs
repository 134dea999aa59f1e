//! Questions about a field's text: what is blank, what names a column, what MyCat can route.

use super::Column;

/// White space as the original pipeline strips it: Unicode's, and the four ASCII separators.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// The field without white space around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// Whether MyCat's versions may route the key to different shards: it holds a quote, a backtick or a control
/// character.
pub(super) fn is_unroutable(key: &str) -> bool {
    key.bytes().any(|byte| matches!(byte, b'\'' | b'"' | b'`' | 0x7f) || byte < 0x20)
}

/// A line is a header if its fields hold at least this many distinct column names.
const HEADER_NAMES: usize = 4;

/// Whether the fields are those of a header: a column name counts wherever it stands in a field, in any case.
pub(super) fn is_header<'a>(fields: impl Iterator<Item = &'a str>) -> bool {
    let fields: Vec<_> = fields.filter(|field| may_hold_column_name(field)).map(str::to_uppercase).collect();
    let named = |column: &Column| fields.iter().any(|field| field.contains(column.as_str()));
    !fields.is_empty() && Column::ALL.iter().filter(|column| named(column)).count() >= HEADER_NAMES
}

/// Whether the text may hold a column name in some case. A no is certain: a name is ASCII, so in the upper-cased text
/// it can only come from ASCII letters or from the few other characters whose upper case has ASCII in it, such as ſ.
pub(super) fn may_hold_column_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let named = bytes.iter().enumerate().any(|(start, first)| {
        // Only these letters begin a name.
        matches!(first.to_ascii_uppercase(), b'G' | b'X' | b'K' | b'F' | b'H' | b'C')
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
    fn trimming() {
        assert_eq!(trim("\u{3000}\u{a0}\t\x1c 苏C1 2\x1f\u{85}\u{2003}"), "苏C1 2");
        assert_eq!(trim("\u{feff}x\u{200b}"), "\u{feff}x\u{200b}");
        assert_eq!(trim(" \r"), "");
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
        let check = |line: &str, header: bool| assert_eq!(is_header(line.split(';')), header, "{line}");
        check("GCXH;XZQHMC;KKMC;FXLX", true);
        check("gcxh;xzqhmc;kkmc;fxlx;x", true);
        check("'G'||GCXH;TO_CHAR(GCSJ,;SUBSTR(HPHM,0,4);CLPPXH", true);
        check("GCXH;XZQHMC;KKMC", false);
        check("GCXH;GCXH;GCXH;GCXH", false);
        check("GCXH XZQHMC KKMC FXLX", true);
        check("GCXHPZL;KKMCLPPXH", true);
        check("gcſj;gcx\u{1e96};kkmc;fxlx", true);
        check("ＧＣＸＨ;XZQHMC;KKMC;FXLX", false);
        check("G320300109027253771;铜山县;S250_Pizhou_Sulu;1", false);
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
