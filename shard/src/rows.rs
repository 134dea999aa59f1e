//! Accepted passages of one shard, in columns: what a segment is made from and decoded into.
//!
//! It knows neither the other shard nor what the name numbers stand for.

use traffic::{CivilTime, Dimension, NameId, PassageBatch, PassageId, PerDimension, PlateCode, Resolution, odd_text};

/// The most rows that one segment can have.
pub const MAX_ROWS: usize = 1 << 20;

/// Rows of one shard in the order of their arrival. All columns have the same length; the route of a passage is not
/// stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// Number of the passage among all accepted ones of the data directory, increasing.
    pub arrivals: Vec<u64>,
    /// Partition of the source.
    pub partitions: Vec<u32>,
    /// GCSJ.
    pub times: Vec<CivilTime>,
    /// GCXH, packed.
    pub ids: Vec<PassageId>,
    /// HPHM, packed.
    pub plates: Vec<PlateCode>,
    /// The number of each row's name in every dimension; nothing for the route.
    pub columns: PerDimension<Vec<NameId>>,
    /// Row and resolution of every GCSJ that was not written to the second, by row.
    pub coarse_times: Vec<(u32, Resolution)>,
    /// Row and text of every odd GCXH, by row.
    pub odd_ids: Vec<(u32, Box<str>)>,
    /// Row and text of every odd HPHM, by row.
    pub odd_plates: Vec<(u32, Box<str>)>,
}

impl Rows {
    /// How many rows there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.arrivals.clear();
        self.partitions.clear();
        self.times.clear();
        self.ids.clear();
        self.plates.clear();
        self.columns.iter_mut().for_each(Vec::clear);
        self.coarse_times.clear();
        self.odd_ids.clear();
        self.odd_plates.clear();
    }

    /// Makes room for `additional` rows.
    pub fn reserve(&mut self, additional: usize) {
        self.arrivals.reserve(additional);
        self.partitions.reserve(additional);
        self.times.reserve(additional);
        self.ids.reserve(additional);
        self.plates.reserve(additional);
        for dimension in Dimension::STORED {
            self.columns[dimension].reserve(additional);
        }
    }

    /// Moves all rows of `other` to the end of these.
    pub fn append(&mut self, other: &mut Self) {
        let shift = self.len() as u32;
        self.arrivals.append(&mut other.arrivals);
        self.partitions.append(&mut other.partitions);
        self.times.append(&mut other.times);
        self.ids.append(&mut other.ids);
        self.plates.append(&mut other.plates);
        for (mine, theirs) in self.columns.iter_mut().zip(other.columns.iter_mut()) {
            mine.append(theirs);
        }
        self.coarse_times.extend(other.coarse_times.drain(..).map(|(row, resolution)| (row + shift, resolution)));
        self.odd_ids.extend(other.odd_ids.drain(..).map(|(row, text)| (row + shift, text)));
        self.odd_plates.extend(other.odd_plates.drain(..).map(|(row, text)| (row + shift, text)));
    }

    /// Removes the rows from the `at`-th on and returns them.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        Self {
            arrivals: self.arrivals.split_off(at),
            partitions: self.partitions.split_off(at),
            times: self.times.split_off(at),
            ids: self.ids.split_off(at),
            plates: self.plates.split_off(at),
            columns: PerDimension::of(|dimension| split_off_column(&mut self.columns[dimension], at)),
            coarse_times: split_off_sparse(&mut self.coarse_times, at),
            odd_ids: split_off_sparse(&mut self.odd_ids, at),
            odd_plates: split_off_sparse(&mut self.odd_plates, at),
        }
    }

    /// Adds row `row` of `batch`, which [`PassageBatch::is_rectangular`]; nothing happens if the batch has no such row.
    #[inline]
    pub fn push_from(&mut self, batch: &PassageBatch, row: usize, arrival: u64, partition: u32) {
        let (Some(&time), Some(&id), Some(&plate)) = (batch.times.get(row), batch.ids.get(row), batch.plates.get(row))
        else {
            return;
        };
        let here = self.len() as u32;
        self.arrivals.push(arrival);
        self.partitions.push(partition);
        self.times.push(time);
        self.ids.push(id);
        self.plates.push(plate);
        for dimension in Dimension::STORED {
            let names = &batch.columns[dimension];
            debug_assert_eq!(names.len(), batch.len(), "the columns differ in length");
            self.columns[dimension].push(names.get(row).copied().unwrap_or(0));
        }
        if let Some(&resolution) = batch.resolutions.get(row).filter(|resolution| **resolution != Resolution::Second) {
            self.coarse_times.push((here, resolution));
        }
        if id.is_odd() {
            self.odd_ids.push((here, odd_text(&batch.odd_ids, row).into()));
        }
        if plate.is_odd() {
            self.odd_plates.push((here, odd_text(&batch.odd_plates, row).into()));
        }
    }

    /// How finely row `row`'s GCSJ was written.
    pub fn resolution(&self, row: usize) -> Resolution {
        let found = self.coarse_times.binary_search_by_key(&row, |(at, _)| *at as usize).ok();
        found.and_then(|at| self.coarse_times.get(at)).map_or(Resolution::Second, |(_, resolution)| *resolution)
    }

    /// Adds row `row` of `other`; nothing happens if there is no such row.
    pub fn push_row(&mut self, other: &Self, row: usize) {
        let (Some(&arrival), Some(&partition), Some(&time)) =
            (other.arrivals.get(row), other.partitions.get(row), other.times.get(row))
        else {
            return;
        };
        let (Some(&id), Some(&plate)) = (other.ids.get(row), other.plates.get(row)) else { return };
        let here = self.len() as u32;
        self.arrivals.push(arrival);
        self.partitions.push(partition);
        self.times.push(time);
        self.ids.push(id);
        self.plates.push(plate);
        for dimension in Dimension::STORED {
            let names = &other.columns[dimension];
            debug_assert_eq!(names.len(), other.len(), "the columns differ in length");
            self.columns[dimension].push(names.get(row).copied().unwrap_or(0));
        }
        let resolution = other.resolution(row);
        if resolution != Resolution::Second {
            self.coarse_times.push((here, resolution));
        }
        if id.is_odd() {
            self.odd_ids.push((here, odd_text(&other.odd_ids, row).into()));
        }
        if plate.is_odd() {
            self.odd_plates.push((here, odd_text(&other.odd_plates, row).into()));
        }
    }

    /// The numbers of a dimension's column; empty for the route, which is not stored.
    pub fn names(&self, dimension: Dimension) -> &[NameId] {
        &self.columns[dimension]
    }

    /// The text of row `row`'s GCXH; empty if there is no such row.
    pub fn id_text(&self, row: usize) -> String {
        match self.ids.get(row) {
            Some(id) if !id.is_odd() => id.unpack(),
            _ => odd_text(&self.odd_ids, row).to_owned(),
        }
    }

    /// The text of row `row`'s HPHM; empty if there is no such row.
    pub fn plate_text(&self, row: usize) -> String {
        match self.plates.get(row) {
            Some(plate) if !plate.is_odd() => plate.unpack(),
            _ => odd_text(&self.odd_plates, row).to_owned(),
        }
    }
}

