//! Rejects: lines that were not accepted, each with its reason and its beginning, within a number of bytes.
//!
//! Their number of bytes is in `meta` and changes with every commit that adds or drops some. The directory of an older
//! program has no such number: it is counted once, when the directory is opened.

use shard::ShardCount;
use storage::codec::{self};
use storage::{Commit, Database, Family};
use traffic::{Fate, NameTable, Reject, RejectReason};

use super::store::Store;
use crate::batch::Batch;
use crate::store::StoreError;
use crate::store::disk::keys;
use crate::store::disk::records::{RefusedRow, StoredReject};

/// How many rejects of earlier commits a commit may drop beyond as many as it adds, so that no commit is long.
const DROP_AT_ONCE: usize = 4096;
/// An odd text longer than this cannot be a field of a line: such a row is a reject.
const MAX_TEXT_BYTES: usize = traffic::LineParser::MAX_LINE_BYTES;

/// The bytes that a stored reject counts as.
fn weight(value: &[u8]) -> u64 {
    value.len() as u64 + size_of::<u64>() as u64
}

/// Bytes of the rejects that are kept.
pub(super) fn load_bytes(database: &Database) -> Result<u64, StoreError> {
    if let Some(bytes) = database.get(Family::Meta, keys::REJECTS_BYTES_KEY)? {
        let bytes = codec::decode(keys::REJECTS_BYTES, &bytes);
        return Ok(bytes.map_err(|error| database.damaged("the size of the rejects", &error))?);
    }
    let mut bytes = 0;
    for item in database.scan(Family::Rejects, &[]) {
        let (key, value) = item?;
        if keys::is_refused(&key) {
            break;
        }
        bytes += weight(&value);
    }
    Ok(bytes)
}

impl Store {
    /// Writes what the parser rejected and what the detector did, in the order of their lines.
    pub(super) fn write_rejects(
        &mut self,
        batch: &Batch,
        fates: &[Fate],
        commit: &mut Commit<'_>,
    ) -> Result<(), StoreError> {
        let before = self.rejects_bytes;
        let mut written = Vec::new();
        let conflicts = fates.iter().enumerate().filter(|(_, fate)| **fate == Fate::Conflict);
        let mut conflicts = conflicts.map(|(row, _)| row).peekable();
        for (index, reject) in batch.passages.rejects.iter().enumerate() {
            while let Some(row) = conflicts.next_if(|row| *row < reject.row as usize) {
                written.push(self.write_conflict(batch, row, commit)?);
            }
            written.push(self.write_reject(batch.origin_of(index), reject, commit)?);
        }
        for row in conflicts {
            written.push(self.write_conflict(batch, row, commit)?);
        }
        self.crowd_out(&written, commit)?;
        if self.rejects_bytes != before {
            self.write_rejects_bytes(commit)?;
        }
        Ok(())
    }

    /// As [`Store::write_reject`], for a row that came again with another time.
    fn write_conflict(&mut self, batch: &Batch, row: usize, commit: &mut Commit<'_>) -> Result<(u64, u64), StoreError> {
        let raw = batch.passages.line(row, &self.state.names);
        let number = batch.passages.raw.number(row);
        let reject = Reject::new(number, row, RejectReason::GcxhConflict, &raw, raw.len() as u64);
        self.detection.conflict(batch.passages.id_text(row));
        self.write_reject(&batch.origin_of_row(row), &reject, commit)
    }

    /// Numbers and writes a reject; returns its number and the bytes that it counts as.
    fn write_reject(
        &mut self,
        origin: &str,
        reject: &Reject,
        commit: &mut Commit<'_>,
    ) -> Result<(u64, u64), StoreError> {
        let seq = self.state.totals.reject(reject.reason);
        let stored = StoredReject {
            origin: origin.to_owned(),
            line: reject.line,
            reason: reject.reason,
            raw: match &self.settings.plates {
                Some(cipher) => cipher.seal(&reject.raw),
                None => reject.raw.clone(),
            },
            near: self.state.totals.last_time,
            bytes: reject.bytes,
        };
        let value = codec::encode(keys::REJECT, &stored)?;
        self.rejects_bytes += weight(&value);
        commit.put(Family::Rejects, &seq.to_be_bytes(), &value);
        Ok((seq, weight(&value)))
    }

    fn write_rejects_bytes(&self, commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let value = codec::encode(keys::REJECTS_BYTES, &self.rejects_bytes)?;
        commit.put(Family::Meta, keys::REJECTS_BYTES_KEY, &value);
        Ok(())
    }

    /// Drops the oldest rejects, those from before `oldest`, up to a bound. Returns the number after the last that was
    /// dropped.
    pub(super) fn expire_rejects(&mut self, oldest: i64, commit: &mut Commit<'_>) -> Result<u64, StoreError> {
        // A line rejected before the first passage counts as old as that passage.
        let first = self.state.totals.first_time;
        let is_old = |value: &[u8]| {
            let near = StoredReject::decode(value).ok().and_then(|reject| reject.near.or(first));
            near.is_some_and(|near| near < oldest)
        };
        let database = self.shared.reading.database.clone();
        let dropped = self.drop_rejects(DROP_AT_ONCE, |_, value| is_old(value), commit)?;
        if dropped > 0 {
            self.write_rejects_bytes(commit)?;
        }
        drop_refused(&database, self.shards(), oldest, DROP_AT_ONCE, commit)?;
        Ok(self.state.totals.oldest_reject)
    }

