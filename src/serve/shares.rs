//! Long-lived slots, for event streams and exports: a limited number in total and fewer for one address, so that no client
//! holds all of them. A new one ends the oldest, of the same address if that has its share, else of the address that holds
//! the most, if the caller allows that one to be ended.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

/// What the holder of a slot has done with it.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    bytes: AtomicU64,
}

impl Progress {
    /// About how many bytes the client has read.
    pub(super) fn took(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether the client read less than this many bytes a second, over at least this long.
    pub(super) fn is_slower_than(&self, bytes_per_second: u64, over: Duration) -> bool {
        let held = self.began.elapsed();
        let least = bytes_per_second as f64 * held.as_secs_f64();
        held >= over && (self.bytes.load(Ordering::Relaxed) as f64) < least
    }
}

#[derive(Debug)]
struct Holder {
    id: u64,
    address: IpAddr,
    ended: CancellationToken,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// In the order of arrival.
    holders: Vec<Holder>,
}

/// All slots of a kind.
#[derive(Debug)]
pub(super) struct Shares {
    total: usize,
    per_address: usize,
    table: Mutex<Table>,
}

impl Shares {
    pub(super) fn new(total: usize, per_address: usize) -> Self {
        Self { total, per_address: per_address.max(1), table: Mutex::default() }
    }

    /// A slot for `address`; none if all are held and may not be ended.
    ///
    /// `ended` is cancelled when another takes the slot.
    pub(super) fn take(
        self: &Arc<Self>,
        address: IpAddr,
        ended: CancellationToken,
        may_end: impl Fn(&Progress) -> bool,
    ) -> Option<Share> {
        if self.total == 0 {
            return None;
        }
        let mut table = self.table();
        let own = table.count(address);
        if own >= self.per_address {
            table.end_one(Some(address), may_end)?;
        } else if table.holders.len() >= self.total {
            table.end_one(None, may_end)?;
        }
        let id = table.next;
        let progress = Arc::new(Progress { began: Instant::now(), bytes: AtomicU64::new(0) });
        table.next += 1;
        table.holders.push(Holder { id, address, ended: ended.clone(), progress: progress.clone() });
        Some(Share { id, ended, progress, shares: self.clone() })
    }

    /// The number of held slots.
    pub(super) fn held(&self) -> usize {
        self.table().holders.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }
}

impl Table {
    fn count(&self, address: IpAddr) -> usize {
        self.holders.iter().filter(|holder| holder.address == address).count()
    }

    /// Ends the oldest holder that may be ended, of `address` or of the address that holds the most; false if there is none.
    fn end_one(&mut self, address: Option<IpAddr>, may_end: impl Fn(&Progress) -> bool) -> Option<()> {
        let may_end = |holder: &&Holder| address.is_none_or(|it| it == holder.address) && may_end(&holder.progress);
        let candidates = self.holders.iter().filter(may_end);
        let victim = candidates.min_by_key(|holder| (std::cmp::Reverse(self.count(holder.address)), holder.id))?.id;
        self.remove(victim)?.ended.cancel();
        Some(())
    }

    fn remove(&mut self, id: u64) -> Option<Holder> {
        let at = self.holders.iter().position(|holder| holder.id == id)?;
        Some(self.holders.remove(at))
    }
}

/// A slot, released when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    id: u64,
    ended: CancellationToken,
    progress: Arc<Progress>,
    shares: Arc<Shares>,
}

impl Share {
    /// Cancelled when another takes the slot.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.table().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(shares: &Arc<Shares>, last: u8, may_end: impl Fn(&Progress) -> bool) -> Option<Share> {
        shares.take(IpAddr::from([192, 0, 2, last]), CancellationToken::new(), may_end)
    }

    #[test]
    fn who_holds_the_most_makes_room() {
        let shares = Arc::new(Shares::new(4, 3));
        let all = |_: &Progress| true;
        let many: Vec<Share> = (0..3).map(|_| take(&shares, 1, all).unwrap()).collect();
        let other = take(&shares, 2, all).unwrap();
        let newcomer = take(&shares, 3, all).unwrap();
        assert!(many[0].ended().is_cancelled() && !many[1].ended().is_cancelled() && !other.ended().is_cancelled());
        // Its own share is reached first.
        let fourth = take(&shares, 1, all).unwrap();
        assert!(!many[2].ended().is_cancelled() || many[1].ended().is_cancelled());
        assert_eq!(shares.held(), 4);
        drop((newcomer, fourth, many, other));
        assert_eq!(shares.held(), 0);
    }

    #[test]
    fn who_may_not_be_ended_stays() {
        let shares = Arc::new(Shares::new(2, 2));
        let held = [take(&shares, 1, |_| false), take(&shares, 2, |_| false)];
        assert!(held.iter().all(Option::is_some));
        assert!(take(&shares, 3, |_| false).is_none());
        let slow = |progress: &Progress| progress.is_slower_than(1, Duration::ZERO);
        held[0].as_ref().unwrap().progress().took(1 << 40);
        assert!(take(&shares, 3, slow).is_some());
        assert!(!held[0].as_ref().unwrap().ended().is_cancelled() && held[1].as_ref().unwrap().ended().is_cancelled());
    }
}
