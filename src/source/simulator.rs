//! Simulated traffic: vehicles travel a network of checkpoints, cameras report them, and some plates are cloned.
//!
//! A pure generator. Time is event time and begins at [`SimulatorSettings::start`]; a caller with a clock paces by
//! [`Simulator::next_due`]. Equal settings give equal bytes on every machine: all chance comes from seeded streams, in
//! integer maths. Memory does not grow with the number of lines.
//!
//! The parts: the [`rhythm`] says when trips start, the [`fleet`] which vehicle starts, the [`trip`] where it goes over
//! the [`network`], the [`camera`] which line it produces, and the [`truth`] which lines of one plate come from different
//! vehicles. On [`ideal`] roads every clock is right and every road alike; on [`real`] ones neither is.

mod camera;
mod chance;
mod event;
mod facts;
mod fleet;
mod generator;
mod ideal;
mod lateness;
mod models;
mod network;
mod plates;
mod real;
mod region;
mod rhythm;
mod settings;
#[cfg(test)]
mod tests;
mod trip;
mod truth;

pub use generator::Simulator;
pub use settings::{Roads, SimulatorSettings};
