//! Logins that have begun and not come back: bounded in number and time, and each bound to one browser. It has no clock.

use std::collections::HashMap;
use std::net::IpAddr;

use access::Digest;

/// For how long somebody may be at the provider, in seconds.
pub(super) const MAX_SECONDS: i64 = 600;
/// For how long it is known that somebody was there too long.
const KNOWN_SECONDS: i64 = 2 * MAX_SECONDS;
/// The most at once; for one more, the oldest of the address that has the most is forgotten.
const MOST: usize = 1_000;

/// A login that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begun {
    /// The secret in the browser's cookie.
    pub(super) browser: Digest,
    pub(super) nonce: String,
    /// The secret of PKCE.
    pub(super) verifier: String,
    pub(super) address: IpAddr,
    pub(super) at: i64,
}

/// Why nobody has come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// No login has begun with this state, or another browser has begun it, or it has come back already.
    State,
    /// It took too long.
    Expired,
}

/// All of them, by the digest of their state.
#[derive(Debug, Default)]
pub(super) struct Pending(HashMap<Digest, Begun>);

impl Pending {
    /// Remembers one.
    pub(super) fn add(&mut self, state: &str, begun: Begun) {
        self.0.retain(|_, known| begun.at.saturating_sub(known.at) < KNOWN_SECONDS);
        if self.0.len() >= MOST {
            self.forget_one();
        }
        self.0.insert(Digest::of(state), begun);
    }

    fn forget_one(&mut self) {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for known in self.0.values() {
            *counts.entry(known.address).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(address, count)| (*count, *address)).map(|(address, _)| address);
        let of_it = self.0.iter().filter(|(_, known)| Some(known.address) == most);
        let oldest = of_it.min_by_key(|(state, known)| (known.at, **state)).map(|(state, _)| *state);
        oldest.map(|state| self.0.remove(&state));
    }

    /// Takes the login with this state, if this browser began it: it comes back once.
    pub(super) fn take(&mut self, state: &str, browser: Option<Digest>, now: i64) -> Result<Begun, Unknown> {
        let state = Digest::of(state);
        // Another browser's stays: whoever saw its state in an address cannot spoil it.
        let is_its = self.0.get(&state).is_some_and(|known| Some(known.browser) == browser);
        let begun = is_its.then(|| self.0.remove(&state)).flatten().ok_or(Unknown::State)?;
        if now.saturating_sub(begun.at) >= MAX_SECONDS { Err(Unknown::Expired) } else { Ok(begun) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(browser: &str, address: u8, at: i64) -> Begun {
        let address = IpAddr::from([10, 0, 0, address]);
        Begun { browser: Digest::of(browser), nonce: "n".to_owned(), verifier: "v".to_owned(), address, at }
    }

    #[test]
    fn a_login_comes_back_once_and_in_its_own_browser() {
        let mut all = Pending::default();
        all.add("one", begun("mine", 1, 0));
        assert_eq!(all.take("one", Some(Digest::of("other")), 1), Err(Unknown::State));
        assert_eq!(all.take("one", None, 1), Err(Unknown::State));
        assert_eq!(all.take("two", Some(Digest::of("mine")), 1), Err(Unknown::State));
        assert_eq!(all.take("one", Some(Digest::of("mine")), MAX_SECONDS - 1), Ok(begun("mine", 1, 0)));
        assert_eq!(all.take("one", Some(Digest::of("mine")), 1), Err(Unknown::State));
    }

    #[test]
    fn nobody_is_waited_for_for_ever() {
        let mut all = Pending::default();
        all.add("one", begun("mine", 1, 0));
        assert_eq!(all.take("one", Some(Digest::of("mine")), MAX_SECONDS), Err(Unknown::Expired));
        all.add("two", begun("mine", 1, 0));
        all.add("three", begun("mine", 1, KNOWN_SECONDS));
        assert_eq!(all.0.len(), 1, "the one that is too old is forgotten");
    }

    #[test]
    fn a_flood_from_one_address_spoils_its_own() {
        let mut all = Pending::default();
        all.add("quiet", begun("mine", 1, 0));
        for number in 0..2 * MOST {
            all.add(&format!("flood {number}"), begun("loud", 2, 1 + number as i64 / 100));
        }
        assert_eq!(all.0.len(), MOST);
        assert!(all.take("quiet", Some(Digest::of("mine")), 30).is_ok());
        assert!(all.take("flood 0", Some(Digest::of("loud")), 30).is_err());
        assert!(all.take(&format!("flood {}", 2 * MOST - 1), Some(Digest::of("loud")), 30).is_ok());
    }
}
