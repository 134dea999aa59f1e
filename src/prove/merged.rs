//! What became of one merged pair: when both cars were there, its contradictions, how its probability rose, and what the
//! rules said.

use std::collections::VecDeque;

use traffic::evidence::Suspect;
use traffic::{Hit, PassageId, Rule, Severity};

use super::detection::Seen;
use super::pairs::Pair;

/// Probabilities from which a plate counts as found.
pub(super) const LEVELS: [f64; 2] = [0.5, 0.9];
/// Whether a rule raised a hit.
type Raises = fn(&Hit) -> bool;
/// Rules beside the evidence: the flat rule, and the speed along the great circle.
pub(super) const RULES: [(&str, Raises); 2] =
    [("window", |hit| hit.rule == Rule::Window), ("great_circle", |hit| hit.severity == Severity::High)];
/// Sightings of the second car that are remembered; a rule compares with the newest ones only.
const MAX_RECENT: usize = 256;

/// A moment at which a plate's probability reached a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    /// Contradictions so far.
    pub(super) contradictions: u32,
    /// Where the stream was, in civil seconds.
    pub(super) at: i64,
}

/// A merged pair.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) pair: Pair,
    /// Whether the first car was seen, and the second.
    seen: [bool; 2],
    /// When the later of the two appeared.
    pub(super) both_at: Option<i64>,
    /// When the first contradiction was found.
    pub(super) contradicted_at: Option<i64>,
    /// Contradictions in all.
    pub(super) contradictions: u32,
    /// Those of a suspect that was dropped since.
    earlier: u32,
    /// The newest probability; none if it never contradicted itself.
    pub(super) probability: Option<f64>,
    /// When each of [`LEVELS`] was reached.
    pub(super) reached: [Option<Reached>; LEVELS.len()],
    /// Alerts of each of [`RULES`] between the two cars.
    pub(super) alerts: [u64; RULES.len()],
    /// The newest sightings of the second car.
    recent: VecDeque<PassageId>,
}

impl Merged {
    pub(super) fn new(pair: Pair) -> Self {
        Self {
            pair,
            seen: [false; 2],
            both_at: None,
            contradicted_at: None,
            contradictions: 0,
            earlier: 0,
            probability: None,
            reached: [None; LEVELS.len()],
            alerts: [0; RULES.len()],
            recent: VecDeque::new(),
        }
    }

    /// Takes a sighting of one of the two.
    pub(super) fn see(&mut self, seen: &Seen<'_>, is_second: bool) {
        if let Some(own) = self.seen.get_mut(usize::from(is_second)) {
            *own = true;
        }
        if self.seen == [true; 2] {
            self.both_at.get_or_insert(seen.now);
        }
        for hit in seen.hits {
            let is_apart = self.recent.contains(&hit.other.id()) != is_second;
            for (count, (_, raises)) in self.alerts.iter_mut().zip(RULES) {
                *count += u64::from(is_apart && raises(hit));
            }
        }
        if is_second {
            if self.recent.len() == MAX_RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(seen.spot.id);
        }
        if let Some(suspect) = seen.suspect {
            self.judged(suspect, seen.now);
        }
    }

    fn judged(&mut self, suspect: &Suspect, now: i64) {
        self.contradicted_at.get_or_insert(now);
        if self.earlier + suspect.found < self.contradictions {
            self.earlier = self.contradictions;
        }
        self.contradictions = self.earlier + suspect.found;
        let probability = suspect.verdict.explanations.clone;
        self.probability = Some(probability);
        for (reached, level) in self.reached.iter_mut().zip(LEVELS) {
            if probability >= level {
                reached.get_or_insert(Reached { contradictions: self.contradictions, at: now });
            }
        }
    }
}
