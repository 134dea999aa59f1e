//! Counting a segment's rows in a range of time, for ranges that begin or end inside an hour, which the counters by
//! hour cannot answer. It does not know the counters.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use traffic::{CivilTime, Dimension, TimeRange, VehicleType};

use crate::scan::{load_names, of_length};
use crate::vehicles::VehicleTable;
use crate::{Column, ColumnKind, ColumnLoader, SegmentError};

/// How many of the rows in `range` have each name of `dimension`; names without one are left out.
///
/// # Errors
/// What the loader says; [`SegmentError::WrongColumn`] if it returns a column of another kind or length, or for the
/// route, which is not stored.
pub fn count_names(
    dimension: Dimension,
    range: TimeRange,
    rows: usize,
    loader: &dyn ColumnLoader,
) -> Result<Vec<(Arc<str>, u64)>, SegmentError> {
    let column = load_names(loader, dimension, rows)?;
    let names = column.as_names()?;
    let times = Times::load(range, rows, loader)?;
    let mut counts = vec![0u64; names.texts.len()];
    let mut row = 0;
    names.codes.for_each(|code| {
        if let Some(count) = counts.get_mut(code as usize) {
            *count += times.has(row);
        }
        row += 1;
    });
    Ok(names.texts.iter().cloned().zip(counts).filter(|(_, count)| *count > 0).collect())
}

/// A name of each of two dimensions, and how many rows have both.
pub type PairCount = ([Arc<str>; 2], u64);

/// How many of the rows in `range` have each pair of names, one of each dimension, in no order.
///
/// # Errors
/// As [`count_names`].
pub fn count_pairs(
    dimensions: [Dimension; 2],
    range: TimeRange,
    rows: usize,
    loader: &dyn ColumnLoader,
) -> Result<Vec<PairCount>, SegmentError> {
    let [first, second] = dimensions;
    let [first, second] = [load_names(loader, first, rows)?, load_names(loader, second, rows)?];
    let [first, second] = [first.as_names()?, second.as_names()?];
    let times = Times::load(range, rows, loader)?;
    let mut firsts = Vec::with_capacity(rows);
    first.codes.for_each(|code| firsts.push(code));
    let mut counts: FxHashMap<[u32; 2], u64> = FxHashMap::default();
    let mut row = 0;
    second.codes.for_each(|code| {
        if let Some(first) = firsts.get(row).filter(|_| times.has(row) != 0) {
            *counts.entry([*first, code]).or_default() += 1;
        }
        row += 1;
    });
    let named = counts.into_iter().filter_map(|([one, other], count)| {
        Some(([first.texts.get(one as usize)?.clone(), second.texts.get(other as usize)?.clone()], count))
    });
    Ok(named.collect())
}

/// How many of the rows in `range` fall into each hour of the day.
///
/// # Errors
/// As [`count_names`].
pub fn count_hours(range: TimeRange, rows: usize, loader: &dyn ColumnLoader) -> Result<[u64; 24], SegmentError> {
    let column = loader.load(ColumnKind::Times)?;
    let times = of_length(column.as_times()?, rows)?;
    let mut counts = [0; 24];
    for time in times.iter().filter(|time| range.contains(**time)) {
        if let Some(count) = counts.get_mut(usize::from(time.hour_of_day())) {
            *count += 1;
        }
    }
    Ok(counts)
}

/// How many of the rows in `range` are of each vehicle type, in the order of [`VehicleType::ALL`].
///
/// # Errors
/// As [`count_names`].
pub fn count_vehicle_types(
    range: TimeRange,
    rows: usize,
    loader: &dyn ColumnLoader,
) -> Result<[u64; VehicleType::ALL.len()], SegmentError> {
    let types = load_names(loader, Dimension::PlateType, rows)?;
    let models = load_names(loader, Dimension::Model, rows)?;
    let times = Times::load(range, rows, loader)?;
    let table = VehicleTable::new(types.as_names()?, models.as_names()?);
    let mut counts = [0; VehicleType::ALL.len()];
    for row in (0..rows).filter(|row| times.has(*row) != 0) {
        if let Some(count) = counts.get_mut(usize::from(table.of_row(row))) {
            *count += 1;
        }
    }
    Ok(counts)
}

/// Which rows are in the range; times are loaded only if it has an end.
struct Times {
    range: TimeRange,
    column: Option<Arc<Column>>,
}

impl Times {
    fn load(range: TimeRange, rows: usize, loader: &dyn ColumnLoader) -> Result<Self, SegmentError> {
        if range == TimeRange::default() {
            return Ok(Self { range, column: None });
        }
        let column = loader.load(ColumnKind::Times)?;
        of_length(column.as_times()?, rows)?;
        Ok(Self { range, column: Some(column) })
    }

    /// 1 for a row in the range, else 0.
    #[inline]
    fn has(&self, row: usize) -> u64 {
        match self.column.as_deref() {
            Some(Column::Times(times)) => {
                u64::from(times.get(row).is_some_and(|time: &CivilTime| self.range.contains(*time)))
            }
            _ => 1,
        }
    }
}
