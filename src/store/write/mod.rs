//! The one writer: a commit is one write over all families, opening restores the state after the last one, and between
//! them retention drops what is too old.

mod commit;
mod detection;
mod evidence;
mod forget;
mod lifetimes;
mod loss;
mod migrate;
mod open;
mod plate_key;
mod rejects;
mod retention;
mod store;
mod takeover;

pub use forget::Forgotten;
#[cfg(test)]
pub(super) use store::Saving;
pub use store::Store;
