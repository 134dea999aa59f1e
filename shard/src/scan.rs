//! Finding the rows of a segment that meet a predicate, with as few columns loaded as that takes.
//!
//! Columns are tested one after the other, the most selective first; once no row is left, the rest is not loaded. While
//! many rows are left, each has a mark (a byte, so that tests become vector code); few rows are kept as a list. A text
//! is tested once for each dictionary entry, not for each row. It does not know where columns come from.

use std::sync::Arc;

use traffic::{Dimension, FuelType, PlateClass, PlateCode, TimeRange};

use crate::vehicles::VehicleTable;
use crate::{
    Codes, Column, ColumnKind, ColumnLoader, DictColumn, PlatePattern, Predicate, SegmentError, TextTest, ZoneMap,
};
use traffic::odd_text;

/// Rows of a segment that meet a predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matches {
    /// All rows; how many.
    All(u32),
    /// These, increasing.
    Rows(Vec<u32>),
}

impl Matches {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::All(count) => *count as usize,
            Self::Rows(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows, increasing.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> {
        let (all, some) = match self {
            Self::All(count) => (0..*count, &[][..]),
            Self::Rows(rows) => (0..0, rows.as_slice()),
        };
        all.chain(some.iter().copied())
    }
}

/// The rows of a segment of `rows` rows that meet `predicate`.
///
/// # Errors
/// What the loader says; [`SegmentError::WrongColumn`] if it returns a column of another kind or length.
pub fn scan(predicate: &Predicate, rows: usize, loader: &dyn ColumnLoader) -> Result<Matches, SegmentError> {
    scan_columns(predicate, predicate.time, rows, loader)
}

/// The same for a segment whose zone map is known: what cannot match is not read, and times are not read if all are in
/// the range.
///
/// # Errors
/// As [`scan()`].
pub fn scan_segment(predicate: &Predicate, zone: &ZoneMap, loader: &dyn ColumnLoader) -> Result<Matches, SegmentError> {
    if !predicate.may_match(zone) {
        return Ok(Matches::Rows(Vec::new()));
    }
    let time = if zone.is_within(predicate.time) { TimeRange::default() } else { predicate.time };
    scan_columns(predicate, time, zone.rows as usize, loader)
}

/// A plate pattern with at least this many known characters finds few enough rows to be tested first.
const SELECTIVE: usize = 3;

fn scan_columns(
    predicate: &Predicate,
    time: TimeRange,
    rows: usize,
    loader: &dyn ColumnLoader,
) -> Result<Matches, SegmentError> {
    let mut scan = Scan { rows, left: Left::All, loader };
    let plate = predicate.plate.as_ref().filter(|pattern| !pattern.is_any());
    let (plate_first, plate_last) = match plate {
        Some(pattern) if pattern.literals() >= SELECTIVE => (plate, None),
        _ => (None, plate),
    };
    scan.by_time(time)?;
    scan.by_plate(plate_first)?;
    if let Some(wanted) = &predicate.checkpoints {
        scan.by_name(ColumnKind::Names(Dimension::Checkpoint), |text| wanted.iter().any(|wanted| wanted == text))?;
    }
    for (kind, test) in [
        (ColumnKind::Names(Dimension::District), &predicate.district),
        (ColumnKind::Names(Dimension::Direction), &predicate.direction),
        (ColumnKind::Names(Dimension::PlateType), &predicate.plate_type),
        (ColumnKind::Names(Dimension::Model), &predicate.model),
    ] {
        if let Some(test) = test {
            scan.by_name(kind, |text| TextTest::accepts(test, text))?;
        }
    }
    if let Some(wanted) = predicate.vehicle_type {
        scan.by_vehicle(|vehicle| vehicle == wanted as u8)?;
    }
    scan.by_plate(plate_last)?;
    if let Some(province) = predicate.province {
        scan.by_province(province)?;
    }
    if let Some(fuel) = predicate.fuel_type {
        scan.by_fuel(fuel)?;
    }
    Ok(scan.finish())
}

/// Which rows have passed so far.
enum Left {
    All,
    /// 1 for a row that is left, 0 for one that is not.
    Marks(Vec<u8>),
    Rows(Vec<u32>),
}

/// A list is used once at most one row in this many is left.
const SPARSE: usize = 16;

struct Scan<'a> {
    rows: usize,
    left: Left,
    loader: &'a dyn ColumnLoader,
}

