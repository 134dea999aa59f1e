//! The slots of connections: how many there are, who holds them, and which is closed for a new one.
//!
//! A new connection is always accepted. At the limit, the oldest idle connection is closed for it: one of the same address
//! if that has too many, else one of the address that holds the most; otherwise one whose response has taken long. If every
//! connection is busy the new one is still accepted, in one of a few slots reserved for `/healthz` and `/readyz`. So idle
//! sockets lock nobody out, and memory stays bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use super::settings::ConnectionSettings;

/// Slots beyond `max`, for health probes only.
const RESERVE: usize = 32;
/// A response that takes longer than this, and is not long-lived, may be aborted for another client.
const LONG_ANSWER: Duration = Duration::from_secs(30);
/// About how many files the storage and the rest of the process keep open.
const OTHER_FILES: usize = 640;

/// `max`, reduced to what the limit of open files allows.
pub fn open_files(max: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft: Option<usize> = line.and_then(|line| line.split_whitespace().next()).and_then(|soft| soft.parse().ok());
    let Some(soft) = soft else { return max };
    let room = soft.saturating_sub(OTHER_FILES + RESERVE).max(64);
    if room < max {
        tracing::warn!(
            limit = soft,
            connections = room,
            "the limit of open files (ulimit -n) allows fewer connections than api.max_connections: raise it to have more"
        );
    }
    max.min(room)
}

/// An address for counting: IPv4 as it is, IPv6 as its /64 network.
pub(in crate::serve) fn address_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four @ IpAddr::V4(_) => four,
    }
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct State {
    began: Instant,
    /// Requests in progress.
    requests: AtomicUsize,
    /// Of these, requests with long-lived responses, which are bounded elsewhere.
    lasting: AtomicUsize,
    /// Requests so far.
    heads: AtomicUsize,
    /// Milliseconds since `began` when a request last began or ended.
    changed: AtomicU64,
}

impl State {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            requests: AtomicUsize::new(0),
            lasting: AtomicUsize::new(0),
            heads: AtomicUsize::new(0),
            changed: AtomicU64::new(0),
        }
    }

    /// A request was received.
    pub(super) fn request_began(&self) {
        self.heads.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.touch();
    }

    /// Its response is long-lived.
    pub(super) fn answer_lasts(&self) {
        self.lasting.fetch_add(1, Ordering::Relaxed);
    }

    /// Its response was sent or aborted.
    pub(super) fn request_ended(&self, lasted: bool) {
        if lasted {
            self.lasting.fetch_sub(1, Ordering::Relaxed);
        }
        self.touch();
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }

    /// Requests so far; it changes with each head.
    pub(super) fn heads(&self) -> usize {
        self.heads.load(Ordering::Relaxed)
    }

    /// Whether a request is in progress.
    pub(super) fn is_answering(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    fn touch(&self) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.changed.store(millis, Ordering::Relaxed);
    }

    /// Time of the last change.
    fn since(&self) -> Instant {
        self.began + Duration::from_millis(self.changed.load(Ordering::Relaxed))
    }

    fn may_be_closed(&self, now: Instant) -> bool {
        !self.is_answering()
            || self.lasting.load(Ordering::Relaxed) == 0 && now.duration_since(self.since()) > LONG_ANSWER
    }
}

#[derive(Debug)]
struct Held {
    address: IpAddr,
    is_reserve: bool,
    state: Arc<State>,
    evicted: CancellationToken,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    held: HashMap<u64, Held>,
    /// Ordinary slots by address.
    by_address: HashMap<IpAddr, usize>,
    reserve: usize,
}

/// All slots.
#[derive(Debug)]
pub(super) struct Places {
    settings: ConnectionSettings,
    table: Mutex<Table>,
}

impl Places {
    pub(super) fn new(settings: ConnectionSettings) -> Self {
        Self { settings, table: Mutex::default() }
    }

    pub(super) fn settings(&self) -> &ConnectionSettings {
        &self.settings
    }

    /// A slot for a new connection of this address.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Place {
        let mut table = self.table();
        let own = table.by_address.get(&address).copied().unwrap_or(0);
        let too_many = own >= self.settings.max_per_address && !self.settings.proxies.contains(&address);
        let is_full = table.held.len() - table.reserve >= self.settings.max;
        let mut is_reserve = false;
        if too_many || is_full {
            is_reserve = !table.close_one(too_many.then_some(address));
        }
        if is_reserve && table.reserve >= RESERVE {
            table.close_oldest_of_reserve();
        }
        let (id, evicted, state) = (table.next, CancellationToken::new(), Arc::new(State::new()));
        table.next += 1;
        if is_reserve {
            table.reserve += 1;
        } else {
            *table.by_address.entry(address).or_default() += 1;
        }
        table.held.insert(id, Held { address, is_reserve, state: state.clone(), evicted: evicted.clone() });
        Place { id, address, is_reserve, state, evicted, places: self.clone() }
    }

    /// Makes room by closing the connection that has been idle longest, if there is one.
    pub(super) fn close_oldest_idle(&self) {
        self.table().close_one(None);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic leaves each entry consistent.
        self.table.lock()
    }
}

