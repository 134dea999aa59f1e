//! Where passages come from. A source gives batches and, with each, the position after it; the store commits both
//! together, so that after a restart the source resumes exactly after the last commit.
//!
//! A source does not know the rule, the shards or the store: it is given its last committed position and a stop signal.
//! Its batches of one partition must be the same passages in the same order after any restart; how they are
//! cut into batches is free.

mod advice;
pub mod capture;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod http;
mod interface;
pub mod kafka;
pub mod live;
mod message;
mod objects;
pub mod simulator;

pub use interface::{CommitListener, CommitPermit, MAX_BATCH_BYTES, Source, SourceError};
