//! What the detection may know about names: places of checkpoints, plate types and brands by their numbers.

use rustc_hash::FxHashMap;
use traffic::{Catalogue, Dimension, Knowledge, PlateType, UNKNOWN_BRAND, brand_of};

/// Facts about the names of a stream, in the order in which they came.
#[derive(Debug)]
pub(super) struct Facts {
    catalogue: Catalogue,
    places: Vec<Option<(f64, f64)>>,
    plate_types: Vec<PlateType>,
    brands: Vec<u32>,
    /// A brand has the number of its first model, plus one.
    brand_numbers: FxHashMap<Box<str>, u32>,
}

impl Facts {
    /// No names yet.
    pub(super) fn new(catalogue: Catalogue) -> Self {
        Self {
            catalogue,
            places: Vec::new(),
            plate_types: Vec::new(),
            brands: Vec::new(),
            brand_numbers: FxHashMap::default(),
        }
    }

    /// Takes the next name of its dimension.
    pub(super) fn learn(&mut self, dimension: Dimension, name: &str) {
        match dimension {
            Dimension::Checkpoint => self.places.push(self.catalogue.position(name)),
            Dimension::PlateType => self.plate_types.push(PlateType::of(name)),
            Dimension::Model => {
                let (brand, next) = (brand_of(name), self.brands.len() as u32 + 1);
                let number =
                    if brand == UNKNOWN_BRAND { 0 } else { *self.brand_numbers.entry(brand.into()).or_insert(next) };
                self.brands.push(number);
            }
            Dimension::District | Dimension::Direction | Dimension::Route => {}
        }
    }

    /// All of it.
    pub(super) fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { places: &self.places, plate_types: &self.plate_types, brands: &self.brands }
    }
}
