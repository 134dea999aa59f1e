//! What a view answers about rejects: read from the disk, newest first.

use storage::Family;
use traffic::{CivilTime, RejectReason};

use super::view::{View, read_error};
use crate::reader::{ReadError, RejectPiece, RejectRow};
use crate::store::disk::keys;
use crate::store::disk::records::StoredReject;

/// Rejects that one question looks at; there may be millions with other reasons than the requested one.
const MAX_REJECTS_LOOKED_AT: usize = 20_000;

impl View {
    /// See [`Snapshot::rejects`](crate::reader::Snapshot::rejects).
    pub(in crate::store) fn rejects_before(
        &self,
        reason: Option<RejectReason>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<RejectPiece, ReadError> {
        let oldest = self.totals.oldest_reject.max(1);
        let newest = self.totals.rejects.min(before.map_or(u64::MAX, |before| before.saturating_sub(1)));
        let mut piece =
            RejectPiece { kept: (self.totals.rejects + 1).saturating_sub(oldest), ..RejectPiece::default() };
        if newest < oldest {
            return Ok(piece);
        }
        for (looked_at, item) in self.reading.database.scan_back(Family::Rejects, &newest.to_be_bytes()).enumerate() {
            let (key, value) = item.map_err(read_error)?;
            let seq = number_of(&key)?;
            if seq < oldest {
                break;
            }
            if piece.records.len() >= limit || looked_at >= MAX_REJECTS_LOOKED_AT {
                piece.next = Some(seq + 1);
                break;
            }
            let StoredReject { origin, line, reason: found, raw, near, bytes } =
                StoredReject::decode(&value).map_err(read_error)?;
            if reason.is_none_or(|reason| reason == found) {
                let near = near.map(CivilTime);
                piece.records.push(RejectRow { seq, origin, line, reason: found, raw, near, bytes });
            }
        }
        Ok(piece)
    }

    /// Rejects with a number above `seq`, oldest first, each with its number.
    ///
    /// # Errors
    /// [`ReadError`] if they could not be read.
    pub fn rejects_after(&self, seq: u64, limit: usize) -> Result<Vec<(u64, StoredReject)>, ReadError> {
        self.reading
            .database
            .scan(Family::Rejects, &seq.saturating_add(1).to_be_bytes())
            .take_while(|item| item.as_ref().map_or(true, |(key, _)| !keys::is_refused(key)))
            .take(limit)
            .map(|item| {
                let (key, value) = item.map_err(read_error)?;
                let reject = StoredReject::decode(&value).map_err(read_error)?;
                Ok((number_of(&key)?, reject))
            })
            .collect()
    }
}

fn number_of(key: &[u8]) -> Result<u64, ReadError> {
    keys::last_u64(key).ok_or_else(|| read_error("a reject stands under an unknown key"))
}
