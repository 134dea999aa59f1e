//! Plate numbers 号牌号码: normalising, packing into eight bytes, and the grammar that tells what kind a plate is.
//!
//! It judges the text alone. Whether a plate is compared, stored or shown is not its business, and nothing is ever
//! refused: what a camera reads is evidence.

mod grammar;
mod normalise;
mod symbols;

pub use normalise::normalise_plate;
use serde::{Deserialize, Serialize};

/// What kind of plate a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PlateClass {
    /// Province, letter and five letters or digits, at most two of them letters.
    Ordinary = 0,
    /// New energy, small or large: eight symbols.
    NewEnergy = 1,
    /// Learner, police, trailer, consulate, test, oversize (学警挂领试超), Hong Kong and Macao (港澳), embassy (使),
    /// emergency (应急), armed police (WJ), military, civil aviation (民航).
    Special = 2,
    /// Holds `*`: the source hid a part of it.
    Masked = 3,
    /// All else: most often a misreading.
    Irregular = 4,
}

impl PlateClass {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Ordinary, Self::NewEnergy, Self::Special, Self::Masked, Self::Irregular];

    /// The name in JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::NewEnergy => "new_energy",
            Self::Special => "special",
            Self::Masked => "masked",
            Self::Irregular => "irregular",
        }
    }

    /// The class of a number written earlier (`class as u8`).
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether the grammar knows it as the plate of one vehicle.
    #[inline]
    pub fn is_valid(self) -> bool {
        matches!(self, Self::Ordinary | Self::NewEnergy | Self::Special)
    }

    /// The class of a plate of this class beside an HPZL: a new energy plate of seven characters lacks one, so that it
    /// may be ten cars.
    pub fn beside_plate_type(self, plate: PlateCode, odd_text: &str, hpzl: &str) -> Self {
        if NEW_ENERGY_TYPES.contains(&hpzl) { self.of_new_energy_type(plate, odd_text) } else { self }
    }

    /// The class of a plate of this class whose HPZL is one of [`NEW_ENERGY_TYPES`].
    pub(crate) fn of_new_energy_type(self, plate: PlateCode, odd_text: &str) -> Self {
        if self.is_valid() && plate.characters(odd_text) < NEW_ENERGY_CHARACTERS { Self::Irregular } else { self }
    }
}

/// HPZL of vehicles that wear a new energy plate: large and small.
pub(crate) const NEW_ENERGY_TYPES: [&str; 2] = ["51", "52"];
const NEW_ENERGY_CHARACTERS: usize = 8;

/// A normalised plate in eight bytes: symbol i in byte i (little-endian), unused bytes 0.
///
/// A symbol is below 0x80: ASCII `*` to `~` as itself, the 31 provinces as 0x01–0x1F in the contract's order, and
/// 学警挂领港澳使应急 as 0x20–0x28. A text with any other character, or of more than eight symbols, is *odd*: the top
/// bit is set, the others are the low 63 bits of its XXH3-64, and the text travels beside the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlateCode(u64);

const ODD: u64 = 1 << 63;
/// How 黑WJ begins, and the bits of it.
const BLACK_WJ: (u64, u64) = (u64::from_le_bytes([symbols::BLACK, b'W', b'J', 0, 0, 0, 0, 0]), 0x00ff_ffff);

impl PlateCode {
    /// Packs a normalised text (see [`normalise_plate`]); check [`PlateCode::is_odd`] to know whether the text must be
    /// kept beside it.
    pub fn pack(text: &str) -> Self {
        let mut code = [0; 8];
        let mut places = code.iter_mut();
        for character in text.chars() {
            match (places.next(), Self::symbol_of(character)) {
                (Some(place), Some(symbol)) => *place = symbol,
                _ => return Self(xxhash_rust::xxh3::xxh3_64(text.as_bytes()) | ODD),
            }
        }
        Self(u64::from_le_bytes(code))
    }

