//! The work on an alert as bytes.

use storage::{Database, Family, codec};
use traffic::CivilTime;

use crate::store::StoreError;
use crate::store::disk::keys;
use crate::work::{AlertWork, WorkEntry, WorkStatus};

/// An [`AlertWork`] as it is stored: state, version, then when, who, from, to and why of each change.
pub(in crate::store) type StoredWork = (WorkStatus, u64, Vec<(i64, String, WorkStatus, WorkStatus, String)>);

pub(in crate::store) fn encode(work: &AlertWork) -> Result<Vec<u8>, codec::CodecError> {
    let entry = |entry: &WorkEntry| (entry.at.0, entry.by.clone(), entry.from, entry.to, entry.note.clone());
    let stored: StoredWork = (work.status, work.version, work.history.iter().map(entry).collect());
    codec::encode(keys::WORK, &stored)
}

pub(in crate::store) fn decode(bytes: &[u8]) -> Result<AlertWork, codec::CodecError> {
    let (status, version, history) = codec::decode::<StoredWork>(keys::WORK, bytes)?;
    let entry = |(at, by, from, to, note)| WorkEntry { at: CivilTime(at), by, from, to, note };
    Ok(AlertWork { status, version, history: history.into_iter().map(entry).collect() })
}

/// The work on an alert; the default if it was never changed.
pub(in crate::store) fn load(database: &Database, seq: u64) -> Result<AlertWork, StoreError> {
    match database.get(Family::Meta, &keys::work(seq))? {
        Some(bytes) => decode(&bytes).map_err(|error| database.damaged("the work on an alert", &error).into()),
        None => Ok(AlertWork::default()),
    }
}
