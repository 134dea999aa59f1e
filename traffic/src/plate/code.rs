//! A plate in eight bytes.

use super::class::PlateClass;
use super::pseudonym::{self, Pseudonym, PseudonymKind};
use super::{grammar, symbols};

/// HPZL of vehicles that have a new energy plate: large and small.
pub(crate) const NEW_ENERGY_TYPES: [&str; 2] = ["51", "52"];
const NEW_ENERGY_CHARACTERS: usize = 8;

/// A normalised plate in eight bytes: symbol i in byte i (little-endian), unused bytes 0.
///
/// A symbol is below 0x80: ASCII `*` to `~` as itself, the 31 provinces as 0x01–0x1F in the contract's order, and
/// 学警挂领港澳使应急 as 0x20–0x28. A text with any other character, or of more than eight symbols, is *odd*: the top bit is
/// set, the others are the low 63 bits of its XXH3-64, and the text is kept separately. A short [`Pseudonym`] is packed in a
/// form of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct PlateCode(u64);

const ODD: u64 = 1 << 63;
/// How 黑WJ begins, and the bits of it.
const BLACK_WJ: (u64, u64) = (u64::from_le_bytes([symbols::BLACK, b'W', b'J', 0, 0, 0, 0, 0]), 0x00ff_ffff);

impl PlateCode {
    /// Packs a normalised text (see [`normalise_plate`](super::normalise_plate)); check [`PlateCode::is_odd`] to know whether the text must be
    /// kept too.
    pub fn pack(text: &str) -> Self {
        let mut code = [0; 8];
        let mut places = code.iter_mut();
        for character in text.chars() {
            match (places.next(), Self::symbol_of(character)) {
                (Some(place), Some(symbol)) => *place = symbol,
                _ => return Self::pack_other(text),
            }
        }
        Self(u64::from_le_bytes(code))
    }

    fn pack_other(text: &str) -> Self {
        let pseudonym = text.contains(pseudonym::PSEUDONYM_MARK).then(|| Pseudonym::parse(text)).flatten();
        pseudonym.map_or_else(|| Self(xxhash_rust::xxh3::xxh3_64(text.as_bytes()) | ODD), Self::from)
    }

    /// Packs and classes the bytes of a field as it came, if they are already normal and not odd, as nearly all plates
    /// are. None says nothing about the plate: normalise the text, then [`PlateCode::pack`] it.
    #[inline]
    pub fn pack_raw(raw: &[u8]) -> Option<(Self, PlateClass)> {
        let code = match Self::province_and_ascii(raw) {
            Some(code) => code,
            None => Self::symbol_by_symbol(raw)?,
        };
        let class = grammar::class_of(code.0);
        // A plate that the grammar knows is normal already, except WJ after a colour that is also a province.
        let settled = if class.is_valid() { code.0 & BLACK_WJ.1 != BLACK_WJ.0 } else { code.is_settled() };
        settled.then_some((code, class))
    }

    /// Whether normalising leaves the text of a code without lower case as it is: no dot and no backslash (`\N` is an
    /// empty value), no `_` that may precede a colour's number, no hyphen after province and letter, and no 黑 that may
    /// be a colour instead of a province.
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
        let kind = self.pseudonym().map(|pseudonym| pseudonym.kind);
        let kind = kind.or_else(|| if self.is_odd() { pseudonym::kind_of_long(odd_text) } else { None });
        if let Some(kind) = kind {
            return if kind.has_eight_characters() { NEW_ENERGY_CHARACTERS } else { NEW_ENERGY_CHARACTERS - 1 };
        }
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

    /// Whether it is the packed pseudonym of a plate. That of an odd plate is an odd plate itself.
    #[inline]
    pub fn is_pseudonym(self) -> bool {
        pseudonym::is_pseudonym(self.0)
    }

    /// The pseudonym that it is.
    pub fn pseudonym(self) -> Option<Pseudonym> {
        Pseudonym::of_number(self.0)
    }

    /// What a pseudonym shows of this plate beside its province; `odd_text` is looked at only if the code is odd.
    pub fn kind(self, odd_text: &str) -> PseudonymKind {
        let class = self.class(odd_text);
        let is_long = self.characters(odd_text) >= NEW_ENERGY_CHARACTERS;
        PseudonymKind { class, is_long_special: class == PlateClass::Special && is_long }
    }

    /// The symbol of the province that the plate begins with, if it does.
    pub fn province(self, odd_text: &str) -> Option<u8> {
        let first = if self.is_odd() { odd_text.chars().next().and_then(symbols::of_char)? } else { self.0 as u8 };
        symbols::is_province(first).then_some(first)
    }

    /// The text of a plate that is not odd; empty for an odd one.
    pub fn unpack(self) -> String {
        if self.is_odd() {
            return String::new();
        }
        if let Some(pseudonym) = self.pseudonym() {
            return pseudonym.text();
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

impl From<Pseudonym> for PlateCode {
    fn from(pseudonym: Pseudonym) -> Self {
        Self(pseudonym.number())
    }
}

impl PlateClass {
    /// The class of a plate of this class with this HPZL: a new energy plate of seven characters lacks one, so that it
    /// may be ten cars.
    pub fn beside_plate_type(self, plate: PlateCode, odd_text: &str, hpzl: &str) -> Self {
        if NEW_ENERGY_TYPES.contains(&hpzl) { self.of_new_energy_type(plate, odd_text) } else { self }
    }

    /// The class of a plate of this class whose HPZL is one of [`NEW_ENERGY_TYPES`].
    pub(crate) fn of_new_energy_type(self, plate: PlateCode, odd_text: &str) -> Self {
        if self.is_valid() && plate.characters(odd_text) < NEW_ENERGY_CHARACTERS { Self::Irregular } else { self }
    }
}
