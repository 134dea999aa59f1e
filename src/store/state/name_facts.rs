//! What the writer remembers about names: small facts that are derived from what is stored.

use rustc_hash::FxHashMap;
use traffic::{Catalogue, Dimension, Knowledge, NameId, NameTable, PlateType, VehicleType};

/// What is known about names, by number: positions of checkpoints, plate types and vehicle types.
#[derive(Debug, Default)]
pub(in crate::store) struct NameFacts {
    places: Vec<Option<(f64, f64)>>,
    plate_types: Vec<PlateType>,
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
    }

    pub(in crate::store) fn learn(&mut self, dimension: Dimension, name: &str) {
        match dimension {
            Dimension::Checkpoint => self.places.push(self.catalogue.position(name)),
            Dimension::PlateType => self.plate_types.push(PlateType::of(name)),
            // Nothing is known of the others.
            _ => {}
        }
    }

    /// What the rule may know about names.
    pub(in crate::store) fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { places: &self.places, plate_types: &self.plate_types }
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
