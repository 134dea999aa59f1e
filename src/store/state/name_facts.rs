//! What the writer remembers about names: small facts that are derived from what is stored.

use rustc_hash::FxHashMap;
use traffic::{Catalogue, Dimension, Knowledge, NameId, NameTable, PlateType, UNKNOWN_BRAND, VehicleType, brand_of};

/// What is known about names, by number: positions of checkpoints, plate types and vehicle types.
#[derive(Debug, Default)]
pub(in crate::store) struct NameFacts {
    places: Vec<Option<(f64, f64)>>,
    plate_types: Vec<PlateType>,
    /// The brand of each model, and the number of each brand: that of its first model, plus one; 0 is none.
    brands: Vec<u32>,
    brand_numbers: FxHashMap<Box<str>, u32>,
    catalogue: Catalogue,
    vehicle_types: FxHashMap<(NameId, NameId), u8>,
}

/// A table of vehicle types larger than this is rebuilt.
const MAX_VEHICLE_TYPES: usize = 1 << 20;

impl NameFacts {
    pub(in crate::store) fn set_catalogue(&mut self, catalogue: &Catalogue, names: &NameTable) {
        self.catalogue = catalogue.clone();
        self.places = names.all(Dimension::Checkpoint).iter().map(|name| catalogue.position(name)).collect();
        self.plate_types = names.all(Dimension::PlateType).iter().map(|name| PlateType::of(name)).collect();
        self.brands.clear();
        self.brand_numbers.clear();
        names.all(Dimension::Model).iter().for_each(|name| self.learn_brand(name));
    }

    pub(in crate::store) fn learn(&mut self, dimension: Dimension, name: &str) {
        match dimension {
            Dimension::Checkpoint => self.places.push(self.catalogue.position(name)),
            Dimension::PlateType => self.plate_types.push(PlateType::of(name)),
            Dimension::Model => self.learn_brand(name),
            // Nothing is known of the others.
            _ => {}
        }
    }

    /// A brand has the number of the first model of it, so that the numbers depend on the names and their order alone.
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

    /// What the rule and the evidence may know about names.
    pub(in crate::store) fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { places: &self.places, plate_types: &self.plate_types, brands: &self.brands }
    }

    #[inline]
    pub(in crate::store) fn vehicle_type(&mut self, names: &NameTable, plate_type: NameId, model: NameId) -> u8 {
        if let Some(&known) = self.vehicle_types.get(&(plate_type, model)) {
            return known;
        }
        if self.vehicle_types.len() >= MAX_VEHICLE_TYPES {
            self.vehicle_types.clear();
        }
        let kind =
            VehicleType::of(names.text(Dimension::PlateType, plate_type), names.text(Dimension::Model, model)) as u8;
        self.vehicle_types.insert((plate_type, model), kind);
        kind
    }
}
