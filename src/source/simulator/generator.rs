//! The simulator as its callers know it, on either kind of roads.

use traffic::{Checkpoint, CivilTime};

use super::event::Event;
use super::facts::{CameraFacts, IncidentFacts, PlateFacts, RoadFacts, TruePassage};
use super::ideal::Ideal;
use super::real::Real;
use super::settings::{Roads, SettingsError, SimulatorSettings};
use super::truth::ClonePair;

/// A generator of passage lines in the order of their arrival. It never ends.
#[derive(Debug)]
pub struct Simulator(Generator);

#[derive(Debug)]
enum Generator {
    Ideal(Box<Ideal>),
    Real(Box<Real>),
}

impl Simulator {
    /// A simulator whose roads are already busy.
    ///
    /// # Errors
    /// [`SettingsError`] if a setting is out of its range.
    pub fn new(settings: SimulatorSettings) -> Result<Self, SettingsError> {
        settings.validate()?;
        Ok(Self(match settings.roads {
            Roads::Ideal => Generator::Ideal(Box::new(Ideal::new(settings))),
            Roads::Real => Generator::Real(Box::new(Real::new(settings))),
        }))
    }

    /// The checkpoints of the network.
    pub fn checkpoints(&self) -> &[Checkpoint] {
        match &self.0 {
            Generator::Ideal(ideal) => ideal.checkpoints(),
            Generator::Real(real) => real.checkpoints(),
        }
    }

    /// When the next line arrives, in civil milliseconds since 1970-01-01 00:00:00.
    pub fn next_due(&mut self) -> i64 {
        match &mut self.0 {
            Generator::Ideal(ideal) => ideal.next_due(),
            Generator::Real(real) => real.next_due(),
        }
    }

    /// Appends the next line to arrive, TAB-separated, with its `\n`.
    pub fn next_passage(&mut self, line: &mut Vec<u8>) -> Event {
        match &mut self.0 {
            Generator::Ideal(ideal) => ideal.next_passage(line),
            Generator::Real(real) => real.next_passage(line),
        }
    }

    /// The clone pairs found since the last call; empty unless [`SimulatorSettings::truth`].
    pub fn take_truth(&mut self) -> Vec<ClonePair> {
        match &mut self.0 {
            Generator::Ideal(ideal) => ideal.take_truth(),
            Generator::Real(real) => real.take_truth(),
        }
    }

    /// Who really passed, for the lines that arrived since the last call; empty unless
    /// [`SimulatorSettings::passage_truth`], and on ideal roads.
    pub fn take_passages(&mut self) -> Vec<TruePassage> {
        match &mut self.0 {
            Generator::Ideal(_) => Vec::new(),
            Generator::Real(real) => real.take_passages(),
        }
    }

    /// How each camera is; nothing on ideal roads.
    pub fn camera_facts(&self) -> Vec<CameraFacts> {
        self.real().map(Real::camera_facts).unwrap_or_default()
    }

    /// How each road is, in each direction; nothing on ideal roads.
    pub fn road_facts(&self) -> Vec<RoadFacts> {
        self.real().map(Real::road_facts).unwrap_or_default()
    }

    /// The incidents that begin from one time to before another; none on ideal roads.
    pub fn incident_facts(&self, from: CivilTime, to: CivilTime) -> Vec<IncidentFacts> {
        self.real().map(|real| real.incident_facts(from, to)).unwrap_or_default()
    }

    /// The plates that two vehicles have; nothing on ideal roads.
    pub fn plate_facts(&self) -> Vec<PlateFacts> {
        self.real().map(Real::plate_facts).unwrap_or_default()
    }

    fn real(&self) -> Option<&Real> {
        match &self.0 {
            Generator::Ideal(_) => None,
            Generator::Real(real) => Some(real),
        }
    }
}
