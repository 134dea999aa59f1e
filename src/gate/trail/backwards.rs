//! Lines of a file from its end to its beginning, and where the line with a number begins. It does not know entries beyond
//! their numbers.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Bytes that are read at a time.
const BLOCK: u64 = 64 << 10;

/// The complete lines of a file, the last one first.
pub(super) struct Backwards<'a> {
    file: &'a File,
    /// Bytes that were not read yet.
    left: u64,
    /// What was read and not given yet; its last byte is a line feed, but before the first line was given.
    read: Vec<u8>,
    begun: bool,
    /// Where the last line ends.
    end: u64,
}

impl<'a> Backwards<'a> {
    /// The lines that end before `end`; what follows the last line feed is no line.
    pub(super) fn new(file: &'a File, end: u64) -> Self {
        Self { file, left: end, read: Vec::new(), begun: false, end: 0 }
    }

    /// Where the last complete line ends; known from the first line on.
    pub(super) fn end_of_lines(&self) -> u64 {
        self.end
    }

    /// The line before, without its line feed; none at the beginning of the file.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if !self.begun
                && let Some(end) = memchr::memrchr(b'\n', &self.read)
            {
                self.read.truncate(end + 1);
                self.end = self.left + self.read.len() as u64;
                self.begun = true;
            }
            let text = self.read.strip_suffix(b"\n").filter(|_| self.begun);
            let start = text.and_then(|text| memchr::memrchr(b'\n', text)).map(|feed| feed + 1);
            let start = start.or((self.left == 0).then_some(0).filter(|_| text.is_some()));
            if let Some(start) = start {
                let mut line = self.read.split_off(start);
                line.pop();
                return Ok(Some(line));
            }
            if self.left == 0 {
                return Ok(None);
            }
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let size = self.left.min(BLOCK.max(self.read.len() as u64));
        self.left -= size;
        let mut block = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut block, self.left)?;
        block.append(&mut self.read);
        self.read = block;
        Ok(())
    }
}

/// Where the first line with a number of `n` or more begins, of the first `end` bytes; `end` if there is none. Numbers grow from
/// line to line.
pub(super) fn start_of(file: &File, end: u64, n: u64) -> io::Result<u64> {
    // Lines that begin before `low` have smaller numbers; `high` is where a line with a greater one begins, or the end.
    let (mut low, mut high) = (0, end);
    while high - low > BLOCK {
        let middle = low + (high - low) / 2;
        match line_after(file, middle, high)? {
            Some((start, found)) if found < n => low = start + 1,
            Some((start, _)) => high = start,
            // No line begins between.
            None => high = middle + 1,
        }
    }
    let mut at = if low == 0 { Some(0) } else { next_start(file, low, end)? };
    while let Some(start) = at.filter(|start| *start < end) {
        if number_at(file, start)?.is_some_and(|found| found >= n) {
            return Ok(start);
        }
        at = next_start(file, start, end)?;
    }
    Ok(end)
}

/// The first line with a number that begins after `from` and before `end`: where, and which number.
fn line_after(file: &File, from: u64, end: u64) -> io::Result<Option<(u64, u64)>> {
    let mut at = from;
    while let Some(start) = next_start(file, at, end)? {
        if let Some(number) = number_at(file, start)? {
            return Ok(Some((start, number)));
        }
        at = start;
    }
    Ok(None)
}

/// Where the line after the one at `from` begins.
fn next_start(file: &File, from: u64, end: u64) -> io::Result<Option<u64>> {
    const STEP: usize = 1 << 10;
    let mut at = from;
    let mut block = [0; STEP];
    while at < end {
        let size = file.read_at(&mut block, at)?;
        let read = block.get(..size).unwrap_or_default();
        if let Some(feed) = memchr::memchr(b'\n', read) {
            return Ok(Some(at + feed as u64 + 1).filter(|start| *start < end));
        }
        if size == 0 {
            break;
        }
        at += size as u64;
    }
    Ok(None)
}

/// The number of the entry in the line at `start`.
fn number_at(file: &File, start: u64) -> io::Result<Option<u64>> {
    let mut head = [0; 32];
    let size = file.read_at(&mut head, start)?;
    Ok(number_of(head.get(..size).unwrap_or_default()))
}

/// The number of an entry, from the beginning of its line.
fn number_of(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"n\":")?;
    let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file_of(text: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file
    }

    fn backwards(text: &[u8]) -> Vec<String> {
        let file = file_of(text);
        let mut lines = Backwards::new(&file, text.len() as u64);
        std::iter::from_fn(|| lines.next_line().unwrap()).map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn lines_come_from_the_end() {
        assert_eq!(backwards(b"a\nbc\n\nd\n"), ["d", "", "bc", "a"]);
        assert_eq!(backwards(b"a\nbc\ntorn"), ["bc", "a"]);
        for none in [&b""[..], b"torn"] {
            assert!(backwards(none).is_empty());
        }
        let long: Vec<String> = (0..50).map(|number| format!("{number}{}", "x".repeat(number * 4000))).collect();
        let text = long.join("\n") + "\n";
        assert!(backwards(text.as_bytes()).iter().rev().eq(&long));
        assert!(backwards((text + &"y".repeat(200_000)).as_bytes()).iter().rev().eq(&long));
    }

    #[test]
    fn a_line_is_found_by_its_number() {
        let mut text = String::new();
        let mut starts = Vec::new();
        for n in 10..2000u64 {
            starts.push((n, text.len() as u64));
            text.push_str(&format!("{{\"n\":{n},\"x\":\"{}\"}}\n", "y".repeat((n as usize * 37) % 900)));
        }
        let (file, end) = (file_of(text.as_bytes()), text.len() as u64);
        assert!(end > 4 * BLOCK);
        for (n, start) in &starts {
            assert_eq!(start_of(&file, end, *n).unwrap(), *start, "{n}");
        }
        assert_eq!(start_of(&file, end, 1).unwrap(), 0);
        assert_eq!(start_of(&file, end, 2000).unwrap(), end);
        assert_eq!(start_of(&file_of(b""), 0, 5).unwrap(), 0);
    }

    /// One line that is longer than a block.
    #[test]
    fn long_lines_are_no_obstacle() {
        let line = |n: u64, size: usize| format!("{{\"n\":{n},\"x\":\"{}\"}}\n", "y".repeat(size));
        let text = [line(1, 10), line(2, 300_000), line(3, 10), line(4, 200_000)].concat();
        let file = file_of(text.as_bytes());
        let starts: Vec<u64> = (1..=4).map(|n| start_of(&file, text.len() as u64, n).unwrap()).collect();
        let two = line(1, 10).len();
        let three = two + line(2, 300_000).len();
        assert_eq!(starts, [0, two, three, three + line(3, 10).len()].map(|start| start as u64));
    }
}
