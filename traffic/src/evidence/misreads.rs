//! Misreads: a plate that differs in one character was due at the checkpoint, so the camera may have read that one
//! wrongly.

use std::fmt::Debug;

use super::last_seen::{LastSeen, Spot};
use super::paths::Paths;
use crate::PlateCode;

/// The characters that follow the province, without I and O.
const CHARACTERS: &[u8; 34] = b"ABCDEFGHJKLMNPQRSTUVWXYZ0123456789";

/// Which plates differ from one in one character, where stored plates are pseudonyms: their code does not say it.
pub trait Neighbours: Debug + Send + Sync {
    /// The pseudonyms of [`one_edit_neighbours`] of the plate with this pseudonym, in that order; none if it is not known.
    fn of(&self, plate: PlateCode) -> Vec<PlateCode>;
}

/// All plates that differ from this one in one character after the province. An odd plate has none, nor has a pseudonym.
pub fn one_edit_neighbours(plate: PlateCode) -> impl Iterator<Item = PlateCode> {
    let symbols = plate.as_u64().to_le_bytes();
    let places = if plate.is_odd() || plate.is_pseudonym() { 0..0 } else { 1..8 };
    places.flat_map(move |place| {
        let own = symbols.get(place).copied().unwrap_or(0);
        let others = CHARACTERS.iter().filter(move |other| own.is_ascii_alphanumeric() && **other != own);
        others.map(move |other| {
            let shift = 8 * place as u32;
            PlateCode::from_u64(plate.as_u64() & !(0xff << shift) | u64::from(*other) << shift)
        })
    })
}

/// The first of a plate's neighbours that was due where and when `spot` was made: last seen at a checkpoint from
/// which a road leads here, as long ago as cars take; or read here within seconds, as the same car.
pub(super) fn due(
    seen: &LastSeen,
    paths: &Paths,
    neighbours: impl Iterator<Item = PlateCode>,
    spot: &Spot,
    corrected: impl Fn(&Spot) -> i64,
    horizon: i64,
) -> Option<PlateCode> {
    let now = corrected(spot);
    let mut neighbours = neighbours;
    neighbours.find(|other| {
        seen.get(*other, horizon).is_some_and(|last| {
            let gap = (now - corrected(&last)) as f64;
            if last.checkpoint == spot.checkpoint {
                return gap.abs() <= 15.0;
            }
            paths.road(last.checkpoint, spot.checkpoint).is_some_and(|road| {
                let fast = f64::from(road.fast);
                gap > 0.75 * fast && gap < 2.5 * fast + 60.0
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_differ_in_one_character_after_the_province() {
        let neighbours: Vec<String> =
            one_edit_neighbours(PlateCode::pack("苏C12345")).map(|plate| plate.unpack()).collect();
        // Six characters, each with 33 others.
        assert_eq!(neighbours.len(), 6 * 33);
        for expected in ["苏D12345", "苏C1Z345", "苏C12349"] {
            assert!(neighbours.iter().any(|neighbour| neighbour == expected), "{expected}");
        }
        assert!(neighbours.iter().all(|neighbour| neighbour != "苏C12345" && neighbour.chars().count() == 7));
        assert_eq!(one_edit_neighbours(PlateCode::pack("苏C1234学")).count(), 5 * 33);
        assert_eq!(one_edit_neighbours(PlateCode::pack("无牌")).count(), 0);
    }
}
