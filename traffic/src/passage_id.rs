//! GCXH packed into twelve bytes, so that the duplicate guard and the plate states hold no text.
//!
//! Real ids are up to three ASCII letters and up to 18 digits (`G320300109027253771`, `320300108860652979`); those are
//! packed without loss. Any other text is *odd*: its number is an 88-bit hash and its text is kept separately.

use std::fmt::Write as _;

/// A passage id 过车序号, packed. Equal ids have equal texts (for odd ids: up to an 88-bit hash).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct PassageId {
    /// The digits' value, or 64 bits of the hash of an odd id.
    pub number: u64,
    /// Prefix bytes (24 bits, first letter highest, zero-padded at the right) and digit count (low 8 bits, 1–18), or 24
    /// bits of hash and a digit count of 0 for an odd id.
    pub tag: u32,
}

const MAX_PREFIX: usize = 3;
const MAX_DIGITS: usize = 18;

impl PassageId {
    /// Packs `text`; check [`PassageId::is_odd`] to know whether the text must be kept too.
    #[inline]
    pub fn pack(text: &str) -> Self {
        let bytes = text.as_bytes();
        let prefix = bytes.iter().take(MAX_PREFIX).take_while(|b| b.is_ascii_alphabetic()).count();
        let (letters, digits) = bytes.split_at(prefix);
        if digits.is_empty() || digits.len() > MAX_DIGITS {
            return Self::odd(bytes);
        }
        let mut number = 0u64;
        let mut all_digits = true;
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            all_digits &= digit < 10;
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        }
        if !all_digits {
            return Self::odd(bytes);
        }
        let mut tag = 0u32;
        for (position, &letter) in letters.iter().enumerate() {
            tag |= u32::from(letter) << (24 - 8 * position);
        }
        Self { number, tag: tag | digits.len() as u32 }
    }

    fn odd(bytes: &[u8]) -> Self {
        let hash = xxhash_rust::xxh3::xxh3_128(bytes);
        Self { number: hash as u64, tag: ((hash >> 64) as u32) & !0xff }
    }

    /// Whether the text is not held in the packed form.
    #[inline]
    pub fn is_odd(self) -> bool {
        self.tag & 0xff == 0
    }

    /// The text of an id that is not odd; empty for an odd one.
    pub fn unpack(self) -> String {
        if self.is_odd() {
            return String::new();
        }
        let mut text = String::with_capacity(MAX_PREFIX + MAX_DIGITS);
        for shift in [24, 16, 8] {
            let byte = (self.tag >> shift) as u8;
            if byte != 0 {
                text.push(char::from(byte));
            }
        }
        let width = (self.tag & 0xff) as usize;
        let _ = write!(text, "{:0width$}", self.number);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, odd: bool) {
        let id = PassageId::pack(text);
        assert_eq!(id.is_odd(), odd, "{text}");
        if !odd {
            assert_eq!(id.unpack(), text);
        }
    }

    #[test]
    fn packs_real_ids_without_loss() {
        for text in [
            "G320300109027253771",
            "320300108860652979",
            "0",
            "007",
            "G0",
            "ABC000000000000000001",
            "a1",
            "999999999999999999",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn anything_else_is_odd() {
        for text in
            ["", "G", "ABCD1", "1234567890123456789", "12a", "过车1", "550e8400-e29b-41d4-a716-446655440000", "1 2"]
        {
            check(text, true);
        }
        assert_ne!(PassageId::pack("x-1"), PassageId::pack("x-2"));
    }
}
