//! Randomness of the operating system, for ids and salts.

use access::{RANDOM_BYTES, Salt, Secret};

/// The operating system gives no random bytes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

/// A new id.
///
/// # Errors
/// [`NoRandomness`].
pub fn secret(prefix: &str) -> Result<Secret, NoRandomness> {
    let mut random = [0; RANDOM_BYTES];
    fill(&mut random)?;
    Ok(Secret::new(prefix, random))
}

/// Characters of a password that is made here: 120 random bits.
const PASSWORD_CHARS: usize = 20;

/// A new password, for somebody who must choose another at the next login.
///
/// # Errors
/// [`NoRandomness`].
pub fn made_password() -> Result<String, NoRandomness> {
    Ok(secret("")?.reveal().chars().take(PASSWORD_CHARS).collect())
}

/// A new salt.
///
/// # Errors
/// [`NoRandomness`].
pub fn salt() -> Result<Salt, NoRandomness> {
    let mut salt = Salt::default();
    fill(&mut salt)?;
    Ok(salt)
}

/// Fills `bytes`.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(NoRandomness)
}
