//! The key at work: plates to pseudonyms and back, and lines sealed and opened.
//!
//! A plate that packs is encrypted by FF1 (NIST SP 800-38G) with AES-256 over its symbols in radix 128: seven after a province,
//! else eight. The tweak is what the pseudonym shows, province and kind. An odd text and a rejected line are encrypted by AES-SIV
//! (RFC 5297), which is deterministic and notices another key. Both keys and the fingerprint are HMAC-SHA256 of the key in the
//! file. It reads no file.

use std::fmt;

use aes::Aes256;
use aes_siv::KeyInit as _;
use aes_siv::siv::Aes256Siv;
use fpe::ff1::FF1;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use traffic::evidence::{Neighbours, one_edit_neighbours};
use traffic::{LongPseudonym, PlateClass, PlateCode, Pseudonym, normalise_plate};

use super::key::PlateKey;
use super::numerals::{RADIX, Symbols};

/// Bits of a symbol.
const SYMBOL_BITS: u32 = 7;
/// Symbols of a packed plate.
const MOST_SYMBOLS: usize = 8;
/// Bytes of an odd text that its pseudonym can hold beside the 16 of AES-SIV, in
/// [`LongPseudonym::MAX_CHARACTERS`] characters of five bits.
const MAX_TEXT_BYTES: usize = 22;
const SIV_BYTES: usize = 16;
/// What sealed lines begin with, and nothing that a camera sends: it is no UTF-8, and neither GB 18030 nor UTF-16.
const SEALED: &[u8] = b"\xff\xfeplatewatch-sealed\xff";
/// What stands for no plate.
pub(super) const NO_PLATE: &str = "-";

/// Tells keys apart, and says nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fingerprint([u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// The key at work.
pub struct PlateCipher {
    symbols: FF1<Aes256>,
    /// The key of AES-SIV, whose cipher changes while it works.
    texts: [u8; 64],
    fingerprint: Fingerprint,
}

impl fmt::Debug for PlateCipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PlateCipher({})", self.fingerprint)
    }
}

/// A plate as it is stored: packed, and its text if that is odd.
pub(super) type Stored = (PlateCode, Option<Box<str>>);

