//! `[detect]`: the rules for cloned plates.

use std::time::Duration;

use traffic::{DetectorSettings, PlateScope};

use crate::config::checks::{whole_seconds, within};
use crate::config::declare::{choices, settings};
use crate::config::units::SpeedWindow;

settings! {
    /// The cloned-plate rules. All times are event time, in whole seconds, at most 7 days.
    pub struct DetectConfig {
        /// Two sightings of one plate at different checkpoints less than this apart are an alert.
        window: Duration = Duration::from_secs(300), whole_seconds;
        /// How long a plate's sightings are kept; at least `window` and `speed_window`. A record that is older than the
        /// watermark (the newest time that three checkpoints have reached) by more than `state_ttl` less `window` is late:
        /// stored and counted, but not compared.
        state_ttl: Duration = Duration::from_secs(600), whole_seconds;
        /// Which plates are compared: those that are complete (ordinary, new energy and special), or also masked and
        /// irregular readings, as the original job did.
        plates: ComparedPlates = ComparedPlates::Valid;
        /// The speed in km/h above which one car cannot have made both sightings; decides the severity of an alert and
        /// the rule `speed`, which use the lower bound of the speed. It needs the coordinates of both
        /// checkpoints.
        max_speed_kmh: f64 = 160.0, within(1.0, 2_000.0);
        /// How far apart two sightings may be for the rule `speed`; at most `state_ttl`.
        speed_window: SpeedWindow = SpeedWindow::SameAsWindow, |window: &SpeedWindow| match window {
            SpeedWindow::SameAsWindow => Ok(()),
            SpeedWindow::Of(duration) => whole_seconds(duration),
        };
        /// Whether travel times, clocks and misreads are learnt from the traffic. Alerts then have a probability and a
        /// cause, severity follows from them where the pair of checkpoints is known, and plates that contradict
        /// themselves become cases.
        evidence: EvidenceUse = EvidenceUse::On;
        /// Two sightings of one plate that are farther apart in time than this say nothing about two cars.
        reach: Duration = Duration::from_secs(7200), whole_seconds;
    }
}

impl DetectConfig {
    /// How far apart two sightings may be for the rule `speed`.
    pub fn speed_window(&self) -> Duration {
        match self.speed_window {
            SpeedWindow::SameAsWindow => self.window,
            SpeedWindow::Of(duration) => duration,
        }
    }

    /// Seconds of event time of which a takeover needs the records for plate states: two state TTLs.
    pub fn of_states(&self) -> i64 {
        i64::try_from(self.state_ttl.saturating_mul(2).as_secs()).unwrap_or(i64::MAX)
    }

    /// Seconds of event time that a takeover reads back: what plate states need and what the evidence compares, and where
    /// evidence is on, what it is to learn from again.
    pub fn read_back(&self, relearn: Duration) -> i64 {
        let of_evidence = match self.evidence {
            EvidenceUse::On => self.reach.saturating_add(self.state_ttl).max(relearn),
            EvidenceUse::Off => Duration::ZERO,
        };
        self.of_states().max(i64::try_from(of_evidence.as_secs()).unwrap_or(i64::MAX))
    }

    /// These settings for the detector.
    pub fn detector_settings(&self) -> DetectorSettings {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        DetectorSettings {
            window: seconds(self.window),
            state_ttl: seconds(self.state_ttl),
            speed_window: seconds(self.speed_window()),
            max_speed_kmh: self.max_speed_kmh,
            plates: match self.plates {
                ComparedPlates::Valid => PlateScope::Valid,
                ComparedPlates::Any => PlateScope::Any,
            },
        }
    }
}

choices! {
    /// Whether evidence is learnt from the traffic.
    pub enum EvidenceUse {
        /// It is.
        On = "on",
        /// It is not: there are no probabilities and no cases, and what was learnt before is forgotten.
        Off = "off",
    }
}

choices! {
    /// Which plates are compared.
    pub enum ComparedPlates {
        /// Plates of class ordinary, new_energy or special.
        Valid = "valid",
        /// Masked and irregular readings too.
        Any = "any",
    }
}
