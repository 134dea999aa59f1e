//! Plates as those see them who may not see plates: 苏C•••45, wherever they stand in an answer. Ids of passages go as well, and
//! ids of warnings and cases are exchanged for others: they are hashes of the plate, and there are few enough plates to try
//! all of them.
//!
//! It works on the text of an answer, so no field can be forgotten. It does not know what the fields mean.

use std::hash::{BuildHasher as _, RandomState};

use axum::body::{Body, to_bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::serve::error::ApiError;

/// Characters that a plate begins with.
const FIRST: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使民";
/// What stands for a character.
const DOT: char = '•';
/// Characters at the beginning and at the end of a plate that stay.
const SHOWN_FIRST: usize = 2;
const SHOWN_LAST: usize = 2;
/// Characters after the first of the shortest and the longest plate.
const SHORTEST: usize = 5;
const LONGEST: usize = 8;
/// Letters and digits of the shortest id of a passage.
const SHORTEST_ID: usize = 12;
/// Answers are far shorter.
const MAX_BYTES: usize = 64 << 20;

/// Digits of the id of a warning or a case.
const ID_DIGITS: usize = 16;

/// Masks texts; the ids that it gives instead are those of this process alone.
#[derive(Default)]
pub(in crate::serve) struct Mask(RandomState);

/// The answer with masked plates.
pub(super) async fn masked(mask: &Mask, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BYTES).await else { return ApiError::internal().into_response() };
    // The text gets longer or shorter.
    parts.headers.remove(header::CONTENT_LENGTH);
    let shown = mask.text(&String::from_utf8_lossy(&bytes));
    Response::from_parts(parts, Body::from(shown))
}

impl Mask {
    /// A text with masked plates and ids.
    pub(super) fn text(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len() + 16);
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            // A word goes as a whole: what looks like an id inside it is none.
            let word = word(rest);
            if let Some((before, value, after)) = secret_field(rest, word) {
                shown.push_str(before);
                mask_any(value, before, &mut shown);
                rest = after;
                continue;
            }
            let (length, is_done) = match plate(rest) {
                Some(length) => {
                    mask(rest.get(..length).unwrap_or_default(), &mut shown);
                    (length, true)
                }
                None if is_passage_id(rest.get(..word).unwrap_or_default()) => {
                    shown.extend([DOT; 6]);
                    (word, true)
                }
                None if is_id(rest.get(..word).unwrap_or_default()) => {
                    shown.push_str(&format!("{:016x}", self.0.hash_one(rest.get(..word))));
                    (word, true)
                }
                None => (word.max(first.len_utf8()), false),
            };
            let (before, after) = rest.split_at(length);
            if !is_done {
                shown.push_str(before);
            }
            rest = after;
        }
        shown
    }
}

/// The fields whose values are plates and ids of passages, whatever form they have.
const PLATE_FIELD: &str = "hphm";
const PASSAGE_FIELD: &str = "gcxh";

/// Splits a text that begins with the end of such a field's name: up to its value, the value, and what follows.
fn secret_field(text: &str, word: usize) -> Option<(&str, &str, &str)> {
    const BETWEEN: &str = "\":\"";
    let name = text.get(..word)?;
    let is_secret = [PLATE_FIELD, PASSAGE_FIELD].iter().any(|field| name.eq_ignore_ascii_case(field));
    let value = text.get(word..)?.strip_prefix(BETWEEN).filter(|_| is_secret)?;
    let mut is_escaped = false;
    let end = value.find(|character: char| {
        let is_end = character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        is_end
    })?;
    Some((text.get(..word + BETWEEN.len())?, value.get(..end)?, value.get(end..)?))
}

/// Masks the value of a field: of a plate as long as one the ends stay, of all else nothing.
fn mask_any(value: &str, before: &str, shown: &mut String) {
    let is_plate = before.get(..PLATE_FIELD.len()).is_some_and(|name| name.eq_ignore_ascii_case(PLATE_FIELD));
    if is_plate && value.chars().count() > SHORTEST && !value.contains('\\') {
        mask(value, shown);
    } else {
        shown.extend([DOT; 6]);
    }
}

/// Bytes of the letters and digits at the beginning.
fn word(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphanumeric).count()
}

