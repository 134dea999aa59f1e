//! The mirrors against real servers: two MariaDB as `sql/` makes them, Redis, and a proxy in front of each that
//! refuses, stalls, cuts and truncates. The appliance is the real program, and is killed.
//!
//! `PLATEWATCH_TEST_ROWS` and `PLATEWATCH_TEST_OUTAGE_SECONDS` make the long test shorter for development.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../servers/mod.rs"]
mod servers;

mod appliance;
mod chaos;
mod list;
mod outage;
mod refused;
mod secrets;
mod through;
mod truth;

use std::time::Duration;

/// Anything that is awaited comes within this, or the test fails.
const PATIENCE: Duration = Duration::from_secs(180);

/// Passages of the simulator, with enough clones to find some.
fn simulated(count: u64, seed: u64, start: &str) -> Vec<u8> {
    let mut command = appliance::platewatch();
    command.args(["simulate", "--count", &count.to_string(), "--seed", &seed.to_string(), "--clone-every", "100"]);
    let output = command.args(["--start", start]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}
