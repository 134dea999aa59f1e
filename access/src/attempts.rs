//! Waiting after wrong passwords, for each account and for each address: whoever guesses waits twice as long after each
//! further guess. The right password within the waiting time is refused as well, or guessing would go on.

use std::collections::HashMap;

/// Wrong ones that cost nothing.
const FREE: u32 = 4;
/// The longest wait, in seconds.
const LONGEST: i64 = 900;
/// After so many seconds without a wrong one, all are forgotten.
const FORGOTTEN: i64 = 3600;
/// The most accounts and addresses that are remembered; beyond that those are forgotten whose last attempt is oldest.
const MOST: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Wrong {
    count: u32,
    last: i64,
}

impl Wrong {
    fn wait(self) -> i64 {
        match self.count.checked_sub(FREE) {
            None | Some(0) => 0,
            Some(over) => 1i64.checked_shl(over).map_or(LONGEST, |seconds| seconds.min(LONGEST)),
        }
    }
}

/// Wrong passwords of late, by account or address.
#[derive(Debug, Default)]
pub struct Attempts {
    wrong: HashMap<String, Wrong>,
}

impl Attempts {
    /// Seconds that `key` must still wait before it may try.
    pub fn wait(&self, key: &str, now: i64) -> i64 {
        let wrong = self.wrong.get(key).filter(|wrong| now.saturating_sub(wrong.last) < FORGOTTEN);
        wrong.map_or(0, |wrong| (wrong.last + wrong.wait() - now).max(0))
    }

    /// A wrong password for `key`.
    pub fn failed(&mut self, key: &str, now: i64) {
        if self.wrong.len() >= MOST && !self.wrong.contains_key(key) {
            self.wrong.retain(|_, wrong| now.saturating_sub(wrong.last) < FORGOTTEN);
        }
        if self.wrong.len() >= MOST && !self.wrong.contains_key(key) {
            let oldest = self.wrong.iter().min_by_key(|(_, wrong)| wrong.last).map(|(key, _)| key.clone());
            oldest.map(|oldest| self.wrong.remove(&oldest));
        }
        let wrong = self.wrong.entry(key.to_owned()).or_insert(Wrong { count: 0, last: now });
        if now.saturating_sub(wrong.last) >= FORGOTTEN {
            wrong.count = 0;
        }
        (wrong.count, wrong.last) = (wrong.count.saturating_add(1), now);
    }

    /// The right password for `key`.
    pub fn succeeded(&mut self, key: &str) {
        self.wrong.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let mut attempts = Attempts::default();
        let mut waits = Vec::new();
        let mut now = 0;
        for _ in 0..16 {
            attempts.failed("wang", now);
            waits.push(attempts.wait("wang", now));
            now += attempts.wait("wang", now);
        }
        assert_eq!(waits[..8], [0, 0, 0, 0, 2, 4, 8, 16]);
        assert_eq!(waits.last(), Some(&LONGEST));
        assert_eq!(attempts.wait("li", now), 0);
        // A thousand guesses take ten days.
        assert!(waits.iter().sum::<i64>() + (1000 - 16) * LONGEST > 10 * 86_400 - 2000);
        attempts.succeeded("wang");
        assert_eq!(attempts.wait("wang", now), 0);
    }

    #[test]
    fn an_hour_without_one_forgets_them() {
        let mut attempts = Attempts::default();
        (0..10).for_each(|_| attempts.failed("10.0.0.7", 0));
        assert!(attempts.wait("10.0.0.7", 10) > 0);
        assert_eq!(attempts.wait("10.0.0.7", FORGOTTEN), 0);
        attempts.failed("10.0.0.7", FORGOTTEN);
        assert_eq!(attempts.wait("10.0.0.7", FORGOTTEN), 0, "it counts from the beginning");
    }

    #[test]
    fn a_flood_of_names_is_bounded() {
        let mut attempts = Attempts::default();
        for number in 0..MOST as i64 + 100 {
            attempts.failed(&number.to_string(), number / 100);
        }
        assert!(attempts.wrong.len() <= MOST);
    }
}
