//! The lines that rows were read from, kept until the batch is committed: only the detector finds out whether a row is
//! rejected for a GCXH that another passage had, and a reject keeps its line as it came.
//!
//! Nearly every line is *plain*: its fields, each exactly as its column holds it, joined by separators. Of such a line
//! only its number and the order of its fields are kept, and the line is written again when it is needed; any other
//! line is kept as it came. This module does not decide which line is plain.

use std::sync::Arc;

use crate::{Delimiter, Dimension, NameTable, PassageBatch};

/// A field of a plain line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlainField {
    Id,
    Time,
    Plate,
    Name(Dimension),
}

/// How plain lines of one form are written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PlainLine {
    pub(crate) delimiter: Delimiter,
    /// In the order of the line.
    pub(crate) fields: Vec<PlainField>,
}

impl PlainLine {
    fn write(&self, batch: &PassageBatch, row: usize, names: &NameTable) -> Vec<u8> {
        let field = |field: &PlainField| match field {
            PlainField::Id => batch.id_text(row),
            PlainField::Time => batch.times.get(row).map(ToString::to_string).unwrap_or_default(),
            PlainField::Plate => batch.plate_text(row),
            PlainField::Name(dimension) => {
                let id = batch.names(*dimension).get(row);
                id.map(|id| names.text(*dimension, *id).to_owned()).unwrap_or_default()
            }
        };
        let fields: Vec<_> = self.fields.iter().map(|it| field(it).into_bytes()).collect();
        fields.join(&self.delimiter.as_byte())
    }
}

/// Lines of rows, in the order of the rows.
#[derive(Debug, Clone, Default)]
pub struct RawLines {
    rows: u32,
    /// The lines that are not plain, one after another.
    bytes: Vec<u8>,
    /// Their rows, and where each of them ends in `bytes`.
    kept: Vec<(u32, u32)>,
    /// How plain lines are written, from which row on.
    plain: Vec<(u32, Arc<PlainLine>)>,
    /// Row and line number wherever the number is not the one after the previous row's.
    numbers: Vec<(u32, u64)>,
    next_number: u64,
}

impl RawLines {
    /// Adds the line of the next row, with its number in its source.
    pub(crate) fn push(&mut self, line: &[u8], number: u64) {
        self.bytes.extend_from_slice(line);
        self.kept.push((self.rows, self.bytes.len() as u32));
        self.count(number);
    }

    /// Adds the line of the next row, which is plain.
    #[inline]
    pub(crate) fn push_plain(&mut self, line: &Arc<PlainLine>, number: u64) {
        if self.plain.last().is_none_or(|(_, last)| !Arc::ptr_eq(last, line)) {
            self.plain.push((self.rows, line.clone()));
        }
        self.count(number);
    }

    #[inline]
    fn count(&mut self, number: u64) {
        if number != self.next_number || self.rows == 0 {
            self.numbers.push((self.rows, number));
        }
        self.next_number = number + 1;
        self.rows += 1;
    }

    /// The number of a row's line; 0 if it is not known.
    pub fn number(&self, row: usize) -> u64 {
        let known = (row < self.len()).then(|| last_until(&self.numbers, row)).flatten();
        known.map_or(0, |(from, number)| number + (row as u64 - u64::from(*from)))
    }

    /// A row's line if it is not plain; empty if it is not known.
    fn kept(&self, row: usize) -> Option<&[u8]> {
        if row >= self.len() {
            return Some(&[]);
        }
        let at = self.kept.binary_search_by_key(&row, |(row, _)| *row as usize).ok()?;
        let end = |at: usize| self.kept.get(at).map_or(0, |(_, end)| *end as usize);
        let start = at.checked_sub(1).map_or(0, end);
        Some(self.bytes.get(start..end(at)).unwrap_or_default())
    }

    /// Bytes of the lines that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    fn len(&self) -> usize {
        self.rows as usize
    }

    /// Removes the rows with these numbers, which increase.
    pub(super) fn remove(&mut self, rows: &[usize]) {
        let mut left = Self::default();
        for row in (0..self.len()).filter(|row| rows.binary_search(row).is_err()) {
            match (self.kept(row), last_until(&self.plain, row)) {
                (None, Some((_, plain))) => left.push_plain(plain, self.number(row)),
                (line, _) => left.push(line.unwrap_or_default(), self.number(row)),
            }
        }
        *self = left;
    }

    pub(super) fn clear(&mut self) {
        self.rows = 0;
        self.bytes.clear();
        self.kept.clear();
        self.plain.clear();
        self.numbers.clear();
    }
}

impl PassageBatch {
    /// The line of row `row` as it came, without its ending; empty if it is not known. `names` must hold all names of the
    /// batch.
    pub fn line(&self, row: usize, names: &NameTable) -> Vec<u8> {
        match (self.raw.kept(row), last_until(&self.raw.plain, row)) {
            (None, Some((_, plain))) => plain.write(self, row, names),
            (line, _) => line.unwrap_or_default().to_vec(),
        }
    }
}

/// The last of `marks` at or before `row`.
fn last_until<T>(marks: &[(u32, T)], row: usize) -> Option<&(u32, T)> {
    let after = marks.partition_point(|(from, _)| *from as usize <= row);
    marks.get(after.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &RawLines) -> Vec<(Option<&[u8]>, u64)> {
        (0..lines.len() + 1).map(|row| (lines.kept(row), lines.number(row))).collect()
    }

    #[test]
    fn each_row_has_its_line() {
        let plain = Arc::new(PlainLine { delimiter: Delimiter::Tab, fields: Vec::new() });
        let mut lines = RawLines::default();
        for (line, number) in [("a", 3), ("", 4), ("ccc", 5), ("-", 6), ("d", 1), ("e", 2), ("-", 2)] {
            match line {
                "-" => lines.push_plain(&plain, number),
                line => lines.push(line.as_bytes(), number),
            }
        }
        let kept = |line: &'static str, number| (Some(line.as_bytes()), number);
        let expected =
            [kept("a", 3), kept("", 4), kept("ccc", 5), (None, 6), kept("d", 1), kept("e", 2), (None, 2), kept("", 0)];
        assert_eq!(all(&lines), expected);
        assert_eq!((lines.numbers.len(), lines.plain.len()), (3, 1));
        lines.remove(&[0, 3, 5]);
        assert_eq!(all(&lines), [kept("", 4), kept("ccc", 5), kept("d", 1), (None, 2), kept("", 0)]);
        lines.clear();
        lines.push(b"g", 3);
        assert_eq!(all(&lines), [kept("g", 3), kept("", 0)]);
    }
}
