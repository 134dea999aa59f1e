//! How long a segment is: from the kilometre marks of its ends where both are of one road, else from the great circle.

use traffic::{Checkpoint, great_circle_km};

/// Roads lead this many times farther than the great circle, at least.
const DETOUR: f64 = 1.25;
/// A road that is longer than so many great circles does not have its marks counted from one end.
const LONGEST_DETOUR: f64 = 1.8;

/// What a distance is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum DistanceBasis {
    /// The difference of the kilometre marks in the names.
    Marks,
    /// 1.25 great circles: an estimate.
    GreatCircle,
}

impl DistanceBasis {
    /// All of them.
    pub(in crate::serve) const ALL: [Self; 2] = [Self::Marks, Self::GreatCircle];

    /// The name in the API.
    pub(in crate::serve) fn as_str(self) -> &'static str {
        match self {
            Self::Marks => "marks",
            Self::GreatCircle => "great_circle",
        }
    }
}

/// Kilometres between two checkpoints; none without their positions.
pub(super) fn distance(from: &Checkpoint, to: &Checkpoint) -> Option<(f64, DistanceBasis)> {
    let straight = great_circle_km(from.position()?, to.position()?);
    let is_one_road = !from.road.is_empty() && from.road == to.road;
    let marks = is_one_road.then(|| mark(&from.name).zip(mark(&to.name))).flatten();
    let along = marks.map(|(from, to)| from.abs_diff(to)).map(f64::from);
    let along = along.filter(|km| (straight..straight * LONGEST_DETOUR).contains(km));
    Some(match along {
        Some(km) => (km, DistanceBasis::Marks),
        None => (straight * DETOUR, DistanceBasis::GreatCircle),
    })
}

/// The kilometre mark in a full name, as in 徐州市睢宁县G104北京-福州K873…
fn mark(name: &str) -> Option<u32> {
    let mut parts = name.split('K');
    let _ = parts.next();
    parts.find_map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part.get(..digits)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use traffic::Catalogue;

    use super::*;

    #[test]
    fn marks_count_where_they_can_be_right() {
        let catalogue = Catalogue::xuzhou();
        let between = |from: &str, to: &str| {
            let (km, basis) = distance(catalogue.find(from).unwrap(), catalogue.find(to).unwrap()).unwrap();
            ((km * 10.0).round() / 10.0, basis)
        };
        // K744 and K873 of the G104; the great circle is 88.9 km.
        assert_eq!(between("G104_Tongshan_Sulu", "G104_Suining_Suwan"), (129.0, DistanceBasis::Marks));
        // K10 and K96 of the S323 are 33.7 km apart: its marks are counted from both ends.
        assert_eq!(between("S323_Xinyi_Ahu", "S323_Xinyi_Woyao"), (42.1, DistanceBasis::GreatCircle));
        assert_eq!(between("G3_Sulu", "G104_Tongshan_Sulu").1, DistanceBasis::GreatCircle);
        assert_eq!((mark("G104K12左侧"), mark("S1Kx K7"), mark("K"), mark("")), (Some(12), Some(7), None, None));
    }
}