impl PlateCipher {
    /// The ciphers of a key; none if a cipher refuses it, which none does.
    pub fn new(key: &PlateKey) -> Option<Self> {
        let derived = |purpose: &str| -> Option<[u8; 32]> {
            let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key.bytes()).ok()?;
            mac.update(b"platewatch plate key 1: ");
            mac.update(purpose.as_bytes());
            Some(mac.finalize().into_bytes().into())
        };
        let texts = [derived("texts, first half")?, derived("texts, second half")?];
        let fingerprint = derived("fingerprint")?.first_chunk().copied()?;
        Some(Self {
            symbols: FF1::new(&derived("symbols")?, RADIX).ok()?,
            texts: texts.concat().try_into().ok()?,
            fingerprint: Fingerprint(fingerprint),
        })
    }

    /// Tells the key from others.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The pseudonym of a packed plate; `odd_text` is looked at only if that is odd.
    pub(super) fn hide(&self, plate: PlateCode, odd_text: &str) -> Stored {
        if plate.is_odd() {
            return self.hide_text(plate, odd_text);
        }
        // What looks like a pseudonym came so from a source, and is a text like any other.
        if plate.is_pseudonym() {
            return self.hide_text(plate, &plate.unpack());
        }
        match self.hide_packed(plate) {
            Some(hidden) => (hidden, None),
            None => self.hide_text(plate, &plate.unpack()),
        }
    }

    /// The pseudonym of a plate that is neither odd nor a pseudonym.
    pub(super) fn hide_packed(&self, plate: PlateCode) -> Option<PlateCode> {
        let (province, kind) = (plate.province(""), plate.kind(""));
        let (skipped, count) = if province.is_some() { (1, MOST_SYMBOLS - 1) } else { (0, MOST_SYMBOLS) };
        let symbols = plate.as_u64().to_le_bytes().into_iter().skip(skipped);
        let number = symbols.fold(0, |number, symbol| number << SYMBOL_BITS | u64::from(symbol));
        let tweak = [province.unwrap_or(0), kind.number()];
        let Symbols { number, .. } = self.symbols.encrypt(&tweak, &Symbols { number, count }).ok()?;
        Some(Pseudonym { province, kind, hidden: number }.into())
    }

    /// The plate of a short pseudonym; none if this key did not make it.
    pub(super) fn reveal_packed(&self, pseudonym: Pseudonym) -> Option<PlateCode> {
        let Pseudonym { province, kind, hidden } = pseudonym;
        let count = if province.is_some() { MOST_SYMBOLS - 1 } else { MOST_SYMBOLS };
        let tweak = [province.unwrap_or(0), kind.number()];
        let Symbols { number, .. } = self.symbols.decrypt(&tweak, &Symbols { number: hidden, count }).ok()?;
        let mut code = u64::from(province.unwrap_or(0));
        for place in 0..count {
            let symbol = number >> (SYMBOL_BITS as usize * (count - 1 - place)) & u64::from(RADIX - 1);
            code |= symbol << (8 * (place + MOST_SYMBOLS - count));
        }
        let plate = PlateCode::from_u64(code);
        let text = plate.unpack();
        // Every plate that was hidden had been normalised.
        let is_whole = PlateCode::pack(&text) == plate && normalise_plate(&text) == text;
        (is_whole && plate.province("") == province && plate.kind("") == kind).then_some(plate)
    }

    fn hide_text(&self, plate: PlateCode, text: &str) -> Stored {
        let (province, kind) = (plate.province(text), plate.kind(text));
        let mut hidden = self.encrypt(&[b"plate".as_slice(), &[province.unwrap_or(0), kind.number()]], text.as_bytes());
        let is_final = text.len() > MAX_TEXT_BYTES;
        if is_final {
            hidden.truncate(SIV_BYTES);
        }
        let text = LongPseudonym { province, kind, is_final, hidden }.text();
        (PlateCode::pack(&text), Some(text.into()))
    }

    fn reveal_long(&self, LongPseudonym { province, kind, is_final, hidden }: &LongPseudonym) -> Option<String> {
        if *is_final {
            return None;
        }
        let text = self.decrypt(&[b"plate".as_slice(), &[province.unwrap_or(0), kind.number()]], hidden)?;
        String::from_utf8(text).ok()
    }

    /// The pseudonym of a normalised plate, as text.
    pub fn hide_plate(&self, plate: &str) -> String {
        if plate == NO_PLATE {
            return plate.to_owned();
        }
        match self.hide(PlateCode::pack(plate), plate) {
            (_, Some(text)) => text.into(),
            (code, None) => code.unpack(),
        }
    }

    /// The plate of a pseudonym; none of any other text, and of one that another key made.
    pub fn reveal(&self, text: &str) -> Option<String> {
        match PlateCode::pack(text).pseudonym() {
            Some(pseudonym) => Some(self.reveal_packed(pseudonym)?.unpack()),
            None => self.reveal_long(&LongPseudonym::parse(text)?),
        }
    }

    /// A rejected line as it is kept.
    pub fn seal(&self, line: &[u8]) -> Vec<u8> {
        [SEALED, &self.encrypt(&[b"line".as_slice()], line)].concat()
    }

    /// The line that was sealed; none of any other bytes, and where another key sealed it.
    pub fn open(&self, kept: &[u8]) -> Option<Vec<u8>> {
        self.decrypt(&[b"line".as_slice()], kept.strip_prefix(SEALED)?)
    }

    /// AES-SIV fails on no text that fits into memory.
    pub(super) fn encrypt(&self, shown: &[&[u8]], text: &[u8]) -> Vec<u8> {
        Aes256Siv::new(&self.texts.into()).encrypt(shown, text).unwrap_or_default()
    }

    pub(super) fn decrypt(&self, shown: &[&[u8]], hidden: &[u8]) -> Option<Vec<u8>> {
        Aes256Siv::new(&self.texts.into()).decrypt(shown, hidden).ok()
    }
}

