//! The account of every partition: what is stored, what was given to the writer, what is in hand; shared by the
//! consuming thread, the rebalance callback, the writer and whoever asks for the status.
//!
//! For each partition `stored ≤ given ≤ read`. Given becomes stored when the writer commits; read becomes given when a
//! batch leaves; on a revocation whatever is between given and read is dropped whole and belongs to the next owner.
//!
//! **Taking over.** What another process has consumed since this one stored anything of a partition is in its plate states,
//! not in ours. The offset that the group has committed tells where that process ended, and its metadata from where the
//! records of the last state TTL begin ([`Position::metadata`]): those are read once more and given to the writer as parts
//! of a [`Rebuild`], and only then is the partition's position the group's.
//!
//! **Leases.** A process that was asleep longer than its session may find batches in its queue that belong to another by
//! now. A batch that waited long is committed only after the group has taken a commit from this member
//! ([`Ledger::permit`]); else all that was given of the partition is read again by whoever owns it. It makes no call to Kafka.

mod account;
mod ends;
mod failure;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use traffic::{CivilTime, Dimension, LineParser, PassageBatch, Watermark, WatermarkState};

use super::keying::Keying;
use super::message::Reading;
use super::position::{Committed, Gap, Mark, Position, fingerprint};
use crate::source::{Batch, Lease, MAX_BATCH_BYTES, Rebuild};

const DAY: i64 = 86_400;
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
    /// What is read back before that.
    reading_back: Option<ReadingBack>,
    /// Whether the state that the writer holds is that of `stored`.
    intact: bool,
    /// How often the partition had been taken away.
    epoch: u64,
    /// What the record before the first one read must be, if it is still there.
    expected: Option<u64>,
    /// It was another.
    remade: bool,
    /// When a record of it came last.
    heard: Option<Instant>,
    /// What the group was told last.
    hinted: Option<i64>,
    /// End of the partition as the broker told last.
    end: Option<i64>,
    /// Offsets before that end which belong to transactions that are not decided yet.
    in_transaction: i64,
}

/// Passages that were read and not given yet.
#[derive(Debug)]
struct Hand {
    passages: PassageBatch,
    origins: Vec<(usize, Arc<str>)>,
    row_offsets: Vec<(usize, i64)>,
    bytes: usize,
    since: Instant,
}

/// Records that another process has stored, being read once more.
#[derive(Debug)]
struct ReadingBack {
    /// The offset that comes next.
    next: i64,
    /// The first offset that nobody has stored.
    until: i64,
    /// Whether the first part has not left yet: the watermark before it.
    begins: Option<WatermarkState>,
    /// The watermark at `until`, where it is known.
    watermark: Option<i64>,
    /// Whether this data directory lacks the records.
    foreign: bool,
    /// The last part is in hand, and behind it the partition stands here.
    ends: Option<Position>,
    hand: Option<Hand>,
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
    fetch_failure: Option<failure::FetchFailure>,
    /// The topic was not there when this process looked for it.
    topic_was_absent: bool,
    rebalances: u64,
    keying: Keying,
}

/// One message, as far as it matters here.
pub(super) struct Record<'a> {
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// Milliseconds since 1970 UTC, 0 if it has none.
    pub(super) timestamp: i64,
    pub(super) value: Option<&'a [u8]>,
}

/// The account.
#[derive(Debug)]
pub struct Ledger {
    topic: String,
    group: String,
    brokers: String,
    /// Seconds of event time that plate states reach back.
    state_ttl: i64,
    inner: Mutex<Inner>,
    stored: Condvar,
}

/// A partition that may stand where the broker has nothing, and the offset that it reads next, if it knows one.
pub(super) type Doubt = (i32, Option<i64>);

