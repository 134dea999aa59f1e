//! Segments as a whole: what is encoded comes back, damage is noticed, old bytes stay readable, scans find what a plain
//! filter finds.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod coarse;
mod damage;
mod golden;
mod road;
mod round_trip;
mod scan;
