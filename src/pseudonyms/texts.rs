//! Plates and pseudonyms inside texts: a note, a detail of the audit log, a rejected line. It does not know where the texts are.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use traffic::{LongPseudonym, PSEUDONYM_MARK, PlateCode, normalise_plate, spell_plates};

use super::cipher::{PlateCipher, is_whole};

/// What an encrypted text begins with.
const SEALED: &str = "#=";
/// Characters of valid plates.
const LENGTHS: [usize; 2] = [7, 8];
/// Characters of the shortest valid plate, which is of civil aviation.
const SHORTEST: usize = 7;
/// Bytes of short pseudonyms from their `#` on.
const SHORT_AFTER_PROVINCE: usize = 12;
const SHORT_WHOLE: usize = 14;

impl PlateCipher {
    /// A text that people wrote, encrypted as a whole: whatever it names, nobody without the key reads it.
    pub fn seal_text(&self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        format!("{SEALED}{}", URL_SAFE_NO_PAD.encode(self.encrypt(&[b"text".as_slice()], text.as_bytes())))
    }

    /// The text that was encrypted; none of any other, and where another key did it.
    fn open_text(&self, text: &str) -> Option<String> {
        let hidden = URL_SAFE_NO_PAD.decode(text.strip_prefix(SEALED)?).ok()?;
        String::from_utf8(self.decrypt(&[b"text".as_slice()], &hidden)?).ok()
    }

    /// A text of the audit log: a plate, in any spelling, as its pseudonym; what holds a valid plate encrypted as a whole; any other
    /// as it is.
    pub fn hide_in(&self, text: &str) -> String {
        let whole = normalise_plate(text.trim());
        if is_whole(&whole) {
            return self.hide_asked(&whole);
        }
        if holds_plate(text) && self.open_text(text).is_none() { self.seal_text(text) } else { text.to_owned() }
    }

    /// What a search asks for as a plate, hidden as a whole: also a part of a plate, a pattern, or a reading that is no plate.
    pub fn hide_asked(&self, asked: &str) -> String {
        let normal = normalise_plate(asked.trim());
        if self.reveal(&normal).is_some() { normal.into_owned() } else { self.hide_plate(&normal) }
    }

    /// The text as it was before it was hidden, and with plates for the pseudonyms in it that this key made.
    pub fn reveal_in(&self, text: &str) -> String {
        if !text.contains(PSEUDONYM_MARK) {
            return text.to_owned();
        }
        if let Some(opened) = self.open_text(text) {
            return opened;
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

/// Whether a valid plate stands anywhere in a text, in any spelling. A text that only looks so costs no more than being unreadable
/// without the key.
fn holds_plate(text: &str) -> bool {
    let characters: Vec<char> = spell_plates(text).chars().filter(|character| *character != ' ').collect();
    if characters.len() < SHORTEST {
        return false;
    }
    LENGTHS.into_iter().any(|length| {
        characters.windows(length).any(|window| {
            let plate: String = window.iter().collect();
            PlateCode::pack(&plate).class(&plate).is_valid()
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pseudonyms::PlateKey;

    proptest! {
        #[test]
        fn what_is_hidden_stays_so_and_comes_back(text in "[苏C0-9WJ·, 系民航#]{0,40}", any in any::<String>()) {
            let cipher = PlateCipher::new(&PlateKey::of([1; 32])).unwrap();
            for text in [&text, &any] {
                cipher.reveal_in(text);
                prop_assert_eq!(&cipher.reveal_in(&cipher.seal_text(text)), text);
                let text = text.replace('#', "号");
                let hidden = cipher.hide_in(&text);
                prop_assert_eq!(cipher.hide_in(&hidden), hidden);
            }
        }
    }

    #[test]
    fn plates_in_texts_are_hidden_and_come_back() {
        let cipher = PlateCipher::new(&PlateKey::of([1; 32])).unwrap();
        let [one, other] = ["苏C12345", "皖LD12345"].map(|plate| cipher.hide_plate(plate));
        assert_eq!(cipher.hide_in("苏c·12345"), one);
        for text in [
            "车主称苏C12345系套牌",
            "车主称苏Ｃ１２３４５系套牌",
            "见苏C·12345,皖LD12345。",
            "苏C12345 D座",
            "苏C_12345号",
            "蘇C–12345 and",
            "使 123456 的车",
        ] {
            let hidden = cipher.hide_in(text);
            assert!(hidden.starts_with("#=") && !hidden.contains("12345"), "{text}");
            assert_eq!(cipher.reveal_in(&hidden), text);
        }
        for text in ["2024-01-01 12:34:56 #12", "苏C123", "S250_Pizhou_Sulu", "#=", "#=QUJD", ""] {
            assert_eq!((cipher.hide_in(text), cipher.reveal_in(text)), (text.to_owned(), text.to_owned()));
        }
        let another = PlateCipher::new(&PlateKey::of([2; 32])).unwrap();
        let sealed = cipher.seal_text("案件 7");
        assert_eq!((another.reveal_in(&sealed), cipher.reveal_in(&sealed)), (sealed.clone(), "案件 7".to_owned()));
        for asked in ["苏C12345", "苏C1234", "C123", "苏C1*", "苏C123?5", "无牌", "12"] {
            let hidden = cipher.hide_asked(asked);
            assert!(!hidden.contains("C12") && hidden.contains('#'), "{asked} {hidden}");
            assert_eq!((cipher.reveal_in(&hidden), cipher.hide_asked(&hidden)), (asked.to_owned(), hidden.clone()));
        }
        assert_eq!(cipher.reveal_in(&format!("{one}\t#\t{other}x #4")), "苏C12345\t#\t皖LD12345x #4");
    }
}
