//! Which tracks are merged: the seed decides the order, and each track is merged with the first before it of the same
//! plate type, and usually of the same brand, that was seen in the same hours.

use rustc_hash::FxHashMap;
use traffic::{PlateClass, PlateCode, PlateType};

use super::sample::scatter;
use super::tracks::{MIN_SIGHTINGS, Tracks};

/// Which tracks are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Decides the order.
    pub seed: u64,
    /// How many pairs.
    pub pairs: usize,
    /// Whether the two may be of different brands. Usually who clones a plate takes that of a car like his own.
    pub any_brand: bool,
}

/// Tracks that wait for another at most, of each plate type and brand.
const MAX_WAITING: usize = 256;

/// Two tracks that become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The plate of both from now on, that of the first.
    pub plate: PlateCode,
    /// Class of that plate.
    pub class: PlateClass,
    /// The plate that the second had.
    pub other: PlateCode,
}

/// The traffic does not hold enough tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "too little traffic: {wanted} pairs need {} tracks (plates with one plate type and {MIN_SIGHTINGS} sightings or more at two \
     checkpoints or more, that never contradict themselves), but of {plates} plates {tracks} are tracks, which make \
     {found} pairs of one plate type{} in the same hours: give more traffic, or ask for no more than --pairs {found}",
    2 * .wanted,
    if *.any_brand { "" } else { " and brand" }
)]
pub struct TooFewTracks {
    /// Pairs asked for.
    pub wanted: usize,
    /// Complete plates.
    pub plates: u64,
    /// Tracks among them.
    pub tracks: u64,
    /// Pairs that they make.
    pub found: usize,
    /// Whether the two may be of different brands.
    pub any_brand: bool,
}

/// Chooses pairs.
///
/// # Errors
/// [`TooFewTracks`] if there are fewer.
pub fn choose(tracks: &Tracks, choice: Choice) -> Result<Vec<Pair>, TooFewTracks> {
    let Choice { seed, pairs: wanted, any_brand } = choice;
    let mut plates = tracks.fit_plates();
    plates.sort_by_cached_key(|plate| scatter(*plate, seed));
    let mut waiting: FxHashMap<(PlateType, u32), Vec<PlateCode>> = FxHashMap::default();
    let mut pairs = Vec::new();
    for other in plates {
        if pairs.len() == wanted {
            break;
        }
        let Some(track) = tracks.get(other) else { continue };
        let waiting = waiting.entry((track.plate_type, if any_brand { 0 } else { track.brand })).or_default();
        let partner = waiting.iter().position(|plate| tracks.get(*plate).is_some_and(|first| first.meets(track)));
        if let Some(place) = partner {
            let plate = waiting.remove(place);
            let class = tracks.get(plate).map_or(PlateClass::Irregular, |first| first.class);
            pairs.push(Pair { plate, class, other });
        } else if waiting.len() < MAX_WAITING {
            waiting.push(other);
        }
    }
    if pairs.len() < wanted {
        let (plates, tracks) = (tracks.plates(), tracks.fit());
        return Err(TooFewTracks { wanted, plates, tracks, found: pairs.len(), any_brand });
    }
    Ok(pairs)
}
