//! One atomic write over all families: all of it or none.

use rocksdb::{DB, WriteBatch};

use crate::Family;

/// Changes that are committed together by [`Database::commit`](crate::Database::commit).
pub struct Commit<'a> {
    pub(crate) batch: WriteBatch,
    db: &'a DB,
    pub(crate) tally: Option<Vec<u8>>,
}

impl<'a> Commit<'a> {
    pub(crate) fn new(db: &'a DB) -> Self {
        Self { batch: WriteBatch::default(), db, tally: None }
    }

    /// Sets a key.
    pub fn put(&mut self, family: Family, key: &[u8], value: &[u8]) {
        self.batch.put_cf(family.handle(self.db), key, value);
    }

    /// Removes a key.
    pub fn delete(&mut self, family: Family, key: &[u8]) {
        self.batch.delete_cf(family.handle(self.db), key);
    }

    /// Removes the keys from `from` (inclusive) to `to` (exclusive).
    pub fn delete_range(&mut self, family: Family, from: &[u8], to: &[u8]) {
        self.batch.delete_range_cf(family.handle(self.db), from, to);
    }

    /// What the tally holds once this is committed.
    pub fn tally(&mut self, body: Vec<u8>) {
        self.tally = Some(body);
    }

    /// Bytes that the commit will write.
    pub fn bytes(&self) -> usize {
        self.batch.size_in_bytes()
    }
}
