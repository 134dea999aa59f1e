//! Which signs of a plate a camera takes for which others.
//!
//! Only signs that plates have: no I and no O. It does not know how often a camera errs.

use super::super::chance::pick;
use super::super::plates::Plate;

/// A sign, and those that it is taken for.
const CONFUSIONS: &[(u8, &[u8])] = &[
    (b'0', b"DQ"),
    (b'1', b"7LT"),
    (b'2', b"Z7"),
    (b'3', b"8"),
    (b'4', b"A"),
    (b'5', b"S6"),
    (b'6', b"8G"),
    (b'7', b"1T"),
    (b'8', b"B3"),
    (b'9', b"8"),
    (b'A', b"4"),
    (b'B', b"8"),
    (b'C', b"G"),
    (b'D', b"0Q"),
    (b'E', b"F"),
    (b'F', b"E"),
    (b'G', b"6C"),
    (b'H', b"N"),
    (b'K', b"X"),
    (b'L', b"1"),
    (b'M', b"N"),
    (b'N', b"MH"),
    (b'Q', b"0"),
    (b'S', b"5"),
    (b'T', b"7"),
    (b'U', b"V"),
    (b'V', b"YU"),
    (b'X', b"K"),
    (b'Y', b"V"),
    (b'Z', b"2"),
];

/// Bytes of a plate's first character, which is not misread.
const PROVINCE: usize = 3;

/// The plate with one sign taken for another, by `bits`; as it is if no sign can be confused.
pub(super) fn misread(plate: &Plate, bits: u64) -> Plate {
    let signs = plate.as_bytes().iter().enumerate().skip(PROVINCE);
    let confused = signs.filter_map(|(place, sign)| Some((place, confusions(*sign)?)));
    let count = confused.clone().count();
    match confused.clone().nth((bits % count.max(1) as u64) as usize) {
        Some((place, others)) => plate.with_sign(place, pick(others, bits)),
        None => *plate,
    }
}

fn confusions(sign: u8) -> Option<&'static [u8]> {
    CONFUSIONS.iter().find(|(right, _)| *right == sign).map(|(_, others)| *others)
}

#[cfg(test)]
mod tests {
    use super::super::super::chance::Chance;
    use super::super::super::fleet::Fleet;
    use super::*;

    #[test]
    fn signs_are_those_of_plates_and_differ() {
        let is_sign = |sign: &u8| sign.is_ascii_digit() || (sign.is_ascii_uppercase() && !b"IO".contains(sign));
        for (right, others) in CONFUSIONS {
            assert!(is_sign(right) && others.iter().all(|other| is_sign(other) && other != right), "{right}");
        }
    }

    #[test]
    fn one_sign_of_the_number_changes() {
        let fleet = Fleet::new(1, 1.0);
        let mut chance = Chance::new(2);
        let mut places = [0; 12];
        for serial in 0..5_000 {
            let right = fleet.vehicle(serial).plate;
            let wrong = misread(&right, chance.bits());
            let differing: Vec<_> =
                (0..right.as_bytes().len()).filter(|&at| right.as_bytes()[at] != wrong.as_bytes()[at]).collect();
            let [place] = differing[..] else { panic!("{serial}: {differing:?}") };
            places[place] += 1;
        }
        assert_eq!(places[..PROVINCE], [0; PROVINCE]);
        assert!(places[PROVINCE..8].iter().all(|count| *count > 400), "{places:?}");
    }
}
