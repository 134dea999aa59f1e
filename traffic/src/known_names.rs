//! What the rules and the evidence may know about names: positions of checkpoints, plate types and brands, each by the
//! number of the name. It does not know where names come from.

use rustc_hash::FxHashMap;

use crate::{Catalogue, Dimension, Knowledge, NameTable, PlateType, UNKNOWN_BRAND, brand_of};

/// Facts about the names of a stream, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct KnownNames {
    catalogue: Catalogue,
    places: Vec<Option<(f64, f64)>>,
    plate_types: Vec<PlateType>,
    /// The brand of each model; 0 is none.
    brands: Vec<u32>,
    /// A brand has the number of its first model, plus one, so that numbers depend on the names and their order alone.
    brand_numbers: FxHashMap<Box<str>, u32>,
}

impl KnownNames {
    /// Those of a table, with the positions of a catalogue.
    pub fn new(catalogue: Catalogue, names: &NameTable) -> Self {
        let mut known = Self { catalogue, ..Self::default() };
        for dimension in Dimension::ALL {
            names.all(dimension).iter().for_each(|name| known.learn(dimension, name));
        }
        known
    }

    /// Takes the next name of its dimension.
    pub fn learn(&mut self, dimension: Dimension, name: &str) {
        match dimension {
            Dimension::Checkpoint => self.places.push(self.catalogue.position(name)),
            Dimension::PlateType => self.plate_types.push(PlateType::of(name)),
            Dimension::Model => self.learn_brand(name),
            Dimension::District | Dimension::Direction | Dimension::Route => {}
        }
    }

    fn learn_brand(&mut self, model: &str) {
        let brand = brand_of(model);
        let next = self.brands.len() as u32 + 1;
        let number = match self.brand_numbers.get(brand) {
            Some(known) => *known,
            None if brand == UNKNOWN_BRAND => 0,
            None => {
                self.brand_numbers.insert(brand.into(), next);
                next
            }
        };
        self.brands.push(number);
    }

    /// All of it.
    pub fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { places: &self.places, plate_types: &self.plate_types, brands: &self.brands }
    }
}
