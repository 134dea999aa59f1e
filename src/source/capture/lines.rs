//! The lines of an input: separation, encoding, and lines that are too long to hold.
//!
//! It counts the decompressed bytes of the returned lines. It does not know where the bytes come from.

use std::time::Duration;

use traffic::{CivilTime, LineForm, LineParser, PassageBatch, Reject, RejectReason, line_end};

use super::input::Input;
use crate::source::SourceError;

/// What [`Lines::next_line`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Passage,
    /// A header, a blank line or a reject.
    Other,
    End,
}

/// What [`Lines::parse`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// There may be more.
    More,
    /// A live input has no whole line now.
    Nothing,
    End,
}

/// Lines of an input.
#[derive(Debug)]
pub(super) struct Lines {
    input: Input,
    gb18030: bool,
    /// It keeps the greatest length ever needed, so that nothing has to be filled with zeros again.
    buffer: Vec<u8>,
    /// Where the unread part of the buffer begins and ends.
    start: usize,
    end: usize,
    ended: bool,
    /// Decompressed bytes of the returned lines.
    consumed: u64,
    /// The byte before the place where it goes on, until what follows was checked.
    before: Option<u8>,
}

impl Lines {
    pub(super) fn new(input: Input, gb18030: bool) -> Self {
        let (consumed, before) = (input.offset(), input.before());
        Self { input, gb18030, buffer: Vec::new(), start: 0, end: 0, ended: false, consumed, before }
    }

    /// Decompressed bytes of the returned lines.
    pub(super) fn offset(&self) -> u64 {
        self.consumed
    }

    /// Parses about `bytes` bytes of lines, at most `lines` of them. Waits for a live input as long as `wait`.
    pub(super) fn parse(
        &mut self,
        bytes: usize,
        lines: u64,
        wait: Duration,
        parser: &mut LineParser,
        out: &mut PassageBatch,
    ) -> Result<Parsed, SourceError> {
        if self.is_gb18030() {
            let enough = self.consumed + bytes as u64;
            for _ in 0..lines.min(4096) {
                if self.consumed >= enough {
                    break;
                }
                if !self.has_line() && !self.ended && self.buffered() <= LineParser::MAX_LINE_BYTES + 2 {
                    if !self.input.is_ready(wait) {
                        return Ok(Parsed::Nothing);
                    }
                    self.fill(1 << 16)?;
                    continue;
                }
                if self.next_line(parser, out, |_, _, _| Ok(()))? == Line::End {
                    return Ok(Parsed::End);
                }
            }
            return Ok(Parsed::More);
        }
        let rest = self.unread();
        let used = parser.parse_lines(rest, lines, out);
        self.advance(used);
        if used > 0 {
            return Ok(Parsed::More);
        }
        // No complete line is left: read on, unless the line is too long to hold.
        let too_long = self.buffered() > LineParser::MAX_LINE_BYTES + 2;
        if !too_long && !self.ended && !self.input.is_ready(wait) {
            return Ok(Parsed::Nothing);
        }
        if (too_long || !self.fill(bytes)?) && self.next_line(parser, out, |_, _, _| Ok(()))? == Line::End {
            return Ok(Parsed::End);
        }
        Ok(Parsed::More)
    }

    /// Whether lines may come at any time.
    pub(super) fn is_live(&self) -> bool {
        self.input.is_live()
    }

    /// Whether the buffer holds a whole line.
    fn has_line(&self) -> bool {
        line_end(self.unread()).is_some()
    }

    /// Whether lines are GB18030. UTF-16 is recognised by its mark and Parquet is UTF-8, whatever the user said.
    fn is_gb18030(&self) -> bool {
        self.gb18030 && !self.input.is_unicode()
    }

    /// Parses one line; a passage is also passed to `passage` as UTF-8, with its time and form.
    pub(super) fn next_line(
        &mut self,
        parser: &mut LineParser,
        out: &mut PassageBatch,
        passage: impl FnOnce(&[u8], CivilTime, LineForm) -> Result<(), SourceError>,
    ) -> Result<Line, SourceError> {
        let end = loop {
            let rest = self.unread();
            if let Some(end) = line_end(rest) {
                break Some(end);
            }
            if rest.len() > LineParser::MAX_LINE_BYTES + 2 {
                return self.skip_long_line(parser, out, passage);
            }
            if !self.fill(1 << 16)? {
                break None;
            }
        };
        let (length, ending) = end.unwrap_or((self.buffered(), 0));
        if length + ending == 0 {
            return Ok(Line::End);
        }
        let line = self.unread().get(..length).unwrap_or_default();
        let found = take_line(line, self.is_gb18030(), parser, out, passage)?;
        self.advance(length + ending);
        Ok(found)
    }

