//! The lines that rows were read from, kept until the batch is committed: whether a row is rejected for a GCXH that another
//! passage had is known only to the detector, and a reject keeps its line as it came.

/// Lines of rows, in the order of the rows.
#[derive(Debug, Clone, Default)]
pub struct RawLines {
    bytes: Vec<u8>,
    /// Where each row's line ends.
    ends: Vec<u32>,
    /// The row and its line's number wherever that is not the number behind the last.
    numbers: Vec<(u32, u64)>,
    next_number: u64,
}

impl RawLines {
    /// Adds the line of the next row, with its number in its source.
    #[inline]
    pub fn push(&mut self, line: &[u8], number: u64) {
        if number != self.next_number || self.ends.is_empty() {
            self.numbers.push((self.ends.len() as u32, number));
        }
        self.next_number = number + 1;
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len() as u32);
    }

    /// A row's line and its number; empty and 0 if it was not kept.
    pub fn get(&self, row: usize) -> (&[u8], u64) {
        let Some(&end) = self.ends.get(row) else { return (&[], 0) };
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let behind = self.numbers.partition_point(|(from, _)| *from as usize <= row);
        let number = behind.checked_sub(1).and_then(|at| self.numbers.get(at));
        let number = number.map_or(0, |(from, number)| number + (row as u64 - u64::from(*from)));
        (self.bytes.get(start as usize..end as usize).unwrap_or_default(), number)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes that the lines take.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.numbers.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_line() {
        let mut lines = RawLines::default();
        for (line, number) in [("a", 3), ("", 4), ("ccc", 5), ("d", 1), ("e", 1), ("f", 2)] {
            lines.push(line.as_bytes(), number);
        }
        let all: Vec<_> = (0..7).map(|row| lines.get(row)).collect();
        let expected: [(&[u8], u64); 7] = [(b"a", 3), (b"", 4), (b"ccc", 5), (b"d", 1), (b"e", 1), (b"f", 2), (b"", 0)];
        assert_eq!(all, expected);
        assert_eq!(lines.numbers.len(), 3);
        lines.clear();
        lines.push(b"g", 3);
        assert_eq!((lines.get(0), lines.get(1)), ((&b"g"[..], 3), (&b""[..], 0)));
    }
}
