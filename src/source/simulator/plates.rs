//! Plate numbers: every vehicle's serial number becomes a plate of its own.
//!
//! Within a format and a place of registration the mapping is a bijection, so that two vehicles share a plate only
//! where a clone was planted. It knows the formats of GA 36 that are common on the road; it does not know who drives.

use super::chance::{mix, pick};

/// The text of a plate, inline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Plate {
    bytes: [u8; 12],
    len: u8,
}

impl Plate {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The plate with another sign in the place of one byte.
    pub(super) fn with_sign(mut self, place: usize, sign: u8) -> Self {
        if let Some(byte) = self.bytes.get_mut(place) {
            *byte = sign;
        }
        self
    }

    fn push(&mut self, text: &[u8]) {
        let start = usize::from(self.len);
        if let Some(room) = self.bytes.get_mut(start..start + text.len()) {
            room.copy_from_slice(text);
            self.len += text.len() as u8;
        }
    }
}

/// The format of a plate's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Five digits, or four or three and one or two letters.
    Ordinary,
    /// D or F, a digit or letter, four digits.
    SmallNewEnergy,
    /// Five digits, then D or F.
    LargeNewEnergy,
    /// Four signs and 挂.
    Trailer,
    /// Four signs and 学.
    Learner,
    /// Four signs and 警.
    Police,
}

/// Signs of a plate's number: S of the grammar.
const SIGNS: &[u8; 34] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const LETTERS: u64 = 24;

/// Numbers with no letter, with one at any of five places, with two at any of ten pairs of places.
const NO_LETTER: u64 = 100_000;
const ONE_LETTER: u64 = 5 * LETTERS * 10_000;
const TWO_LETTERS: u64 = 10 * LETTERS * LETTERS * 1_000;
const PAIRS: [(usize, usize); 10] = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)];

/// A multiplier without small factors: prime to every [`Format::numbers`].
const STRIDE: u64 = 2_654_435_761;

impl Format {
    /// How many numbers the format has at one place of registration. All are even: see [`Registry::plate`].
    fn numbers(self) -> u64 {
        match self {
            Self::Ordinary => NO_LETTER + ONE_LETTER + TWO_LETTERS,
            Self::SmallNewEnergy => 2 * 34 * 10_000,
            Self::LargeNewEnergy => 2 * NO_LETTER,
            Self::Trailer | Self::Learner | Self::Police => 34 * 34 * 100,
        }
    }

    /// A bijection of the format's numbers without visible order.
    fn shuffle(self, number: u64, salt: u64) -> u64 {
        let shuffled = |number: u64, numbers: u64| (number * STRIDE + salt % numbers) % numbers;
        if self != Self::Ordinary {
            return shuffled(number, self.numbers());
        }
        // While they last, every other pair of numbers has at most one letter, as on the road.
        let few = NO_LETTER + ONE_LETTER;
        let half = number / 4 * 2 + number % 2;
        match number / 2 % 2 {
            _ if number >= 2 * few => few + shuffled(number - few, TWO_LETTERS),
            0 => shuffled(half, few),
            _ => few + shuffled(half, TWO_LETTERS),
        }
    }

