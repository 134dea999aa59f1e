//! How long tests wait for what must happen.

use std::time::{Duration, Instant};

/// What the program does by itself comes within this, or the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the program does with real servers on a busy machine comes within this, or the test fails.
pub(crate) const LONG: Duration = Duration::from_secs(180);

/// Asks until `condition` holds; panics naming `what` when that takes longer than `limit`.
#[track_caller]
pub(crate) fn wait_until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {limit:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
