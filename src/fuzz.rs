//! Fuzzing: what may come from outside, or from a damaged disk, in any form at all. A target is a function of bytes that
//! panics where something that must hold does not: nothing panics, what is written is read back, and what has a naive model
//! agrees with it.
//!
//! cargo-fuzz runs the targets through `fuzz/` (nightly); on stable `tests` do, with inputs that `driver` makes from those in
//! `fuzz/corpus/`. Compiled for tests and under `cfg(fuzzing)` alone; the program does not hold it. Targets that
//! need what a module keeps to itself stand beside it, as `store::fuzz`.

#[cfg(test)]
mod allocations;
mod audit;
mod checkpoints;
mod config;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod driver;
mod file;
pub(crate) mod frame;
mod line;
#[cfg(test)]
mod mutator;
pub(crate) mod outcome;
mod ring;
mod segment;
mod sql;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod wildcard;
mod zone;

pub use table::run;
