//! Plate numbers 号牌号码: normalising, packing into eight bytes, and the grammar that decides what kind a plate is; and
//! how the pseudonym of a plate is packed and written.
//!
//! It judges the text alone. It does not decide whether a plate is compared, stored or shown, and refuses nothing: what
//! a camera reads is evidence.

mod class;
mod code;
mod grammar;
mod normalise;
mod pseudonym;
mod symbols;

pub use class::PlateClass;
pub(crate) use code::NEW_ENERGY_TYPES;
pub use code::PlateCode;
pub use normalise::{normalise_plate, spell_plates};
pub use pseudonym::{LongPseudonym, PSEUDONYM_MARK, Pseudonym, PseudonymKind};

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, normal: &str, class: PlateClass) {
        assert_eq!(normalise_plate(raw), normal, "{raw}");
        let code = PlateCode::pack(normal);
        assert_eq!(code.class(normal), class, "{raw}");
        if !code.is_odd() {
            assert_eq!(code.unpack(), normal, "{raw}");
        }
        if let Some(quick) = PlateCode::pack_raw(raw.as_bytes()) {
            assert_eq!(quick, (code, class), "{raw}");
            assert_eq!(raw, normal, "only a normal text may be packed as it came");
        } else {
            assert!(code.is_odd() || raw != normal, "{raw} should be packed as it came");
        }
    }

    #[test]
    fn plates_by_class() {
        use PlateClass::*;
        for (raw, normal, class) in [
            ("苏C12345", "苏C12345", Ordinary),
            ("苏CAB123", "苏CAB123", Ordinary),
            ("苏CABC12", "苏CABC12", Irregular),
            ("苏O12345", "苏O12345", Ordinary),
            ("苏I12345", "苏I12345", Irregular),
            ("苏CI2345", "苏CI2345", Irregular),
            ("苏C1234", "苏C1234", Irregular),
            ("苏CD12345", "苏CD12345", NewEnergy),
            ("苏CDA1234", "苏CDA1234", NewEnergy),
            ("苏CDAB234", "苏CDAB234", Irregular),
            ("苏CL12345", "苏CL12345", Irregular),
            ("苏C12345D", "苏C12345D", NewEnergy),
            ("苏C12345L", "苏C12345L", Irregular),
            ("苏C1234学", "苏C1234学", Special),
            ("苏CABCD警", "苏CABCD警", Special),
            ("苏C1234挂", "苏C1234挂", Special),
            ("沪A1234领", "沪A1234领", Special),
            ("粤Z1A2B港", "粤Z1A2B港", Special),
            ("粤Z1234澳", "粤Z1234澳", Special),
            ("粤A1234澳", "粤A1234澳", Irregular),
            ("苏Z1234港", "苏Z1234港", Irregular),
            ("使123456", "使123456", Special),
            ("123456使", "123456使", Special),
            ("使12345A", "使12345A", Irregular),
            ("苏X1234应急", "苏X1234应急", Special),
            ("苏S1234应急", "苏S1234应急", Special),
            ("苏A1234应急", "苏A1234应急", Irregular),
            ("苏12345应急", "苏12345应急", Special),
            ("苏C00000", "苏C00000", Irregular),
            ("苏C0000A", "苏C0000A", Ordinary),
            ("苏C1234试", "苏C1234试", Special),
            ("苏CABCD超", "苏CABCD超", Special),
            ("苏I1234超", "苏I1234超", Irregular),
            ("苏C1234*超", "苏C1234*超", Masked),
            ("WJ12345", "WJ12345", Special),
            ("WJ1234X", "WJ1234X", Special),
            ("WJ苏1234O", "WJ苏1234O", Special),
            ("WJ苏12345", "WJ苏12345", Special),
            ("WJ苏1234", "WJ苏1234", Irregular),
            ("VA12345", "VA12345", Special),
            ("AI12345", "AI12345", Irregular),
            ("VA1234A", "VA1234A", Irregular),
            ("民航A1234", "民航A1234", Special),
            ("民航12345", "民航12345", Special),
            ("民航AB234", "民航AB234", Irregular),
            ("民航A12345", "民航A12345", Irregular),
            ("苏CDM***", "苏CDM***", Masked),
            ("-***", "-***", Masked),
            ("C857***", "C857***", Masked),
            ("苏宁CZ***", "苏宁CZ***", Masked),
            ("苏C12345*9", "苏C12345*9", Masked),
            ("乙C123*", "乙C123*", Masked),
            ("-", "-", Irregular),
            ("", "-", Irregular),
            ("苏", "苏", Irregular),
            ("无牌", "无牌", Irregular),
            ("苏C123456789", "苏C123456789", Irregular),
            ("~", "~", Irregular),
            ("苏c12345", "苏C12345", Ordinary),
            ("苏C·12345", "苏C12345", Ordinary),
            ("苏 C 123 45", "苏C12345", Ordinary),
            ("苏C.12345", "苏C12345", Ordinary),
            ("苏C-12345", "苏C12345", Ordinary),
            ("苏C12345_1", "苏C12345", Ordinary),
            ("黑黑A12345", "黑A12345", Ordinary),
            ("黑使123456", "使123456", Special),
            ("黑WJ12345", "WJ12345", Special),
            ("苏A12345黑", "苏A12345", Ordinary),
            ("黑A123***", "黑A123***", Masked),
            ("苏\u{3000}C12345", "苏C12345", Ordinary),
            ("苏Ｃ１２３４５", "苏C12345", Ordinary),
            ("苏ｃ12345", "苏C12345", Ordinary),
            ("苏C１2３＊*", "苏C123**", Masked),
            (" · ", "-", Irregular),
            ("苏C1234 ", "苏C1234", Irregular),
            ("苏C1234\u{1}", "苏C1234\u{1}", Irregular),
            ("苏C1234ß", "苏C1234SS", Irregular),
            ("\u{1}C12345", "\u{1}C12345", Irregular),
        ] {
            check(raw, normal, class);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_left_to_the_caller() {
        for raw in
            [&b"\xe8\x8b"[..], b"\xe8\x8b\x8fC1234\xff", b"\xe8\x0b\x0fC12345", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"]
        {
            assert_eq!(PlateCode::pack_raw(raw), None, "{raw:?}");
        }
    }

    #[test]
    fn what_a_database_writes_for_nothing_is_not_packed_as_it_came() {
        assert_eq!(PlateCode::pack_raw(b"\\N"), None);
    }

    #[test]
    fn every_symbol_has_one_character() {
        let mut symbols = 0;
        for symbol in 0..=255 {
            if let Some(character) = PlateCode::char_of(symbol) {
                assert_eq!(PlateCode::symbol_of(character), Some(symbol));
                symbols += 1;
            }
        }
        assert_eq!(symbols, 31 + 9 + (0x7e - 0x2a + 1));
        assert_eq!(PlateCode::symbol_of('京'), Some(0x01));
        assert_eq!(PlateCode::symbol_of('琼'), Some(0x1f));
        assert_eq!(PlateCode::symbol_of('学'), Some(0x20));
        assert_eq!(PlateCode::symbol_of('急'), Some(0x28));
    }

    #[test]
    fn codes_are_stable() {
        assert_eq!(PlateCode::pack("苏C12345").as_u64(), 0x0035_3433_3231_430e);
        assert_eq!(PlateCode::pack("无牌").as_u64(), xxhash_rust::xxh3::xxh3_64("无牌".as_bytes()) | 1 << 63);
        assert_eq!(PlateCode::from_u64(0x0035_3433_3231_430e).unpack(), "苏C12345");
        for class in PlateClass::ALL {
            assert_eq!(PlateClass::from_u8(class as u8), Some(class));
        }
        assert_eq!(PlateClass::from_u8(5), None);
    }
}
