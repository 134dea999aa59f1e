//! The contract's plate grammar as one table: for each place and symbol, the set of patterns that admit it there. A
//! plate matches the patterns that are in the sets of all its eight places.

use super::PlateClass;
use super::symbols::{is_province, mark, province};

/// `P[A-HJ-Z]` and five of S; at most two letters among the five, which [`class_of`] counts.
const ORDINARY: u8 = 1 << 0;
/// `P[A-HJ-Z][ABCDEFGHJK]S` and four digits.
const NEW_ENERGY_SMALL: u8 = 1 << 1;
/// `P[A-HJ-Z]`, five digits, `[ABCDEFGHJK]`.
const NEW_ENERGY_LARGE: u8 = 1 << 2;
/// `P[A-HJ-Z]`, four of S, one of 学警挂领.
const MARKED: u8 = 1 << 3;
/// `粤Z`, four of S, 港 or 澳.
const BORDER: u8 = 1 << 4;
/// 使 and six digits.
const EMBASSY_BEFORE: u8 = 1 << 5;
/// Six digits and 使.
const EMBASSY_AFTER: u8 = 1 << 6;
/// `P`, one of X, S and the digits, four digits, 应急.
const EMERGENCY: u8 = 1 << 7;

/// Bit 6 of the places 2–6: set in letters, clear in digits.
const FIVE_LETTER_BITS: u64 = 0x0040_4040_4040_0000;
const MAX_LETTERS: u32 = 2;

/// Class of a code that is not odd.
#[inline]
pub(super) fn class_of(code: u64) -> PlateClass {
    let patterns = ADMITTED
        .iter()
        .zip(code.to_le_bytes())
        .fold(u8::MAX, |patterns, (place, symbol)| patterns & place.get(usize::from(symbol)).copied().unwrap_or(0));
    // No two patterns admit the same plate, so at most one bit is left.
    match patterns {
        ORDINARY if (code & FIVE_LETTER_BITS).count_ones() <= MAX_LETTERS => PlateClass::Ordinary,
        NEW_ENERGY_SMALL | NEW_ENERGY_LARGE => PlateClass::NewEnergy,
        MARKED | BORDER | EMBASSY_BEFORE | EMBASSY_AFTER | EMERGENCY => PlateClass::Special,
        _ if holds_star(code) => PlateClass::Masked,
        _ => PlateClass::Irregular,
    }
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

static ADMITTED: [[u8; 128]; 8] = admitted();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a wrong index does not build")]
const fn admitted() -> [[u8; 128]; 8] {
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

const fn admitted_at(place: usize, symbol: u8) -> u8 {
    let digit = symbol.is_ascii_digit();
    let upper = symbol.is_ascii_uppercase();
    let city = upper && symbol != b'I';
    let serial = digit || (upper && symbol != b'I' && symbol != b'O');
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
    only_if(ordinary, ORDINARY)
        | only_if(new_energy_small, NEW_ENERGY_SMALL)
        | only_if(new_energy_large, NEW_ENERGY_LARGE)
        | only_if(marked, MARKED)
        | only_if(border, BORDER)
        | only_if(embassy_before, EMBASSY_BEFORE)
        | only_if(embassy_after, EMBASSY_AFTER)
        | only_if(emergency, EMERGENCY)
}

const fn only_if(admitted: bool, pattern: u8) -> u8 {
    if admitted { pattern } else { 0 }
}
