//! What was found of the plates that were not merged: an upper bound of what is found falsely, since real clones are among
//! them.

use super::detection::Seen;
use super::merged::{LEVELS, RULES};
use super::sample::Sample;

/// A plate of which something was found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Other {
    /// The newest probability; none if it never contradicted itself.
    pub(super) probability: Option<f64>,
    /// Whether it reached each of [`LEVELS`].
    pub(super) reached: [bool; LEVELS.len()],
    /// Whether each of [`RULES`] raised an alert.
    pub(super) raised: [bool; RULES.len()],
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Others {
    pub(super) plates: Sample<Other>,
    /// Alerts of each of [`RULES`].
    pub(super) alerts: [u64; RULES.len()],
}

impl Others {
    /// Takes a sighting of a plate that was not merged.
    pub(super) fn see(&mut self, seen: &Seen<'_>) {
        if seen.hits.is_empty() && seen.suspect.is_none() {
            return;
        }
        for hit in seen.hits {
            for (count, (_, raises)) in self.alerts.iter_mut().zip(RULES) {
                *count += u64::from(raises(hit));
            }
        }
        let Some(other) = self.plates.entry(seen.plate, Other::default) else { return };
        for (raised, (_, raises)) in other.raised.iter_mut().zip(RULES) {
            *raised |= seen.hits.iter().any(raises);
        }
        let Some(suspect) = seen.suspect else { return };
        let probability = suspect.verdict.explanations.clone;
        other.probability = Some(probability);
        for (reached, level) in other.reached.iter_mut().zip(LEVELS) {
            *reached |= probability >= level;
        }
    }
}
