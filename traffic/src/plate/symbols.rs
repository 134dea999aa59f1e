//! The alphabet of a packed plate: characters to symbols below 0x80 and back.

/// The 31 provinces, symbols 0x01–0x1F. The order is part of stored data.
const PROVINCES: [char; 31] = [
    '京', '津', '沪', '渝', '冀', '豫', '云', '辽', '黑', '湘', '皖', '鲁', '新', '苏', '浙', '赣', '鄂', '桂', '甘',
    '晋', '蒙', '陕', '吉', '闽', '贵', '粤', '青', '藏', '川', '宁', '琼',
];
/// The marks of special plates, symbols 0x20–0x28. The order is part of stored data.
const MARKS: [char; 9] = ['学', '警', '挂', '领', '港', '澳', '使', '应', '急'];

/// The province that is a colour too.
pub(super) const BLACK: u8 = province('黑');
const FIRST_PROVINCE: u8 = 0x01;
const FIRST_MARK: u8 = 0x20;
const FIRST_ASCII: u8 = b'*';
const LAST_ASCII: u8 = b'~';

/// The first of the CJK unified ideographs, and how many follow up to the last that we need (黑 U+9ED1).
const FIRST_HAN: u32 = 0x4e00;
const HAN_COUNT: usize = 0x5100;

/// Symbol of a Han character by its distance from [`FIRST_HAN`], 0 for none. Large, but only the cache lines of the 40
/// characters are ever read.
static HAN: [u8; HAN_COUNT] = han_table();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a wrong index does not build")]
const fn han_table() -> [u8; HAN_COUNT] {
    let mut table = [0; HAN_COUNT];
    let mut index = 0;
    while index < PROVINCES.len() {
        table[(PROVINCES[index] as u32 - FIRST_HAN) as usize] = FIRST_PROVINCE + index as u8;
        index += 1;
    }
    index = 0;
    while index < MARKS.len() {
        table[(MARKS[index] as u32 - FIRST_HAN) as usize] = FIRST_MARK + index as u8;
        index += 1;
    }
    table
}

/// The symbol of a mark, for the grammar's tables; 0 if it is none.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a wrong index does not build")]
pub(super) const fn mark(character: char) -> u8 {
    let mut index = 0;
    while index < MARKS.len() {
        if MARKS[index] as u32 == character as u32 {
            return FIRST_MARK + index as u8;
        }
        index += 1;
    }
    0
}

/// The symbol of a province, for the grammar's tables; 0 if it is none.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a wrong index does not build")]
pub(super) const fn province(character: char) -> u8 {
    let mut index = 0;
    while index < PROVINCES.len() {
        if PROVINCES[index] as u32 == character as u32 {
            return FIRST_PROVINCE + index as u8;
        }
        index += 1;
    }
    0
}

/// Whether the symbol is a province.
pub(super) const fn is_province(symbol: u8) -> bool {
    symbol >= FIRST_PROVINCE && symbol < FIRST_PROVINCE + PROVINCES.len() as u8
}

/// Whether the character is a province.
pub(super) fn is_province_char(character: char) -> bool {
    of_char(character).is_some_and(is_province)
}

/// Whether the byte is a symbol as it stands.
#[inline]
pub(super) fn is_ascii_symbol(byte: u8) -> bool {
    (FIRST_ASCII..=LAST_ASCII).contains(&byte)
}

#[inline]
pub(super) fn of_char(character: char) -> Option<u8> {
    match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => is_ascii_symbol(byte).then_some(byte),
        _ => of_han(u32::from(character)),
    }
}

/// The symbol of a Han character in UTF-8; none for any other three bytes.
#[inline]
pub(super) fn of_utf8(&[first, second, third]: &[u8; 3]) -> Option<u8> {
    if first & 0xf0 != 0xe0 || second & 0xc0 != 0x80 || third & 0xc0 != 0x80 {
        return None;
    }
    of_han(u32::from(first & 0x0f) << 12 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f))
}

#[inline]
fn of_han(code_point: u32) -> Option<u8> {
    HAN.get(code_point.wrapping_sub(FIRST_HAN) as usize).copied().filter(|symbol| *symbol != 0)
}

pub(super) fn to_char(symbol: u8) -> Option<char> {
    if is_ascii_symbol(symbol) {
        return Some(char::from(symbol));
    }
    let province = symbol.checked_sub(FIRST_PROVINCE).and_then(|index| PROVINCES.get(usize::from(index)));
    let mark = symbol.checked_sub(FIRST_MARK).and_then(|index| MARKS.get(usize::from(index)));
    province.or(mark).copied()
}