    /// Packs and classes the bytes of a field as it came, where they are already normal and not odd: all but a few
    /// plates are. None says nothing about the plate: normalise the text, then [`PlateCode::pack`] it.
    #[inline]
    pub fn pack_raw(raw: &[u8]) -> Option<(Self, PlateClass)> {
        let code = match Self::province_and_ascii(raw) {
            Some(code) => code,
            None => Self::symbol_by_symbol(raw)?,
        };
        let class = grammar::class_of(code.0);
        // What the grammar knows has nothing left to normalise, but for WJ behind a colour that is also a province.
        let settled = if class.is_valid() { code.0 & BLACK_WJ.1 != BLACK_WJ.0 } else { code.is_settled() };
        settled.then_some((code, class))
    }

    /// Whether normalising leaves the text of a code without lower case as it is: no dot and no backslash (`\N` is
    /// nothing), no `_` that may hold a colour's number, no hyphen behind province and letter, and no 黑 that may be a
    /// colour instead of a province.
    fn is_settled(self) -> bool {
        let symbols = self.0.to_le_bytes();
        let [first, second, rest @ ..] = symbols;
        let may_be_black = (first == symbols::BLACK && (!second.is_ascii_uppercase() || second == b'W'))
            || second == symbols::BLACK
            || rest.contains(&symbols::BLACK);
        !may_be_black
            && !symbols.iter().any(|symbol| matches!(symbol, b'.' | b'\\' | b'_'))
            && rest.first() != Some(&b'-')
    }

    /// How many characters the plate has.
    fn characters(self, odd_text: &str) -> usize {
        if self.is_odd() { odd_text.chars().count() } else { (8 - self.0.leading_zeros() / 8) as usize }
    }

