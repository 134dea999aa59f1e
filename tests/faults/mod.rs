//! The fault matrix: the program is killed at each of its failpoints and at random moments, files are damaged byte by byte,
//! disks fill up and fail, clocks leap. Every row ends with the dump of all state equal to that of a run without the fault, or
//! with a refusal that names what is wrong.
//!
//! Failpoints need the feature `failpoints` (`scripts/test` builds with it). What is random has a seed that is printed:
//! `FAULTS_SEED=N` repeats it, `FAULTS_KILLS=N` widens it. docs/faults.md has the matrix with its tests.

mod clock;
mod disk;
pub(crate) mod dump;
mod flipped;
mod mirrors;
pub(crate) mod points;
mod random;
mod replays;
mod starts;
mod takeover;
mod workload;