    /// Drops the oldest rejects while all together take more bytes than they may: those of earlier commits, up to a bound
    /// beyond as many as `written`, then those that this commit has written.
    fn crowd_out(&mut self, written: &[(u64, u64)], commit: &mut Commit<'_>) -> Result<(), StoreError> {
        let most = self.settings.rejects_size.filter(|_| self.settings.expires).unwrap_or(u64::MAX);
        let bound = DROP_AT_ONCE + written.len();
        let mut dropped = self.drop_rejects(bound, |bytes, _| bytes > most, commit)?;
        if dropped < bound as u64 {
            for (seq, weight) in written {
                if self.rejects_bytes <= most {
                    break;
                }
                commit.delete(Family::Rejects, &seq.to_be_bytes());
                self.rejects_bytes = self.rejects_bytes.saturating_sub(*weight);
                self.state.totals.oldest_reject = seq + 1;
                dropped += 1;
            }
        }
        if dropped > 0 && !std::mem::replace(&mut self.rejects_crowded, true) {
            tracing::warn!(
                rejects = dropped,
                most,
                "rejected lines take more than store.rejects_size: the oldest are dropped, their counts by reason stay"
            );
        }
        Ok(())
    }

    /// Drops the oldest rejects of earlier commits while `too_many` says so of the bytes that all take and of the oldest,
    /// up to `bound`; returns how many.
    fn drop_rejects(
        &mut self,
        bound: usize,
        too_many: impl Fn(u64, &[u8]) -> bool,
        commit: &mut Commit<'_>,
    ) -> Result<u64, StoreError> {
        let from = self.state.totals.oldest_reject.max(1);
        let mut dropped = 0;
        let database = self.shared.reading.database.clone();
        for item in database.scan(Family::Rejects, &from.to_be_bytes()).take(bound) {
            let (key, value) = item?;
            let Some(seq) = keys::last_u64(&key).filter(|_| !keys::is_refused(&key)) else { break };
            if !too_many(self.rejects_bytes, &value) {
                break;
            }
            commit.delete(Family::Rejects, &key);
            self.rejects_bytes = self.rejects_bytes.saturating_sub(weight(&value));
            self.state.totals.oldest_reject = seq + 1;
            dropped += 1;
        }
        Ok(dropped)
    }
}

/// The batch without rows that could not be read back, which are rejects instead, and their numbers; none if it has no such row. The
/// parser accepts no such field; this protects against any other source.
pub(super) fn isolate(batch: &Batch) -> Option<(Batch, Vec<usize>)> {
    let passages = &batch.passages;
    let texts = passages.odd_ids.iter().chain(&passages.odd_plates);
    let mut bad: Vec<_> = texts.filter(|(_, text)| text.len() > MAX_TEXT_BYTES).map(|(row, _)| *row as usize).collect();
    if bad.is_empty() {
        return None;
    }
    bad.sort_unstable();
    bad.dedup();
    let mut sound = batch.with_passages(passages.clone());
    sound.passages.remove_rows(&bad);
    let earlier = |from: usize| bad.partition_point(|row| *row < from);
    sound.row_origins.iter_mut().for_each(|(from, _)| *from -= earlier(*from));
    sound.row_offsets.iter_mut().for_each(|(from, _)| *from -= earlier(*from));
    let end = sound.passages.len();
    for row in &bad {
        // A line with an odd text is kept as it came, whatever its names are.
        let (line, number) = (passages.line(*row, &NameTable::default()), passages.raw.number(*row));
        sound.origins.push((sound.passages.rejects.len(), batch.origin_of_row(*row).into()));
        let reject = Reject::new(number, end, RejectReason::LineTooLong, &line, line.len() as u64);
        sound.passages.rejects.push(reject);
    }
    tracing::error!(rows = bad.len(), "rows with a text that cannot be stored are kept as rejects");
    Some((sound, bad))
}

/// Removes refused rows that are older than `oldest`, up to a bound.
pub(super) fn drop_refused(
    database: &Database,
    shards: ShardCount,
    oldest: i64,
    at_once: usize,
    commit: &mut Commit<'_>,
) -> Result<(), StoreError> {
    for shard in shards.ids() {
        let to = keys::refused(shard, u64::MAX);
        for item in database.scan(Family::Rejects, &keys::refused(shard, 0)).take(at_once) {
            let (key, value) = item?;
            let expired = codec::decode::<RefusedRow>(keys::REFUSED, &value).is_ok_and(|row| row.gcsj < oldest);
            if *key > to[..] || !expired {
                break;
            }
            commit.delete(Family::Rejects, &key);
        }
    }
    Ok(())
}
