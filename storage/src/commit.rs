//! One atomic write over all families: all of it or none.

use crate::Family;
use crate::engine::Changes;

/// Changes that are committed together by [`Database::commit`](crate::Database::commit).
pub struct Commit<'a> {
    pub(crate) changes: Changes<'a>,
    pub(crate) tally: Option<Vec<u8>>,
}

impl<'a> Commit<'a> {
    pub(crate) fn new(changes: Changes<'a>) -> Self {
        Self { changes, tally: None }
    }

    /// Sets a key.
    pub fn put(&mut self, family: Family, key: &[u8], value: &[u8]) {
        self.changes.put(family, key, value);
    }

    /// Removes a key.
    pub fn delete(&mut self, family: Family, key: &[u8]) {
        self.changes.delete(family, key);
    }

    /// Removes the keys from `from` (inclusive) to `to` (exclusive).
    pub fn delete_range(&mut self, family: Family, from: &[u8], to: &[u8]) {
        self.changes.delete_range(family, from, to);
    }

    /// What the tally holds once this is committed.
    pub fn tally(&mut self, body: Vec<u8>) {
        self.tally = Some(body);
    }

    /// Bytes that the commit will write.
    pub fn bytes(&self) -> usize {
        self.changes.bytes()
    }
}