    /// Rejects a line that is longer than the buffer may grow: its beginning is kept, the rest skipped. One that is
    /// long only because of the NULs after it is taken without them.
    fn skip_long_line(
        &mut self,
        parser: &mut LineParser,
        out: &mut PassageBatch,
        passage: impl FnOnce(&[u8], CivilTime, LineForm) -> Result<(), SourceError>,
    ) -> Result<Line, SourceError> {
        let head = self.unread();
        // NULs that a truncation during writing leaves before the next line: neither a line nor part of one.
        let hole = head.iter().take_while(|byte| **byte == 0).count();
        if hole > 1 {
            // One NUL is left: with nothing after it, it is a blank line as a short block is.
            self.advance(hole - 1);
            return Ok(Line::Other);
        }
        // CRs at the very end may be followed by their LF.
        let text = without_returns(without_nuls(head)).len();
        let mut is_text = text <= LineParser::MAX_LINE_BYTES;
        let kept = text.max(hole + Reject::MAX_RAW_BYTES * 2).min(LineParser::MAX_LINE_BYTES);
        let kept = head.get(..kept).unwrap_or(head).to_vec();
        let begin = self.consumed;
        self.advance(text);
        let ending;
        loop {
            let rest = self.unread();
            let end = line_end(rest);
            let length = end.map_or_else(|| without_returns(rest).len(), |(length, _)| length);
            is_text &= without_nuls(rest.get(..length).unwrap_or_default()).is_empty();
            self.advance(length);
            if let Some((_, found)) = end {
                self.advance(found);
                ending = found as u64;
                break;
            }
            if !self.fill(1 << 16)? {
                ending = self.buffered() as u64;
                self.advance(self.buffered());
                break;
            }
        }
        if is_text {
            let line = kept.get(..text).unwrap_or(&kept);
            return take_line(line, self.is_gb18030(), parser, out, passage);
        }
        let raw = kept.get(hole..).unwrap_or_default();
        parser.reject_long_line(raw, self.consumed - begin - ending, out);
        Ok(Line::Other)
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn buffered(&self) -> usize {
        self.end - self.start
    }

    fn advance(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.buffered(), "past what was read");
        self.start += bytes;
        self.consumed += bytes as u64;
    }

    /// Reads up to `bytes` more; false at the end of the input.
    fn fill(&mut self, bytes: usize) -> Result<bool, SourceError> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.buffered());
        let kept = self.end;
        if self.buffer.len() < kept + bytes {
            self.buffer.resize(kept + bytes, 0);
        }
        let read = self.input.read(self.buffer.get_mut(kept..kept + bytes).unwrap_or_default());
        let count = *read.as_ref().unwrap_or(&0);
        self.end = kept + count;
        self.ended = count == 0;
        read?;
        self.finish_line();
        Ok(count > 0)
    }

    /// A file resumed after a line without an end: the line end that has come since is not a line of its own.
    fn finish_line(&mut self) {
        let rest = self.unread();
        let came = match self.before {
            None | Some(b'\n') => 0,
            // Perhaps half of a line end.
            Some(_) if rest == b"\r" && !self.ended => return,
            Some(_) if rest.starts_with(b"\n") => 1,
            Some(before) if before != b'\r' && rest.starts_with(b"\r\n") => 2,
            Some(b'\r') => 0,
            Some(_) => {
                if !rest.is_empty() {
                    tracing::warn!(
                        file = %self.input.path().display(),
                        "the last line had no end when it was read: what was added to it is read as a line of its own"
                    );
                }
                0
            }
        };
        self.before = None;
        self.advance(came);
    }
}

/// Parses a line in hand; a passage is also passed to `passage`.
fn take_line(
    line: &[u8],
    gb18030: bool,
    parser: &mut LineParser,
    out: &mut PassageBatch,
    passage: impl FnOnce(&[u8], CivilTime, LineForm) -> Result<(), SourceError>,
) -> Result<Line, SourceError> {
    let rows = out.len();
    let decoded;
    let text = if gb18030 && line.len() <= LineParser::MAX_LINE_BYTES + 2 {
        let Some(text) = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(line) else {
            let raw = line.strip_suffix(b"\r").unwrap_or(line);
            parser.reject_line(raw, RejectReason::InvalidEncoding, out);
            return Ok(Line::Other);
        };
        decoded = text;
        decoded.as_bytes()
    } else {
        line
    };
    parser.parse_line(text, out);
    match out.times.get(rows) {
        Some(&time) => passage(text, time, parser.form()).map(|()| Line::Passage),
        None => Ok(Line::Other),
    }
}

/// The bytes before the NULs at the end.
fn without_nuls(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

/// The bytes before the CRs at the end.
fn without_returns(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}
