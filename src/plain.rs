//! Text from outside, made harmless for a terminal, a log and a list of notes: control characters can move the cursor,
//! colour, erase or forge a line, and the marks of writing direction can show a text as another one.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character does more than show itself: the controls (C0, DEL, C1), what ends a line, and what turns the
/// direction of writing.
pub fn is_hazard(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// The text as one line, with every hazard written as `\u{1b}`.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The text with its line breaks and TABs, and every other hazard written as `\u{1b}`.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| matches!(character, '\n' | '\t'))
}

fn escaped(text: &str, allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    let harmful = |character: char| is_hazard(character) && !allowed(character);
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' if harmful(character) => plain.push_str("\\n"),
            '\r' => plain.push_str("\\r"),
            '\t' if harmful(character) => plain.push_str("\\t"),
            _ if harmful(character) => {
                let _ = write!(plain, "\\u{{{:x}}}", u32::from(character));
            }
            _ => plain.push(character),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazards_are_written_out() {
        assert_eq!(line("苏C12345"), "苏C12345");
        assert!(matches!(line("plain"), Cow::Borrowed(_)));
        assert_eq!(line("a\u{1b}[2Jb\nc\r\td\u{7f}\u{9b}"), "a\\u{1b}[2Jb\\nc\\r\\td\\u{7f}\\u{9b}");
        assert_eq!(line("\u{202e}x\u{2066}\u{2069}\u{200f}"), "\\u{202e}x\\u{2066}\\u{2069}\\u{200f}");
        assert_eq!(lines("a\nb\tc\u{1b}\r\n"), "a\nb\tc\\u{1b}\\r\n");
        let hazards = (0..=0x2fff).filter_map(char::from_u32).filter(|character| is_hazard(*character)).count();
        assert_eq!(hazards, 32 + 1 + 32 + 3 + 2 + 5 + 4);
    }
}
