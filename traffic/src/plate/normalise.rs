//! The text of an HPHM as plates are compared and stored.
//!
//! Cameras, exports and people write one plate in many ways: full-width or lower-case letters, letters of another
//! script that look the same, dots and spaces, traditional characters, the plate's colour beside it. Nothing here
//! decides whether a text is a plate; a colour is removed only if a valid plate is left.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::{PlateCode, symbols};
use crate::clean_field;

/// Letters of other scripts that look the same as Latin ones, and the Latin ones.
const LOOK_ALIKES: (&str, &str) = ("АВЕКМНОРСТХУΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTXYABEZHIKMNOPTYX");
/// Traditional forms of the provinces' characters, and the simplified ones.
const TRADITIONAL: (&str, &str) = ("蘇魯滬粵贛雲貴陝遼寧瓊晉", "苏鲁沪粤赣云贵陕辽宁琼晋");
/// Dots between the parts of a plate, and invisible characters.
const DROPPED: &str = "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}·•・⋅‧∙●.";
/// Longer names first: the longest one is taken.
const COLOURS: [&str; 7] = ["渐变绿", "黄绿", "蓝", "黄", "绿", "白", "黑"];
/// Characters of [`COLOURS`] and of what may follow a colour.
const COLOUR_CHARACTERS: &str = "渐变绿黄蓝白黑色牌";
const HYPHENS: [char; 4] = ['-', '_', '—', '–'];
/// One pass settles nearly every text; another pass changes only what the one before uncovered.
const MAX_PASSES: usize = 4;

/// A text of several words with the characters that plates have in the place of all other spellings of these: NFKC and upper case, Latin
/// letters and simplified characters as [`normalise_plate`] has them, and a space for whatever stands between the parts of a plate.
pub fn spell_plates(text: &str) -> String {
    let upper = text.nfkc().flat_map(char::to_uppercase);
    upper.map(|character| if is_between(character) { ' ' } else { usual(character) }).collect()
}

fn is_between(character: char) -> bool {
    is_dropped(character) || HYPHENS.contains(&character)
}

/// Normalises a cleaned HPHM: NFKC and upper case, Latin letters for those that look like them, simplified characters
/// for the provinces' traditional ones, without spaces, dots, a colour beside a valid plate, and the hyphen after
/// province and letter; `-` for nothing. A normal text stays as it is.
pub fn normalise_plate(text: &str) -> Cow<'_, str> {
    if is_normal(text) {
        return Cow::Borrowed(text);
    }
    let mut plate = pass(text);
    if plate == text {
        return Cow::Owned(plate);
    }
    for _ in 1..MAX_PASSES {
        // With a dropped character gone, the text may now begin with an export's guard or a NUL.
        let next = pass(clean_field(&plate));
        if next == plate {
            break;
        }
        plate = next;
    }
    Cow::Owned(plate)
}

/// A cheap test that is certain where it says yes.
fn is_normal(text: &str) -> bool {
    let normal = |(index, character): (usize, char)| match character {
        'a'..='z' | '.' | '_' | '\t'..='\r' | '\x1c'..=' ' => false,
        '-' => index == 0,
        '\0'..='\x7f' => true,
        '\u{4e00}'..='\u{9fff}' => !TRADITIONAL.0.contains(character) && !COLOUR_CHARACTERS.contains(character),
        _ => false,
    };
    !text.is_empty() && text.char_indices().all(normal)
}

fn pass(text: &str) -> String {
    let upper = text.nfkc().collect::<String>().to_uppercase();
    let plate: String = upper.chars().filter(|character| !is_dropped(*character)).map(usual).collect();
    let plate = with_hyphen_joined(without_colour(&plate));
    if plate.is_empty() { "-".to_owned() } else { plate }
}

fn is_dropped(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character) || DROPPED.contains(character)
}

/// The character that stands for this one on plates.
fn usual(character: char) -> char {
    if character.is_ascii() {
        return character;
    }
    let (from, to) = if character < '\u{2e80}' { LOOK_ALIKES } else { TRADITIONAL };
    from.chars().zip(to.chars()).find(|(from, _)| *from == character).map_or(character, |(_, to)| to)
}

fn without_colour(plate: &str) -> &str {
    let valid = |cut: &&str| PlateCode::pack(cut).class(cut).is_valid();
    let plate = behind_colour(plate).filter(valid).unwrap_or(plate);
    before_colour(plate).filter(valid).unwrap_or(plate)
}

/// What follows a colour at the beginning: 蓝, 蓝色, 蓝牌, 蓝色牌.
fn behind_colour(plate: &str) -> Option<&str> {
    let rest = COLOURS.iter().find_map(|colour| plate.strip_prefix(colour))?;
    let rest = rest.strip_prefix('色').unwrap_or(rest);
    let rest = rest.strip_prefix('牌').unwrap_or(rest);
    let begins = |character: char| symbols::is_province_char(character) || matches!(character, '使' | 'W' | '民');
    rest.starts_with(begins).then_some(rest)
}

