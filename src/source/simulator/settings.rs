//! What can be set about simulated traffic, and what is wrong with a setting.

use traffic::CivilTime;

/// What roads and cameras are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roads {
    /// Every clock is right, every road winds by the same, and a clone is planted for a few passages.
    Ideal,
    /// Roads, cameras and vehicles as they are.
    Real,
}

/// What traffic to simulate. Two simulators with equal settings write the same bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatorSettings {
    /// Seed of everything that is left to chance.
    pub seed: u64,
    /// Event time of the first traffic. The road is already busy then.
    pub start: CivilTime,
    /// Checkpoints of the network, 2 to [`SimulatorSettings::MAX_SITES`]: up to 19 the first real ones of Xuzhou, more an
    /// invented network; 0 for all the real ones.
    pub sites: usize,
    /// What roads and cameras are like.
    pub roads: Roads,
    /// Lines per second of event time, as the mean over a week; 0 for [`SimulatorSettings::LINES_PER_SITE`] each
    /// checkpoint.
    pub rate: f64,
    /// Clones planted for each line, 0 to 0.01. A clone passes some two checkpoints. On real roads one plate is cloned for
    /// good instead for every 40 that this would plant in a day.
    pub clone_rate: f64,
    /// Share of lines with an unreadable or masked plate.
    pub garbage_rate: f64,
    /// Share of lines in which one character of the plate is read wrong. On real roads a camera has 4 to 20 times
    /// this, and a bad one 80 times.
    pub misread_rate: f64,
    /// Share of passages that are read twice, a second or three apart, each with a GCXH. On real roads some cameras have
    /// 40 times this.
    pub double_read_rate: f64,
    /// Share of lines that arrive again as they are, GCXH and all.
    pub retransmission_rate: f64,
    /// Whether lines arrive up to a minute after the passage; otherwise at once, so that they are in event-time order.
    pub lateness: bool,
    /// Whether cameras have clocks and errors of their own, on real roads; otherwise only what is set here.
    pub camera_faults: bool,
    /// Whether KKMC is the checkpoint's full name; otherwise its code.
    pub full_names: bool,
    /// Whether to keep the truth for [`take_truth`](super::Simulator::take_truth); it grows until it is taken.
    pub truth: bool,
    /// Whether to keep who passed for [`take_passages`](super::Simulator::take_passages), on real roads; it grows until it is
    /// taken.
    pub passage_truth: bool,
}

impl SimulatorSettings {
    /// Largest invented network.
    pub const MAX_SITES: usize = 10_000;
    /// Largest rate: above it trips under way would take gigabytes.
    pub const MAX_RATE: f64 = 20_000.0;
    /// Lines per second at a checkpoint where no rate is set: two million a day at the 19.
    pub const LINES_PER_SITE: f64 = 23.0 / 19.0;
    /// 2024-01-01 00:00:00, a Monday.
    pub const DEFAULT_START: CivilTime = CivilTime(1_704_067_200);

    /// Without garbage, misreads, double reads, retransmissions, lateness and faults of cameras: each line is accepted and in
    /// order.
    pub fn clean(self) -> Self {
        Self {
            garbage_rate: 0.0,
            misread_rate: 0.0,
            double_read_rate: 0.0,
            retransmission_rate: 0.0,
            lateness: false,
            camera_faults: false,
            ..self
        }
    }

    /// The rate, or the default for the size of the network.
    pub(super) fn lines_per_second(&self) -> f64 {
        let sites = if self.sites == 0 { 19 } else { self.sites };
        if self.rate > 0.0 { self.rate } else { sites as f64 * Self::LINES_PER_SITE }
    }

    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        if self.sites == 1 || self.sites > Self::MAX_SITES {
            return Err(SettingsError::Sites(self.sites));
        }
        if !(0.0..=Self::MAX_RATE).contains(&self.rate) {
            return Err(SettingsError::Rate(self.rate));
        }
        if !(0.0..=0.01).contains(&self.clone_rate) {
            return Err(SettingsError::CloneRate(self.clone_rate));
        }
        let shares = [
            ("garbage_rate", self.garbage_rate),
            ("misread_rate", self.misread_rate),
            ("double_read_rate", self.double_read_rate),
            ("retransmission_rate", self.retransmission_rate),
        ];
        match shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            Some((name, share)) => Err(SettingsError::Share(name, share)),
            None => Ok(()),
        }
    }
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            start: Self::DEFAULT_START,
            sites: 0,
            roads: Roads::Ideal,
            rate: 0.0,
            clone_rate: 1.0 / 2_000.0,
            garbage_rate: 0.02,
            misread_rate: 0.001,
            double_read_rate: 0.005,
            retransmission_rate: 0.002,
            lateness: true,
            camera_faults: true,
            full_names: false,
            truth: false,
            passage_truth: false,
        }
    }
}

/// A setting that no traffic can have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// Number of checkpoints.
    #[error("a network cannot have {0} checkpoints: give 2 to {max}, or 0 for the real ones", max = SimulatorSettings::MAX_SITES)]
    Sites(usize),
    /// Lines per second.
    #[error("the rate cannot be {0} lines per second: give a number above 0, at most {max}", max = SimulatorSettings::MAX_RATE)]
    Rate(f64),
    /// Clones per line.
    #[error("the clone rate cannot be {0}: give clones per line, 0 to 0.01")]
    CloneRate(f64),
    /// A share of lines.
    #[error("{0} cannot be {1}: give a share, 0 to 1")]
    Share(&'static str, f64),
}
