//! How much one client may ask: so many requests a second, with a reserve for bursts, and so many at the same time. A client is
//! a session or a token; who has none is known by the address.
//!
//! What is known of clients is bounded: those that have their whole reserve again are forgotten, and where all places are taken
//! by others, new ones share one. It does not know HTTP, and not what is asked.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::Digest;
use parking_lot::Mutex;

/// Clients that are known at most, some 100 bytes each.
const MAX_CLIENTS: usize = 16_384;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Pause between two searches for clients that can be forgotten.
const SEARCH_EVERY: u64 = NANOS_PER_SECOND;
/// Seconds after which a client with too many requests at the same time should ask again.
const SECONDS_OF_REQUESTS: u16 = 1;

/// The limits of one client.
#[derive(Debug, Clone, Copy)]
pub struct RateSettings {
    /// Requests per second; 0 sets no limit.
    pub per_second: u64,
    /// Requests that may come at once after a pause.
    pub burst: u64,
    /// Requests at the same time, until the head of their answer; 0 sets no limit.
    pub concurrent: usize,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self { per_second: 1_000, burst: 10_000, concurrent: 256 }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Who has no credential.
    Address(IpAddr),
    /// A session or a token.
    Credential(Digest),
    /// All for whom there is no place.
    Others,
}

/// What a client has asked.
#[derive(Debug, Default)]
struct Asked {
    /// When the whole reserve is there again, in nanoseconds since the beginning.
    full_at: u64,
    /// Requests in progress.
    running: usize,
}

#[derive(Debug, Default)]
struct Table {
    clients: HashMap<Key, Asked>,
    searched_at: u64,
}

/// What all clients have asked.
#[derive(Debug)]
pub(super) struct Rates {
    settings: RateSettings,
    began: Instant,
    table: Mutex<Table>,
}

/// A request in progress.
#[derive(Debug)]
pub(super) struct Running {
    rates: Arc<Rates>,
    key: Key,
}

impl Rates {
    pub(super) fn new(settings: RateSettings) -> Self {
        Self { settings, began: Instant::now(), table: Mutex::default() }
    }

    /// Takes one request of a client, or says after how many seconds it should ask again.
    pub(super) fn take(self: &Arc<Self>, key: Key) -> Result<Running, u16> {
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let key = self.table.lock().take(key, self.settings, now)?;
        Ok(Running { rates: self.clone(), key })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(asked) = self.rates.table.lock().clients.get_mut(&self.key) {
            asked.running = asked.running.saturating_sub(1);
        }
    }
}

impl Table {
    /// Takes one request; returns under which key it counts.
    fn take(&mut self, key: Key, settings: RateSettings, now: u64) -> Result<Key, u16> {
        let key = self.place(key, now);
        let asked = self.clients.entry(key).or_default();
        if settings.concurrent > 0 && asked.running >= settings.concurrent {
            return Err(SECONDS_OF_REQUESTS);
        }
        if let Some(each) = NANOS_PER_SECOND.checked_div(settings.per_second) {
            // The reserve as a time: each request puts off the moment at which it is whole again.
            let full_at = asked.full_at.max(now).saturating_add(each);
            let latest = now.saturating_add(each.saturating_mul(settings.burst.max(1)));
            if full_at > latest {
                let seconds = Duration::from_nanos(full_at - latest).as_secs() + 1;
                return Err(u16::try_from(seconds).unwrap_or(u16::MAX));
            }
            asked.full_at = full_at;
        }
        asked.running += 1;
        Ok(key)
    }

    /// The key itself if there is a place for it, else that of all others.
    fn place(&mut self, key: Key, now: u64) -> Key {
        if self.clients.len() < MAX_CLIENTS || self.clients.contains_key(&key) {
            return key;
        }
        if now >= self.searched_at.saturating_add(SEARCH_EVERY) {
            self.searched_at = now;
            self.clients.retain(|_, asked| asked.running > 0 || asked.full_at > now);
        }
        if self.clients.len() < MAX_CLIENTS { key } else { Key::Others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = NANOS_PER_SECOND;

    fn address(number: u32) -> Key {
        Key::Address(IpAddr::from(number.to_be_bytes()))
    }

    fn limits(per_second: u64, burst: u64, concurrent: usize) -> RateSettings {
        RateSettings { per_second, burst, concurrent }
    }

    /// How many of these requests are taken at one moment.
    fn taken(table: &mut Table, key: Key, settings: RateSettings, now: u64, requests: usize) -> usize {
        (0..requests).filter(|_| table.take(key, settings, now).is_ok()).count()
    }

    #[test]
    fn a_burst_is_taken_and_then_a_rate() {
        let (mut table, settings) = (Table::default(), limits(10, 50, 0));
        assert_eq!(taken(&mut table, address(1), settings, 0, 100), 50);
        assert_eq!(taken(&mut table, address(2), settings, 0, 100), 50, "another client has a reserve of its own");
        assert_eq!(taken(&mut table, address(1), settings, SECOND, 100), 10);
        assert_eq!(taken(&mut table, address(1), settings, 3 * SECOND, 100), 20);
        assert_eq!(taken(&mut table, address(1), settings, 100 * SECOND, 100), 50, "no more than the whole reserve");
        assert_eq!(table.take(address(1), settings, 100 * SECOND), Err(1));
        let slow = limits(1, 1, 0);
        assert_eq!(table.take(address(3), slow, 0), Ok(address(3)));
        assert_eq!(table.take(address(3), slow, 0), Err(2), "not before there is one again");
        assert_eq!(table.take(address(3), slow, SECOND), Ok(address(3)));
        assert_eq!(taken(&mut table, address(4), limits(0, 0, 0), 0, 1_000), 1_000, "no limit");
    }

    #[test]
    fn requests_at_the_same_time_are_counted_until_they_end() {
        let rates = Arc::new(Rates::new(limits(0, 0, 2)));
        let first = rates.take(address(1)).unwrap();
        let second = rates.take(address(1)).unwrap();
        assert_eq!(rates.take(address(1)).unwrap_err(), 1);
        assert!(rates.take(address(2)).is_ok());
        drop(first);
        let third = rates.take(address(1)).unwrap();
        assert!(rates.take(address(1)).is_err());
        drop((second, third));
        assert_eq!(rates.table.lock().clients[&address(1)].running, 0);
    }

    #[test]
    fn many_clients_take_no_more_memory_and_none_escapes() {
        let (mut table, settings) = (Table::default(), limits(1, 2, 0));
        let most = u32::try_from(MAX_CLIENTS).unwrap();
        for number in 0..most {
            table.take(address(number), settings, 0).unwrap();
        }
        // All places are taken: the next ones share one, and its reserve.
        assert_eq!((most..most + 100).filter(|number| table.take(address(*number), settings, 0).is_ok()).count(), 2);
        assert_eq!(table.clients.len(), MAX_CLIENTS + 1);
        assert_eq!(taken(&mut table, address(0), settings, 0, 9), 1, "who has a place keeps it");
        // Those that wait for nothing are forgotten; one that still asks is not.
        table.clients.values_mut().for_each(|asked| asked.running = 0);
        table.clients.get_mut(&address(7)).unwrap().running = 1;
        assert_eq!(table.take(address(most), settings, 10 * SECOND), Ok(address(most)));
        assert!(table.clients.len() <= 3 && table.clients.contains_key(&address(7)), "{}", table.clients.len());
    }
}
