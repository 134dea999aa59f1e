//! The hashes that chain the entries. It does not know their fields.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// SHA-256 of an entry or of its details.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands before the first entry.
    pub const NONE: Self = Self([0; 32]);

    /// The hash with these 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a hash has 64 lower-case hexadecimal digits"))
    }
}

/// The end of a chain: the newest entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number, from 1; 0 if there is no entry.
    pub n: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Of a log without entries.
    pub const NONE: Self = Self { n: 0, hash: Hash::NONE };

    /// The head in a text such as `17:9f0c…`.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, hash) = text.split_once(':')?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        let n = digits.parse().ok().filter(|_| is_number)?;
        Some(Self { n, hash: Hash::parse(hash)? })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.n, self.hash)
    }
}

/// Texts that are hashed so that no two different lists of them are the same bytes.
pub(super) struct Frames(Sha256);

impl Frames {
    /// The first text says what is hashed.
    pub(super) fn new(domain: &str) -> Self {
        Self(Sha256::new()).text(domain)
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
        self
    }

    pub(super) fn text_if_any(mut self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => {
                self.0.update(u64::MAX.to_be_bytes());
                self
            }
        }
    }

    pub(super) fn number_if_any(self, number: Option<u64>) -> Self {
        self.text_if_any(number.map(|number| number.to_string()).as_deref())
    }

    pub(super) fn hash(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_lengths_and_texts() {
        // printf '\0\0\0\0\0\0\0\1a\0\0\0\0\0\0\0\2bc\377\377\377\377\377\377\377\377\0\0\0\0\0\0\0\00217' | sha256sum
        let hash = Frames::new("a").text("bc").text_if_any(None).number_if_any(Some(17)).hash();
        assert_eq!(hash.to_string(), "d9cf198e0e4703330ed01aa0329b7257d0802f84155b5390f5eaa3e309b4df70");
        let split = |one: &str, other: &str| Frames::new(one).text(other).hash();
        assert_ne!(split("ab", "c"), split("a", "bc"));
        assert_ne!(split("", ""), Frames::new("").text_if_any(None).hash());
    }

    #[test]
    fn a_head_is_read_back_and_nothing_else_is() {
        let head = Head { n: 17, hash: Frames::new("x").hash() };
        assert_eq!(Head::parse(&head.to_string()), Some(head));
        let hash = head.hash.to_string();
        assert_eq!(serde_json::from_str::<Hash>(&format!("\"{hash}\"")).unwrap(), head.hash);
        for wrong in [
            format!("0:{hash}"),
            format!("+17:{hash}"),
            format!("017:{hash}"),
            format!("17:{}", hash.to_uppercase()),
            format!("17:{}", &hash[..62]),
            hash,
            "17:".to_owned(),
        ] {
            assert_eq!(Head::parse(&wrong), None, "{wrong}");
        }
    }
}
