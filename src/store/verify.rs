//! Reads once, after a start, what a start does not read: bodies of sealed segments and rejects. So a damaged byte in
//! them is found then, not when a user needs them.

use std::time::{Duration, Instant};
use storage::Family;

use super::disk::segments::body;
use super::handle::StoreHandle;

/// It rests three times as long as it reads.
const REST: u32 = 3;

impl StoreHandle {
    /// Reads everything, slowly; returns whether it came to the end. `rest` waits, and says whether to stop.
    ///
    /// # Errors
    /// What is damaged.
    pub fn verify(&self, mut rest: impl FnMut(Duration) -> bool) -> Result<bool, String> {
        for entry in self.view().entries() {
            let started = Instant::now();
            let read = body(&self.reading.database, entry);
            if let Err(error) = read
                // What retention dropped meanwhile may be gone.
                && self.view().entries().any(|kept| std::sync::Arc::ptr_eq(kept, entry))
            {
                return Err(error.to_string());
            }
            if rest(started.elapsed() * REST) {
                return Ok(false);
            }
        }
        let mut started = Instant::now();
        for item in self.reading.database.scan(Family::Rejects, &[]) {
            if let Err(error) = item {
                return Err(error.to_string());
            }
            if started.elapsed() > Duration::from_millis(20) {
                if rest(started.elapsed() * REST) {
                    return Ok(false);
                }
                started = Instant::now();
            }
        }
        Ok(true)
    }
}
