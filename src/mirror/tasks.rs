//! What a mirror leaves to the runtime: disk access, statements that go on by themselves, and waiting. In a simulation, which
//! is one thread without a runtime, all of it happens where it is asked for, and time is the simulation's.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio_util::task::AbortOnDropHandle;

use super::failure::Failure;
use crate::clock;

/// Something that goes on by itself and is given up when this is dropped.
pub(super) type Started<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// Starts `work`.
pub(super) fn start<T: Send + 'static>(work: impl Future<Output = Result<T, Failure>> + Send + 'static) -> Started<T> {
    #[cfg(test)]
    if clock::simulated::is_on() {
        return Box::pin(work);
    }
    let task = AbortOnDropHandle::new(tokio::spawn(work));
    Box::pin(async move { task.await.map_err(|_| Failure::away("sending ended unexpectedly"))? })
}

/// Runs disk access on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    #[cfg(test)]
    if clock::simulated::is_on() {
        return Ok(work());
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Failure::away("disk access for a mirror ended unexpectedly"))
}

/// Waits for `time`.
pub(super) async fn sleep(time: Duration) {
    sleep_until(clock::moment() + time).await;
}

/// Waits until a moment.
pub(super) async fn sleep_until(then: Instant) {
    #[cfg(test)]
    if clock::simulated::is_on() {
        let poll = |_: &mut std::task::Context<'_>| match clock::moment() >= then {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        };
        return std::future::poll_fn(poll).await;
    }
    tokio::time::sleep_until(then.into()).await;
}
