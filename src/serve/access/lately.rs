//! What was recorded lately and need not be again: a dashboard asks for the same list all the time. It does not know what that is.

use std::collections::HashMap;

use parking_lot::Mutex;

/// Texts that are remembered; beyond it some are forgotten, and then recorded once more.
const MOST: usize = 10_000;

/// What was recorded lately.
#[derive(Debug, Default)]
pub(in crate::serve) struct Lately(Mutex<HashMap<String, i64>>);

impl Lately {
    /// Whether this was recorded, and that still counts.
    pub(super) fn has(&self, what: &str, now: i64) -> bool {
        self.0.lock().get(what).is_some_and(|until| now < *until)
    }

    /// This was recorded, which counts until then.
    pub(super) fn keep(&self, what: String, until: i64, now: i64) {
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.retain(|_, until| now < *until);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(what, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_for_a_while_and_is_bounded() {
        let lately = Lately::default();
        assert!(!lately.has("a", 0));
        lately.keep("a".to_owned(), 10, 0);
        assert!(lately.has("a", 9) && !lately.has("a", 10) && !lately.has("b", 0));
        for number in 0..3 * MOST {
            lately.keep(number.to_string(), number as i64 + 5, number as i64);
            assert!(lately.0.lock().len() <= MOST);
        }
        assert!(lately.has(&(3 * MOST - 1).to_string(), 3 * MOST as i64));
    }
}
