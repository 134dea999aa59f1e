//! JSON as it comes, without the long texts in it: pictures are texts of megabytes, and nobody here looks at them. A text that is too long
//! becomes [`LEFT_OUT`]. It keeps nothing of a long text, does not know what a text means, and leaves it to others to say what is no JSON.

use memchr::memchr2;

/// Bytes of a text beyond which it is left out, escapes counted as they are written.
pub const LONGEST_TEXT: usize = 2_048;
/// What stands for a text that was left out; a control character that no field has.
pub const LEFT_OUT: &str = "\u{15}";
const ESCAPED: &[u8] = b"\\u0015";

/// Takes JSON piece by piece.
#[derive(Debug, Default)]
pub struct Elision(State);

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Outside,
    /// Within a text that began so far into what is kept; the byte that follows a backslash is none of its ends.
    Inside { start: usize, escaped: bool },
    /// Within a text that is left out.
    Skipping { escaped: bool },
}

impl Elision {
    /// Adds what is kept of the next piece to what was kept before it.
    pub fn take(&mut self, mut piece: &[u8], kept: &mut Vec<u8>) {
        while !piece.is_empty() {
            let used = match self.0 {
                State::Outside => self.outside(piece, kept),
                State::Inside { start, escaped } => self.inside(piece, kept, start, escaped),
                State::Skipping { escaped } => self.skipping(piece, kept, escaped),
            };
            piece = piece.get(used..).unwrap_or_default();
        }
    }

    fn outside(&mut self, piece: &[u8], kept: &mut Vec<u8>) -> usize {
        let used = memchr::memchr(b'"', piece).map_or(piece.len(), |at| at + 1);
        let taken = piece.get(..used).unwrap_or_default();
        kept.extend_from_slice(taken);
        if taken.last() == Some(&b'"') {
            self.0 = State::Inside { start: kept.len(), escaped: false };
        }
        used
    }

    fn inside(&mut self, piece: &[u8], kept: &mut Vec<u8>, start: usize, escaped: bool) -> usize {
        let (used, next) = next_sign(piece, escaped);
        if kept.len() - start + used > LONGEST_TEXT {
            kept.truncate(start);
            kept.extend_from_slice(ESCAPED);
            self.0 = State::Skipping { escaped };
            return 0;
        }
        kept.extend_from_slice(piece.get(..used).unwrap_or_default());
        self.0 = match next {
            Sign::End => State::Outside,
            Sign::Escape => State::Inside { start, escaped: true },
            Sign::None => State::Inside { start, escaped: false },
        };
        used
    }

    fn skipping(&mut self, piece: &[u8], kept: &mut Vec<u8>, escaped: bool) -> usize {
        let (used, next) = next_sign(piece, escaped);
        self.0 = match next {
            Sign::End => State::Outside,
            Sign::Escape => State::Skipping { escaped: true },
            Sign::None => State::Skipping { escaped: false },
        };
        if next == Sign::End {
            kept.push(b'"');
        }
        used
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    End,
    Escape,
    None,
}

/// The bytes up to the next sign with a meaning within a text, that included.
fn next_sign(piece: &[u8], escaped: bool) -> (usize, Sign) {
    if escaped {
        return (1, Sign::None);
    }
    match memchr2(b'"', b'\\', piece) {
        None => (piece.len(), Sign::None),
        Some(at) if piece.get(at) == Some(&b'"') => (at + 1, Sign::End),
        Some(at) => (at + 1, Sign::Escape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn elided(json: &[u8], piece: usize) -> Vec<u8> {
        let (mut elision, mut kept) = (Elision::default(), Vec::new());
        json.chunks(piece).for_each(|piece| elision.take(piece, &mut kept));
        kept
    }

    #[test]
    fn long_texts_are_left_out_and_all_else_stays_however_it_is_cut() {
        let long = "x".repeat(LONGEST_TEXT + 1);
        let fits = "y".repeat(LONGEST_TEXT - 2);
        let quoted = "\"\\".repeat(LONGEST_TEXT);
        let value = json!({"a": long, "b": [fits, quoted, "\"\\\n苏", 7, null], "c": {"d": ""}});
        let left = json!({"a": LEFT_OUT, "b": [fits, LEFT_OUT, "\"\\\n苏", 7, null], "c": {"d": ""}});
        let text = value.to_string();
        let whole = elided(text.as_bytes(), usize::MAX);
        assert_eq!(serde_json::from_slice::<Value>(&whole).unwrap(), left);
        for piece in [1, 2, 3, 7, 4_096] {
            assert_eq!(elided(text.as_bytes(), piece), whole, "{piece}");
        }
        let short = json!({"a": ["b", {"c": "\\\""}]}).to_string();
        assert_eq!(elided(short.as_bytes(), 1), short.as_bytes());
    }

    #[test]
    fn a_text_without_an_end_keeps_nothing_of_it() {
        let open = [b"{\"a\":\"", &vec![b'x'; 1 << 20][..]].concat();
        assert!(elided(&open, 1_000).len() < 20);
        let backslashes = [b"\"", &vec![b'\\'; 1 << 20][..]].concat();
        assert!(elided(&backslashes, 1_000).len() < 20);
    }
}
