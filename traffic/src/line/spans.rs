//! Finds the fields of a line, where they can be taken as they stand.

use super::{Delimiter, Layout};

/// Begin and end of each field in a line's bytes.
#[derive(Debug)]
pub(super) struct Spans {
    ends: [(u32, u32); Layout::MAX_COLUMNS],
    /// Whether quotes may stand around fields.
    pub(super) are_quoted: bool,
}

impl Default for Spans {
    fn default() -> Self {
        Self { ends: [(0, 0); Layout::MAX_COLUMNS], are_quoted: false }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = ONES * 0x7f;

impl Spans {
    /// Finds the fields of `line`. False if there are not exactly `expected` of them, or if a quote makes a field's
    /// text differ from the line's: then the line takes the slow path.
    #[inline]
    pub(super) fn find(&mut self, line: &[u8], delimiter: Delimiter, expected: usize) -> bool {
        let byte = delimiter.as_byte();
        self.are_quoted = delimiter != Delimiter::Tab && memchr::memchr(b'"', line).is_some();
        if self.are_quoted { self.find_quoted(line, byte, expected) } else { self.find_plain(line, byte, expected) }
    }

    /// Begin and end of field `index`.
    #[inline]
    pub(super) fn range(&self, index: usize) -> std::ops::Range<usize> {
        let (begin, end) = self.ends.get(index).copied().unwrap_or_default();
        begin as usize..end as usize
    }

    /// Looks at eight bytes at a time: fields are too short for a search per field.
    #[inline]
    fn find_plain(&mut self, line: &[u8], delimiter: u8, expected: usize) -> bool {
        let pattern = ONES * u64::from(delimiter);
        let mut begin = 0;
        let mut count = 0;
        let mut scan = |word: u64, at: usize| {
            // The top bit of each byte that is the delimiter, exactly.
            let differing = word ^ pattern;
            let mut hits = !(((differing & LOW_BITS) + LOW_BITS) | differing | LOW_BITS);
            while hits != 0 {
                let end = at as u32 + (hits.trailing_zeros() >> 3);
                // A line with too many fields overwrites nothing: it is refused by its count.
                if let Some(span) = self.ends.get_mut(count) {
                    *span = (begin, end);
                }
                count += 1;
                begin = end + 1;
                hits &= hits - 1;
            }
        };
        let (words, rest) = line.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            scan(u64::from_le_bytes(*word), index * 8);
        }
        if !rest.is_empty() {
            let mut last = [!delimiter; 8];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            scan(u64::from_le_bytes(last), words.len() * 8);
        }
        if let Some(span) = self.ends.get_mut(count) {
            *span = (begin, line.len() as u32);
        }
        count + 1 == expected
    }

    /// Fields that are wholly quoted, with no quote inside, are taken without their quotes.
    fn find_quoted(&mut self, line: &[u8], delimiter: u8, expected: usize) -> bool {
        let mut begin = 0;
        for index in 0..expected {
            let Some(rest) = line.get(begin..) else { return false };
            let (quote, end) = if rest.first() == Some(&b'"') {
                let inside = rest.get(1..).and_then(|inside| memchr::memchr(b'"', inside));
                let Some(inside) = inside else { return false };
                (1, begin + inside + 2)
            } else {
                (0, begin + memchr::memchr(delimiter, rest).unwrap_or(rest.len()))
            };
            if let Some(span) = self.ends.get_mut(index) {
                *span = ((begin + quote) as u32, (end - quote) as u32);
            }
            let last = index + 1 == expected;
            if line.get(end) != if last { None } else { Some(&delimiter) } {
                return false;
            }
            begin = end + 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::split_csv;

    fn fields(line: &str, delimiter: Delimiter, expected: usize) -> Option<Vec<&str>> {
        let mut spans = Spans::default();
        let found = spans.find(line.as_bytes(), delimiter, expected);
        found.then(|| (0..expected).map(|index| &line[spans.range(index)]).collect())
    }

    #[test]
    fn tabs() {
        for line in
            ["", "a", "\t", "a\tb", "12345678\t", "\t\t\t\t\t\t\t\t", "徐州\t\u{8a09}\t,\"\t\u{989}x\tabcdefgh\ti"]
        {
            let expected: Vec<_> = line.split('\t').collect();
            assert_eq!(fields(line, Delimiter::Tab, expected.len()), Some(expected.clone()), "{line:?}");
            assert_eq!(fields(line, Delimiter::Tab, expected.len() + 1), None, "{line:?}");
            assert_eq!(fields(line, Delimiter::Tab, expected.len() - 1), None, "{line:?}");
        }
        let wide = "\t".repeat(100);
        assert_eq!(fields(&wide, Delimiter::Tab, 8), None);
    }

    #[test]
    fn commas() {
        for line in ["a,b", "\"a\",\"b,c\"", "a,\"\"", "\"\",a,\"b\"", "徐州,\"x\",y", ","] {
            let expected = split_csv(line);
            let found = fields(line, Delimiter::Comma, expected.len()).expect(line);
            assert_eq!(found, expected, "{line}");
        }
        for line in ["\"a\"\"b\",c", "\"a\"b,c", "\"a,b", "\"a\",\"", "\"a\",b,c", "\"a\"", "\"a\","] {
            assert_eq!(fields(line, Delimiter::Comma, 2).is_some(), line == "\"a\",", "{line}");
        }
        // A quote within a field that does not begin with one is text.
        assert_eq!(fields("a\"b,c", Delimiter::Comma, 2), Some(vec!["a\"b", "c"]));
    }
}
