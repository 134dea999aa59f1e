//! Whether one car can have made two sightings: the gap between them against the fastest credible time.

use serde::{Deserialize, Serialize};

use super::last_seen::Spot;
use super::paths::{Paths, straight};
use crate::{NameId, Places, PlateCode};

/// A gap is a contradiction if even with all errors it is under this share of the fastest credible time. That time is a
/// low quantile, so a few cars in a hundred are faster, but next to none by a fifth.
pub(super) const FAST_SHARE: f64 = 0.8;
/// Sightings of a suspect farther apart than this many seconds are feasible whatever the roads.
pub(super) const TOGETHER: i64 = 7200;

/// A sighting of a suspect, as it was judged when it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The sighting.
    pub spot: Spot,
    /// GCSJ less the clock's offset, in civil seconds.
    pub at: i64,
    /// By how much that may be wrong, in seconds: the error of the offset, and the resolution.
    pub error: f32,
    /// A plate that differs in one character and was due here; looked for if the sighting contradicts another.
    pub due: Option<PlateCode>,
    /// How many times likelier a contradiction is at this camera than at the others.
    pub doubt: f32,
}

impl Mark {
    /// Forgets that a plate was due here; whether it was.
    pub fn forget(&mut self, plate: PlateCode) -> bool {
        self.due.take_if(|due| *due == plate).is_some()
    }
}

/// Two sightings that no single car can have made, the earlier first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The earlier sighting.
    pub from: Mark,
    /// The later one.
    pub to: Mark,
    /// The fastest credible time between them in seconds.
    pub fastest: f64,
}

/// What is known of the roads.
#[derive(Debug)]
pub(super) struct Roads<'a> {
    pub(super) paths: &'a mut Paths,
    pub(super) places: &'a Places,
    pub(super) max_speed_kmh: f64,
}

impl Roads<'_> {
    /// The fastest credible time in seconds: along learnt roads; as long as not every road is learnt, no longer than
    /// the great circle allows. None if nothing is known.
    #[inline]
    pub(super) fn fastest(&mut self, from: NameId, to: NameId) -> Option<f64> {
        let learnt = self.paths.fastest(from, to);
        if learnt.is_some() && self.paths.is_known(from, to) {
            return learnt;
        }
        let straight = straight(self.places, from, to, self.max_speed_kmh);
        match (learnt, straight) {
            (Some(learnt), Some(straight)) => Some(learnt.min(straight)),
            (learnt, straight) => straight.or(learnt),
        }
    }

    /// The gap with all errors over the fastest credible time; infinite if nothing is known, or at one checkpoint.
    #[inline]
    pub(super) fn share(&mut self, from: &Mark, to: &Mark) -> f64 {
        if from.spot.checkpoint == to.spot.checkpoint {
            return f64::INFINITY;
        }
        let gap = (to.at - from.at) as f64 + f64::from(from.error + to.error);
        self.fastest(from.spot.checkpoint, to.spot.checkpoint).map_or(f64::INFINITY, |fastest| gap / fastest.max(1.0))
    }

    /// The same for two sightings in either order; infinite if they are far apart in time.
    pub(super) fn share_between(&mut self, one: &Mark, other: &Mark) -> f64 {
        if (one.at - other.at).abs() > TOGETHER {
            f64::INFINITY
        } else if one.at <= other.at {
            self.share(one, other)
        } else {
            self.share(other, one)
        }
    }
}
