//! What was found of a plate, in numbers. It does not know where.

use std::collections::BTreeSet;

/// What a data directory holds of a plate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Passages in the log.
    pub passages: u64,
    /// States of the detector.
    pub plate_states: u64,
    /// Last sightings and suspects of the evidence, and suspects that name it as a neighbour.
    pub evidence: u64,
    /// Its alerts.
    pub alerts: u64,
    /// Its cases.
    pub cases: u64,
    /// Changes of the work on these.
    pub work: u64,
    /// Rejected lines, and rows that a mirror's target refused.
    pub rejects: u64,
    /// Alerts, cases and notes of others that name it.
    pub mentions: u64,
    /// Names, such as that of a checkpoint, that hold it. They stay: every row that has the name is written with it.
    pub names: u64,
    /// GCXH of its passages, and ids of its alerts and cases.
    pub ids: BTreeSet<String>,
}

impl Forgotten {
    /// The numbers of what goes, each with what it counts.
    pub fn counts(&self) -> [(&'static str, u64); 8] {
        [
            ("passages", self.passages),
            ("plate_states", self.plate_states),
            ("evidence", self.evidence),
            ("alerts", self.alerts),
            ("cases", self.cases),
            ("work", self.work),
            ("rejects", self.rejects),
            ("mentions", self.mentions),
        ]
    }
}