    /// The usual plate: a province of three bytes, then five to seven of ASCII.
    #[inline]
    fn province_and_ascii(raw: &[u8]) -> Option<Self> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let province = symbols::of_utf8(raw.first_chunk()?)?;
        if !(8..=10).contains(&raw.len()) {
            return None;
        }
        let ascii_len = raw.len() as u32 - 3;
        // The last eight bytes, without those of the province among them.
        let ascii = u64::from_le_bytes(*raw.last_chunk()?) >> (8 * (8 - ascii_len));
        // All lanes filled, each must be '*' or above; adding what is missing to 0x80 then sets every top bit, unless
        // one was set before.
        let filled = ascii | ((ONES * u64::from(b'*')) << (8 * ascii_len));
        let too_low = !filled.wrapping_add(ONES * u64::from(0x80 - b'*')) & (ONES << 7);
        let not_ascii = filled & (ONES << 7);
        // Bits 6 and 5 together: lower case and its neighbours.
        let lower = filled & (filled << 1) & (ONES << 6);
        if too_low | not_ascii | lower != 0 {
            return None;
        }
        Some(Self(ascii << 8 | u64::from(province)))
    }

    fn symbol_by_symbol(mut rest: &[u8]) -> Option<Self> {
        let mut code = [0; 8];
        let mut places = code.iter_mut();
        if rest.is_empty() {
            return None;
        }
        while let Some((&first, after)) = rest.split_first() {
            let (symbol, after) = match rest.split_first_chunk() {
                _ if symbols::is_ascii_symbol(first) && !first.is_ascii_lowercase() => (first, after),
                Some((han, after)) => (symbols::of_utf8(han)?, after),
                None => return None,
            };
            *places.next()? = symbol;
            rest = after;
        }
        Some(Self(u64::from_le_bytes(code)))
    }

    /// The number, for storage.
    #[inline]
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The plate of a number written earlier.
    #[inline]
    pub fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Whether the text is not held in the packed form.
    #[inline]
    pub fn is_odd(self) -> bool {
        self.0 & ODD != 0
    }

    /// The text of a plate that is not odd; empty for an odd one.
    pub fn unpack(self) -> String {
        if self.is_odd() {
            return String::new();
        }
        self.0.to_le_bytes().into_iter().map_while(Self::char_of).collect()
    }

    /// The class of the plate; `odd_text` is looked at only if the code is odd.
    #[inline]
    pub fn class(self, odd_text: &str) -> PlateClass {
        if !self.is_odd() { grammar::class_of(self.0) } else { grammar::class_of_odd(odd_text) }
    }

    /// The symbol of a character of a normalised plate, if it has one.
    #[inline]
    pub fn symbol_of(character: char) -> Option<u8> {
        symbols::of_char(character)
    }

    /// The character of a symbol; none for 0 and for numbers that are no symbol.
    #[inline]
    pub fn char_of(symbol: u8) -> Option<char> {
        symbols::to_char(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, normal: &str, class: PlateClass) {
        assert_eq!(normalise_plate(raw), normal, "{raw}");
        let code = PlateCode::pack(normal);
        assert_eq!(code.class(normal), class, "{raw}");
        if !code.is_odd() {
            assert_eq!(code.unpack(), normal, "{raw}");
        }
        if let Some(quick) = PlateCode::pack_raw(raw.as_bytes()) {
            assert_eq!(quick, (code, class), "{raw}");
            assert_eq!(raw, normal, "only a normal text may be packed as it came");
        } else {
            assert!(code.is_odd() || raw != normal, "{raw} should be packed as it came");
        }
    }

    #[test]
    fn plates_by_class() {
        use PlateClass::*;
        for (raw, normal, class) in [
            ("苏C12345", "苏C12345", Ordinary),
            ("苏CAB123", "苏CAB123", Ordinary),
            ("苏CABC12", "苏CABC12", Irregular),
            ("苏O12345", "苏O12345", Ordinary),
            ("苏I12345", "苏I12345", Irregular),
            ("苏CI2345", "苏CI2345", Irregular),
            ("苏C1234", "苏C1234", Irregular),
            ("苏CD12345", "苏CD12345", NewEnergy),
            ("苏CDA1234", "苏CDA1234", NewEnergy),
            ("苏CDAB234", "苏CDAB234", Irregular),
            ("苏CL12345", "苏CL12345", Irregular),
            ("苏C12345D", "苏C12345D", NewEnergy),
            ("苏C12345L", "苏C12345L", Irregular),
            ("苏C1234学", "苏C1234学", Special),
            ("苏CABCD警", "苏CABCD警", Special),
            ("苏C1234挂", "苏C1234挂", Special),
            ("沪A1234领", "沪A1234领", Special),
            ("粤Z1A2B港", "粤Z1A2B港", Special),
            ("粤Z1234澳", "粤Z1234澳", Special),
            ("粤A1234澳", "粤A1234澳", Irregular),
            ("苏Z1234港", "苏Z1234港", Irregular),
            ("使123456", "使123456", Special),
            ("123456使", "123456使", Special),
            ("使12345A", "使12345A", Irregular),
            ("苏X1234应急", "苏X1234应急", Special),
            ("苏S1234应急", "苏S1234应急", Special),
            ("苏A1234应急", "苏A1234应急", Irregular),
            ("苏12345应急", "苏12345应急", Special),
            ("苏C00000", "苏C00000", Irregular),
            ("苏C0000A", "苏C0000A", Ordinary),
            ("苏C1234试", "苏C1234试", Special),
            ("苏CABCD超", "苏CABCD超", Special),
            ("苏I1234超", "苏I1234超", Irregular),
            ("苏C1234*超", "苏C1234*超", Masked),
            ("WJ12345", "WJ12345", Special),
            ("WJ1234X", "WJ1234X", Special),
            ("WJ苏1234O", "WJ苏1234O", Special),
            ("WJ苏12345", "WJ苏12345", Special),
            ("WJ苏1234", "WJ苏1234", Irregular),
            ("VA12345", "VA12345", Special),
            ("AI12345", "AI12345", Irregular),
            ("VA1234A", "VA1234A", Irregular),
            ("民航A1234", "民航A1234", Special),
            ("民航12345", "民航12345", Special),
            ("民航AB234", "民航AB234", Irregular),
            ("民航A12345", "民航A12345", Irregular),
            ("苏CDM***", "苏CDM***", Masked),
            ("-***", "-***", Masked),
            ("C857***", "C857***", Masked),
            ("苏宁CZ***", "苏宁CZ***", Masked),
            ("苏C12345*9", "苏C12345*9", Masked),
            ("乙C123*", "乙C123*", Masked),
            ("-", "-", Irregular),
            ("", "-", Irregular),
            ("苏", "苏", Irregular),
            ("无牌", "无牌", Irregular),
            ("苏C123456789", "苏C123456789", Irregular),
            ("~", "~", Irregular),
            ("苏c12345", "苏C12345", Ordinary),
            ("苏C·12345", "苏C12345", Ordinary),
            ("苏 C 123 45", "苏C12345", Ordinary),
            ("苏C.12345", "苏C12345", Ordinary),
            ("苏C-12345", "苏C12345", Ordinary),
            ("苏C12345_1", "苏C12345", Ordinary),
            ("黑黑A12345", "黑A12345", Ordinary),
            ("黑使123456", "使123456", Special),
            ("黑WJ12345", "WJ12345", Special),
            ("苏A12345黑", "苏A12345", Ordinary),
            ("黑A123***", "黑A123***", Masked),
            ("苏\u{3000}C12345", "苏C12345", Ordinary),
            ("苏Ｃ１２３４５", "苏C12345", Ordinary),
            ("苏ｃ12345", "苏C12345", Ordinary),
            ("苏C１2３＊*", "苏C123**", Masked),
            (" · ", "-", Irregular),
            ("苏C1234 ", "苏C1234", Irregular),
            ("苏C1234\u{1}", "苏C1234\u{1}", Irregular),
            ("苏C1234ß", "苏C1234SS", Irregular),
            ("\u{1}C12345", "\u{1}C12345", Irregular),
        ] {
            check(raw, normal, class);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_left_to_the_caller() {
        for raw in
            [&b"\xe8\x8b"[..], b"\xe8\x8b\x8fC1234\xff", b"\xe8\x0b\x0fC12345", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"]
        {
            assert_eq!(PlateCode::pack_raw(raw), None, "{raw:?}");
        }
    }

    #[test]
    fn what_a_database_writes_for_nothing_is_not_packed_as_it_came() {
        assert_eq!(PlateCode::pack_raw(b"\\N"), None);
    }

    #[test]
    fn every_symbol_has_one_character() {
        let mut symbols = 0;
        for symbol in 0..=255 {
            if let Some(character) = PlateCode::char_of(symbol) {
                assert_eq!(PlateCode::symbol_of(character), Some(symbol));
                symbols += 1;
            }
        }
        assert_eq!(symbols, 31 + 9 + (0x7e - 0x2a + 1));
        assert_eq!(PlateCode::symbol_of('京'), Some(0x01));
        assert_eq!(PlateCode::symbol_of('琼'), Some(0x1f));
        assert_eq!(PlateCode::symbol_of('学'), Some(0x20));
        assert_eq!(PlateCode::symbol_of('急'), Some(0x28));
    }

    #[test]
    fn codes_are_stable() {
        assert_eq!(PlateCode::pack("苏C12345").as_u64(), 0x0035_3433_3231_430e);
        assert_eq!(PlateCode::pack("无牌").as_u64(), xxhash_rust::xxh3::xxh3_64("无牌".as_bytes()) | 1 << 63);
        assert_eq!(PlateCode::from_u64(0x0035_3433_3231_430e).unpack(), "苏C12345");
        for class in PlateClass::ALL {
            assert_eq!(PlateClass::from_u8(class as u8), Some(class));
        }
        assert_eq!(PlateClass::from_u8(5), None);
    }
}