/// What precedes a colour at the end: `蓝`, `_蓝`, `-蓝色`, `(蓝牌)`, or a colour's number: `_1`.
fn before_colour(plate: &str) -> Option<&str> {
    if let Some(rest) = plate.strip_suffix(|character: char| character.is_ascii_digit()) {
        return rest.strip_suffix('_');
    }
    let rest = plate.strip_suffix([')', '）']).unwrap_or(plate);
    let rest = rest.strip_suffix('牌').unwrap_or(rest);
    let rest = rest.strip_suffix('色').unwrap_or(rest);
    let rest = COLOURS.iter().find_map(|colour| rest.strip_suffix(colour))?;
    Some(rest.strip_suffix(['_', '(', '（', '-']).unwrap_or(rest))
}

/// Without the hyphen between province with letter and the rest.
fn with_hyphen_joined(plate: &str) -> String {
    let mut characters = plate.chars();
    let is_head = characters.next().is_some_and(symbols::is_province_char)
        && characters.next().is_some_and(|letter| letter.is_ascii_uppercase());
    let tail = characters.as_str();
    let rest = tail.trim_start_matches(HYPHENS);
    if !is_head || rest.len() == tail.len() {
        return plate.to_owned();
    }
    let (head, _) = plate.split_at(plate.len() - tail.len());
    match rest.is_empty() {
        // Hyphens alone: the pattern of the contract leaves the last one as the rest.
        true => joined_hyphens(head, tail),
        false => [head, rest].concat(),
    }
}

/// `苏C---` is `苏C-`: all hyphens but the last one join, where there are two.
fn joined_hyphens(head: &str, hyphens: &str) -> String {
    match hyphens.chars().next_back() {
        Some(last) if hyphens.chars().nth(1).is_some() => format!("{head}{last}"),
        _ => [head, hyphens].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_pairs() {
        for (from, to) in [LOOK_ALIKES, TRADITIONAL] {
            assert_eq!(from.chars().count(), to.chars().count());
        }
        assert!(COLOURS.concat().chars().all(|character| COLOUR_CHARACTERS.contains(character)));
    }

    #[test]
    fn forms_of_one_plate() {
        for (text, normal) in [
            ("苏C12345", "苏C12345"),
            ("苏С1234５", "苏C12345"),
            ("苏ｃ·12.34 5", "苏C12345"),
            ("蘇C12345", "苏C12345"),
            ("粵Z1234港", "粤Z1234港"),
            ("苏C\u{a0}\u{200b}12345\u{feff}", "苏C12345"),
            ("苏С９0•0０1", "苏C90001"),
            ("苏Α12345", "苏A12345"),
            ("苏C-12345", "苏C12345"),
            ("苏C—_12345", "苏C12345"),
            ("苏-C12345", "苏-C12345"),
            ("-***", "-***"),
            ("苏C-", "苏C-"),
            ("苏C--", "苏C-"),
            ("蓝苏C12345", "苏C12345"),
            ("黄色苏C12345", "苏C12345"),
            ("黄牌苏C12345", "苏C12345"),
            ("蓝色牌苏C12345", "苏C12345"),
            ("黑黑A12345", "黑A12345"),
            ("黑A12345", "黑A12345"),
            ("黑WJ12345", "WJ12345"),
            ("黑使123456", "使123456"),
            ("白民航A1234", "民航A1234"),
            ("渐变绿苏CD12345", "苏CD12345"),
            ("黄绿苏C12345D", "苏C12345D"),
            ("苏C12345渐变绿", "苏C12345"),
            ("苏C12345_黄", "苏C12345"),
            ("苏C12345-黄绿色", "苏C12345"),
            ("苏C12345(蓝)", "苏C12345"),
            ("苏C12345（蓝牌）", "苏C12345"),
            ("苏C12345蓝色", "苏C12345"),
            ("苏C12345_1", "苏C12345"),
            ("苏C12345_12", "苏C12345_12"),
            ("苏C12345-1", "苏C12345-1"),
            ("苏CABC12蓝", "苏CABC12蓝"),
            ("绿色", "绿色"),
            ("白苏C1234警", "苏C1234警"),
            // A colour on both sides leaves no valid plate after the first cut.
            ("蓝苏C12345蓝", "蓝苏C12345蓝"),
            // Here the first pass removes the hyphen, and the second the colour.
            ("苏C-12345_蓝", "苏C12345"),
            ("'\u{feff}=x", "=X"),
            ("·\0C1·\0", "C1"),
            ("=\"苏C1\"", "=\"苏C1\""),
            ("", "-"),
            ("· ", "-"),
            ("\u{1}C1", "\u{1}C1"),
        ] {
            assert_eq!(normalise_plate(text), normal, "{text:?}");
            assert_eq!(normalise_plate(normal), normal, "{text:?} again");
        }
    }

    #[test]
    fn what_is_called_normal_is() {
        let characters = ('\0'..='\u{ff}').chain('\u{4e00}'..='\u{9fff}');
        for character in characters {
            for text in [character.to_string(), format!("苏C{character}1")] {
                if is_normal(&text) {
                    assert_eq!(pass(&text), text);
                }
            }
        }
    }

    #[test]
    fn plates_in_sentences_are_spelled_as_plates() {
        for (text, spelled) in
            [("见苏ｃ·１２３４５号", "见苏C 12345号"), ("蘇С\u{3000}12–34_5 and", "苏C 12 34 5 AND"), ("", "")]
        {
            assert_eq!(spell_plates(text), spelled, "{text:?}");
        }
    }
}
