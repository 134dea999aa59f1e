//! What a query requires of a passage, and which segments can have an answer.
//!
//! All parts must hold; an absent part requires nothing. It knows columns and texts, not how a query came in.

use traffic::{FuelType, TimeRange, VehicleType};

use crate::{PlatePattern, ZoneMap};

/// What is required of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextTest {
    /// The same text.
    Equals(String),
    /// The text holds this one.
    Contains(String),
}

impl TextTest {
    /// Whether `text` passes.
    pub fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Equals(wanted) => text == wanted,
            Self::Contains(wanted) => text.contains(wanted.as_str()),
        }
    }
}

/// What is required of a passage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Predicate {
    /// GCSJ.
    pub time: TimeRange,
    /// HPHM.
    pub plate: Option<PlatePattern>,
    /// KKMC: one of these texts.
    pub checkpoints: Option<Vec<String>>,
    /// XZQHMC.
    pub district: Option<TextTest>,
    /// FXLX.
    pub direction: Option<TextTest>,
    /// HPZL, padded to two digits.
    pub plate_type: Option<TextTest>,
    /// CLPPXH.
    pub model: Option<TextTest>,
    /// First character of HPHM.
    pub province: Option<char>,
    /// Kind of vehicle, by HPZL and CLPPXH.
    pub vehicle_type: Option<VehicleType>,
    /// Fuel, by HPZL and HPHM.
    pub fuel_type: Option<FuelType>,
}

impl Predicate {
    /// Whether a segment can have a row that passes; where not, its body need not be read.
    pub fn may_match(&self, zone: &ZoneMap) -> bool {
        let checkpoint = |wanted: &Vec<String>| {
            zone.checkpoints_incomplete
                || zone.checkpoints.iter().any(|here| wanted.iter().any(|wanted| **wanted == **here))
        };
        let plate = |pattern: &PlatePattern| zone.plates.as_ref().is_none_or(|filter| pattern.may_be_in(filter));
        zone.touches(self.time)
            && self.checkpoints.as_ref().is_none_or(checkpoint)
            && self.plate.as_ref().is_none_or(plate)
    }
}
