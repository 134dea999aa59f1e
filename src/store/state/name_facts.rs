//! What the writer remembers about names: small facts that are derived from what is stored.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use traffic::{Catalogue, Dimension, Knowledge, KnownNames, NameId, NameTable, VehicleType};

/// What is known about names, by number, and the vehicle types that follow from two of them.
#[derive(Debug, Default)]
pub(in crate::store) struct NameFacts {
    /// Shared with the thread of the evidence while a commit runs.
    known: Arc<KnownNames>,
    vehicle_types: FxHashMap<(NameId, NameId), u8>,
}

/// A table of vehicle types larger than this is rebuilt.
const MAX_VEHICLE_TYPES: usize = 1 << 20;

impl NameFacts {
    pub(in crate::store) fn set_catalogue(&mut self, catalogue: &Catalogue, names: &NameTable) {
        self.known = Arc::new(KnownNames::new(catalogue.clone(), names));
    }

    pub(in crate::store) fn learn(&mut self, dimension: Dimension, name: &str) {
        Arc::make_mut(&mut self.known).learn(dimension, name);
    }

    /// What the rule and the evidence may know about names.
    pub(in crate::store) fn knowledge(&self) -> Knowledge<'_> {
        self.known.knowledge()
    }

    /// The same for another thread.
    pub(in crate::store) fn shared(&self) -> Arc<KnownNames> {
        self.known.clone()
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
