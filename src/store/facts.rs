//! What the writer keeps in mind of names and of the last minute: small facts that are derived from what is stored.

use rustc_hash::FxHashMap;
use traffic::{Catalogue, CivilTime, Dimension, Knowledge, NameId, NameTable, PlateType, VehicleType};

/// What is known of names, by number: positions of checkpoints, plate types and vehicle types.
#[derive(Debug, Default)]
pub(super) struct NameFacts {
    places: Vec<Option<(f64, f64)>>,
    plate_types: Vec<PlateType>,
    catalogue: Catalogue,
    vehicle_types: FxHashMap<(NameId, NameId), u8>,
}

/// A table of vehicle types larger than this is made anew.
const MAX_VEHICLE_TYPES: usize = 1 << 20;

impl NameFacts {
    pub(super) fn set_catalogue(&mut self, catalogue: &Catalogue, names: &NameTable) {
        self.catalogue = catalogue.clone();
        self.places = names.all(Dimension::Checkpoint).iter().map(|name| catalogue.position(name)).collect();
        self.plate_types = names.all(Dimension::PlateType).iter().map(|name| PlateType::of(name)).collect();
    }

    pub(super) fn learn(&mut self, dimension: Dimension, name: &str) {
        match dimension {
            Dimension::Checkpoint => self.places.push(self.catalogue.position(name)),
            Dimension::PlateType => self.plate_types.push(PlateType::of(name)),
            Dimension::District | Dimension::Direction | Dimension::Model | Dimension::Route => {}
        }
    }

    /// What the rule may know of names.
    pub(super) fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { places: &self.places, plate_types: &self.plate_types }
    }

    #[inline]
    pub(super) fn vehicle_type(&mut self, names: &NameTable, plate_type: NameId, model: NameId) -> u8 {
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

/// How many passages each of the last 60 seconds of event time had.
#[derive(Debug, Clone)]
pub(super) struct RecentMinute {
    newest: Option<i64>,
    counts: [u64; 60],
}

impl Default for RecentMinute {
    fn default() -> Self {
        Self { newest: None, counts: [0; 60] }
    }
}

impl RecentMinute {
    #[inline]
    pub(super) fn see(&mut self, time: CivilTime) {
        let newest = self.newest.unwrap_or(time.0);
        if time.0 > newest {
            for second in (newest + 1..=time.0).take(60) {
                if let Some(count) = self.counts.get_mut(second.rem_euclid(60) as usize) {
                    *count = 0;
                }
            }
            if time.0 - newest >= 60 {
                self.counts = [0; 60];
            }
        }
        self.newest = Some(newest.max(time.0));
        if newest - time.0 < 60
            && let Some(count) = self.counts.get_mut(time.0.rem_euclid(60) as usize)
        {
            *count += 1;
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What a commit keeps of it. Which passages were ahead when they came cannot be known from the rows.
    pub(super) fn kept(&self) -> (Option<i64>, Vec<u64>) {
        (self.newest, self.counts.to_vec())
    }

    /// As a commit kept it.
    pub(super) fn of((newest, kept): (Option<i64>, Vec<u64>)) -> Self {
        let mut counts = [0; 60];
        counts.iter_mut().zip(kept).for_each(|(count, kept)| *count = kept);
        Self { newest, counts }
    }
}