    fn write(self, number: u64, plate: &mut Plate) {
        let mut signs = [b'0'; 6];
        let sign = |index: u64| SIGNS.get(index as usize).copied().unwrap_or(b'0');
        match self {
            Self::Ordinary => {
                let (digits, letters): (u64, &[(usize, u64)]) = if number < NO_LETTER {
                    (number, &[])
                } else if number < NO_LETTER + ONE_LETTER {
                    let rest = number - NO_LETTER;
                    (rest % 10_000, &[((rest / 10_000 / LETTERS) as usize, rest / 10_000 % LETTERS)])
                } else {
                    let rest = number - NO_LETTER - ONE_LETTER;
                    let (pair, rest) = (rest / (LETTERS * LETTERS * 1_000), rest % (LETTERS * LETTERS * 1_000));
                    let (first, second) = PAIRS.get(pair as usize).copied().unwrap_or_default();
                    (rest % 1_000, &[(first, rest / 1_000 / LETTERS), (second, rest / 1_000 % LETTERS)])
                };
                let mut rest = digits;
                for place in (0..5).rev() {
                    let letter = letters.iter().find(|(at, _)| *at == place);
                    let Some(slot) = signs.get_mut(place) else { continue };
                    *slot = match letter {
                        Some((_, letter)) => sign(10 + letter),
                        None => sign(rest % 10),
                    };
                    if letter.is_none() {
                        rest /= 10;
                    }
                }
                plate.push(signs.get(..5).unwrap_or_default());
            }
            Self::SmallNewEnergy => {
                let digits = number % 10_000;
                plate.push(&[if number / 340_000 == 0 { b'D' } else { b'F' }, sign(number / 10_000 % 34)]);
                plate.push(&decimal::<4>(digits));
            }
            Self::LargeNewEnergy => {
                plate.push(&decimal::<5>(number % NO_LETTER));
                plate.push(&[if number / NO_LETTER == 0 { b'D' } else { b'F' }]);
            }
            Self::Trailer | Self::Learner | Self::Police => {
                plate.push(&[sign(number / 100 / 34), sign(number / 100 % 34)]);
                plate.push(&decimal::<2>(number % 100));
                let ending = match self {
                    Self::Trailer => "挂",
                    Self::Learner => "学",
                    _ => "警",
                };
                plate.push(ending.as_bytes());
            }
        }
    }
}

/// Where vehicles are registered, and how many of the local and of the through fleet.
const PLACES: [(&str, u16, u16); 60] = [
    ("苏C", 880, 160),
    ("苏N", 18, 50),
    ("苏G", 10, 35),
    ("苏H", 8, 25),
    ("苏A", 8, 35),
    ("苏B", 3, 20),
    ("苏E", 4, 25),
    ("苏J", 2, 12),
    ("苏D", 1, 8),
    ("苏F", 1, 8),
    ("苏K", 1, 8),
    ("苏L", 1, 5),
    ("苏M", 1, 6),
    ("苏U", 1, 6),
    ("鲁D", 10, 70),
    ("鲁Q", 6, 70),
    ("鲁H", 5, 50),
    ("鲁R", 3, 30),
    ("鲁A", 2, 20),
    ("鲁L", 1, 12),
    ("鲁B", 1, 12),
    ("鲁G", 0, 8),
    ("鲁J", 0, 8),
    ("鲁N", 0, 5),
    ("鲁P", 0, 5),
    ("皖F", 8, 50),
    ("皖L", 8, 60),
    ("皖A", 2, 20),
    ("皖S", 1, 15),
    ("皖K", 1, 15),
    ("皖C", 1, 12),
    ("皖N", 0, 6),
    ("皖B", 0, 4),
    ("豫N", 5, 45),
    ("豫A", 2, 18),
    ("豫B", 1, 10),
    ("豫P", 1, 12),
    ("豫R", 0, 6),
    ("豫Q", 0, 5),
    ("沪A", 1, 14),
    ("沪C", 1, 10),
    ("浙A", 1, 12),
    ("浙B", 0, 8),
    ("浙C", 0, 5),
    ("冀A", 0, 8),
    ("冀B", 0, 6),
    ("冀J", 0, 8),
    ("京A", 1, 4),
    ("京N", 0, 6),
    ("津A", 0, 6),
    ("晋A", 0, 5),
    ("晋M", 0, 4),
    ("陕A", 0, 6),
    ("鄂A", 0, 6),
    ("湘A", 0, 4),
    ("赣A", 0, 4),
    ("闽D", 0, 4),
    ("粤B", 0, 6),
    ("辽A", 0, 5),
    ("黑A", 0, 4),
];

