//! Where passages come from. A source gives batches and, with each, the position behind it; the store commits both
//! together, so that after a restart the source goes on exactly behind the last commit.
//!
//! A source does not know the rule, the shards or the store: it is handed its last committed position and told when to
//! stop. Its batches of one partition must be the same passages in the same order however often it is restarted; how
//! they are cut into batches is free.

mod advice;
pub mod capture;
mod interface;
pub mod kafka;
pub mod live;
pub mod simulator;

pub use interface::{CommitListener, CommitPermit, MAX_BATCH_BYTES, Source, SourceError};
