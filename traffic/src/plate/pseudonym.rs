//! Pseudonyms of plates: what a plate looks like once it was replaced by an encrypted one, packed and as text.
//!
//! A pseudonym shows the province and the class of its plate, because searches and the detector go by them, and nothing
//! else. Its text has a `#` ([`PSEUDONYM_MARK`]), which no normalised plate of a camera has. A plate that packs without
//! being odd has a *short* pseudonym, which packs too; an odd one has a *long* pseudonym, whose text is kept as an odd
//! plate's is.
//!
//! ```text
//! 苏#0ABCDE23456     province, #, kind, 10 characters of 5 bits (the seven symbols after the province, encrypted)
//! #2ABCDE2345678     #, kind, 12 characters (all eight symbols)
//! 苏#4ABCDEFGHJK…    province if the text begins with one, #, kind, at least 26 characters: an odd text, encrypted
//! 苏##4ABCDEFGHJK…   the same of a text that is too long: nobody can bring it back
//! ```
//!
//! This module knows no key and no cipher: it writes and reads what a cipher made.

use super::class::PlateClass;
use super::symbols;

/// The sign that no plate has.
pub const PSEUDONYM_MARK: char = '#';

/// Crockford's alphabet of base 32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BITS: u32 = 5;
/// Bits of seven symbols and of eight.
const AFTER_PROVINCE: u32 = 49;
const WHOLE: u32 = 56;
/// Characters of a short pseudonym's body, with a province and without.
const BODY_AFTER_PROVINCE: usize = 10;
const BODY_WHOLE: usize = 12;
/// Characters of a long pseudonym's body: no cipher makes fewer than 16 bytes of a text.
const MIN_LONG_BODY: usize = 26;

/// What is not hidden of a plate beside its province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PseudonymKind {
    /// The class of its text.
    pub class: PlateClass,
    /// A special plate of eight characters or more, which counts where HPZL says new energy.
    pub is_long_special: bool,
}

impl PseudonymKind {
    /// Kinds: a class each, and long special plates.
    const COUNT: u8 = 6;

    /// The number in texts and codes.
    pub fn number(self) -> u8 {
        if self.is_long_special { Self::COUNT - 1 } else { self.class as u8 }
    }

    fn from_number(number: u8) -> Option<Self> {
        if number == Self::COUNT - 1 {
            return Some(Self { class: PlateClass::Special, is_long_special: true });
        }
        PlateClass::from_u8(number).map(|class| Self { class, is_long_special: false })
    }

    /// Whether its plate has eight characters or more, as far as that decides anything: of a valid plate.
    pub(super) fn has_eight_characters(self) -> bool {
        self.class == PlateClass::NewEnergy || self.is_long_special
    }
}

/// A short pseudonym: that of a plate that packs without being odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pseudonym {
    /// The symbol of the province that the plate begins with, if it does.
    pub province: Option<u8>,
    /// What kind its plate is.
    pub kind: PseudonymKind,
    /// The encrypted symbols as a number: below 2^49 with a province, else below 2^56.
    pub hidden: u64,
}

/// In the code of a pseudonym: the bit that no plate's code has, since symbols are below 0x80.
const MARKED: u64 = 1 << 15;
/// Where a code holds the kind (3 bits), the low bits of what is hidden (4), and the others (47).
const KIND_AT: u32 = 8;
const LOW_AT: u32 = 11;
const LOW_BITS: u32 = 4;
const REST_AT: u32 = 16;
const REST_BITS: u32 = 47;
/// Without a province the lowest byte has these bits and the highest five bits of what is hidden.
const NO_PROVINCE: u64 = 0xc0;
const LOWEST_BITS: u32 = 5;

/// Whether a packed plate is a pseudonym.
#[inline]
pub(super) const fn is_pseudonym(number: u64) -> bool {
    number & (MARKED | 1 << 63) == MARKED
}

const fn low(bits: u32) -> u64 {
    (1 << bits) - 1
}

impl Pseudonym {
    /// How many bits are hidden.
    pub fn hidden_bits(province: Option<u8>) -> u32 {
        if province.is_some() { AFTER_PROVINCE } else { WHOLE }
    }

