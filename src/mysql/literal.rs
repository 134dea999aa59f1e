//! The one place where a text becomes a literal of a statement.
//!
//! A quote is doubled, which every `sql_mode` reads alike, so no text can end its literal. All else is escaped with a
//! backslash, which a server with NO_BACKSLASH_ESCAPES reads as a character of the text: [`super::MysqlPool`] turns
//! that mode off where it can, and refuses the statement where it cannot. MyCat 1.6 rewrites a backtick and `MYCATSEQ_`
//! inside a literal; a backslash in front prevents that, and MySQL drops the backslash.

/// What MyCat takes for the name of a sequence, in any case.
const SEQUENCE: &str = "MYCATSEQ_";

/// Appends `text` as a string literal. UTF-8 of four bytes stays as it is.
pub fn push_text(statement: &mut String, text: &str) {
    statement.push('\'');
    for (at, symbol) in text.char_indices() {
        match symbol {
            '\'' => statement.push_str("''"),
            '"' => statement.push_str("\\\""),
            '\\' => statement.push_str("\\\\"),
            '`' => statement.push_str("\\`"),
            '\0' => statement.push_str("\\0"),
            '\n' => statement.push_str("\\n"),
            '\r' => statement.push_str("\\r"),
            '\u{1a}' => statement.push_str("\\Z"),
            'M' | 'm' if names_sequence(text, at) => {
                statement.push('\\');
                statement.push(symbol);
            }
            other => statement.push(other),
        }
    }
    statement.push('\'');
}

fn names_sequence(text: &str, at: usize) -> bool {
    text.get(at..at + SEQUENCE.len()).is_some_and(|found| found.eq_ignore_ascii_case(SEQUENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_escaped() {
        for (text, literal) in [
            ("", "''"),
            ("苏C12345", "'苏C12345'"),
            ("O'Neill \"x\"", r#"'O''Neill \"x\"'"#),
            ("zzz' OR 1=1 -- x", "'zzz'' OR 1=1 -- x'"),
            ("\\' OR 1=1 -- x", r"'\\'' OR 1=1 -- x'"),
            ("a\\b\\", r"'a\\b\\'"),
            ("`a`", r"'\`a\`'"),
            ("\0\n\r\u{1a}\t", "'\\0\\n\\r\\Z\t'"),
            ("🚗%_", "'🚗%_'"),
            ("next value for MYCATSEQ_X", r"'next value for \MYCATSEQ_X'"),
            ("mycatSeq_1MYCATSEQ_", r"'\mycatSeq_1\MYCATSEQ_'"),
            ("MYCATSEQ", "'MYCATSEQ'"),
            ("m苏", "'m苏'"),
        ] {
            let mut statement = String::new();
            push_text(&mut statement, text);
            assert_eq!(statement, literal);
        }
    }
}
