//! The footer of a Parquet file, looked at before it is read: its size, and how deep its columns are nested. What reads it follows
//! the nesting by recursion, and a stack that overflows ends the process. It does not know what the columns are.
//!
//! A footer is a struct of Thrift's compact protocol; its field 2 is the list of schema elements, parents before their children, and
//! field 5 of each says how many children it has.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// The longest footer that is read. One of a file with a thousand row groups has some 2 MB.
pub(super) const MAX_BYTES: u32 = 16 << 20;
/// How deep columns may be nested.
const MOST_LEVELS: usize = 100;
/// How deep values may be nested in what is passed over.
const MOST_SKIPPED: usize = 32;

const MAGIC: &[u8] = b"PAR1";
/// A type of the compact protocol.
const STRUCT: u8 = 12;
/// Fields of a footer and of a schema element.
const SCHEMA: i64 = 2;
const CHILDREN: i64 = 5;

/// Refuses a file whose footer is larger, or nests its columns deeper, than any that is meant. What is no footer at all is left to the
/// reader.
pub(super) fn check(file: &File, size: u64) -> io::Result<()> {
    let mut tail = [0; 8];
    let Some(end) = size.checked_sub(tail.len() as u64) else { return Ok(()) };
    file.read_exact_at(&mut tail, end)?;
    let [a, b, c, d, ..] = tail;
    let length = u32::from_le_bytes([a, b, c, d]);
    if !tail.ends_with(MAGIC) {
        return Ok(());
    }
    if length > MAX_BYTES {
        return Err(io::Error::other(format!(
            "its footer has {length} bytes, and {MAX_BYTES} are read: write it again with fewer columns or larger row groups"
        )));
    }
    let Some(begin) = end.checked_sub(u64::from(length)) else { return Ok(()) };
    let mut footer = vec![0; length as usize];
    file.read_exact_at(&mut footer, begin)?;
    match Walk(&footer).finds_it_shallow() {
        Some(false) => Err(io::Error::other(format!(
            "its columns are nested more than {MOST_LEVELS} deep: write it again with the columns that are needed"
        ))),
        Some(true) | None => Ok(()),
    }
}

/// What is left of a footer. Each step gives none where the bytes end or make no sense.
struct Walk<'a>(&'a [u8]);

