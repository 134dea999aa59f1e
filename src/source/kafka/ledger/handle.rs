//! What crosses threads: the accounts of all partitions under one lock, and a signal to wait on until something is
//! stored. The files beside this one use them.

use std::collections::BTreeMap;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::account::Partition;
use super::accounts::Accounts;
use crate::source::kafka::position::PartitionPosition;

/// The account.
#[derive(Debug)]
pub struct Ledger {
    pub(super) topic: String,
    pub(super) group: String,
    pub(super) brokers: String,
    /// Seconds of event time that are read back.
    pub(super) read_back: i64,
    pub(super) inner: Mutex<Accounts>,
    pub(super) stored: Condvar,
}

impl Ledger {
    pub(in crate::source::kafka) fn new(
        topic: &str,
        group: &str,
        brokers: &str,
        read_back: i64,
        lacking: i64,
        stored: BTreeMap<i32, PartitionPosition>,
    ) -> Self {
        let partitions = stored.into_iter().map(|(id, stored)| {
            let intact = !stored.is_partial(lacking);
            (id, Partition { stored: Some(stored), intact, ..Partition::default() })
        });
        Self {
            read_back,
            topic: topic.to_owned(),
            group: group.to_owned(),
            brokers: brokers.to_owned(),
            inner: Mutex::new(Accounts { partitions: partitions.collect(), ..Accounts::default() }),
            stored: Condvar::new(),
        }
    }

    pub(in crate::source::kafka) fn topic(&self) -> &str {
        &self.topic
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.inner.lock()
    }
}
