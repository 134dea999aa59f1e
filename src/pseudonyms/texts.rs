//! Plates and pseudonyms inside texts: a note, a detail of the audit log, a rejected line. It does not know where the texts are.

use traffic::{LongPseudonym, PSEUDONYM_MARK, PlateCode, normalise_plate};

use super::cipher::{PlateCipher, is_whole};

/// What stands between the parts of a plate when people write it.
const BETWEEN: &str = " ·•・.-—";
/// Characters of the longest plate.
const LONGEST: usize = 8;
/// Bytes of short pseudonyms from their `#` on.
const SHORT_AFTER_PROVINCE: usize = 12;
const SHORT_WHOLE: usize = 14;
/// Of a plate in a text, which must be valid.
const SHORTEST: usize = 7;

impl PlateCipher {
    /// The text with pseudonyms for the plates in it: a text that is one plate, in any spelling, and every valid plate in a longer
    /// text.
    pub fn hide_in(&self, text: &str) -> String {
        let whole = normalise_plate(text.trim());
        if is_whole(&whole) {
            return self.hide_asked(&whole);
        }
        let (mut hidden, mut rest) = (String::with_capacity(text.len()), text);
        let mut follows_letter = false;
        while let Some(first) = rest.chars().next() {
            let found = if follows_letter && first.is_ascii() { None } else { plate_at(rest) };
            let length = match &found {
                Some((plate, length)) => {
                    hidden.push_str(&self.hide_plate(plate));
                    *length
                }
                None => {
                    hidden.push(first);
                    first.len_utf8()
                }
            };
            follows_letter = found.is_some() || first.is_ascii_alphanumeric();
            rest = rest.get(length..).unwrap_or_default();
        }
        hidden
    }

    /// What a search asks for as a plate, hidden as a whole: also a part of a plate, a pattern, or a reading that is no plate.
    pub fn hide_asked(&self, asked: &str) -> String {
        let normal = normalise_plate(asked.trim());
        if self.reveal(&normal).is_some() { normal.into_owned() } else { self.hide_plate(&normal) }
    }

    /// The text with plates for the pseudonyms in it that this key made.
    pub fn reveal_in(&self, text: &str) -> String {
        if !text.contains(PSEUDONYM_MARK) {
            return text.to_owned();
        }
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(PSEUDONYM_MARK) {
            let (before, from) = rest.split_at(at);
            let is_own = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
            let body = from.bytes().take(LongPseudonym::MAX_CHARACTERS).take_while(is_own).count();
            // A province before it belongs to it.
            let province = before.chars().next_back().map_or(0, char::len_utf8);
            let found = [body, SHORT_AFTER_PROVINCE, SHORT_WHOLE].into_iter().find_map(|length| {
                [at - province, at].into_iter().find_map(|start| {
                    let plate = self.reveal(rest.get(start..at + length.min(body))?)?;
                    Some((start, at + length.min(body), plate))
                })
            });
            let (start, end, plate) = found.unwrap_or_else(|| (at + 1, at + 1, String::new()));
            shown.push_str(rest.get(..start).unwrap_or_default());
            shown.push_str(&plate);
            rest = rest.get(end..).unwrap_or_default();
        }
        shown.push_str(rest);
        shown
    }
}

/// The valid plate at the beginning of a text, the longest, and its bytes there.
fn plate_at(text: &str) -> Option<(String, usize)> {
    let (mut plate, mut count, mut found) = (String::new(), 0, None);
    for (at, character) in text.char_indices() {
        if BETWEEN.contains(character) && count > 0 {
            continue;
        }
        let is_part = character.is_ascii_alphanumeric() || PlateCode::symbol_of(character).is_some_and(|it| it < b'*');
        if count == LONGEST || !(is_part || "试超民航".contains(character)) {
            break;
        }
        plate.extend(character.to_uppercase());
        count += 1;
        // 苏C12345 is not in 苏C123456: a letter or digit that follows makes it another text.
        let after = text.get(at + character.len_utf8()..).and_then(|rest| rest.chars().next());
        let ends = !after.is_some_and(|after| after.is_ascii_alphanumeric());
        if count >= SHORTEST && ends && PlateCode::pack(&plate).class(&plate).is_valid() {
            found = Some((plate.clone(), at + character.len_utf8()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pseudonyms::PlateKey;

    proptest! {
        #[test]
        fn what_is_hidden_stays_so(text in "[苏C0-9WJ·, 系民航#]{0,40}", any in any::<String>()) {
            let cipher = PlateCipher::new(&PlateKey::of([1; 32])).unwrap();
            for text in [text.replace('#', "号"), any.replace('#', "号")] {
                let hidden = cipher.hide_in(&text);
                prop_assert_eq!(cipher.hide_in(&hidden), hidden);
            }
            for text in [&text, &any] {
                cipher.reveal_in(text);
            }
        }
    }

    #[test]
    fn plates_in_texts_are_hidden_and_come_back() {
        let cipher = PlateCipher::new(&PlateKey::of([1; 32])).unwrap();
        let [one, other] = ["苏C12345", "皖LD12345"].map(|plate| cipher.hide_plate(plate));
        for (text, hidden, revealed) in [
            ("苏c·12345", one.clone(), "苏C12345"),
            ("车主称苏C12345系套牌", format!("车主称{one}系套牌"), "车主称苏C12345系套牌"),
            ("见苏C·12345,皖LD12345。", format!("见{one},{other}。"), "见苏C12345,皖LD12345。"),
            ("苏C12345皖LD12345", format!("{one}{other}"), "苏C12345皖LD12345"),
            ("2024-01-01 12:34:56 #12", "2024-01-01 12:34:56 #12".to_owned(), "2024-01-01 12:34:56 #12"),
            ("苏C123", "苏C123".to_owned(), "苏C123"),
            ("", String::new(), ""),
        ] {
            assert_eq!(cipher.hide_in(text), hidden, "{text}");
            assert_eq!(cipher.reveal_in(&hidden), revealed, "{text}");
        }
        for asked in ["苏C12345", "苏C1234", "C123", "苏C1*", "苏C123?5", "无牌", "12"] {
            let hidden = cipher.hide_asked(asked);
            assert!(!hidden.contains("C12") && hidden.contains('#'), "{asked} {hidden}");
            assert_eq!((cipher.reveal_in(&hidden), cipher.hide_asked(&hidden)), (asked.to_owned(), hidden.clone()));
        }
        assert_eq!(cipher.reveal_in(&format!("{one}\t#\t{other}x #4")), "苏C12345\t#\t皖LD12345x #4");
    }
}
