//! The contract's plate grammar as one table: for each place and symbol, the set of patterns that admit it there. A
//! plate matches the patterns that are in the sets of all its eight places.

use super::class::PlateClass;
use super::pseudonym;
use super::symbols::{is_province, mark, province};

/// `P[A-HJ-Z]` and five of S; at most two letters among the five and not 00000, which [`class_of`] looks at.
const ORDINARY: u16 = 1 << 0;
/// `P[A-HJ-Z][ABCDEFGHJK]S` and four digits.
const NEW_ENERGY_SMALL: u16 = 1 << 1;
/// `P[A-HJ-Z]`, five digits, `[ABCDEFGHJK]`.
const NEW_ENERGY_LARGE: u16 = 1 << 2;
/// `P[A-HJ-Z]`, four of S, one of 学警挂领. 试 and 超 have no symbol: see [`class_of_odd`].
const MARKED: u16 = 1 << 3;
/// `粤Z`, four of S, 港 or 澳.
const BORDER: u16 = 1 << 4;
/// 使 and six digits.
const EMBASSY_BEFORE: u16 = 1 << 5;
/// Six digits and 使.
const EMBASSY_AFTER: u16 = 1 << 6;
/// `P`, one of X, S and the digits, four digits, 应急.
const EMERGENCY: u16 = 1 << 7;
/// `WJ`, four digits, a digit or letter.
const POLICE: u16 = 1 << 8;
/// `WJ`, a province, four digits, a digit or letter.
const POLICE_OF_PROVINCE: u16 = 1 << 9;
/// Two letters and five digits.
const MILITARY: u16 = 1 << 10;

const NEW_ENERGY: u16 = NEW_ENERGY_SMALL | NEW_ENERGY_LARGE;
const SPECIAL: u16 =
    MARKED | BORDER | EMBASSY_BEFORE | EMBASSY_AFTER | EMERGENCY | POLICE | POLICE_OF_PROVINCE | MILITARY;

/// Bit 6 of the places 2–6: set in letters, clear in digits.
const FIVE_LETTER_BITS: u64 = 0x0040_4040_4040_0000;
/// The places 2–6, and what they hold in the one serial number that is never issued.
const FIVE_PLACES: u64 = 0x00ff_ffff_ffff_0000;
const FIVE_ZEROS: u64 = 0x0030_3030_3030_0000;
const MAX_LETTERS: u32 = 2;

/// Class of a code that is not odd.
#[inline]
pub(super) fn class_of(code: u64) -> PlateClass {
    let patterns = ADMITTED
        .iter()
        .zip(code.to_le_bytes())
        .fold(u16::MAX, |patterns, (place, symbol)| patterns & place.get(usize::from(symbol)).copied().unwrap_or(0));
    // Only special patterns admit the same plate: WJ and five digits is military too.
    match patterns {
        ORDINARY if (code & FIVE_LETTER_BITS).count_ones() <= MAX_LETTERS && code & FIVE_PLACES != FIVE_ZEROS => {
            PlateClass::Ordinary
        }
        found if found & NEW_ENERGY != 0 => PlateClass::NewEnergy,
        found if found & SPECIAL != 0 => PlateClass::Special,
        _ if pseudonym::is_pseudonym(code) => class_of_pseudonym(code),
        _ if holds_star(code) => PlateClass::Masked,
        _ => PlateClass::Irregular,
    }
}

#[cold]
fn class_of_pseudonym(code: u64) -> PlateClass {
    pseudonym::Pseudonym::of_number(code).map_or(PlateClass::Irregular, |pseudonym| pseudonym.kind.class)
}

/// Class of a text that does not fit in a code. Among those only the plates with 试, 超 and 民航 are valid: these
/// characters have no symbol, so that the codes of stored plates stay the same.
pub(super) fn class_of_odd(text: &str) -> PlateClass {
    if let Some(kind) = pseudonym::kind_of_long(text) {
        return kind.class;
    }
    let mut characters = ['\0'; 8];
    let count = characters.iter_mut().zip(text.chars()).map(|(place, character)| *place = character).count();
    let special = text.chars().nth(count).is_none()
        && match characters.get(..count).unwrap_or_default() {
            [province, city, serial @ .., '试' | '超'] => {
                is_province(symbol(*province))
                    && is_city(symbol(*city))
                    && serial.len() == 4
                    && serial.iter().all(|character| is_serial(symbol(*character)))
            }
            ['民', '航', first, digits @ ..] => {
                (first.is_ascii_uppercase() || first.is_ascii_digit())
                    && digits.len() == 4
                    && digits.iter().all(char::is_ascii_digit)
            }
            _ => false,
        };
    match special {
        true => PlateClass::Special,
        false if text.contains('*') => PlateClass::Masked,
        false => PlateClass::Irregular,
    }
}

