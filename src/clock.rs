//! The machine's clock. It is read here and nowhere else, as seconds since 1970 UTC or as civil time in a zone.
//!
//! Code that only needs the time takes a [`Clock`] or a number, so that a test can give another. Durations are measured
//! with [`std::time::Instant`], which is no clock in this sense. This module does not know what the time is used for.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