impl Neighbours for PlateCipher {
    fn of(&self, plate: PlateCode) -> Vec<PlateCode> {
        let plate = plate.pseudonym().and_then(|pseudonym| self.reveal_packed(pseudonym));
        let neighbours = plate.into_iter().flat_map(one_edit_neighbours);
        neighbours.filter_map(|neighbour| self.hide_packed(neighbour)).collect()
    }
}

/// Whether a text can only be a whole plate, so that it can be looked for by its pseudonym: a valid one, or a misread one that is as
/// long as a valid one.
pub(super) fn is_whole(plate: &str) -> bool {
    const SHORTEST: usize = 7;
    let code = PlateCode::pack(plate);
    let class = code.class(plate);
    let is_long = !code.is_odd() && code.province(plate).is_some() && plate.chars().count() >= SHORTEST;
    class.is_valid() || (is_long && class != PlateClass::Masked && !plate.contains('?'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn cipher(byte: u8) -> PlateCipher {
        PlateCipher::new(&PlateKey::of([byte; 32])).unwrap()
    }

    const PLATES: [&str; 14] = [
        "苏C12345",
        "苏CD12345",
        "苏C1234学",
        "粤Z1A2B港",
        "使123456",
        "WJ苏1234O",
        "WJ12345",
        "VA12345",
        "苏CDM***",
        "苏CABC12",
        "苏C1234",
        "苏",
        "~",
        "12345678",
    ];
    const ODD: [&str; 6] = ["民航A1234", "苏C1234试", "无牌", "苏C123456789", "苏C1234567890*", "苏#094D2PF2AYD"];

    #[test]
    fn plates_come_back_and_show_only_province_and_kind() {
        let cipher = cipher(1);
        for plate in PLATES.into_iter().chain(ODD) {
            let hidden = cipher.hide_plate(plate);
            let (code, before) = (PlateCode::pack(&hidden), PlateCode::pack(plate));
            assert_eq!(cipher.reveal(&hidden).as_deref(), Some(plate), "{hidden}");
            assert_eq!(code.is_odd(), ODD.contains(&plate), "{plate} {hidden}");
            assert!(hidden.contains('#') && hidden.chars().count() <= LongPseudonym::MAX_CHARACTERS);
            assert_eq!(code.class(&hidden), before.class(plate), "{plate}");
            assert_eq!(code.province(&hidden), before.province(plate), "{plate}");
            for hpzl in ["02", "52"] {
                let beside = |code: PlateCode, text: &str| code.class(text).beside_plate_type(code, text, hpzl);
                assert_eq!(beside(code, &hidden), beside(before, plate), "{plate} {hpzl}");
            }
            assert_eq!(normalise_plate(&hidden), hidden);
        }
        assert_eq!(cipher.hide_plate("-"), "-");
        assert_eq!(cipher.reveal("苏C12345"), None);
    }

    /// By another implementation of FF1 and of HMAC, in Python.
    #[test]
    fn pseudonyms_are_stable() {
        let cipher = cipher(7);
        assert_eq!(
            ["苏C12345", "苏CD12345", "WJ12345"].map(|plate| cipher.hide_plate(plate)),
            KNOWN.map(str::to_owned)
        );
        assert_eq!(cipher.fingerprint().to_string(), FINGERPRINT);
    }

    const KNOWN: [&str; 3] = ["苏#0EW6CA8KQ8Y", "苏#15V8MX903WP", "#207GEHYQ9985X"];
    const FINGERPRINT: &str = "383d36cb68a6";

    #[test]
    fn texts_that_are_too_long_have_one_pseudonym_that_nobody_brings_back() {
        let cipher = cipher(1);
        let (one, other) = (format!("无牌{}", "长".repeat(200)), format!("无牌{}", "长".repeat(201)));
        let hidden = cipher.hide_plate(&one);
        assert!(hidden.starts_with("##4") && hidden.chars().count() <= LongPseudonym::MAX_CHARACTERS, "{hidden}");
        assert_eq!((cipher.hide_plate(&one), cipher.reveal(&hidden)), (hidden.clone(), None));
        assert_ne!(cipher.hide_plate(&other), hidden);
    }

    #[test]
    fn another_key_makes_others_and_reads_none() {
        let (one, other) = (cipher(1), cipher(2));
        assert_ne!(one.fingerprint(), other.fingerprint());
        let mut read = 0;
        for number in 0..2000 {
            let plate = format!("苏C{number:05}");
            assert_ne!(one.hide_plate(&plate), other.hide_plate(&plate));
            read += usize::from(other.reveal(&one.hide_plate(&plate)).is_some());
        }
        assert!(read <= 2, "a wrong key reads {read} of 2000 as plates");
        assert_eq!(other.reveal(&one.hide_plate("民航A1234")), None);
    }

    #[test]
    fn no_two_plates_have_one_pseudonym_and_each_bit_is_one_half_of_the_time() {
        let cipher = cipher(3);
        let (mut seen, mut ones) = (HashSet::new(), [0u32; 49]);
        for number in 0..100_000u32 {
            let code = cipher.hide_packed(PlateCode::pack(&format!("苏C{number:05}"))).unwrap();
            assert!(seen.insert(code));
            let hidden = code.pseudonym().unwrap().hidden;
            ones.iter_mut().enumerate().for_each(|(bit, ones)| *ones += (hidden >> bit) as u32 & 1);
        }
        // Six standard deviations of 100,000 throws.
        assert!(ones.iter().all(|ones| ones.abs_diff(50_000) < 950), "{ones:?}");
    }

    #[test]
    fn neighbours_are_those_of_the_plate() {
        let cipher = cipher(1);
        let plate = PlateCode::pack("苏C12345");
        let neighbours = cipher.of(cipher.hide_packed(plate).unwrap());
        let revealed: Vec<PlateCode> =
            neighbours.iter().map(|code| cipher.reveal_packed(code.pseudonym().unwrap()).unwrap()).collect();
        assert_eq!(revealed, one_edit_neighbours(plate).collect::<Vec<_>>());
        assert!(cipher.of(plate).is_empty());
    }

    #[test]
    fn lines_are_sealed() {
        let cipher = cipher(1);
        let line = "G1\t苏C12345\tx".as_bytes();
        let kept = cipher.seal(line);
        assert_eq!(cipher.open(&kept).as_deref(), Some(line));
        assert!(memchr::memmem::find(&kept, b"C12345").is_none());
        assert_eq!((cipher.open(line), super::tests::cipher(2).open(&kept)), (None, None));
    }

    #[test]
    fn only_whole_plates_are_looked_for() {
        for whole in ["苏C12345", "苏CD12345", "WJ12345", "苏CABC12", "民航A1234"] {
            assert!(is_whole(whole), "{whole}");
        }
        for part in [
            "",
            "-",
            "苏",
            "C123",
            "苏C123",
            "苏C1234?",
            "苏C12***",
            "苏C1234*",
            "无牌",
            "苏C1234号车",
            "苏C12345系套牌",
        ] {
            assert!(!is_whole(part), "{part}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "[苏京C1*学~无A-Z#]{1,12}") {
            let cipher = cipher(5);
            let plate = normalise_plate(&text);
            let hidden = cipher.hide_plate(&plate);
            if !hidden.contains("##") {
                prop_assert_eq!(cipher.reveal(&hidden).unwrap_or("-".to_owned()), &*plate);
            }
        }
    }
}