impl Ledger {
    pub(super) fn new(
        topic: &str,
        group: &str,
        brokers: &str,
        state_ttl: i64,
        stored: BTreeMap<i32, Position>,
    ) -> Self {
        let partitions = stored.into_iter().map(|(id, stored)| {
            let intact = !stored.is_partial(state_ttl);
            (id, Partition { stored: Some(stored), intact, ..Partition::default() })
        });
        Self {
            state_ttl,
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

    /// The partition comes to this process. It is not consumed before [`Ledger::begin_at`] or [`Ledger::begin_anew`].
    pub(super) fn assign(&self, partition: i32) {
        let mut inner = self.lock();
        let account = inner.partitions.entry(partition).or_default();
        account.assigned = true;
        inner.forget_read(partition);
    }

    /// Decides where a partition goes on, given what its group has committed; returns the offset to fetch from. None: the
    /// partition has no past anywhere, and [`Ledger::begin_anew`] is to be called.
    ///
    /// A group offset of another program does not tell from where to read back: `by_time` is asked, and if it does not
    /// know either, this fails with its error and is to be tried again.
    pub(super) fn begin_at<E>(
        &self,
        partition: i32,
        committed: Option<Committed>,
        by_time: impl FnOnce(i64) -> Result<i64, E>,
    ) -> Result<Option<i64>, E> {
        let (stored, intact) = match self.lock().partitions.get(&partition) {
            Some(account) if account.assigned => (account.stored.clone(), account.intact),
            _ => return Ok(None),
        };
        let ours = stored.as_ref().map(|stored| stored.next);
        let (base, from, until, watermark, foreign) = match (committed, stored) {
            // Another process went further: it has stored the records up to there.
            (Some(theirs), stored) if ours.is_none_or(|ours| theirs.next > ours) => {
                let (from, watermark) = match theirs.state {
                    Some(state) => state,
                    None => (Mark { offset: by_time(theirs.next)?, before: None }, None),
                };
                (stored.unwrap_or_default(), from, theirs.next, watermark, true)
            }
            (_, Some(stored)) if !intact => {
                let (from, until, watermark) = (stored.read_back_from(), stored.next, stored.watermark.time());
                (stored, from, until, watermark, false)
            }
            (_, Some(stored)) => {
                let mut inner = self.lock();
                let Some(account) = inner.partitions.get_mut(&partition) else { return Ok(None) };
                account.expected = stored.last.filter(|_| stored.next > 0);
                let from = stored.next - i64::from(account.expected.is_some());
                account.read = Some(stored);
                return Ok(Some(from));
            }
            (_, None) => return Ok(None),
        };
        if from.offset < until {
            tracing::info!(
                topic = self.topic,
                partition,
                from = from.offset,
                until,
                "reading back what another process has stored, to know the plates of the last minutes"
            );
        }
        let mut inner = self.lock();
        let Some(account) = inner.partitions.get_mut(&partition) else { return Ok(None) };
        account.intact = false;
        // Its ordinals begin anew: they matter only where fewer than three checkpoints send.
        let begins = WatermarkState { time: from.before, ..WatermarkState::default() };
        let read = Position { next: until, watermark: Watermark::of(&begins), last: None, trail: vec![from], ..base };
        account.read = Some(read);
        let back =
            ReadingBack { next: from.offset, until, begins: Some(begins), watermark, foreign, ends: None, hand: None };
        account.reading_back = Some(back);
        if from.offset >= until {
            account.end_reading_back();
            inner.set_oldest();
        }
        Ok(Some(from.offset))
    }

    /// The partition goes: what is in hand is dropped. Call [`Ledger::wait_until_stored`] before letting it go.
    pub(super) fn drop_hand(&self, partition: i32) {
        let mut inner = self.lock();
        inner.take_hands(partition);
        if let Some(account) = inner.partitions.get_mut(&partition).filter(|account| account.read.is_some()) {
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

    /// The partition is gone; what was given of it and is not stored may not be any more.
    pub(super) fn revoked(&self, partition: i32) {
        let mut inner = self.lock();
        inner.forget_read(partition);
        if let Some(account) = inner.partitions.get_mut(&partition) {
            account.assigned = false;
            account.end = None;
            account.in_transaction = 0;
            account.hinted = None;
        }
    }

    /// Whether `batch` may be committed. One that left the source more than `lease` ago may be only if `is_member` says
    /// that the group still counts this process in; else all that was given of the partition is forgotten.
    pub(super) fn permit(
        &self,
        batch: &Batch,
        lease: Duration,
        is_member: impl FnOnce(i32, &Position) -> bool,
    ) -> bool {
        let (Some(under), Ok(partition)) = (batch.lease, i32::try_from(batch.partition)) else { return true };
        let stored = match self.lock().partitions.get(&partition) {
            // What is stored is behind the group's offset until the state is intact.
            Some(account) if account.epoch == under.epoch => account.stored.clone().filter(|_| account.intact),
            _ => return false,
        };
        if under.since.elapsed() < lease || stored.is_some_and(|stored| is_member(partition, &stored)) {
            return true;
        }
        tracing::warn!(
            topic = self.topic,
            partition,
            "records waited longer than the group's session: they are left to whoever owns the partition now"
        );
        self.lock().forget_read(partition);
        self.stored.notify_all();
        false
    }

    /// Whether a partition that is assigned does not know yet where to go on.
    pub(super) fn is_undecided(&self) -> bool {
        self.lock().partitions.values().any(|account| account.assigned && account.read.is_none())
    }

    /// Takes a message into the hand of its partition; `now` may be a little old. One that is not the partition's next is
    /// from before a change of the assignment, and is dropped. False if the topic turned out to be made anew.
    pub(super) fn take(&self, record: &Record<'_>, reading: Reading, parser: &mut LineParser, now: Instant) -> bool {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let &Record { partition, offset, timestamp, value } = record;
        let Some(account) = inner.partitions.get_mut(&partition).filter(|account| account.assigned) else {
            return true;
        };
        if account.remade {
            return true;
        }
        let Some(read) = &mut account.read else { return true };
        let text = value.unwrap_or_default();
        let mut limit = parser.not_after();
        let mut back = account.reading_back.as_mut().filter(|back| back.ends.is_none());
        if let Some(reading_back) = &mut back {
            if offset < reading_back.next {
                return true;
            }
            reading_back.next = offset + 1;
            // What was rejected for its time then is no passage now.
            limit = limit.min(reading_back.watermark.map_or(limit, |watermark| CivilTime(watermark + DAY)));
            if offset >= reading_back.until {
                account.end_reading_back();
                inner.set_oldest();
                drop(guard);
                return self.take(record, reading, parser, now);
            }
        } else if offset < read.next {
            let expected = account.expected.take_if(|_| offset + 1 == read.next);
            if expected.is_some_and(|expected| expected != fingerprint(text, timestamp)) {
                account.remade = true;
                return false;
            }
            return true;
        }
        account.expected = None;
        account.heard = Some(now);
        inner.last_error = None;
        let is_back = back.is_some();
        let is_last = back.as_ref().is_some_and(|back| back.next >= back.until);
        let hand = match back {
            Some(back) => &mut back.hand,
            None => {
                read.next = offset + 1;
                read.nulls += u64::from(value.is_none());
                read.last = Some(fingerprint(text, timestamp));
                &mut account.hand
            }
        };
        let hand = hand.get_or_insert_with(Hand::new);
        let (lines, rows, rejects) = (hand.passages.lines, hand.passages.len(), hand.passages.rejects.len());
        let usual = parser.not_after();
        parser.set_not_after(limit);
        reading.take(text, parser, &mut hand.passages);
        parser.set_not_after(usual);
        let passages = hand.passages.times.iter().zip(&hand.passages.checkpoints).skip(rows);
        read.pass(offset, passages.map(|(time, checkpoint)| (*time, *checkpoint)), self.state_ttl);
        if hand.passages.len() > rows {
            hand.row_offsets.push((rows, offset));
        }
        if is_back {
            hand.passages.rejects.clear();
        } else {
            inner.keying.see(partition, &hand.passages, rows);
            if hand.passages.rejects.len() > rejects {
                hand.origins.push((rejects, format!("{}[{partition}]@{offset}", self.topic).into()));
            }
        }
        hand.bytes += text.len();
        // Numbers of names run through all partitions, so names leave with whichever batch is given next.
        inner.names.append(&mut hand.passages.new_names);
        inner.lines += hand.passages.lines - lines;
        inner.bytes += text.len();
        inner.oldest.get_or_insert(hand.since);
        if is_last {
            account.end_reading_back();
        }
        true
    }

    /// The largest hand if all hands together are full, or the oldest if it is older than `age`; as a batch to give.
    pub(super) fn give(&self, full: u64, age: Duration) -> Option<Result<Batch, storage::codec::CodecError>> {
        let mut inner = self.lock();
        let hands = inner.partitions.iter().filter_map(|(id, account)| account.front().map(|hand| (*id, hand)));
        let chosen = if inner.lines >= full || inner.bytes >= MAX_BATCH_BYTES {
            hands.max_by_key(|(_, hand)| (hand.bytes, hand.passages.lines)).map(|(id, _)| id)
        } else {
            inner.oldest.filter(|since| since.elapsed() >= age)?;
            hands.min_by_key(|(_, hand)| hand.since).map(|(id, _)| id)
        }?;
        let hand = inner.take_hand(chosen)?;
        let names = std::mem::take(&mut inner.names);
        let account = inner.partitions.get_mut(&chosen)?;
        let rebuild = account.reading_back.as_mut().map(|back| Rebuild {
            begins: back.begins.take(),
            ends: back.ends.as_ref().map(|position| position.watermark.time()),
        });
        // The position moves with all but the parts of a rebuild that are not its last.
        let moved = match account.reading_back.take() {
            Some(ReadingBack { ends: Some(ends), .. }) => Some(ends),
            Some(back) => {
                account.reading_back = Some(back);
                None
            }
            None => account.read.clone(),
        };
        let position = moved.as_ref().map(Position::encode).transpose();
        let next = moved.as_ref().or(account.read.as_ref()).map_or(0, |position| position.next);
        if moved.is_some() {
            account.given = moved;
        }
        let epoch = account.epoch;
        inner.set_oldest();
        Some(position.map(|position| Batch {
            partition: chosen.unsigned_abs(),
            passages: PassageBatch { new_names: names, ..hand.passages },
            origins: hand.origins,
            row_origins: vec![(0, format!("{}[{chosen}]", self.topic).into())],
            row_offsets: hand.row_offsets,
            position: position.unwrap_or_default(),
            position_name: Some(super::position::name(&self.topic, chosen)),
            place: format!("{}[{chosen}]@{next}", self.topic),
            rebuild,
            lease: Some(Lease { epoch, since: Instant::now() }),
        }))
    }

    /// The writer has committed a batch.
    pub fn committed(&self, batch: &Batch) {
        if batch.rebuild.as_ref().is_some_and(|rebuild| rebuild.ends.is_none()) {
            return;
        }
        let Ok(position) = Position::decode(&batch.position) else { return };
        let mut inner = self.lock();
        if let Some(account) = i32::try_from(batch.partition).ok().and_then(|id| inner.partitions.get_mut(&id)) {
            account.stored = Some(position);
            account.intact = true;
        }
        drop(inner);
        self.stored.notify_all();
    }

    /// Stored positions that the group does not know yet; from now on it is taken to.
    pub(super) fn hints(&self) -> Vec<(i32, Position)> {
        let mut inner = self.lock();
        let mut hints = Vec::new();
        for (id, account) in &mut inner.partitions {
            if let Some(stored) = account.for_group().filter(|stored| account.hinted != Some(stored.next)) {
                account.hinted = Some(stored.next);
                hints.push((*id, stored));
            }
        }
        hints
    }

    /// Stored positions of these partitions, those that the group was told among them: it may have refused them, as it
    /// does while it shares its partitions out, and its answer not be here yet.
    pub(super) fn last(&self, partitions: &[i32]) -> Vec<(i32, Position)> {
        let inner = self.lock();
        let stored = |id: &i32| Some((*id, inner.partitions.get(id)?.for_group()?));
        partitions.iter().filter_map(stored).collect()
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
        let doubtful = assigned.filter(|(_, account)| account.read.is_none() || account.remade || quiet(account));
        doubtful.map(|(id, account)| (*id, account.fetches())).collect()
    }

    /// The partitions that are assigned, and the offset that each reads next, if it knows one.
    pub(super) fn reads(&self) -> Vec<Doubt> {
        let inner = self.lock();
        let assigned = inner.partitions.iter().filter(|(_, account)| account.assigned);
        assigned.map(|(id, account)| (*id, account.fetches())).collect()
    }

    /// Begins a partition without a past at `next`, which is to be stored even if no record follows.
    pub(super) fn begin_anew(&self, partition: i32, next: i64) {
        self.lock().move_read(partition, |account| {
            account.read = Some(Position::at(next));
            account.intact = true;
        });
    }

    /// Whether the partition's position is beyond `offset`, or what is read back ends there.
    pub(super) fn is_beyond(&self, partition: i32, offset: i64) -> bool {
        let inner = self.lock();
        inner
            .partitions
            .get(&partition)
            .and_then(|account| account.read.as_ref())
            .is_some_and(|read| read.next > offset)
    }

    /// Compares the partition's position with what the broker has. A gap is recorded, to be stored even if no record
    /// follows. Returns the offset to fetch from, and the gap.
    pub(super) fn reconcile(&self, partition: i32, low: i64, high: i64, now: i64) -> Option<(i64, Option<Gap>)> {
        let mut inner = self.lock();
        let account = inner.partitions.get_mut(&partition).filter(|account| account.assigned)?;
        if let Some(back) = account.reading_back.as_mut().filter(|back| back.ends.is_none()) {
            let lost = low.min(back.until) - back.next;
            if lost > 0 {
                tracing::warn!(
                    topic = self.topic,
                    partition,
                    lost,
                    "records to read back are gone from Kafka: clones that they would have told are missed"
                );
                back.next += lost;
            }
            if back.next < back.until && back.next <= high {
                return Some((back.next, None));
            }
            account.end_reading_back();
            inner.set_oldest();
        }
        let account = inner.partitions.get_mut(&partition)?;
        let read = account.read.as_mut()?;
        let gap = if std::mem::take(&mut account.remade) {
            Some(read.begin_again(low, high, now))
        } else {
            read.skip_to(low, high, now)
        };
        let next = read.next;
        if gap.is_some() {
            account.expected = None;
            inner.move_read(partition, |_| {});
        }
        Some((next, gap))
    }
}
