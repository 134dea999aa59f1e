//! Literals of statements: MySQL reads the text that was meant, and the literal ends where it should.

use super::outcome::{outcome, size};
use crate::mysql::push_text;

pub(super) fn run(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    let mut statement = "SELECT ".to_owned();
    push_text(&mut statement, &text);
    statement.push_str(", 1");
    let literal = statement.strip_prefix("SELECT '");
    let (read, rest) = literal.map(read).unwrap_or_default();
    assert_eq!(read, *text, "MySQL reads another text from {statement}");
    assert_eq!(rest, ", 1", "the literal ends elsewhere in {statement}");
    // MyCat takes it for a sequence unless a backslash stands before it.
    let upper = statement.to_ascii_uppercase();
    assert!(upper.rsplit("MYCATSEQ_").skip(1).all(|before| before.ends_with('\\')), "MyCat rewrites {statement}");
    assert!(statement.len() <= 2 * text.len() + 12);
    outcome((size(text.len()), size(statement.len() - text.len())))
}

/// What MySQL reads after the opening quote (MySQL 8.0 reference manual, 9.1.1, without NO_BACKSLASH_ESCAPES), and what follows.
fn read(literal: &str) -> (String, &str) {
    let (mut text, mut symbols) = (String::new(), literal.chars());
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\\' => match symbols.next() {
                Some('0') => text.push('\0'),
                Some('b') => text.push('\u{8}'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('Z') => text.push('\u{1a}'),
                Some(same @ ('%' | '_')) => text.extend(['\\', same]),
                Some(other) => text.push(other),
                None => {}
            },
            '\'' => match symbols.as_str().strip_prefix('\'') {
                Some(rest) => {
                    text.push('\'');
                    symbols = rest.chars();
                }
                None => return (text, symbols.as_str()),
            },
            other => text.push(other),
        }
    }
    (text, "")
}