    /// The pseudonym that a packed plate is.
    pub(super) fn of_number(number: u64) -> Option<Self> {
        if !is_pseudonym(number) {
            return None;
        }
        let (lowest, kind) = (number & 0xff, (number >> KIND_AT) & low(3));
        let kind = PseudonymKind::from_number(kind as u8)?;
        let hidden = (number >> LOW_AT) & low(LOW_BITS) | ((number >> REST_AT) & low(REST_BITS)) << LOW_BITS;
        if symbols::is_province(lowest as u8) {
            return (hidden <= low(AFTER_PROVINCE)).then_some(Self { province: Some(lowest as u8), kind, hidden });
        }
        let top = lowest.checked_sub(NO_PROVINCE).filter(|top| *top <= low(LOWEST_BITS))?;
        Some(Self { province: None, kind, hidden: hidden | top << (LOW_BITS + REST_BITS) })
    }

    /// Packs it.
    pub(super) fn number(self) -> u64 {
        let lowest = match self.province {
            Some(province) => u64::from(province),
            None => NO_PROVINCE | (self.hidden >> (LOW_BITS + REST_BITS)) & low(LOWEST_BITS),
        };
        let (kind, hidden) = (u64::from(self.kind.number()), self.hidden);
        lowest
            | kind << KIND_AT
            | (hidden & low(LOW_BITS)) << LOW_AT
            | MARKED
            | ((hidden >> LOW_BITS) & low(REST_BITS)) << REST_AT
    }

    /// Its text.
    pub fn text(self) -> String {
        let mut text: String = self.province.and_then(symbols::to_char).into_iter().collect();
        text.push(PSEUDONYM_MARK);
        text.push(char::from(b'0' + self.kind.number()));
        let characters = if self.province.is_some() { BODY_AFTER_PROVINCE } else { BODY_WHOLE };
        let digits = (0..characters as u32).rev().map(|place| (self.hidden >> (BITS * place)) & low(BITS));
        text.extend(digits.filter_map(|digit| ALPHABET.get(digit as usize)).map(|byte| char::from(*byte)));
        text
    }

    /// The short pseudonym that a text is.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Parts { province, is_final, kind, body } = Parts::of(text)?;
        let characters = if province.is_some() { BODY_AFTER_PROVINCE } else { BODY_WHOLE };
        if is_final || body.len() != characters {
            return None;
        }
        let hidden = body.bytes().try_fold(0, |number, byte| Some(number << BITS | u64::from(digit(byte)?)))?;
        (hidden <= low(Self::hidden_bits(province))).then_some(Self { province, kind, hidden })
    }
}

/// A long pseudonym: that of an odd text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongPseudonym {
    /// The symbol of the province that the text begins with, if it does.
    pub province: Option<u8>,
    /// What kind its plate is.
    pub kind: PseudonymKind,
    /// Whether nobody can bring the text back.
    pub is_final: bool,
    /// What the cipher made, 16 bytes at least.
    pub hidden: Vec<u8>,
}

impl LongPseudonym {
    /// Characters of the longest one that is made: a column of 64 characters holds it.
    pub const MAX_CHARACTERS: usize = 64;

    /// The pseudonym that a text is.
    pub fn parse(text: &str) -> Option<Self> {
        let Parts { province, is_final, kind, body } = Parts::of(text)?;
        let hidden = bytes_of(body).filter(|_| body.len() >= MIN_LONG_BODY)?;
        Some(Self { province, kind, is_final, hidden })
    }

    /// Its text.
    pub fn text(&self) -> String {
        let mut text: String = self.province.and_then(symbols::to_char).into_iter().collect();
        text.extend(std::iter::repeat_n(PSEUDONYM_MARK, if self.is_final { 2 } else { 1 }));
        text.push(char::from(b'0' + self.kind.number()));
        push_bytes(&self.hidden, &mut text);
        text
    }
}

/// The kind that a text of a long pseudonym shows.
pub(super) fn kind_of_long(text: &str) -> Option<PseudonymKind> {
    text.contains(PSEUDONYM_MARK).then(|| LongPseudonym::parse(text)).flatten().map(|long| long.kind)
}

/// The parts of a text in the form of a pseudonym.
struct Parts<'a> {
    province: Option<u8>,
    is_final: bool,
    kind: PseudonymKind,
    body: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (before, rest) = text.split_once(PSEUDONYM_MARK)?;
        let mut before = before.chars();
        let province = match before.next() {
            None => None,
            Some(province) => Some(symbols::of_char(province).filter(|symbol| symbols::is_province(*symbol))?),
        };
        if before.next().is_some() {
            return None;
        }
        let (rest, is_final) = rest.strip_prefix(PSEUDONYM_MARK).map_or((rest, false), |rest| (rest, true));
        let (kind, body) = rest.split_at_checked(1)?;
        let kind = PseudonymKind::from_number(kind.bytes().next()?.checked_sub(b'0')?)?;
        Some(Self { province, is_final, kind, body })
    }
}

