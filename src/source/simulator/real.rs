//! Traffic on real roads: roads wind and fill up each in its own way, cameras have clocks and errors of their own, some
//! plates are worn by two cars all day, some numbers are lawful twins, and the traffic changes over the weeks.
//!
//! Vehicles move in true time, from one checkpoint to the next; none is ever faster than the roads allow. What the
//! cameras make of that is the [`recorder`]'s. Chance for traffic and chance for cameras are two streams, so the same
//! vehicles pass at the same times whatever the cameras are like.
//!
//! It holds only journeys under way, by the time of their next passage, and lines that have not arrived: both are
//! bounded.

mod agents;
mod arrivals;
mod clock;
mod facts;
mod faults;
mod generator;
mod levels;
mod misreads;
mod recorder;
mod segments;
#[cfg(test)]
mod tests;
mod wheel;

pub(super) use generator::Real;