impl Table {
    /// Closes one connection, of `address` if it is given; false if all are busy.
    fn close_one(&mut self, address: Option<IpAddr>) -> bool {
        let now = Instant::now();
        let count = |held: &Held| self.by_address.get(&held.address).copied().unwrap_or(0);
        let closable = self.held.iter().filter(|(_, held)| {
            !held.is_reserve && address.is_none_or(|wanted| wanted == held.address) && held.state.may_be_closed(now)
        });
        // Idle ones first; then of the address that holds the most; then the oldest.
        let victim = closable
            .min_by_key(|(_, held)| (held.state.is_answering(), std::cmp::Reverse(count(held)), held.state.since()));
        match victim.map(|(id, _)| *id) {
            Some(id) => {
                self.close(id);
                true
            }
            None => false,
        }
    }

    fn close_oldest_of_reserve(&mut self) {
        let oldest = self.held.iter().filter(|(_, held)| held.is_reserve).map(|(id, _)| *id).min();
        if let Some(id) = oldest {
            self.close(id);
        }
    }

    fn close(&mut self, id: u64) {
        if let Some(held) = self.remove(id) {
            held.evicted.cancel();
        }
    }

    fn remove(&mut self, id: u64) -> Option<Held> {
        let held = self.held.remove(&id)?;
        if held.is_reserve {
            self.reserve -= 1;
        } else if let Some(count) = self.by_address.get_mut(&held.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&held.address);
            }
        }
        Some(held)
    }
}

/// The slot of a connection; released when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    address: IpAddr,
    is_reserve: bool,
    state: Arc<State>,
    evicted: CancellationToken,
    places: Arc<Places>,
}

impl Place {
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether it is one of those reserved for health probes.
    pub(super) fn is_reserve(&self) -> bool {
        self.is_reserve
    }

    pub(super) fn state(&self) -> Arc<State> {
        self.state.clone()
    }

    /// Cancelled when another connection takes the slot.
    pub(super) fn evicted(&self) -> CancellationToken {
        self.evicted.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.table().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(max: usize, max_per_address: usize, proxies: &[&str]) -> Arc<Places> {
        let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        Arc::new(Places::new(ConnectionSettings { max, max_per_address, proxies, ..ConnectionSettings::default() }))
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_oldest_idle_of_who_holds_the_most_makes_room() {
        let places = places(4, 4, &[]);
        let one = places.take(ip(1));
        let many: Vec<Place> = (0..3).map(|_| places.take(ip(2))).collect();
        many[0].state().request_began();
        let newcomer = places.take(ip(3));
        assert!(!newcomer.is_reserve() && !one.evicted().is_cancelled());
        assert_eq!(many.iter().map(|place| place.evicted().is_cancelled()).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn an_address_makes_room_for_itself() {
        let places = places(10, 2, &["192.0.2.9"]);
        let old = places.take(ip(5));
        let first = places.take(ip(1));
        let second = places.take(ip(1));
        let third = places.take(ip(1));
        assert!(first.evicted().is_cancelled() && !second.evicted().is_cancelled() && !old.evicted().is_cancelled());
        assert!(!third.is_reserve());
        let proxied: Vec<Place> = (0..5).map(|_| places.take(ip(9))).collect();
        assert!(proxied.iter().all(|place| !place.evicted().is_cancelled() && !place.is_reserve()));
    }

    #[test]
    fn where_all_are_at_work_places_are_left_for_health() {
        let places = places(2, 2, &[]);
        let busy: Vec<Place> = (0..2).map(|_| places.take(ip(1))).collect();
        busy.iter().for_each(|place| place.state().request_began());
        let kept: Vec<Place> = (0..=RESERVE).map(|_| places.take(ip(2))).collect();
        assert!(kept.iter().all(Place::is_reserve) && busy.iter().all(|place| !place.evicted().is_cancelled()));
        assert_eq!(kept.iter().filter(|place| place.evicted().is_cancelled()).count(), 1);
        busy[0].state().request_ended(false);
        assert!(!places.take(ip(3)).is_reserve());
        assert!(busy[0].evicted().is_cancelled());
        drop((busy, kept));
        let table = places.table();
        assert_eq!((table.held.len(), table.reserve, table.by_address.len()), (0, 0, 0));
    }
}
