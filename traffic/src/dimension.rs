//! The columns whose values repeat, and a value for each of them. A column is declared here once: batches, stored rows,
//! names and the parser have something [`PerDimension`].

use std::ops::{Index, IndexMut};

/// The number of a name within its [`Dimension`].
pub type NameId = u32;

/// A column whose values repeat and are therefore numbered. The numbers of the variants are stored: new ones come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Dimension {
    /// KKMC 卡口名称.
    Checkpoint = 0,
    /// XZQHMC 行政区划名称.
    District = 1,
    /// FXLX 方向类型.
    Direction = 2,
    /// HPZL 号牌种类, padded to two digits.
    PlateType = 3,
    /// CLPPXH 车辆品牌型号.
    Model = 4,
    /// The shard key, where it is an extra column that is not stored.
    Route = 5,
}

impl Dimension {
    /// How many dimensions there are.
    pub const COUNT: usize = 6;
    /// All dimensions, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Checkpoint, Self::District, Self::Direction, Self::PlateType, Self::Model, Self::Route];
    /// Those that are stored, in the order of a segment.
    pub const STORED: [Self; 5] = [Self::Checkpoint, Self::District, Self::Direction, Self::PlateType, Self::Model];

    /// Limit of the text of this dimension's names together, in bytes: many times what any real data has, and small
    /// enough that made-up names fit in memory.
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Checkpoint | Self::Model => 64 << 20,
            Self::District | Self::Direction | Self::PlateType | Self::Route => 16 << 20,
        }
    }

    /// The logarithm of the size of the parser's cache: enough for the names that real data has.
    pub(crate) const fn cache_bits(self) -> u32 {
        match self {
            Self::Checkpoint | Self::Route => 11,
            Self::Model => 13,
            Self::District | Self::Direction | Self::PlateType => 7,
        }
    }
}

/// A value for each dimension.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerDimension<T>([T; Dimension::COUNT]);

impl<T> PerDimension<T> {
    /// What `make` returns for each dimension.
    pub fn of(make: impl FnMut(Dimension) -> T) -> Self {
        Self(Dimension::ALL.map(make))
    }

    /// The values in the order of the dimensions.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// The values in the order of the dimensions.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

impl<T> Index<Dimension> for PerDimension<T> {
    type Output = T;

    #[inline]
    fn index(&self, dimension: Dimension) -> &T {
        #[expect(clippy::indexing_slicing, reason = "the number of a dimension is below COUNT")]
        &self.0[dimension as usize]
    }
}

impl<T> IndexMut<Dimension> for PerDimension<T> {
    #[inline]
    fn index_mut(&mut self, dimension: Dimension) -> &mut T {
        #[expect(clippy::indexing_slicing, reason = "the number of a dimension is below COUNT")]
        &mut self.0[dimension as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places() {
        for (number, dimension) in Dimension::ALL.into_iter().enumerate() {
            assert_eq!(dimension as usize, number);
        }
        let mut names = PerDimension::of(|dimension| vec![dimension as u8]);
        names[Dimension::Model].push(9);
        assert_eq!((&*names[Dimension::Model], &*names[Dimension::Route]), (&[4, 9][..], &[5][..]));
        assert_eq!(names.iter().map(Vec::len).sum::<usize>(), 7);
        assert!(!Dimension::STORED.contains(&Dimension::Route));
    }
}
