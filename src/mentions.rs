//! Whether a text names a plate: a field, a note, or a rejected line in whatever encoding it came. It does not know where the
//! texts are.

use std::borrow::Cow;

use traffic::{PlateClass, PlateCode, normalise_plate, spell_plates};

/// A plate's letters and digits alone are looked for in a line that is not UTF-8 only if there are so many.
const MIN_ASCII: usize = 5;

/// One plate, and how to find it.
#[derive(Debug, Clone)]
pub struct Mentions {
    text: String,
    code: PlateCode,
    /// Its longest part in ASCII, which most encodings write alike.
    ascii: String,
    /// As it is stored where plates are stored as pseudonyms.
    pseudonym: Option<(String, PlateCode)>,
}

impl Mentions {
    /// Of the plate that `text` is, in any spelling; none if it is no whole plate: a pattern, a reading with hidden characters,
    /// or no reading at all.
    pub fn of(text: &str) -> Option<Self> {
        let text = normalise_plate(text.trim()).into_owned();
        let code = PlateCode::pack(&text);
        let is_plate = text.chars().filter(char::is_ascii_alphanumeric).count() >= MIN_ASCII - 1
            && text.chars().all(char::is_alphanumeric)
            && code.class(&text) != PlateClass::Masked;
        if !is_plate {
            return None;
        }
        let runs = text.split(|character: char| !character.is_ascii_alphanumeric());
        let ascii = runs.max_by_key(|run| run.len()).unwrap_or_default().to_owned();
        Some(Self { text, code, ascii, pseudonym: None })
    }

    /// The same plate where plates are stored as pseudonyms: `hidden` is its own.
    #[must_use]
    pub fn with_pseudonym(self, hidden: impl FnOnce(&str) -> String) -> Self {
        let hidden = hidden(&self.text);
        let code = PlateCode::pack(&hidden);
        Self { pseudonym: Some((hidden, code)), ..self }
    }

    fn stored(&self) -> (&str, PlateCode) {
        match &self.pseudonym {
            Some((text, code)) => (text, *code),
            None => (&self.text, self.code),
        }
    }

    /// The plate as it is stored.
    pub fn text(&self) -> &str {
        self.stored().0
    }

    /// The plate as it is stored, packed.
    pub fn code(&self) -> PlateCode {
        self.stored().1
    }

    /// Whether a stored plate is this one; `text` is looked at only if the code does not hold it.
    pub fn is(&self, code: PlateCode, text: impl FnOnce() -> String) -> bool {
        code == self.code() && (!code.is_odd() || text() == self.text())
    }

    /// Whether a text holds the plate, in any spelling, and not a longer one.
    pub fn are_in(&self, text: &str) -> bool {
        self.stands_in(text.as_bytes(), self.text())
            || self.stands_in(text.as_bytes(), &self.text)
            || self.is_spelled_in(&spell_plates(text).chars().collect::<Vec<_>>())
            || normalise_plate(text.trim()) == self.text
    }

    fn is_spelled_in(&self, spelled: &[char]) -> bool {
        let begins_word = self.text.starts_with(|first: char| first.is_ascii());
        let mut before = ' ';
        (0..spelled.len()).any(|start| {
            let rest = spelled.get(start..).unwrap_or_default();
            let stands_alone = !(begins_word && before.is_ascii_alphanumeric());
            before = rest.first().copied().unwrap_or(' ');
            stands_alone && self.begins(rest)
        })
    }

    /// Whether a spelled text begins with the plate, with spaces between its parts, and not with a longer one: 苏C12345 is not in
    /// 苏C12345D and 苏C123456, but in 苏C12345AND.
    fn begins(&self, spelled: &[char]) -> bool {
        let mut rest = spelled;
        for (place, wanted) in self.text.chars().enumerate() {
            let spaces = rest.iter().take_while(|character| place > 0 && **character == ' ').count();
            match rest.get(spaces..).and_then(<[char]>::split_first) {
                Some((first, behind)) if *first == wanted => rest = behind,
                _ => return false,
            }
        }
        match rest {
            [first, second, ..] if first.is_ascii_alphabetic() => second.is_ascii_alphabetic(),
            [first, ..] => !first.is_ascii_alphanumeric(),
            [] => true,
        }
    }