/// Gives out plates.
#[derive(Debug, Clone)]
pub(super) struct Registry {
    salt: u64,
    local: Vec<u16>,
    through: Vec<u16>,
}

impl Registry {
    pub(super) fn new(salt: u64) -> Self {
        let lottery = |weight: fn(&(&str, u16, u16)) -> u16| {
            let places = PLACES.iter().enumerate();
            places.flat_map(|(index, place)| std::iter::repeat_n(index as u16, usize::from(weight(place)))).collect()
        };
        Self { salt, local: lottery(|place| place.1), through: lottery(|place| place.2) }
    }

    /// The plate of the vehicle with number `serial` among those with this `format`; even numbers are of the local
    /// fleet, odd ones of the through traffic. Different numbers below 60 × [`Format::numbers`] have different plates:
    /// the number fixes the signs up to its multiple of `numbers`, and each multiple is registered elsewhere. (Both
    /// fleets draw their places differently, so signs that agree must imply the same fleet: `numbers` is even.)
    pub(super) fn plate(&self, format: Format, serial: u64) -> Plate {
        let numbers = format.numbers();
        let (round, number) = (serial / numbers, serial % numbers);
        let lottery = if serial.is_multiple_of(2) { &self.local } else { &self.through };
        let place = (u64::from(pick(lottery, mix(number, self.salt))) + round) % PLACES.len() as u64;
        let signs = format.shuffle(number, self.salt);
        let mut plate = Plate::default();
        plate.push(PLACES.get(place as usize).map_or("苏C", |place| place.0).as_bytes());
        format.write(signs, &mut plate);
        plate
    }
}

/// The last `N` decimal digits of a number, zero-padded.
pub(super) fn decimal<const N: usize>(mut number: u64) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    const FORMATS: [Format; 6] = [
        Format::Ordinary,
        Format::SmallNewEnergy,
        Format::LargeNewEnergy,
        Format::Trailer,
        Format::Learner,
        Format::Police,
    ];

    #[test]
    fn no_two_vehicles_share_a_plate() {
        let registry = Registry::new(17);
        let mut seen = HashSet::new();
        for format in FORMATS {
            let far = (1..30).map(|round| round * format.numbers() + 5);
            let serials: BTreeSet<u64> = (0..200_000).chain(far).collect();
            for serial in serials {
                let plate = registry.plate(format, serial);
                assert!(seen.insert(plate.as_bytes().to_vec()), "{format:?} {serial}");
            }
        }
    }

    #[test]
    fn the_signs_are_a_bijection() {
        for format in FORMATS {
            let mut seen = HashSet::new();
            for number in (0..format.numbers()).step_by(format.numbers() as usize / 50_000 + 1) {
                let mut plate = Plate::default();
                format.write(format.shuffle(number, 17), &mut plate);
                assert!(seen.insert(plate.as_bytes().to_vec()), "{format:?} {number}");
            }
        }
    }

    #[test]
    fn formats_have_an_even_count_prime_to_the_stride() {
        for format in FORMATS {
            assert!(format.numbers().is_multiple_of(2));
            assert_ne!(format.numbers() % STRIDE, 0, "{STRIDE} is prime, so this is enough");
            assert!(format.numbers() < STRIDE);
        }
    }

    #[test]
    fn plates_look_like_plates() {
        let registry = Registry::new(1);
        for (format, characters) in FORMATS.into_iter().zip([7, 8, 8, 7, 7, 7]) {
            for serial in 0..1_000 {
                let plate = registry.plate(format, serial);
                let text = std::str::from_utf8(plate.as_bytes()).unwrap();
                assert_eq!(text.chars().count(), characters, "{format:?} {text}");
                let letters = text.chars().skip(2).filter(char::is_ascii_uppercase).count();
                assert!(format != Format::Ordinary || letters <= 2, "{text}");
                assert!(!text.contains(['I', 'O']), "{text}");
            }
        }
    }
}
