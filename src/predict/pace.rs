//! The pace of training: as fast as possible, or in the background, where it rests three quarters of the time so that
//! the pipeline keeps both cores. It does not know what is trained.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Works this long without a rest.
const STRETCH: Duration = Duration::from_millis(5);
/// Then rests this many times as long.
const REST_SHARE: u32 = 3;
/// The longest rest, so that a stop is noticed.
const LONGEST_REST: Duration = Duration::from_millis(200);

/// The pace of a piece of work.
#[derive(Debug)]
pub struct Pace {
    background: Option<(CancellationToken, Cell<Instant>)>,
}

/// The work was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

impl Pace {
    /// As fast as possible, to the end.
    pub fn full() -> Self {
        Self { background: None }
    }

    /// Beside other work, until `stop`.
    pub fn background(stop: CancellationToken) -> Self {
        Self { background: Some((stop, Cell::new(Instant::now()))) }
    }

    /// To be called every few milliseconds of work.
    ///
    /// # Errors
    /// [`Stopped`] if the work is to end.
    pub fn step(&self) -> Result<(), Stopped> {
        let Some((stop, since)) = &self.background else { return Ok(()) };
        if stop.is_cancelled() {
            return Err(Stopped);
        }
        let worked = since.get().elapsed();
        if worked >= STRETCH {
            std::thread::sleep((worked * REST_SHARE).min(LONGEST_REST));
            since.set(Instant::now());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn background_work_rests_and_hears_the_stop() {
        let stop = CancellationToken::new();
        let pace = Pace::background(stop.clone());
        std::thread::sleep(STRETCH);
        let before = Instant::now();
        pace.step().unwrap();
        assert!(before.elapsed() >= STRETCH * REST_SHARE);
        stop.cancel();
        assert_eq!(pace.step(), Err(Stopped));
        assert_eq!(Pace::full().step(), Ok(()));
    }
}
