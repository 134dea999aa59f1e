//! The machine's clock. It is read here and nowhere else, as seconds since 1970 UTC or as civil time in a zone.
//!
//! Code that only needs the time takes a [`Clock`] or a number, so that a test can give another. Durations are measured
//! with [`moment`], which is no clock in this sense. This module does not know what the time is used for.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use traffic::{CivilTime, TimeZoneName};

/// Gives the current civil time in the configured zone.
pub type Clock = Arc<dyn Fn() -> CivilTime + Send + Sync>;

/// Seconds since 1970 UTC; 0 if the clock is set before that.
pub fn unix_now() -> i64 {
    since_1970().as_secs() as i64
}

/// Milliseconds since 1970 UTC; 0 if the clock is set before that.
pub fn unix_millis() -> i64 {
    since_1970().as_millis() as i64
}

/// Microseconds since 1970 UTC; 0 if the clock is set before that.
pub fn unix_micros() -> u64 {
    since_1970().as_micros() as u64
}

/// The current civil time in `zone`.
pub fn civil_now(zone: &TimeZoneName) -> CivilTime {
    CivilTime(civil_now_ms(zone).div_euclid(1000))
}

/// The current civil time in `zone`, in milliseconds.
pub fn civil_now_ms(zone: &TimeZoneName) -> i64 {
    let now = since_1970();
    let seconds = now.as_secs() as i64;
    zone.civil(seconds).map_or(seconds, |civil| civil.0) * 1000 + i64::from(now.subsec_millis())
}

/// The present moment, to measure durations with.
pub fn moment() -> Instant {
    #[cfg(test)]
    if let Some((moment, _)) = simulated::now() {
        return moment;
    }
    Instant::now()
}

/// How long ago a moment was.
pub fn since(then: Instant) -> Duration {
    moment().saturating_duration_since(then)
}

fn since_1970() -> Duration {
    #[cfg(test)]
    if let Some((_, since_1970)) = simulated::now() {
        return since_1970;
    }
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The clock of a simulation, which runs in one thread.
#[cfg(test)]
pub(crate) mod simulated {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    /// What the clock shows at the beginning of a simulation: the 3rd of January 2024.
    const BEGINNING: Duration = Duration::from_secs(1_704_240_000);

    thread_local! {
        static NOW: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
    }

    /// From now on this thread's clock is `time` after the beginning; none: it is the machine's again.
    pub(crate) fn set(time: Option<Duration>) {
        NOW.with(|now| {
            let origin = now.get().map_or_else(Instant::now, |(origin, _)| origin);
            now.set(time.map(|time| (origin, time)));
        });
    }

    /// Whether this thread is a simulation.
    pub(crate) fn is_on() -> bool {
        NOW.with(Cell::get).is_some()
    }

    pub(super) fn now() -> Option<(Instant, Duration)> {
        NOW.with(|now| now.get().map(|(origin, time)| (origin + time, BEGINNING + time)))
    }
}