fn digit(byte: u8) -> Option<u8> {
    ALPHABET.iter().position(|own| *own == byte).map(|digit| digit as u8)
}

/// Bytes in base 32, the last character filled with zeros.
fn push_bytes(bytes: &[u8], text: &mut String) {
    let (mut held, mut count) = (0u32, 0);
    let mut push = |digit: u32| text.extend(ALPHABET.get(digit as usize & 31).map(|byte| char::from(*byte)));
    for byte in bytes {
        held = (held & 0xff) << 8 | u32::from(*byte);
        count += 8;
        while count >= BITS {
            count -= BITS;
            push(held >> count);
        }
    }
    if count > 0 {
        push(held << (BITS - count));
    }
}

/// The bytes of a text as [`push_bytes`] writes it; none for any other.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let (mut held, mut count, mut bytes) = (0u32, 0, Vec::with_capacity(text.len() * 5 / 8));
    for byte in text.bytes() {
        held = (held & 0xff) << BITS | u32::from(digit(byte)?);
        count += BITS;
        if count >= 8 {
            count -= 8;
            bytes.push((held >> count) as u8);
        }
    }
    (count < BITS && held & low(count) as u32 == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{PlateCode, normalise_plate};

    fn kinds() -> impl Strategy<Value = PseudonymKind> {
        (0..PseudonymKind::COUNT).prop_map(|number| PseudonymKind::from_number(number).unwrap())
    }

    proptest! {
        #[test]
        fn codes_and_texts_are_one_to_one(
            province in proptest::option::of(1..=31u8), kind in kinds(), hidden in any::<u64>(),
        ) {
            let hidden = hidden & low(Pseudonym::hidden_bits(province));
            let pseudonym = Pseudonym { province, kind, hidden };
            let (code, text) = (PlateCode::from(pseudonym), pseudonym.text());
            prop_assert!(code.is_pseudonym() && !code.is_odd());
            prop_assert_eq!(code.pseudonym(), Some(pseudonym));
            prop_assert_eq!(code.unpack(), text.clone());
            prop_assert_eq!(PlateCode::pack(&text), code);
            prop_assert_eq!(PlateCode::pack_raw(text.as_bytes()), None);
            prop_assert_eq!(code.class(""), kind.class);
            prop_assert_eq!(&*normalise_plate(&text), &*text, "a search for it finds it");
            prop_assert!(LongPseudonym::parse(&text).is_none());
            let seven = kind.class.is_valid() && !kind.has_eight_characters();
            let beside = if seven { PlateClass::Irregular } else { kind.class };
            prop_assert_eq!(code.class("").beside_plate_type(code, "", "52"), beside);
        }

        #[test]
        fn long_ones_are_read_back(
            province in proptest::option::of(1..=31u8), kind in kinds(), is_final in any::<bool>(),
            hidden in proptest::collection::vec(any::<u8>(), 16..38),
        ) {
            let long = LongPseudonym { province, kind, is_final, hidden };
            let text = long.text();
            let code = PlateCode::pack(&text);
            prop_assert_eq!(LongPseudonym::parse(&text), Some(long));
            prop_assert!(code.is_odd() && !code.is_pseudonym());
            prop_assert_eq!(code.class(&text), kind.class);
            prop_assert_eq!(&*normalise_plate(&text), &*text);
        }

        #[test]
        fn no_plate_packs_into_one(text in "[苏C1*学~A-Z]{1,8}") {
            prop_assert!(!PlateCode::pack(&text).is_pseudonym());
        }
    }

    #[test]
    fn nothing_else_is_one() {
        for text in [
            "#",
            "苏#",
            "苏#0",
            "苏#0ABCDE2345",
            "苏#0ABCDE234567",
            "苏#6ABCDE23456",
            "苏#0ABCDE2345I",
            "苏苏#0ABCDE23456",
            "C#0ABCDE23456",
            "苏#0ZZZZZZZZZZ",
            "#2ABCDE234567",
            "苏#0abcde23456",
            "苏##0ABCDE23456",
        ] {
            assert!(PlateCode::pack(text).is_odd() && LongPseudonym::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn codes_are_stable() {
        let kind = PseudonymKind { class: PlateClass::Ordinary, is_long_special: false };
        let pseudonym = Pseudonym { province: Some(14), kind, hidden: 0x1_2345_6789_abcd };
        assert_eq!(pseudonym.text(), "苏#0938NKRKAYD");
        assert_eq!(pseudonym.number(), 0x1234_5678_9abc_e80e);
    }
}
