//! The nonces of our challenges. One says when it was made and proves that we made it, so nothing is kept until it is used; of those
//! that were used it is kept which numbers of requests came with them, so that no request is taken twice.

use std::collections::HashMap;

use hmac::{Hmac, Mac as _};
use parking_lot::Mutex;
use sha2::Sha256;

/// How long a nonce may be used, in seconds.
pub const LASTS: i64 = 300;
/// Nonces in use at most, some 100 bytes each. Only who knows a password uses one.
const MOST: usize = 65_536;
/// Digits of the time and of what makes it unique, together.
const SAID: usize = 32;
/// Bytes of the proof.
const PROOF: usize = 16;
/// Numbers of requests below the highest one that may still come: those of several connections overtake one another.
const WINDOW: u32 = 64;

/// Nonces of one process.
pub struct Nonces {
    key: [u8; 32],
    used: Mutex<HashMap<Box<str>, Used>>,
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Nonces")
    }
}

/// Which numbers came with a nonce.
#[derive(Debug, Clone, Copy)]
struct Used {
    made_at: i64,
    highest: u32,
    /// Bit `n` says that the number `highest - n` came.
    came: u64,
}

impl Nonces {
    /// Nonces that prove themselves by this key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, used: Mutex::default() }
    }

    fn proof(&self, said: &str) -> Option<Hmac<Sha256>> {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&self.key).ok()?;
        mac.update(b"viid nonce");
        mac.update(said.as_bytes());
        Some(mac)
    }

    /// A new nonce; `unique` makes two of one second differ.
    pub fn make(&self, now: i64, unique: u64) -> String {
        let said = format!("{now:016x}{unique:016x}");
        let proof = self.proof(&said).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
        let digits = proof.iter().take(PROOF).map(|byte| format!("{byte:02x}"));
        said.clone() + &digits.collect::<String>()
    }

    /// When a nonce was made; none if it is not ours, or may not be used any more.
    pub fn made_at(&self, nonce: &str, now: i64) -> Option<i64> {
        let (said, proof) = nonce.split_at_checked(SAID)?;
        let bytes: Option<Vec<u8>> = (0..PROOF).map(|at| byte_at(proof, at)).collect();
        if proof.len() != 2 * PROOF {
            return None;
        }
        self.proof(said)?.verify_truncated_left(&bytes?).ok()?;
        let made_at = i64::from_str_radix(said.get(..SAID / 2)?, 16).ok()?;
        (0..LASTS).contains(&now.saturating_sub(made_at)).then_some(made_at)
    }

    /// Takes a request with this nonce and number; false if it came before, may have come before, or there is no room to know. Where the
    /// number is 0, the nonce counts for this one request.
    pub fn take(&self, nonce: &str, made_at: i64, number: u32, now: i64) -> bool {
        let mut used = self.used.lock();
        if used.len() >= MOST && !used.contains_key(nonce) {
            used.retain(|_, used| now.saturating_sub(used.made_at) < LASTS);
        }
        let is_full = used.len() >= MOST;
        match used.get_mut(nonce) {
            None if is_full => false,
            None => {
                let highest = if number == 0 { u32::MAX } else { number };
                used.insert(nonce.into(), Used { made_at, highest, came: if number == 0 { u64::MAX } else { 1 } });
                true
            }
            Some(known) => known.take(number),
        }
    }
}

impl Used {
    fn take(&mut self, number: u32) -> bool {
        if number == 0 {
            return false;
        }
        if let Some(ahead) = number.checked_sub(self.highest).filter(|ahead| *ahead > 0) {
            self.came = self.came.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = number;
            return true;
        }
        let behind = self.highest - number;
        let bit = 1_u64.checked_shl(behind).unwrap_or(0);
        if behind >= WINDOW || self.came & bit != 0 {
            return false;
        }
        self.came |= bit;
        true
    }
}

fn byte_at(digits: &str, at: usize) -> Option<u8> {
    u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_proves_when_we_made_it() {
        let nonces = Nonces::new([7; 32]);
        let nonce = nonces.make(1_000, 1);
        assert_eq!(nonces.made_at(&nonce, 1_000), Some(1_000));
        assert_eq!(nonces.made_at(&nonce, 1_000 + LASTS - 1), Some(1_000));
        assert_eq!((nonces.made_at(&nonce, 1_000 + LASTS), nonces.made_at(&nonce, 999)), (None, None));
        assert_ne!(nonces.make(1_000, 2), nonce);
        assert_eq!(Nonces::new([8; 32]).made_at(&nonce, 1_000), None);
        let later = nonce.replacen("3e8", "3e9", 1);
        for wrong in ["", "x", &nonce[1..], &later, &format!("{nonce}00"), &"é".repeat(32)] {
            assert_eq!(nonces.made_at(wrong, 1_000), None, "{wrong}");
        }
    }

    #[test]
    fn each_number_counts_once_in_any_order_within_a_window() {
        let nonces = Nonces::new([7; 32]);
        let take = |number| nonces.take("n", 0, number, 0);
        assert!(take(1) && take(2) && take(5) && take(3));
        assert!(!take(1) && !take(2) && !take(5) && !take(3) && !take(0));
        assert!(take(100) && !take(100) && take(37) && !take(36) && take(99) && !take(99) && !take(5));
        assert!(take(u32::MAX) && !take(u32::MAX) && !take(100));
        assert!(nonces.take("once", 0, 0, 0));
        assert!(!nonces.take("once", 0, 0, 0) && !nonces.take("once", 0, 1, 0) && !nonces.take("once", 0, u32::MAX, 0));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let nonces = Nonces::new([7; 32]);
        for number in 0..MOST {
            assert!(nonces.take(&number.to_string(), 0, 1, 0));
        }
        assert!(!nonces.take("one more", 1, 1, 1) && nonces.take("7", 0, 2, 1));
        assert!(nonces.take("one more", LASTS, 1, LASTS), "the others cannot be used any more");
        assert_eq!(nonces.used.lock().len(), 1);
    }
}