/// Bytes of the plate at the beginning, if there is one: a province, and letters and digits, perhaps with a last Chinese character.
fn plate(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let is_military = first.is_ascii_uppercase();
    if !FIRST.contains(first) && !is_military {
        return None;
    }
    let all = word(text.get(first.len_utf8()..)?);
    if is_military {
        // Two letters and five digits.
        let is_plate = all == 6
            && text.as_bytes().get(1).is_some_and(u8::is_ascii_uppercase)
            && text.bytes().skip(2).take(5).all(|digit| digit.is_ascii_digit());
        return is_plate.then_some(7);
    }
    let mut length = first.len_utf8() + all;
    let mut count = all;
    for last in text.get(length..)?.chars().take(2) {
        let is_mask = last == '*';
        if !"学警挂领试超港澳应急航".contains(last) && !is_mask {
            break;
        }
        (length, count) = (length + last.len_utf8(), count + 1);
    }
    // Masked ones are no secret, but what is left of them is part of a plate.
    (SHORTEST..=LONGEST).contains(&count).then_some(length)
}

fn mask(plate: &str, shown: &mut String) {
    let count = plate.chars().count();
    shown.extend(
        plate.chars().enumerate().map(
            |(place, character)| {
                if place < SHOWN_FIRST || place + SHOWN_LAST >= count { character } else { DOT }
            },
        ),
    );
}

/// Whether a word is the id of a passage: digits behind a letter at most.
fn is_passage_id(word: &str) -> bool {
    word.len() >= SHORTEST_ID && word.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// Whether a word is the id of a warning or a case.
fn is_id(word: &str) -> bool {
    word.len() == ID_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_of_all_kinds_are_masked_wherever_they_stand() {
        for (before, after) in [
            ("苏C12345", "苏C•••45"),
            ("\"hphm\":\"苏CD12345\",", "\"hphm\":\"苏C••••45\","),
            ("neighbour 皖L2B3C4 was due", "neighbour 皖L•••C4 was due"),
            ("粤Z1234港", "粤Z•••4港"),
            ("苏C1234警", "苏C•••4警"),
            ("WJ12345", "WJ•••45"),
            ("苏C12345苏C54321", "苏C•••45苏C•••21"),
        ] {
            assert_eq!(Mask::default().text(before), after);
        }
    }

    #[test]
    fn nothing_else_is() {
        for same in [
            "{\"code\":200,\"msg\":\"success\"}",
            "2024-01-01 12:34:56",
            "S250_Pizhou_Sulu",
            "S250-邳州-苏鲁界",
            "江苏省徐州市云龙区",
            "大众牌-朗逸-2015",
            "苏C",
            "K123456",
            "",
        ] {
            assert_eq!(Mask::default().text(same), same);
        }
    }

    #[test]
    fn ids_of_passages_go() {
        let mask = Mask::default();
        assert_eq!(mask.text("\"gcxh\":\"G320300109027253771\""), "\"gcxh\":\"••••••\"");
        assert_eq!(mask.text("320300108860652979"), "••••••");
    }

    #[test]
    fn fields_are_masked_whatever_they_hold() {
        let mask = Mask::default();
        for (before, after) in [
            (r#"{"prev_gcxh":"A2","n":1}"#, r#"{"prev_gcxh":"••••••","n":1}"#),
            (r#"{"GCXH":"a\"b","HPHM":"-***"}"#, r#"{"GCXH":"••••••","HPHM":"••••••"}"#),
            (r#"{"hphm":"苏CDM***"}"#, r#"{"hphm":"苏C•••**"}"#),
            (r#"{"hphm":"","gcxh":null}"#, r#"{"hphm":"••••••","gcxh":null}"#),
        ] {
            assert_eq!(mask.text(before), after);
        }
    }

    #[test]
    fn ids_are_exchanged_and_stay_the_same() {
        let mask = Mask::default();
        let [one, again, other] = ["9f0c5a7be1d24c38", "9f0c5a7be1d24c38", "9f0c5a7be1d24c39"].map(|id| mask.text(id));
        assert!(one == again && one != other && one.len() == 16 && one != "9f0c5a7be1d24c38", "{one} {other}");
    }
}
