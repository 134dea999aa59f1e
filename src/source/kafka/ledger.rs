//! The account of every partition: what is stored, what was given to the writer, what is in hand; shared by the
//! consuming thread, the rebalance callback, the writer and whoever asks for the status.
//!
//! For each partition `stored ≤ given ≤ read`. Given becomes stored when the writer commits; read becomes given when a
//! batch leaves; on a revocation whatever is between given and read is dropped whole and belongs to the next owner. It
//! makes no call to Kafka.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use traffic::{Dimension, LineParser, PassageBatch};

use super::keying::Keying;
use super::message::Reading;
use super::position::{Gap, GapCause, Position};
use crate::source::Batch;
use crate::status::{KafkaGap, KafkaPartition, KafkaStatus};

/// Bytes of values in hand that end a batch, whatever the lines.
const MAX_HAND_BYTES: usize = 32 << 20;
/// How long a revocation waits for the writer.
const REVOKE_DEADLINE: Duration = Duration::from_secs(30);
/// A partition whose last record is older than this while another is in trouble may be the one.
pub(super) const QUIET: Duration = Duration::from_secs(3);

/// One partition's account.
#[derive(Debug, Default)]
struct Partition {
    assigned: bool,
    stored: Option<Position>,
    given: Option<Position>,
    read: Option<Position>,
    hand: Option<Hand>,
    /// When a record of it came last.
    heard: Option<Instant>,
    /// What the group was told last.
    hinted: Option<i64>,
    /// End of the partition as the broker told last.
    end: Option<i64>,
}

/// Passages that were read and not given yet.
#[derive(Debug)]
struct Hand {
    passages: PassageBatch,
    origins: Vec<(usize, Arc<str>)>,
    bytes: usize,
    since: Instant,
}

impl Hand {
    fn new() -> Self {
        Self { passages: PassageBatch::default(), origins: Vec::new(), bytes: 0, since: Instant::now() }
    }
}

#[derive(Debug, Default)]
struct Inner {
    partitions: BTreeMap<i32, Partition>,
    names: Vec<(Dimension, Arc<str>)>,
    lines: u64,
    bytes: usize,
    oldest: Option<Instant>,
    connected: Option<bool>,
    away_since: Option<i64>,
    last_error: Option<String>,
    rebalances: u64,
    keying: Keying,
}

/// The account.
#[derive(Debug)]
pub struct Ledger {
    topic: String,
    group: String,
    brokers: String,
    inner: Mutex<Inner>,
    stored: Condvar,
}

/// A partition that may stand where the broker has nothing, and the offset that it reads next, if it knows one.
pub(super) type Doubt = (i32, Option<i64>);