/// Splits off the rows from the `at`-th on; the column of the route is empty.
fn split_off_column(column: &mut Vec<NameId>, at: usize) -> Vec<NameId> {
    column.split_off(at.min(column.len()))
}

/// Splits off what belongs to the rows from the `at`-th on.
fn split_off_sparse<T>(sparse: &mut Vec<(u32, T)>, at: usize) -> Vec<(u32, T)> {
    let behind = sparse.split_off(sparse.partition_point(|(row, _)| (*row as usize) < at));
    behind.into_iter().map(|(row, value)| (row - at as u32, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> PassageBatch {
        let texts = [("G1", "苏C12345"), ("过车-1", "无牌"), ("G3", "-")];
        PassageBatch {
            times: (0..3).map(CivilTime).collect(),
            resolutions: vec![Resolution::Second, Resolution::Day, Resolution::Minute],
            ids: texts.iter().map(|(id, _)| PassageId::pack(id)).collect(),
            plates: texts.iter().map(|(_, plate)| PlateCode::pack(plate)).collect(),
            columns: PerDimension::of(|dimension| match dimension {
                Dimension::Checkpoint => vec![5, 6, 7],
                other => vec![other as u32 - 1; 3],
            }),
            odd_ids: vec![(1, "过车-1".into())],
            odd_plates: vec![(1, "无牌".into())],
            ..PassageBatch::default()
        }
    }

    #[test]
    fn odd_texts_follow_their_rows() {
        let mut rows = Rows::default();
        rows.push_from(&batch(), 1, 10, 0);
        rows.push_from(&batch(), 2, 11, 0);
        rows.push_from(&batch(), 3, 12, 0);
        let mut more = Rows::default();
        more.push_from(&batch(), 0, 13, 4);
        more.push_from(&batch(), 1, 14, 4);
        rows.append(&mut more);
        assert!(more.is_empty());
        assert_eq!(rows.len(), 4);
        let texts: Vec<_> = (0..5).map(|row| (rows.id_text(row), rows.plate_text(row))).collect();
        let texts: Vec<_> = texts.iter().map(|(id, plate)| (id.as_str(), plate.as_str())).collect();
        assert_eq!(texts, [("过车-1", "无牌"), ("G3", "-"), ("G1", "苏C12345"), ("过车-1", "无牌"), ("", "")]);
        assert_eq!(rows.arrivals, [10, 11, 13, 14]);
        assert_eq!(rows.partitions, [0, 0, 4, 4]);
        assert_eq!(rows.names(Dimension::Checkpoint), [6, 7, 5, 6]);
        assert_eq!(rows.names(Dimension::Route), []);
        let resolutions = |rows: &Rows| (0..rows.len()).map(|row| rows.resolution(row).seconds()).collect::<Vec<_>>();
        assert_eq!(resolutions(&rows), [86_400, 60, 1, 86_400]);
        let behind = rows.split_off(2);
        assert_eq!((resolutions(&rows), resolutions(&behind)), (vec![86_400, 60], vec![1, 86_400]));
        assert_eq!((rows.len(), behind.len()), (2, 2));
        assert_eq!((rows.id_text(0).as_str(), behind.id_text(1).as_str()), ("过车-1", "过车-1"));
        let mut copy = Rows::default();
        (0..9).for_each(|row| copy.push_row(&behind, row));
        assert_eq!(copy, behind);
        rows.clear();
        assert_eq!(rows, Rows::default());
    }
}