impl Scan<'_> {
    fn is_done(&self) -> bool {
        matches!(&self.left, Left::Rows(rows) if rows.is_empty())
    }

    fn load(&self, kind: ColumnKind) -> Result<Arc<Column>, SegmentError> {
        self.loader.load(kind)
    }

    /// Drops rows: `mark` clears the marks of all rows that fail, `test` says whether one row passes.
    fn keep(&mut self, mark: impl FnOnce(&mut [u8]), test: impl Fn(usize) -> bool) {
        let mut marks = match std::mem::replace(&mut self.left, Left::All) {
            Left::Rows(mut rows) => {
                rows.retain(|row| test(*row as usize));
                self.left = Left::Rows(rows);
                return;
            }
            Left::All => vec![1; self.rows],
            Left::Marks(marks) => marks,
        };
        mark(&mut marks);
        let left: usize = marks.chunks(128).map(|chunk| usize::from(chunk.iter().sum::<u8>())).sum();
        self.left = if left == self.rows {
            Left::All
        } else if left * SPARSE <= self.rows {
            Left::Rows(listed(&marks, left))
        } else {
            Left::Marks(marks)
        };
    }

    fn by_time(&mut self, range: TimeRange) -> Result<(), SegmentError> {
        if self.is_done() || range == TimeRange::default() {
            return Ok(());
        }
        let column = self.load(ColumnKind::Times)?;
        let times = of_length(column.as_times()?, self.rows)?;
        let from = range.start.map_or(i64::MIN, |time| time.0);
        let to = range.end.map_or(i64::MAX, |time| time.0);
        self.keep(
            |marks| {
                for (mark, time) in marks.iter_mut().zip(times) {
                    *mark &= u8::from(time.0 >= from) & u8::from(time.0 <= to);
                }
            },
            |row| times.get(row).is_some_and(|time| range.contains(*time)),
        );
        Ok(())
    }

    fn by_name(&mut self, kind: ColumnKind, accepts: impl Fn(&str) -> bool) -> Result<(), SegmentError> {
        if self.is_done() {
            return Ok(());
        }
        let column = self.load(kind)?;
        let names = names_of_length(&column, self.rows)?;
        let table: Vec<u8> = names.texts.iter().map(|text| u8::from(accepts(text))).collect();
        if !table.contains(&0) {
            return Ok(());
        }
        if !table.contains(&1) {
            self.left = Left::Rows(Vec::new());
            return Ok(());
        }
        self.keep(
            |marks| mark_codes(&names.codes, &table, marks),
            |row| names.codes.get(row).is_some_and(|code| table.get(code as usize) == Some(&1)),
        );
        Ok(())
    }

    fn by_vehicle(&mut self, accepts: impl Fn(u8) -> bool) -> Result<(), SegmentError> {
        if self.is_done() {
            return Ok(());
        }
        let (types, models) =
            (self.load(ColumnKind::Names(Dimension::PlateType))?, self.load(ColumnKind::Names(Dimension::Model))?);
        let types = names_of_length(&types, self.rows)?;
        let models = names_of_length(&models, self.rows)?;
        let table = VehicleTable::new(types, models);
        let test = |row: usize| accepts(table.of_row(row));
        self.keep(|marks| mark_rows(marks, test), test);
        Ok(())
    }

    fn by_plate(&mut self, pattern: Option<&PlatePattern>) -> Result<(), SegmentError> {
        let Some(pattern) = pattern else { return Ok(()) };
        self.by_code(|codes, marks| pattern.mark_packed(codes, marks), |plate, text| pattern.matches(plate, text))
    }

    fn by_province(&mut self, province: char) -> Result<(), SegmentError> {
        let symbol = PlateCode::symbol_of(province);
        self.by_code(
            |codes, marks| {
                let Some(symbol) = symbol else { return marks.fill(0) };
                for (mark, code) in marks.iter_mut().zip(codes) {
                    *mark &= u8::from(*code as u8 == symbol) & u8::from(code >> 63 == 0);
                }
            },
            |plate, text| {
                if plate.is_odd() { text.starts_with(province) } else { Some(plate.as_u64() as u8) == symbol }
            },
        )
    }

    fn by_fuel(&mut self, fuel: FuelType) -> Result<(), SegmentError> {
        if self.is_done() {
            return Ok(());
        }
        let column = self.load(ColumnKind::Names(Dimension::PlateType))?;
        let types = names_of_length(&column, self.rows)?;
        // The plate's class is computed only if the plate type leaves the fuel open.
        let by_type: Vec<bool> =
            types.texts.iter().map(|text| FuelType::of(text, PlateClass::Irregular) == FuelType::NewEnergy).collect();
        let plates = self.load(ColumnKind::Plates)?;
        let codes = of_length(plates.as_plates()?, self.rows)?;
        let test = |row: usize| {
            let of_type = types.codes.get(row).and_then(|code| by_type.get(code as usize)).copied().unwrap_or(false);
            // An odd plate is never a new energy plate, so its text does not matter.
            let of_plate =
                || codes.get(row).is_some_and(|code| PlateCode::from_u64(*code).class("") == PlateClass::NewEnergy);
            (of_type || of_plate()) == (fuel == FuelType::NewEnergy)
        };
        self.keep(|marks| mark_rows(marks, test), test);
        Ok(())
    }

    /// Tests plates: `mark` keeps the marks of packed plates that pass and clears all others, `test` tests one plate.
    fn by_code(
        &mut self,
        mark: impl FnOnce(&[u64], &mut [u8]),
        test: impl Fn(PlateCode, &str) -> bool,
    ) -> Result<(), SegmentError> {
        if self.is_done() {
            return Ok(());
        }
        let plates = self.load(ColumnKind::Plates)?;
        let codes = of_length(plates.as_plates()?, self.rows)?;
        let odd = self.load(ColumnKind::OddPlates)?;
        let odd = odd.as_odd_texts()?;
        self.keep(
            |marks| {
                let marked = |row: u32, marks: &[u8]| marks.get(row as usize) == Some(&1);
                let found: Vec<u32> = odd
                    .iter()
                    .filter(|(row, text)| marked(*row, marks) && test(PlateCode::pack(text), text))
                    .map(|(row, _)| *row)
                    .collect();
                mark(codes, marks);
                for row in found {
                    if let Some(mark) = marks.get_mut(row as usize) {
                        *mark = 1;
                    }
                }
            },
            |row| {
                codes.get(row).is_some_and(|code| {
                    let plate = PlateCode::from_u64(*code);
                    test(plate, if plate.is_odd() { odd_text(odd, row) } else { "" })
                })
            },
        );
        Ok(())
    }

    fn finish(self) -> Matches {
        match self.left {
            Left::All => Matches::All(self.rows as u32),
            Left::Marks(marks) => Matches::Rows(listed(&marks, marks.len())),
            Left::Rows(rows) => Matches::Rows(rows),
        }
    }
}

