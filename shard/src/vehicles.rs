//! The vehicle type of a row, which takes two columns: computed once for each pair of plate type and model that occurs.

use std::cell::Cell;

use traffic::VehicleType;

use crate::DictColumn;

/// Vehicle types of a segment's rows.
pub(crate) struct VehicleTable<'a> {
    types: &'a DictColumn,
    models: &'a DictColumn,
    /// By plate type and model; empty if there are too many pairs to remember.
    known: Vec<Cell<u8>>,
}

/// Not computed yet.
const UNKNOWN: u8 = u8::MAX;
/// This many pairs are always affordable; beyond, there must not be many more pairs than rows.
const FEW_PAIRS: usize = 1 << 16;

impl<'a> VehicleTable<'a> {
    pub(crate) fn new(types: &'a DictColumn, models: &'a DictColumn) -> Self {
        let pairs = types.texts.len().saturating_mul(models.texts.len());
        let affordable = pairs <= FEW_PAIRS.max(8 * types.codes.len());
        Self { types, models, known: vec![Cell::new(UNKNOWN); if affordable { pairs } else { 0 }] }
    }

    /// The number of the row's [`VehicleType`].
    #[inline]
    pub(crate) fn of_row(&self, row: usize) -> u8 {
        let (Some(plate_type), Some(model)) = (self.types.codes.get(row), self.models.codes.get(row)) else {
            return VehicleType::Other as u8;
        };
        let (plate_type, model) = (plate_type as usize, model as usize);
        let remembered = self.known.get(plate_type * self.models.texts.len() + model);
        match remembered.map(Cell::get) {
            Some(vehicle) if vehicle != UNKNOWN => vehicle,
            _ => {
                let text = |names: &'a DictColumn, code: usize| names.texts.get(code).map_or("", |text| &**text);
                let vehicle = VehicleType::of(text(self.types, plate_type), text(self.models, model)) as u8;
                if let Some(cell) = remembered {
                    cell.set(vehicle);
                }
                vehicle
            }
        }
    }
}
