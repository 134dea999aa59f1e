//! Names to numbers: every repeated text of a passage (checkpoint, district, direction, plate type, model) is given a
//! small number once, so that the pipeline compares and counts numbers.
//!
//! The parser owns the [`Interner`]; each batch carries the names that are new in it, and the writer keeps them in a
//! [`NameTable`]. Numbers are dense from 0, are never reused, and are stable for a data directory. It does not know
//! what a name means or where it is kept.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// The number of a name within its [`Dimension`].
pub type NameId = u32;

/// A column whose values repeat and are therefore numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Limit of the text of this dimension's names together, in bytes: many times what any real data has, and small
    /// enough that made-up names fit in memory.
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Checkpoint | Self::Model => 64 << 20,
            Self::District | Self::Direction | Self::PlateType | Self::Route => 16 << 20,
        }
    }

    /// How many dimensions there are.
    pub const COUNT: usize = 6;
    /// All dimensions, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Checkpoint, Self::District, Self::Direction, Self::PlateType, Self::Model, Self::Route];
}

/// The limit of distinct names of a dimension is reached: the record is rejected with this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many distinct values in column {0:?}")]
pub struct NamesFull(pub Dimension);

/// Text of one dimension's names by number.
#[derive(Debug, Clone, Default)]
pub struct NameTable {
    names: [Arc<Vec<Arc<str>>>; Dimension::COUNT],
}

impl NameTable {
    /// The text of a name; empty for a number never given out.
    pub fn text(&self, dimension: Dimension, id: NameId) -> &str {
        self.all(dimension).get(id as usize).map_or("", |name| name)
    }

    /// The shared text of a name; empty for a number never given out.
    pub fn shared(&self, dimension: Dimension, id: NameId) -> Arc<str> {
        self.all(dimension).get(id as usize).cloned().unwrap_or_else(|| Arc::from(""))
    }

    /// All names of a dimension, by number.
    pub fn all(&self, dimension: Dimension) -> &[Arc<str>] {
        self.names.get(dimension as usize).map_or(&[], |names| names.as_slice())
    }

    /// Adds the next name of a dimension and returns its number.
    pub fn push(&mut self, dimension: Dimension, name: Arc<str>) -> NameId {
        let Some(names) = self.names.get_mut(dimension as usize) else { return 0 };
        let names = Arc::make_mut(names);
        names.push(name);
        (names.len() - 1) as NameId
    }
}

/// Gives numbers to names; bounded in count and in bytes per dimension.
#[derive(Debug)]
pub struct Interner {
    maps: [FxHashMap<Arc<str>, NameId>; Dimension::COUNT],
    bytes: [usize; Dimension::COUNT],
    max_names: usize,
}

impl Interner {
    /// Default limit of distinct names in one dimension.
    pub const DEFAULT_MAX_NAMES: usize = 1_000_000;

    /// An interner that knows the names of `table` and may hold up to `max_names` in each dimension.
    pub fn new(table: &NameTable, max_names: usize) -> Self {
        let mut interner = Self { maps: Default::default(), bytes: Default::default(), max_names };
        for dimension in Dimension::ALL {
            for name in table.all(dimension) {
                interner.insert(dimension, name.clone());
            }
        }
        interner
    }

    /// The number of `name`, and its text if it is new.
    ///
    /// # Errors
    /// [`NamesFull`] if the name is new and the dimension's limit is reached.
    #[inline]
    pub fn intern(&mut self, dimension: Dimension, name: &str) -> Result<(NameId, Option<Arc<str>>), NamesFull> {
        if let Some(&id) = self.maps.get(dimension as usize).and_then(|map| map.get(name)) {
            return Ok((id, None));
        }
        let full = self.maps.get(dimension as usize).is_none_or(|map| map.len() >= self.max_names)
            || self.bytes.get(dimension as usize).is_none_or(|bytes| bytes + name.len() > dimension.max_bytes());
        if full {
            return Err(NamesFull(dimension));
        }
        let text: Arc<str> = Arc::from(name);
        Ok((self.insert(dimension, text.clone()), Some(text)))
    }

    /// The number of a name that is known already.
    pub fn number(&self, dimension: Dimension, name: &str) -> Option<NameId> {
        self.maps.get(dimension as usize)?.get(name).copied()
    }

    fn insert(&mut self, dimension: Dimension, name: Arc<str>) -> NameId {
        if let Some(bytes) = self.bytes.get_mut(dimension as usize) {
            *bytes += name.len();
        }
        let Some(map) = self.maps.get_mut(dimension as usize) else { return 0 };
        let id = map.len() as NameId;
        map.insert(name, id);
        id
    }
}