impl Walk<'_> {
    /// Whether columns are nested no deeper than is read. The types of the two fields that matter are taken as they should be, and a
    /// list that comes twice is walked twice: the reader may do so, too.
    fn finds_it_shallow(mut self) -> Option<bool> {
        let mut field = 0;
        loop {
            let kind = self.field(&mut field)?;
            let is_shallow = match (kind, field) {
                (0, _) => return Some(true),
                (_, SCHEMA) => self.schema()?,
                _ => self.skip(kind, 0)?,
            };
            if !is_shallow {
                return Some(false);
            }
        }
    }

    /// The same of the list of schema elements.
    fn schema(&mut self) -> Option<bool> {
        let (count, _) = self.list()?;
        // Children that are still to come, of each element that the next one is in.
        let mut open: Vec<u64> = Vec::new();
        for _ in 0..count {
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(last) = open.last_mut() {
                *last -= 1;
            }
            match self.children()? {
                None => return Some(false),
                Some(children) => open.push(children),
            }
            if open.len() > MOST_LEVELS {
                return Some(false);
            }
        }
        Some(true)
    }

    /// How many children the schema element has that comes next; none if it is nested too deep itself.
    fn children(&mut self) -> Option<Option<u64>> {
        let (mut field, mut children) = (0, 0);
        loop {
            let kind = self.field(&mut field)?;
            match (kind, field) {
                (0, _) => return Some(Some(children)),
                (_, CHILDREN) => children = u64::try_from(self.signed()?).unwrap_or_default(),
                _ if !self.skip(kind, 0)? => return Some(None),
                _ => {}
            }
        }
    }

    /// The type of the next field, and in `field` its number; 0 at the end of a struct.
    fn field(&mut self, field: &mut i64) -> Option<u8> {
        let head = self.byte()?;
        let (step, kind) = (head >> 4, head & 15);
        if kind != 0 {
            *field = if step == 0 { self.signed()? } else { field.checked_add(i64::from(step))? };
        }
        Some(kind)
    }

    /// Passes over a value; false if it is nested too deep.
    fn skip(&mut self, kind: u8, level: usize) -> Option<bool> {
        if level > MOST_SKIPPED {
            return Some(false);
        }
        match kind {
            // True and false, which a field says by its type.
            1 | 2 => {}
            3 => drop(self.byte()?),
            4..=6 => drop(self.varint()?),
            7 => self.pass(8)?,
            8 => {
                let length = self.varint()?;
                self.pass(length)?;
            }
            9 | 10 => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    if !self.skip_item(kind, level + 1)? {
                        return Some(false);
                    }
                }
            }
            11 => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    if !self.skip_item(kinds >> 4, level + 1)? || !self.skip_item(kinds & 15, level + 1)? {
                        return Some(false);
                    }
                }
            }
            STRUCT => {
                let mut field = 0;
                loop {
                    let kind = self.field(&mut field)?;
                    if kind == 0 {
                        break;
                    }
                    if !self.skip(kind, level + 1)? {
                        return Some(false);
                    }
                }
            }
            _ => return None,
        }
        Some(true)
    }

    /// As [`Walk::skip`], for a value in a list: there true and false have a byte.
    fn skip_item(&mut self, kind: u8, level: usize) -> Option<bool> {
        self.skip(if kind <= 2 { 3 } else { kind }, level)
    }

    /// How many values a list has, and their type.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Some((count, head & 15))
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer whose columns are nested so deep, with a version before them.
    fn nested(levels: u64) -> Vec<u8> {
        let mut footer = vec![0x15, 2, 0x19, 0xfc];
        let mut count = levels;
        while count >= 0x80 {
            footer.push(count as u8 | 0x80);
            count >>= 7;
        }
        footer.push(count as u8);
        for level in 1..=levels {
            footer.extend([0x48, 1, b'a']);
            if level < levels {
                footer.extend([0x15, 2]);
            }
            footer.push(0);
        }
        footer.push(0);
        footer
    }

    fn checked(footer: &[u8]) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(footer);
        bytes.extend((footer.len() as u32).to_le_bytes());
        bytes.extend(MAGIC);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        std::fs::write(&path, &bytes).unwrap();
        check(&File::open(&path).unwrap(), bytes.len() as u64)
    }

    #[test]
    fn columns_that_are_nested_too_deep_are_refused_before_anything_follows_them() {
        for levels in [1, 20, MOST_LEVELS as u64] {
            checked(&nested(levels)).unwrap();
        }
        for levels in [MOST_LEVELS as u64 + 1, 1_000_000] {
            let error = checked(&nested(levels)).unwrap_err().to_string();
            assert!(error.contains("nested more than 100 deep"), "{error}");
        }
        // The list comes a second time.
        let mut twice = nested(1);
        twice.pop();
        twice.extend([0x09, 4]);
        twice.extend(&nested(5_000)[3..]);
        assert!(checked(&twice).is_err());
        // Many that lie beside one another: the root has as many children as it says.
        let mut wide = vec![0x19, 0xfc, 0xc9, 0x01, 0x48, 1, b'r', 0x15, 0x90, 0x03, 0];
        (0..200).for_each(|_| wide.extend([0x48, 1, b'a', 0]));
        wide.push(0);
        checked(&wide).unwrap();
    }

    #[test]
    fn what_is_passed_over_is_not_followed_without_end() {
        // A field that nobody knows, of structs in structs.
        let mut footer = vec![0x1c; 1_000_000];
        assert!(checked(&footer).is_err());
        footer.truncate(5);
        checked(&footer).unwrap();
        let mut lists = vec![0x19];
        lists.extend(vec![0x19; 1_000_000]);
        assert!(checked(&lists).is_err());
    }
}
