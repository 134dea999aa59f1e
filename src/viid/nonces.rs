//! The nonces of our challenges. One says when it was made, and as which, and proves that we made it, so nothing is kept until it is used;
//! of those that were used it is kept which numbers of requests came with them, so that no request is taken twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, Mac as _};
use parking_lot::Mutex;
use sha2::Sha256;

/// How long a nonce may be used, in seconds.
pub const LASTS: i64 = 300;
/// Nonces in use at most, some 50 bytes each. Only who knows a password uses one. Beyond that the older half are used no more.
const MOST: usize = 65_536;
/// Digits of the time and of the number, together.
const SAID: usize = 32;
/// Bytes of the proof.
const PROOF: usize = 16;
/// Numbers of requests below the highest one that may still come: those of several connections overtake one another.
const WINDOW: u32 = 64;

/// Nonces of one process.
pub struct Nonces {
    key: [u8; 32],
    next: AtomicU64,
    used: Mutex<Kept>,
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Nonces")
    }
}

/// What is kept of those that were used.
#[derive(Default)]
struct Kept {
    /// By their number.
    used: BTreeMap<u64, Used>,
    /// One with a lower number may have been used, and is not kept any more.
    not_before: u64,
}

/// A nonce of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    at: i64,
    number: u64,
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
        Self { key, next: AtomicU64::new(1), used: Mutex::default() }
    }

    fn proof(&self, said: &str) -> Option<Hmac<Sha256>> {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&self.key).ok()?;
        mac.update(b"viid nonce");
        mac.update(said.as_bytes());
        Some(mac)
    }

    /// A new nonce, unlike all others.
    pub fn make(&self, now: i64) -> String {
        let said = format!("{now:016x}{:016x}", self.next.fetch_add(1, Ordering::Relaxed));
        let proof = self.proof(&said).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
        let digits = proof.iter().take(PROOF).map(|byte| format!("{byte:02x}"));
        said.clone() + &digits.collect::<String>()
    }

    /// When a nonce was made, and as which; none if it is not ours, or may not be used any more.
    pub fn made(&self, nonce: &str, now: i64) -> Option<Made> {
        let (said, proof) = nonce.split_at_checked(SAID)?;
        let bytes: Option<Vec<u8>> = (0..PROOF).map(|at| byte_at(proof, at)).collect();
        if proof.len() != 2 * PROOF {
            return None;
        }
        self.proof(said)?.verify_truncated_left(&bytes?).ok()?;
        let (at, number) = said.split_at_checked(SAID / 2)?;
        let made = Made { at: i64::from_str_radix(at, 16).ok()?, number: u64::from_str_radix(number, 16).ok()? };
        let is_fresh = (0..LASTS).contains(&now.saturating_sub(made.at)) && made.number >= self.used.lock().not_before;
        is_fresh.then_some(made)
    }

    /// Takes a request with this nonce and number; false if it came before, or may have come before. Where the number is 0, the nonce
    /// counts for this one request.
    pub fn take(&self, made: Made, number: u32, now: i64) -> bool {
        let mut kept = self.used.lock();
        if let Some(known) = kept.used.get_mut(&made.number) {
            return known.take(number);
        }
        if made.number < kept.not_before {
            return false;
        }
        // Those cannot be used any more.
        while let Some(first) = kept.used.first_entry().filter(|first| now.saturating_sub(first.get().made_at) >= LASTS)
        {
            first.remove();
        }
        if kept.used.len() >= MOST {
            // Who has one of these is given a new one, and what is new can always be used.
            let middle = kept.used.keys().nth(MOST / 2).copied().unwrap_or_default();
            kept.used = kept.used.split_off(&middle);
            kept.not_before = middle;
            if made.number < middle {
                return false;
            }
        }
        let highest = if number == 0 { u32::MAX } else { number };
        let came = if number == 0 { u64::MAX } else { 1 };
        kept.used.insert(made.number, Used { made_at: made.at, highest, came });
        true
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
        let nonce = nonces.make(1_000);
        assert_eq!(nonces.made(&nonce, 1_000), Some(Made { at: 1_000, number: 1 }));
        assert!(nonces.made(&nonce, 1_000 + LASTS - 1).is_some());
        assert_eq!((nonces.made(&nonce, 1_000 + LASTS), nonces.made(&nonce, 999)), (None, None));
        assert_ne!(nonces.make(1_000), nonce);
        assert_eq!(Nonces::new([8; 32]).made(&nonce, 1_000), None);
        let later = nonce.replacen("3e8", "3e9", 1);
        for wrong in ["", "x", &nonce[1..], &later, &format!("{nonce}00"), &"é".repeat(32)] {
            assert_eq!(nonces.made(wrong, 1_000), None, "{wrong}");
        }
    }

    #[test]
    fn each_number_counts_once_in_any_order_within_a_window() {
        let nonces = Nonces::new([7; 32]);
        let take = |number| nonces.take(Made { at: 0, number: 1 }, number, 0);
        assert!(take(1) && take(2) && take(5) && take(3));
        assert!(!take(1) && !take(2) && !take(5) && !take(3) && !take(0));
        assert!(take(100) && !take(100) && take(37) && !take(36) && take(99) && !take(99) && !take(5));
        assert!(take(u32::MAX) && !take(u32::MAX) && !take(100));
        let once = |number| nonces.take(Made { at: 0, number: 2 }, number, 0);
        assert!(once(0) && !once(0) && !once(1) && !once(u32::MAX));
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_new_can_be_used() {
        let nonces = Nonces::new([7; 32]);
        let (mut first, mut newest) = (String::new(), String::new());
        for number in 0..3 * MOST {
            newest = nonces.make(1_000);
            if number == 0 {
                first = newest.clone();
            }
            let made = nonces.made(&newest, 1_000).unwrap();
            assert!(nonces.take(made, 1, 1_000) && !nonces.take(made, 1, 1_000), "{number}");
            assert!(nonces.used.lock().used.len() <= MOST);
        }
        assert_eq!(nonces.made(&first, 1_000), None, "nobody knows any more what came with it");
        let made = nonces.made(&newest, 1_000).unwrap();
        assert!(!nonces.take(made, 1, 1_000) && nonces.take(made, 2, 1_000));
        assert!(!nonces.take(Made { at: 1_000, number: 1 }, 9, 1_000));
        let later = nonces.make(1_000 + LASTS);
        assert!(nonces.take(nonces.made(&later, 1_000 + LASTS).unwrap(), 1, 1_000 + LASTS));
        assert_eq!(nonces.used.lock().used.len(), 1, "the others cannot be used any more");
    }
}
