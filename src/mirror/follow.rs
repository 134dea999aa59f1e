//! The trait of a mirror, and the loop that runs it again after each failure, with growing pauses. It does not know
//! targets.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::health::{Health, Pauses};

/// Follows the store and keeps one target up to date with it.
pub(super) trait Mirror: Send {
    /// Its state, which the loop and the status share.
    fn health(&self) -> Arc<Health>;

    /// Makes sure that the target has what it acknowledged, sends what it lacks, and goes on as more is committed. It
    /// only returns when the target fails; called again, it resumes after what was acknowledged.
    fn run(&mut self) -> impl Future<Output = Failure> + Send;
}

/// Runs a mirror until `stop`, with a pause after each failure.
pub(super) async fn follow(mut mirror: impl Mirror, longest_pause: Duration, stop: CancellationToken) {
    let health = mirror.health();
    let mut pauses = Pauses::new(longest_pause);
    loop {
        let before = health.acknowledged();
        let failure = tokio::select! {
            failure = mirror.run() => failure,
            () = stop.cancelled() => return,
        };
        if health.acknowledged() != before {
            pauses.reset();
        }
        let pause = pauses.next();
        health.failed(&failure, pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}
