//! Recent counts, kept a few seconds, so that a page with many viewers costs MySQL one statement. The same request made
//! while it is being answered waits for that answer. It does not know SQL.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::statistics::Statistics;
use crate::reader::ReadError;

/// Statements whose answers are kept.
const MAX_STATEMENTS: usize = 64;
/// Groups that are kept over all answers.
const MAX_GROUPS: usize = 2_000_000;

/// The values that a group has in common, and how many rows it has.
pub(super) type Groups = Vec<(Vec<Arc<str>>, u64)>;

/// What is kept.
pub(super) trait Counts {
    /// How many counts it holds.
    fn size(&self) -> usize;
}

impl Counts for Groups {
    fn size(&self) -> usize {
        self.len()
    }
}

impl Counts for Statistics {
    fn size(&self) -> usize {
        self.len()
    }
}

/// Answers by statement.
#[derive(Debug)]
pub(super) struct Cache<T> {
    lifetime: Duration,
    slots: Mutex<HashMap<String, Arc<Slot<T>>>>,
}

#[derive(Debug)]
struct Slot<T>(tokio::sync::Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::new(None))
    }
}

impl<T: Counts> Slot<T> {
    /// When it was filled and how much it holds; none while it is being filled or empty.
    fn filled(&self) -> Option<(Instant, usize)> {
        let answer = self.0.try_lock().ok()?;
        answer.as_ref().map(|(at, groups)| (*at, groups.size()))
    }
}

impl<T: Counts> Cache<T> {
    /// Answers are kept for `lifetime`.
    pub(super) fn new(lifetime: Duration) -> Self {
        Self { lifetime, slots: Mutex::default() }
    }

    /// The answer to `statement`: one that is young enough, or that of `ask`.
    pub(super) async fn get(
        &self,
        statement: &str,
        ask: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<Arc<T>, ReadError> {
        let slot = self.slot(statement);
        let mut answer = slot.0.lock().await;
        if let Some((at, groups)) = &*answer
            && at.elapsed() < self.lifetime
        {
            return Ok(groups.clone());
        }
        let asked = Instant::now();
        let groups = Arc::new(ask.await?);
        // Its age counts from the query: what came meanwhile is not in it.
        *answer = Some((asked, groups.clone()));
        Ok(groups)
    }

    fn slot(&self, statement: &str) -> Arc<Slot<T>> {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(statement) {
            return slot.clone();
        }
        self.make_room(&mut slots);
        slots.entry(statement.to_owned()).or_default().clone()
    }

    /// Drops what is too old, and then the oldest, until there is room for one more. Slots in use stay alive.
    fn make_room(&self, slots: &mut HashMap<String, Arc<Slot<T>>>) {
        slots.retain(|_, slot| {
            Arc::strong_count(slot) > 1 || slot.filled().is_some_and(|(at, _)| at.elapsed() < self.lifetime)
        });
        loop {
            let held: usize = slots.values().filter_map(|slot| slot.filled()).map(|(_, groups)| groups).sum();
            if slots.len() < MAX_STATEMENTS && held < MAX_GROUPS {
                return;
            }
            let age = |slot: &Slot<T>| slot.filled().map_or(Duration::ZERO, |(at, _)| at.elapsed());
            let Some(oldest) = slots.iter().max_by_key(|(_, slot)| age(slot)).map(|(statement, _)| statement.clone())
            else {
                return;
            };
            slots.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(count: u64) -> Groups {
        vec![(vec![Arc::from("k")], count)]
    }

    #[tokio::test]
    async fn young_answers_are_given_again_and_errors_are_not_kept() {
        let cache = Cache::new(Duration::from_secs(600));
        let failed = cache.get("a", async { Err(ReadError::Unavailable("away".to_owned())) }).await;
        assert!(failed.is_err());
        assert_eq!(*cache.get("a", async { Ok(groups(1)) }).await.unwrap(), groups(1));
        assert_eq!(*cache.get("a", async { Ok(groups(2)) }).await.unwrap(), groups(1));
        assert_eq!(*cache.get("b", async { Ok(groups(3)) }).await.unwrap(), groups(3));
        let none = Cache::new(Duration::ZERO);
        none.get("a", async { Ok(groups(1)) }).await.unwrap();
        assert_eq!(*none.get("a", async { Ok(groups(2)) }).await.unwrap(), groups(2));
    }

    #[tokio::test]
    async fn many_statements_do_not_pile_up() {
        let cache = Cache::new(Duration::from_secs(600));
        for number in 0..1000 {
            cache.get(&number.to_string(), async { Ok(groups(number)) }).await.unwrap();
        }
        assert!(cache.slots.lock().len() <= MAX_STATEMENTS);
        assert_eq!(*cache.get("999", async { Ok(groups(0)) }).await.unwrap(), groups(999));
        cache.get("large", async { Ok(vec![(Vec::new(), 1); MAX_GROUPS]) }).await.unwrap();
        cache.get("more", async { Ok(groups(1)) }).await.unwrap();
        assert!(!cache.slots.lock().contains_key("999"));
    }
}
