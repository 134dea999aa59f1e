//! Settings of the detector and its rules. It knows neither.

/// Which plates are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlateScope {
    /// Plates of class ordinary, new_energy or special.
    #[default]
    Valid,
    /// All plates, as the original job did.
    Any,
}

/// Settings of the detector and its rules. Times in seconds, speed in km/h.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectorSettings {
    /// Two checkpoints with a gap strictly under this are an alert.
    pub window: i64,
    /// How far below the watermark a sighting is kept, and a GCXH guarded.
    pub state_ttl: i64,
    /// Sightings with a gap strictly under this are checked for their lower speed.
    pub speed_window: i64,
    /// A speed above this is impossible.
    pub max_speed_kmh: f64,
    /// Which plates are compared.
    pub plates: PlateScope,
}

impl Default for DetectorSettings {
    fn default() -> Self {
        Self { window: 300, state_ttl: 600, speed_window: 300, max_speed_kmh: 160.0, plates: PlateScope::Valid }
    }
}
