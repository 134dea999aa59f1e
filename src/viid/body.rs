//! A body as it came, and as a text that can be read as JSON whatever a sender puts around it or into it. It knows no object.

use std::borrow::Cow;

use crate::deliveries::BYTE_ORDER_MARK;

/// What stands for a byte that is not UTF-8 (delete, U+007F): a text of JSON may hold it, and no field does.
pub const NOT_UTF8: char = '\u{7f}';

/// A body as it came, and as a text of the same length.
pub struct Body<'a> {
    bytes: &'a [u8],
    /// The text.
    pub text: Cow<'a, str>,
}

impl<'a> Body<'a> {
    /// Without the mark of its encoding and the ends of texts in C, which some send with it. A byte that is not UTF-8, as of a name in
    /// GBK, becomes [`NOT_UTF8`].
    pub fn of(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let bytes = bytes.get(..bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_or_else(|_| Cow::Owned(readable(bytes)), Cow::Borrowed);
        Self { bytes, text }
    }

    /// A part of the text, as it came.
    pub fn came<'t>(&'t self, part: &'t str) -> &'t [u8] {
        let begin = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        self.bytes.get(begin..begin.wrapping_add(part.len())).unwrap_or(part.as_bytes())
    }
}

/// A text of as many bytes.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| NOT_UTF8));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_as_it_came() {
        let body = Body::of(b"\xef\xbb\xbf[\"a\xff\xe8\x8b\xe8\x8b\x8f\",7]\0\0");
        assert_eq!(body.text, "[\"a\u{7f}\u{7f}\u{7f}苏\",7]");
        assert_eq!(body.came(&body.text[1..9]), b"\"a\xff\xe8\x8b\xe8\x8b\x8f");
        assert_eq!(body.came("elsewhere"), b"elsewhere");
        assert_eq!((&*Body::of(b"").text, &*Body::of(b"\0").text, &*Body::of(b"\xef\xbb\xbf").text), ("", "", ""));
        assert!(matches!(Body::of("苏".as_bytes()).text, Cow::Borrowed(_)), "nothing is copied where nothing is wrong");
    }
}
