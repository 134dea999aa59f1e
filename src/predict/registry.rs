//! The registry: which versions of the model were served here. It holds what `metadata.json` says, not the models, so it
//! can be lost; sled keeps it where there is a data directory.

use parking_lot::Mutex;
use serde_json::Value;

/// Versions that are kept.
pub const VERSIONS: usize = 100;

/// Keeps the versions that were served.
pub trait Registry: Send + Sync {
    /// Metadata of the versions, newest first, at most [`VERSIONS`].
    fn versions(&self) -> Vec<Value>;
    /// Notes a version.
    fn remember(&self, version: &str, metadata: &Value);
}

/// A registry in memory, lost when the process ends.
#[derive(Debug, Default)]
pub struct MemoryRegistry(Mutex<Vec<(String, Value)>>);

impl Registry for MemoryRegistry {
    fn versions(&self) -> Vec<Value> {
        let versions = self.0.lock();
        versions.iter().rev().map(|(_, metadata)| metadata.clone()).collect()
    }

    fn remember(&self, version: &str, metadata: &Value) {
        let mut versions = self.0.lock();
        versions.retain(|(known, _)| known != version);
        versions.push((version.to_owned(), metadata.clone()));
        let beyond = versions.len().saturating_sub(VERSIONS);
        versions.drain(..beyond);
    }
}
