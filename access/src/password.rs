//! Passwords: kept as argon2id, with 19 MiB, two passes and one lane, the least that OWASP's Password Storage Cheat
//! Sheet recommends. The parameters are in each hash, so they can be raised later. What is asked of a password follows NIST
//! SP 800-63B: a length, none of the well-known ones, and no rules about characters.

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHash as Parsed, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

/// Characters that a password has at least.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// Characters that a password has at most.
pub const MAX_PASSWORD_CHARS: usize = 256;

/// A password that holds the user's name has at least so many other characters.
const REST_CHARS: usize = 8;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Words that a password may not consist of, whatever digits and signs stand around them.
const WELL_KNOWN: [&str; 16] = [
    "password",
    "platewatch",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "admin",
    "administrator",
    "letmein",
    "welcome",
    "iloveyou",
    "monkey",
    "dragon",
    "abcdefgh",
    "abcdefghij",
    "changeme",
    "woaini",
];

/// Random bytes that make equal passwords have different hashes.
pub type Salt = [u8; 16];

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It is too short.
    #[error("a password has at least {MIN_PASSWORD_CHARS} characters; several words are easy to remember")]
    Short,
    /// It is too long.
    #[error("a password has at most {MAX_PASSWORD_CHARS} characters")]
    Long,
    /// It is the user's name, or holds it and little else.
    #[error("a password must not be made of the user's name")]
    Name,
    /// It is easy to guess.
    #[error(
        "this password is among the first that others would try: take several words that have nothing to do with each other"
    )]
    WellKnown,
}

impl WeakPassword {
    /// The code of it in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
            Self::Name => "name",
            Self::WellKnown => "well_known",
        }
    }
}

/// A password as it is kept, in the PHC string format.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hash of a password that nobody has: a login with an unknown name takes as long as one with a wrong password.
static OF_NOBODY: LazyLock<Option<PasswordHash>> =
    LazyLock::new(|| PasswordHash::of_any("nobody has this password", [7; 16]));

impl PasswordHash {
    /// The hash of a password that may be taken. It takes some 20 ms.
    ///
    /// # Errors
    /// Why it may not be taken.
    pub fn new(password: &str, name: &str, salt: Salt) -> Result<Self, WeakPassword> {
        check(password, name)?;
        Self::of_any(password, salt).ok_or(WeakPassword::Long)
    }

    fn of_any(password: &str, salt: Salt) -> Option<Self> {
        let salt = SaltString::encode_b64(&salt).ok()?;
        Some(Self(hasher().hash_password(password.as_bytes(), &salt).ok()?.to_string()))
    }

    /// Whether this is the password. It takes as long as making the hash.
    pub fn is(&self, password: &str) -> bool {
        // Longer ones are not taken, so none is right; and nobody makes us hash a megabyte.
        password.len() <= 4 * MAX_PASSWORD_CHARS
            && Parsed::new(&self.0).is_ok_and(|parsed| hasher().verify_password(password.as_bytes(), &parsed).is_ok())
    }

    /// Takes as long as [`PasswordHash::is`]; it is for names that do not exist.
    pub fn is_of_nobody(password: &str) {
        if let Some(nobody) = &*OF_NOBODY {
            let _ = nobody.is(password);
        }
    }
}

fn check(password: &str, name: &str) -> Result<(), WeakPassword> {
    let chars = password.chars().count();
    if chars < MIN_PASSWORD_CHARS {
        return Err(WeakPassword::Short);
    }
    if chars > MAX_PASSWORD_CHARS {
        return Err(WeakPassword::Long);
    }
    let lower = password.to_lowercase();
    let without_name = lower.replace(&name.to_lowercase(), "");
    if without_name.len() < lower.len() && without_name.chars().count() < REST_CHARS {
        return Err(WeakPassword::Name);
    }
    let letters: String = lower.chars().filter(|character| character.is_alphabetic()).collect();
    let kinds: std::collections::BTreeSet<char> = lower.chars().collect();
    if letters.is_empty() && password.is_ascii() || kinds.len() < 5 || WELL_KNOWN.contains(&letters.as_str()) {
        return Err(WeakPassword::WellKnown);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "three lorries in fog";

    #[test]
    fn a_password_is_known_again_and_no_other_is() {
        let hash = PasswordHash::new(GOOD, "wang", [1; 16]).unwrap();
        assert!(hash.is(GOOD) && !hash.is("three lorries in fob") && !hash.is(""));
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert_ne!(hash, PasswordHash::new(GOOD, "wang", [2; 16]).unwrap());
        assert!(!format!("{hash:?}").contains("argon2id"));
        assert!(!PasswordHash("nonsense".to_owned()).is(GOOD));
        assert!(!hash.is(&"x".repeat(100_000)));
        PasswordHash::is_of_nobody(GOOD);
    }

    /// A vector of the reference implementation's `test.c`: 2 passes over 65,536 KiB in 1 lane.
    #[test]
    fn the_hash_is_argon2id() {
        let params = Params::new(65536, 2, 1, None).unwrap();
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let salt = SaltString::encode_b64(b"somesalt").unwrap();
        let hash = argon.hash_password(b"password", &salt).unwrap().to_string();
        assert_eq!(hash, "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
    }

    #[test]
    fn weak_ones_are_refused_with_the_reason() {
        for (password, why) in [
            ("short", WeakPassword::Short),
            ("wangwang12", WeakPassword::Name),
            ("Wang1234!!", WeakPassword::Name),
            ("1234567890", WeakPassword::WellKnown),
            ("aaaaaaaaaaaa", WeakPassword::WellKnown),
            ("Password123!", WeakPassword::WellKnown),
            ("2024-11-27 2024", WeakPassword::WellKnown),
        ] {
            assert_eq!(PasswordHash::new(password, "wang", [0; 16]), Err(why), "{password}");
        }
        assert_eq!(PasswordHash::new(&"ab cd".repeat(60), "wang", [0; 16]), Err(WeakPassword::Long));
        assert!(PasswordHash::new("三辆卡车在雾里慢慢走", "wang", [0; 16]).is_ok());
    }
}