    /// Whether a line as it came holds the plate: in UTF-8 as a text does, or a field of it in any spelling; in another encoding its
    /// letters and digits.
    pub fn are_in_line(&self, raw: &[u8]) -> bool {
        let text = String::from_utf8_lossy(raw);
        if self.are_in(&text) {
            return true;
        }
        let mut fields = text.split(['\t', ',', ';', '|']).map(|field| field.trim_matches(['"', '\'', ' ']));
        if fields.any(|field| normalise_plate(field) == self.text) {
            return true;
        }
        let is_other = matches!(text, Cow::Owned(_)) || raw.contains(&0);
        let without_zeros: Vec<u8> = raw.iter().copied().filter(|byte| *byte != 0).collect();
        is_other && self.ascii.len() >= MIN_ASCII && self.stands_in(&without_zeros, &self.ascii)
    }

    /// Whether `part` stands in `text`, and no letter or digit follows it: 苏C12345 is not in 苏C12345D.
    fn stands_in(&self, text: &[u8], part: &str) -> bool {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| memchr::memmem::find(rest, part.as_bytes())) {
            let (start, end) = (from + at, from + at + part.len());
            let is_own = |place: Option<usize>| {
                place.and_then(|place| text.get(place)).is_none_or(|byte| !byte.is_ascii_alphanumeric())
            };
            let begins = !part.starts_with(|character: char| character.is_ascii()) || is_own(start.checked_sub(1));
            if begins && is_own(Some(end)) {
                return true;
            }
            from = end;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_plates_are_plates() {
        for text in ["苏C12345", " 苏c·12345 ", "苏CD12345", "粤Z1A2B港", "苏C1234学", "WJ苏1234X"] {
            assert!(Mentions::of(text).is_some(), "{text}");
        }
        assert_eq!(Mentions::of("苏c·12345").unwrap().text(), "苏C12345");
        for text in ["", "-", "无牌", "苏C*", "苏C123?5", "苏C12**5", "苏", "未识别"] {
            assert!(Mentions::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_text_names_it_in_any_spelling_and_no_other_plate_does() {
        let plate = Mentions::of("苏C12345").unwrap();
        for text in [
            "苏C12345",
            "车主称苏C·12345 系套牌",
            "苏c 12345",
            "见(苏C12345)",
            "苏Ｃ１２３４５",
            "苏C-12345,苏C9",
            "见苏Ｃ１２３４５的车主",
            "苏C12345 D座",
            "苏C12345and",
            "蘇C–12345号",
            "苏С\u{3000}12345。",
        ] {
            assert!(plate.are_in(text), "{text}");
        }
        for text in ["", "苏C12346", "苏C12345D", "苏c12345d", "苏C123456", "苏Ｃ１２３４５６", "沪C12345", "12345"]
        {
            assert!(!plate.are_in(text), "{text}");
        }
    }

    #[test]
    fn a_line_holds_it_in_whatever_encoding() {
        let plate = Mentions::of("苏C12345").unwrap();
        let gbk = b"G1\t\xcd\xad\xc9\xbd\t02\t\xcb\xd5C12345\tx";
        let utf16: Vec<u8> = "G1\t苏C12345\tx".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let upside_down: Vec<u8> = "G1\t苏C12345\tx".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for line in [&b"G1\t\xe8\x8b\x8fC12345\t"[..], "1,\"苏c.12345\",2".as_bytes(), gbk] {
            assert!(plate.are_in_line(line), "{line:?}");
        }
        for line in [&utf16, &upside_down] {
            assert!(plate.are_in_line(line), "{line:?}");
        }
        for line in ["G1\t苏C12345D\tx".as_bytes(), b"G1\t\xcb\xd5C12345D\tx", b"C12345", b"G1\t\xcb\xd5AC12345\tx"] {
            assert!(!plate.are_in_line(line), "{line:?}");
        }
    }
}