impl Ledger {
    pub(super) fn new(topic: &str, group: &str, brokers: &str, stored: BTreeMap<i32, Position>) -> Self {
        let partitions =
            stored.into_iter().map(|(id, stored)| (id, Partition { stored: Some(stored), ..Partition::default() }));
        Self {
            topic: topic.to_owned(),
            group: group.to_owned(),
            brokers: brokers.to_owned(),
            inner: Mutex::new(Inner { partitions: partitions.collect(), ..Inner::default() }),
            stored: Condvar::new(),
        }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group has shared its partitions out anew.
    pub(super) fn rebalanced(&self) {
        self.lock().rebalances += 1;
    }

    /// The partition comes to this process; returns the offset to begin at, none where the group's offset decides.
    pub(super) fn assign(&self, partition: i32) -> Option<i64> {
        let mut inner = self.lock();
        let account = inner.partitions.entry(partition).or_default();
        account.assigned = true;
        account.heard = None;
        account.read.clone_from(&account.stored);
        account.given.clone_from(&account.stored);
        account.stored.as_ref().map(|stored| stored.next)
    }

    /// The partition goes: what is in hand is dropped. Call [`Ledger::wait_until_stored`] before letting it go.
    pub(super) fn drop_hand(&self, partition: i32) {
        let mut inner = self.lock();
        inner.take_hand(partition);
        if let Some(account) = inner.partitions.get_mut(&partition) {
            account.read.clone_from(&account.given);
        }
    }

    /// Waits until all that was given of the partition is stored, so that its next owner finds it in the group's offset.
    /// False if that took too long.
    pub(super) fn wait_until_stored(&self, partition: i32) -> bool {
        let deadline = Instant::now() + REVOKE_DEADLINE;
        let mut inner = self.lock();
        loop {
            let open = inner.partitions.get(&partition).is_some_and(|account| account.given != account.stored);
            let left = deadline.saturating_duration_since(Instant::now());
            if !open || left.is_zero() {
                return !open;
            }
            inner = self.stored.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The partition is gone.
    pub(super) fn revoked(&self, partition: i32) {
        if let Some(account) = self.lock().partitions.get_mut(&partition) {
            account.assigned = false;
            account.end = None;
            account.hinted = None;
        }
    }

    /// Takes a message into the hand of its partition; `now` may be a little old. One that is not the partition's next is from before a change of
    /// the assignment, and is dropped.
    pub(super) fn take(
        &self,
        (partition, offset): (i32, i64),
        value: Option<&[u8]>,
        reading: Reading,
        parser: &mut LineParser,
        now: Instant,
    ) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let Some(account) = inner.partitions.get_mut(&partition).filter(|account| account.assigned) else { return };
        let read = account.read.get_or_insert_with(|| {
            tracing::warn!(
                topic = self.topic,
                partition,
                offset,
                "a partition begins where its group stood: this data directory has nothing of what came before, and clones \
                 across this point are missed"
            );
            Position::at(offset)
        });
        if offset < read.next {
            return;
        }
        account.heard = Some(now);
        inner.last_error = None;
        read.next = offset + 1;
        read.nulls += u64::from(value.is_none());
        let value = value.unwrap_or_default();
        let hand = account.hand.get_or_insert_with(Hand::new);
        let (lines, rows, rejects) = (hand.passages.lines, hand.passages.len(), hand.passages.rejects.len());
        reading.take(value, parser, &mut hand.passages);
        inner.keying.see(partition, &hand.passages, rows);
        if hand.passages.rejects.len() > rejects {
            hand.origins.push((rejects, format!("{}[{partition}]@{offset}", self.topic).into()));
        }
        hand.bytes += value.len();
        // Numbers of names run through all partitions, so names leave with whichever batch is given next.
        inner.names.append(&mut hand.passages.new_names);
        inner.lines += hand.passages.lines - lines;
        inner.bytes += value.len();
        inner.oldest.get_or_insert(hand.since);
    }

    /// Whether nothing is in hand, so that the clock of the parser may be set.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().oldest.is_none()
    }

    /// The largest hand if all hands together are full, or the oldest if it is older than `age`; as a batch to give.
    pub(super) fn give(&self, full: u64, age: Duration) -> Option<Result<Batch, storage::codec::CodecError>> {
        let mut inner = self.lock();
        let hands = inner.partitions.iter().filter_map(|(id, account)| account.hand.as_ref().map(|hand| (*id, hand)));
        let chosen = if inner.lines >= full || inner.bytes >= MAX_HAND_BYTES {
            hands.max_by_key(|(_, hand)| (hand.bytes, hand.passages.lines)).map(|(id, _)| id)
        } else {
            inner.oldest.filter(|since| since.elapsed() >= age)?;
            hands.min_by_key(|(_, hand)| hand.since).map(|(id, _)| id)
        }?;
        let hand = inner.take_hand(chosen)?;
        let names = std::mem::take(&mut inner.names);
        let account = inner.partitions.get_mut(&chosen)?;
        account.given.clone_from(&account.read);
        let position = account.given.as_ref()?;
        let place = format!("{}[{chosen}]@{}", self.topic, position.next);
        Some(position.encode().map(|position| Batch {
            partition: chosen.unsigned_abs(),
            passages: PassageBatch { new_names: names, ..hand.passages },
            origins: hand.origins,
            position,
            position_name: Some(super::position::name(&self.topic, chosen)),
            place,
        }))
    }

    /// The writer has committed a batch.
    pub fn committed(&self, batch: &Batch) {
        let Ok(position) = Position::decode(&batch.position) else { return };
        let mut inner = self.lock();
        if let Some(account) = i32::try_from(batch.partition).ok().and_then(|id| inner.partitions.get_mut(&id)) {
            account.stored = Some(position);
        }
        drop(inner);
        self.stored.notify_all();
    }

    /// Stored positions that the group does not know yet; from now on it is taken to.
    pub(super) fn hints(&self) -> Vec<(i32, i64)> {
        let mut inner = self.lock();
        let mut hints = Vec::new();
        for (id, account) in inner.partitions.iter_mut().filter(|(_, account)| account.assigned) {
            let stored = account.stored.as_ref().map(|stored| stored.next);
            if let Some(next) = stored.filter(|_| account.hinted != stored) {
                hints.push((*id, next));
                account.hinted = stored;
            }
        }
        hints
    }

    /// The group was not told after all: all positions are hints again.
    pub(super) fn forget_hints(&self) {
        self.lock().partitions.values_mut().for_each(|account| account.hinted = None);
    }

    /// Partitions that have not begun, and those that have been quiet since before `since`.
    pub(super) fn doubts(&self, since: Instant) -> Vec<Doubt> {
        let inner = self.lock();
        let assigned = inner.partitions.iter().filter(|(_, account)| account.assigned);
        let quiet = |account: &Partition| {
            since.elapsed() >= QUIET && account.heard.is_none_or(|heard| heard.elapsed() >= QUIET)
        };
        let doubtful = assigned.filter(|(_, account)| account.read.is_none() || quiet(account));
        doubtful.map(|(id, account)| (*id, account.read.as_ref().map(|read| read.next))).collect()
    }

    /// The partitions that are assigned, and the offset that each reads next, if it knows one.
    pub(super) fn reads(&self) -> Vec<Doubt> {
        let inner = self.lock();
        let assigned = inner.partitions.iter().filter(|(_, account)| account.assigned);
        assigned.map(|(id, account)| (*id, account.read.as_ref().map(|read| read.next))).collect()
    }

    /// Begins a partition without a past at `next`, which is to be stored even if no record follows.
    pub(super) fn begin(&self, partition: i32, next: i64) {
        self.lock().move_read(partition, |read| *read = Some(Position::at(next)));
    }

    /// Compares the partition's position with what the broker has. A gap is recorded, to be stored even if no record
    /// follows. Returns the offset to read on at, and the gap.
    pub(super) fn reconcile(&self, partition: i32, low: i64, high: i64, now: i64) -> Option<(i64, Option<Gap>)> {
        let mut inner = self.lock();
        let account = inner.partitions.get_mut(&partition).filter(|account| account.assigned)?;
        let read = account.read.as_mut()?;
        let gap = read.skip_to(low, high, now);
        let next = read.next;
        if gap.is_some() {
            inner.move_read(partition, |_| {});
        }
        Some((next, gap))
    }

    /// Notes the end of a partition.
    pub(super) fn set_end(&self, partition: i32, end: i64) {
        if let Some(account) = self.lock().partitions.get_mut(&partition) {
            account.end = Some(end);
        }
    }

    /// Notes whether any broker can be reached; true if that is news.
    pub(super) fn set_connected(&self, connected: bool, now: i64) -> bool {
        let mut inner = self.lock();
        let news = inner.connected.replace(connected) != Some(connected);
        if !connected {
            inner.away_since.get_or_insert(now);
        } else if news {
            inner.away_since = None;
            inner.last_error = None;
        }
        news
    }

    /// Notes what the client complained of last; true if it is news.
    pub(super) fn set_error(&self, text: String) -> bool {
        let mut inner = self.lock();
        let news = inner.last_error.as_ref() != Some(&text);
        inner.last_error = Some(text);
        news
    }

    /// How consumption is.
    pub fn status(&self) -> KafkaStatus {
        let inner = self.lock();
        let partitions = inner.partitions.iter().map(|(&id, account)| {
            let stored = account.stored.clone().unwrap_or_default();
            let position = account.stored.as_ref().map(|stored| stored.next);
            let recent_gaps = stored.recent.iter().map(|gap| KafkaGap {
                first: gap.first,
                last: gap.last,
                found_unix: gap.found,
                cause: GapCause::as_str(gap.cause),
            });
            KafkaPartition {
                partition: id.unsigned_abs(),
                assigned: account.assigned,
                position,
                end: account.end,
                lag: account.end.map(|end| (end - position.unwrap_or(0)).max(0)).filter(|_| account.assigned),
                gaps: stored.gaps,
                missing: stored.missing,
                nulls: stored.nulls,
                recent_gaps: recent_gaps.collect(),
            }
        });
        KafkaStatus {
            topic: self.topic.clone(),
            group: self.group.clone(),
            brokers: self.brokers.clone(),
            connected: inner.connected == Some(true),
            away_since_unix: inner.away_since,
            last_error: inner.last_error.clone(),
            rebalances: inner.rebalances,
            advice: inner.keying.advice().map(str::to_owned),
            partitions: partitions.collect(),
        }
    }
}

impl Inner {
    fn take_hand(&mut self, partition: i32) -> Option<Hand> {
        let hand = self.partitions.get_mut(&partition)?.hand.take()?;
        self.lines -= hand.passages.lines;
        self.bytes -= hand.bytes;
        self.oldest = self.partitions.values().filter_map(|account| account.hand.as_ref()).map(|hand| hand.since).min();
        Some(hand)
    }

    /// Changes what is read of a partition in such a way that a batch carries it to the store.
    fn move_read(&mut self, partition: i32, change: impl FnOnce(&mut Option<Position>)) {
        let Some(account) = self.partitions.get_mut(&partition) else { return };
        change(&mut account.read);
        let since = account.hand.get_or_insert_with(Hand::new).since;
        self.oldest = Some(self.oldest.map_or(since, |oldest| oldest.min(since)));
    }
}
