//! UTF-16 with its byte order mark, read as UTF-8. Without the mark a text is not taken for UTF-16.

use std::io::{self, Read};

/// Raw bytes that are decoded at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// Replaces what is not text: never a byte of UTF-8, so that only its line is rejected for its encoding.
const NO_TEXT: u8 = 0xff;

/// Whether a text that begins so is UTF-16.
pub(super) fn has_mark(head: &[u8]) -> bool {
    head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff])
}

/// The stream as UTF-8, and whether it was UTF-16. Reads only as many first bytes as that takes.
pub(super) fn decoded(mut stream: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let mut head = Vec::with_capacity(2);
    // A stream may give its first byte long before its second.
    while head.is_empty() || (head.len() == 1 && matches!(head.first(), Some(0xfe | 0xff))) {
        if stream.by_ref().take(1).read_to_end(&mut head)? == 0 {
            break;
        }
    }
    if has_mark(&head) {
        return Ok((Box::new(Utf16::new(stream, head.first() == Some(&0xfe))), true));
    }
    Ok((Box::new(io::Cursor::new(head).chain(stream)), false))
}

struct Utf16<R> {
    stream: R,
    is_big_endian: bool,
    raw: Vec<u8>,
    /// The first half of a surrogate pair whose second half has not come yet.
    high: Option<u16>,
    text: Vec<u8>,
    /// Bytes of the text that were taken.
    taken: usize,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    fn new(stream: R, is_big_endian: bool) -> Self {
        Self { stream, is_big_endian, raw: Vec::new(), high: None, text: Vec::new(), taken: 0, ended: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        let kept = self.raw.len();
        self.raw.resize(kept + CHUNK_BYTES, 0);
        let read = self.stream.read(self.raw.get_mut(kept..).unwrap_or_default());
        self.raw.truncate(kept + read.as_ref().unwrap_or(&0));
        if read? == 0 {
            self.ended = true;
            // Half a unit, or half a pair.
            if self.high.take().is_some() || !self.raw.is_empty() {
                self.text.push(NO_TEXT);
            }
            return Ok(());
        }
        let (units, rest) = self.raw.as_chunks::<2>();
        let read_unit = if self.is_big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        let units: Vec<u16> = self.high.take().into_iter().chain(units.iter().map(|unit| read_unit(*unit))).collect();
        self.raw = rest.to_vec();
        let (units, high) = match units.split_last() {
            Some((last, before)) if (0xd800..0xdc00).contains(last) => (before, Some(*last)),
            _ => (units.as_slice(), None),
        };
        self.high = high;
        for character in char::decode_utf16(units.iter().copied()) {
            match character {
                Ok(character) => self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(_) => self.text.push(NO_TEXT),
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() && !self.ended {
            self.fill()?;
        }
        let count = self.text.get(self.taken..).unwrap_or_default().read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow(io::Cursor<Vec<u8>>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    fn read(bytes: &[u8], at_a_time: usize) -> (Vec<u8>, bool) {
        let (mut stream, is_utf16) = decoded(Box::new(Slow(io::Cursor::new(bytes.to_vec()), at_a_time))).unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        (text, is_utf16)
    }

    #[test]
    fn both_orders_in_pieces_of_any_size() {
        let text = "苏C12345,\u{1f697}\r\n".repeat(50);
        let units: Vec<u16> = format!("\u{feff}{text}").encode_utf16().collect();
        for at_a_time in [1, 2, 3, 7, 1000] {
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for bytes in [little, big] {
                assert_eq!(read(&bytes, at_a_time), (text.as_bytes().to_vec(), true));
            }
        }
    }

    #[test]
    fn what_has_no_mark_is_left_alone() {
        for bytes in [&b""[..], b"\xff", b"\xfe\xfe", b"\xff\x00a", b"\n", "苏".as_bytes(), b"\xef\xbb\xbfx"] {
            assert_eq!(read(bytes, 1), (bytes.to_vec(), false));
        }
    }

    #[test]
    fn what_is_no_text_spoils_its_line_alone() {
        // A lone second half, a lone first half, half a unit at the end.
        let bytes = [0xff, 0xfe, 0x00, 0xdc, b'\n', 0, 0x00, 0xd8, b'\n', 0, b'x', 0, b'y'];
        assert_eq!(read(&bytes, 3), (b"\xff\n\xff\nx\xff".to_vec(), true));
    }
}
