//! Names to numbers: every repeated text of a passage (checkpoint, district, direction, plate type, model) is given a
//! small number once, so that the pipeline compares and counts numbers.
//!
//! The parser owns the [`Interner`]; each batch carries the names that are new in it, and the writer keeps them in a
//! [`NameTable`]. Numbers are dense from 0, are never reused, and are stable for a data directory. It does not know
//! what a name means or where it is kept.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Dimension, NameId, PerDimension};

/// The limit of distinct names of a dimension is reached: the record is rejected with this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many distinct values in column {0:?}")]
pub struct NamesFull(pub Dimension);

/// Text of one dimension's names by number.
#[derive(Debug, Clone, Default)]
pub struct NameTable {
    names: PerDimension<Arc<Vec<Arc<str>>>>,
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
        &self.names[dimension]
    }

    /// Adds the next name of a dimension and returns its number.
    pub fn push(&mut self, dimension: Dimension, name: Arc<str>) -> NameId {
        let names = Arc::make_mut(&mut self.names[dimension]);
        names.push(name);
        (names.len() - 1) as NameId
    }
}

/// Gives numbers to names; bounded in count and in bytes per dimension.
#[derive(Debug)]
pub struct Interner {
    maps: PerDimension<FxHashMap<Arc<str>, NameId>>,
    bytes: PerDimension<usize>,
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
        if let Some(&id) = self.maps[dimension].get(name) {
            return Ok((id, None));
        }
        let full =
            self.maps[dimension].len() >= self.max_names || self.bytes[dimension] + name.len() > dimension.max_bytes();
        if full {
            return Err(NamesFull(dimension));
        }
        let text: Arc<str> = Arc::from(name);
        Ok((self.insert(dimension, text.clone()), Some(text)))
    }

    /// The number of a name that is known already.
    pub fn number(&self, dimension: Dimension, name: &str) -> Option<NameId> {
        self.maps[dimension].get(name).copied()
    }

    fn insert(&mut self, dimension: Dimension, name: Arc<str>) -> NameId {
        self.bytes[dimension] += name.len();
        let map = &mut self.maps[dimension];
        let id = map.len() as NameId;
        map.insert(name, id);
        id
    }
}
