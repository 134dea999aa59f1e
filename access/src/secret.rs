//! The ids of sessions and tokens: random bytes that only their owner keeps. What is stored is a digest, from which
//! the id does not follow; 256 random bits need no salt and no slow hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Random bytes of an id.
pub const RANDOM_BYTES: usize = 32;

/// An id as its owner has it. It has no `Debug` that shows it.
pub struct Secret(String);

impl Secret {
    /// An id of these random bytes, after a prefix that says what it is.
    pub fn new(prefix: &str, random: [u8; RANDOM_BYTES]) -> Self {
        Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random)))
    }

    /// The text that goes to the owner, and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// SHA-256 of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of an id as it was sent.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The first `chars` characters as hexadecimal digits: a name for it that reveals nothing.
    pub fn short(&self, chars: usize) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(chars).collect()
    }

    /// What the page sends along with everything that changes something: another site does not know it, and the id does not
    /// follow from it.
    pub fn csrf(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(self.0).chain_update("csrf").finalize())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(serde::de::Error::custom)?;
        let bytes = bytes.try_into().map_err(|_| serde::de::Error::custom("a digest has 32 bytes"))?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_text() {
        let secret = Secret::new("pw_", [0; RANDOM_BYTES]);
        assert_eq!(secret.reveal(), "pw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Digest::of(secret.reveal()), secret.digest());
        // FIPS 180-2, appendix B.1.
        assert_eq!(Digest::of("abc").short(16), "ba7816bf8f01cfea");
        assert!(!format!("{secret:?}").contains("AAAA"));
        assert_ne!(secret.digest().csrf(), Digest::of("abc").csrf());
    }

    #[test]
    fn a_digest_is_read_back() {
        let digest = Digest::of("abc");
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        assert!(serde_json::from_str::<Digest>("\"YWJj\"").is_err());
    }
}