/// The rows whose mark is set; about `count` of them.
fn listed(marks: &[u8], count: usize) -> Vec<u32> {
    let mut rows = Vec::with_capacity(count);
    for (group, marks) in marks.chunks(64).enumerate() {
        // Most groups have none: this checks eight marks at a time.
        if marks.iter().any(|mark| *mark != 0) {
            let first = 64 * group as u32;
            rows.extend((first..).zip(marks).filter(|(_, mark)| **mark != 0).map(|(row, _)| row));
        }
    }
    rows
}

fn mark_codes(codes: &Codes, table: &[u8], marks: &mut [u8]) {
    match codes {
        Codes::U8(codes) => {
            let mut whole = [0u8; 256];
            whole.iter_mut().zip(table).for_each(|(slot, accepted)| *slot = *accepted);
            for (mark, code) in marks.iter_mut().zip(codes) {
                *mark &= whole.get(usize::from(*code)).copied().unwrap_or(0);
            }
        }
        Codes::U16(codes) => {
            for (mark, code) in marks.iter_mut().zip(codes) {
                *mark &= table.get(usize::from(*code)).copied().unwrap_or(0);
            }
        }
        Codes::U32(codes) => {
            for (mark, code) in marks.iter_mut().zip(codes) {
                *mark &= table.get(*code as usize).copied().unwrap_or(0);
            }
        }
    }
}

fn mark_rows(marks: &mut [u8], test: impl Fn(usize) -> bool) {
    for (row, mark) in marks.iter_mut().enumerate().filter(|(_, mark)| **mark != 0) {
        *mark = u8::from(test(row));
    }
}

pub(crate) fn of_length<T>(column: &[T], rows: usize) -> Result<&[T], SegmentError> {
    if column.len() == rows { Ok(column) } else { Err(SegmentError::WrongColumn("one of the segment's length")) }
}

pub(crate) fn names_of_length(column: &Column, rows: usize) -> Result<&DictColumn, SegmentError> {
    let names = column.as_names()?;
    if names.codes.len() == rows { Ok(names) } else { Err(SegmentError::WrongColumn("one of the segment's length")) }
}

/// The dimension's column, of the segment's length.
pub(crate) fn load_names(
    loader: &dyn ColumnLoader,
    dimension: Dimension,
    rows: usize,
) -> Result<Arc<Column>, SegmentError> {
    let kind = ColumnKind::Names(dimension);
    let column = loader.load(kind)?;
    names_of_length(&column, rows)?;
    Ok(column)
}
