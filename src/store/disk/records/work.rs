//! The work on an alert as bytes.

use storage::{Database, Family, codec};
use traffic::CivilTime;

use crate::store::StoreError;
use crate::store::disk::keys;
use crate::work::{AlertWork, WorkEntry, WorkReason, WorkStatus};

/// A change as it is stored: when, who, from, to, and why as a text.
type FirstEntry = (i64, String, WorkStatus, WorkStatus, String);

/// Layout 1: state, version and the changes.
type FirstWork = (WorkStatus, u64, Vec<FirstEntry>);

/// An [`AlertWork`] as it is stored, layout 2: each change also has a reason.
pub(in crate::store) type StoredWork = (WorkStatus, u64, Vec<(FirstEntry, Option<WorkReason>)>);

pub(in crate::store) fn encode(work: &AlertWork) -> Result<Vec<u8>, codec::CodecError> {
    let entry =
        |entry: &WorkEntry| ((entry.at.0, entry.by.clone(), entry.from, entry.to, entry.note.clone()), entry.reason);
    let stored: StoredWork = (work.status, work.version, work.history.iter().map(entry).collect());
    codec::encode(keys::WORK, &stored)
}

pub(in crate::store) fn decode(bytes: &[u8]) -> Result<AlertWork, codec::CodecError> {
    let (status, version, history): StoredWork = match codec::version(keys::WORK, bytes)? {
        1 => {
            let (status, version, history): FirstWork = codec::decode(keys::WORK, bytes)?;
            (status, version, history.into_iter().map(|entry| (entry, None)).collect())
        }
        _ => codec::decode(keys::WORK, bytes)?,
    };
    let entry = |((at, by, from, to, note), reason)| WorkEntry { at: CivilTime(at), by, from, to, note, reason };
    Ok(AlertWork { status, version, history: history.into_iter().map(entry).collect() })
}

/// The work on an alert; the default if it was never changed.
pub(in crate::store) fn load(database: &Database, seq: u64) -> Result<AlertWork, StoreError> {
    match database.get(Family::Meta, &keys::work(seq))? {
        Some(bytes) => decode(&bytes).map_err(|error| database.damaged("the work on an alert", &error).into()),
        None => Ok(AlertWork::default()),
    }
}
