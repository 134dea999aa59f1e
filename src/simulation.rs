//! A deterministic simulation: a group of appliances, the broker that they consume from and the disks that they write,
//! in one thread, driven by one seed (docs/simulation.md).
//!
//! Ledger, positions, takeover, writer, store, detection and followers are those of the program. What they stand on is
//! simulated: the disk in `storage::simulated`, the broker in `source::kafka::simulated`, the clock in `clock`. A seed
//! decides who takes the next step, what is lost, late or repeated, and who dies when; the same seed gives the same run.
//! After every step what must hold is checked ([`checks`]).
//!
//! Compiled for tests alone. `scripts/simulate` runs many seeds, and one again.
#![cfg(feature = "failpoints")]

mod appliance;
mod checks;
mod plan;
mod random;
mod tests;
mod trace;
mod traffic;
mod world;