fn symbol(character: char) -> u8 {
    super::symbols::of_char(character).unwrap_or(0)
}

/// Whether one of the eight bytes is `*`.
///
/// Source: Sean Eron Anderson, "Bit Twiddling Hacks", "Determine if a word has a zero byte".
#[inline]
fn holds_star(code: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let stars_are_zero = code ^ (ONES * b'*' as u64);
    stars_are_zero.wrapping_sub(ONES) & !stars_are_zero & (ONES << 7) != 0
}

static ADMITTED: [[u16; 128]; 8] = admitted();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a wrong index does not build")]
const fn admitted() -> [[u16; 128]; 8] {
    let mut table = [[0; 128]; 8];
    let mut place = 0;
    while place < 8 {
        let mut symbol = 0;
        while symbol < 128 {
            table[place][symbol] = admitted_at(place, symbol as u8);
            symbol += 1;
        }
        place += 1;
    }
    table
}

const fn admitted_at(place: usize, symbol: u8) -> u16 {
    let digit = symbol.is_ascii_digit();
    let upper = symbol.is_ascii_uppercase();
    let city = is_city(symbol);
    let serial = is_serial(symbol);
    let energy = symbol >= b'A' && symbol <= b'K' && symbol != b'I';
    let province_here = is_province(symbol);
    let embassy = symbol == mark('使');
    let marked = symbol == mark('学') || symbol == mark('警') || symbol == mark('挂') || symbol == mark('领');
    let border = symbol == mark('港') || symbol == mark('澳');
    let end = symbol == 0;

    let ordinary = match place {
        0 => province_here,
        1 => city,
        2..=6 => serial,
        _ => end,
    };
    let new_energy_small = match place {
        0 => province_here,
        1 => city,
        2 => energy,
        3 => serial,
        _ => digit,
    };
    let new_energy_large = match place {
        0 => province_here,
        1 => city,
        2..=6 => digit,
        _ => energy,
    };
    let marked = match place {
        0 => province_here,
        1 => city,
        2..=5 => serial,
        6 => marked,
        _ => end,
    };
    let border = match place {
        0 => symbol == province('粤'),
        1 => symbol == b'Z',
        2..=5 => serial,
        6 => border,
        _ => end,
    };
    let embassy_before = match place {
        0 => embassy,
        1..=6 => digit,
        _ => end,
    };
    let embassy_after = match place {
        0..=5 => digit,
        6 => embassy,
        _ => end,
    };
    let emergency = match place {
        0 => province_here,
        1 => symbol == b'X' || symbol == b'S' || digit,
        2..=5 => digit,
        6 => symbol == mark('应'),
        _ => symbol == mark('急'),
    };
    let police = match place {
        0 => symbol == b'W',
        1 => symbol == b'J',
        2..=5 => digit,
        6 => digit || upper,
        _ => end,
    };
    let police_of_province = match place {
        0 => symbol == b'W',
        1 => symbol == b'J',
        2 => province_here,
        3..=6 => digit,
        _ => digit || upper,
    };
    let military = match place {
        0 | 1 => city,
        2..=6 => digit,
        _ => end,
    };
    only_if(ordinary, ORDINARY)
        | only_if(new_energy_small, NEW_ENERGY_SMALL)
        | only_if(new_energy_large, NEW_ENERGY_LARGE)
        | only_if(marked, MARKED)
        | only_if(border, BORDER)
        | only_if(embassy_before, EMBASSY_BEFORE)
        | only_if(embassy_after, EMBASSY_AFTER)
        | only_if(emergency, EMERGENCY)
        | only_if(police, POLICE)
        | only_if(police_of_province, POLICE_OF_PROVINCE)
        | only_if(military, MILITARY)
}

/// `[A-HJ-Z]`, the letter of a city.
const fn is_city(symbol: u8) -> bool {
    symbol.is_ascii_uppercase() && symbol != b'I'
}

/// S of the contract: `[A-HJ-NP-Z0-9]`.
const fn is_serial(symbol: u8) -> bool {
    symbol.is_ascii_digit() || (symbol.is_ascii_uppercase() && symbol != b'I' && symbol != b'O')
}

const fn only_if(admitted: bool, pattern: u16) -> u16 {
    if admitted { pattern } else { 0 }
}
