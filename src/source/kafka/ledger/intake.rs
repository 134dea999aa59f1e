//! Records come in and leave as batches, which the writer commits. It does not know where a partition begins.

use std::time::{Duration, Instant};

use traffic::{CivilTime, Dimension, LineParser, PassageBatch};

use super::account::{Pending, ReadingBack};
use super::handle::Ledger;
use crate::batch::{Batch, Lease, Takeover};
use crate::clock;
use crate::source::MAX_BATCH_BYTES;
use crate::source::SourceError;
use crate::source::kafka::position::{self, PartitionPosition, fingerprint};
use crate::source::message::Reading;

const DAY: i64 = 86_400;

/// One message, as far as it matters here.
pub struct Record<'a> {
    pub(in crate::source::kafka) partition: i32,
    pub(in crate::source::kafka) offset: i64,
    /// Milliseconds since 1970 UTC, 0 if it has none.
    pub(in crate::source::kafka) timestamp: i64,
    pub(in crate::source::kafka) value: Option<&'a [u8]>,
}

impl Ledger {
    /// Adds a message to what is pending of its partition; `now` may be a little old. One that is not the partition's next
    /// is from before a change of the assignment, and is dropped. False if the topic turned out to be another one.
    pub(in crate::source::kafka) fn push(
        &self,
        record: &Record<'_>,
        reading: Reading,
        parser: &mut LineParser,
        now: Instant,
    ) -> bool {
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
            // What was rejected for its time then is not a passage now.
            limit = limit.min(reading_back.watermark.map_or(limit, |watermark| CivilTime(watermark + DAY)));
            if offset >= reading_back.until {
                account.end_reading_back();
                inner.set_oldest();
                drop(guard);
                return self.push(record, reading, parser, now);
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
        let pending = match back {
            Some(back) => &mut back.pending,
            None => {
                read.next = offset + 1;
                read.nulls += u64::from(value.is_none());
                read.last = Some(fingerprint(text, timestamp));
                &mut account.pending
            }
        };
        let pending = pending.get_or_insert_with(Pending::new);
        let (lines, rows, rejects) = (pending.passages.lines, pending.passages.len(), pending.passages.rejects.len());
        let usual = parser.not_after();
        parser.set_not_after(limit);
        reading.take(text, parser, &mut pending.passages);
        parser.set_not_after(usual);
        let passages = pending.passages.times.iter().zip(pending.passages.names(Dimension::Checkpoint)).skip(rows);
        read.pass(offset, passages.map(|(time, checkpoint)| (*time, *checkpoint)), self.read_back);
        if pending.passages.len() > rows {
            pending.row_offsets.push((rows, offset));
        }
        if is_back {
            pending.passages.rejects.clear();
        } else {
            inner.keying.see(partition, &pending.passages, rows);
            if pending.passages.rejects.len() > rejects {
                pending.origins.push((rejects, format!("{}[{partition}]@{offset}", self.topic).into()));
            }
        }
        pending.bytes += text.len();
        // Names are numbered across all partitions, so they leave with whichever batch is given next.
        inner.names.append(&mut pending.passages.new_names);
        inner.lines += pending.passages.lines - lines;
        inner.bytes += text.len();
        inner.oldest.get_or_insert(pending.since);
        if is_last {
            account.end_reading_back();
        }
        true
    }

    /// As a batch, what is pending of the partition with most of it if all together is enough for one, or the oldest if it is
    /// older than `age`.
    pub(in crate::source::kafka) fn next_batch(&self, full: u64, age: Duration) -> Option<Result<Batch, SourceError>> {
        let mut inner = self.lock();
        let pending = inner.partitions.iter().filter_map(|(id, account)| account.front().map(|pending| (*id, pending)));
        let chosen = if inner.lines >= full || inner.bytes >= MAX_BATCH_BYTES {
            pending.max_by_key(|(_, pending)| (pending.bytes, pending.passages.lines)).map(|(id, _)| id)
        } else {
            inner.oldest.filter(|since| clock::since(*since) >= age)?;
            pending.min_by_key(|(_, pending)| pending.since).map(|(id, _)| id)
        }?;
        let pending = inner.take_pending(chosen)?;
        let names = std::mem::take(&mut inner.names);
        let account = inner.partitions.get_mut(&chosen)?;
        let takeover = account.reading_back.as_mut().map(|back| Takeover {
            begins: back.begins.take(),
            ends: back.ends.as_ref().map(|position| position.watermark.time()),
        });
        // The position moves with all but the parts of a takeover that are not its last.
        let moved = match account.reading_back.take() {
            Some(ReadingBack { ends: Some(ends), .. }) => Some(ends),
            Some(back) => {
                account.reading_back = Some(back);
                None
            }
            None => account.read.clone(),
        };
        let is_part = takeover.as_ref().is_some_and(|takeover| takeover.ends.is_none());
        let position = match &moved {
            Some(position) => {
                position.encode().map_err(|error| SourceError::Failed(format!("a position cannot be stored: {error}")))
            }
            None if is_part => Ok(Vec::new()),
            None => {
                debug_assert!(false, "records of a partition whose position is not known");
                Err(SourceError::Failed(format!("records of {}[{chosen}] have no position", self.topic)))
            }
        };
        let position = match position {
            Ok(position) => position,
            Err(error) => return Some(Err(error)),
        };
        let before = if moved.is_some() { account.given_bytes.replace(position.clone()) } else { None };
        let next = moved.as_ref().or(account.read.as_ref()).map_or(0, |position| position.next);
        if moved.is_some() {
            account.given = moved;
        }
        let (epoch, doubt) = (account.epoch, account.doubt);
        // Before anything of this turn: the process may sleep between any two steps.
        let since = doubt.or(inner.turned).unwrap_or_else(clock::moment);
        inner.set_oldest();
        Some(Ok(Batch {
            partition: chosen.unsigned_abs(),
            passages: PassageBatch { new_names: names, ..pending.passages },
            origins: pending.origins,
            row_origins: vec![(0, format!("{}[{chosen}]", self.topic).into())],
            row_offsets: pending.row_offsets,
            before,
            position,
            position_name: Some(position::name(&self.topic, chosen)),
            place: format!("{}[{chosen}]@{next}", self.topic),
            takeover,
            lease: Some(Lease { epoch, since }),
        }))
    }

    /// The writer has committed a batch.
    pub fn committed(&self, batch: &Batch) {
        if batch.takeover.as_ref().is_some_and(|takeover| takeover.ends.is_none()) {
            return;
        }
        let position = match PartitionPosition::decode(&batch.position) {
            Ok(position) => position,
            Err(error) => {
                debug_assert!(false, "a committed position cannot be read: {error}");
                tracing::error!(%error, place = batch.place, "a committed position cannot be read, the group does not get it");
                return;
            }
        };
        let mut inner = self.lock();
        if let Some(account) = i32::try_from(batch.partition).ok().and_then(|id| inner.partitions.get_mut(&id)) {
            account.stored = Some(position);
            account.intact = true;
            account.leads |= batch.lease.is_some_and(|under| under.epoch == account.epoch);
        }
        drop(inner);
        self.stored.notify_all();
    }
}
