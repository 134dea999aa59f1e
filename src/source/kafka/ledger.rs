//! The account of every partition: what is stored, what was given to the writer, what is pending; shared by the
//! consuming thread, the rebalance callback, the writer and the status.
//!
//! For each partition `stored ≤ given ≤ read`. Given becomes stored when the writer commits; read becomes given when a
//! batch leaves; on a revocation whatever is between given and read is dropped whole and belongs to the next owner.
//! It makes no call to Kafka.

mod account;
mod accounts;
mod assignment;
mod ends;
mod failure;
mod gaps;
mod handle;
mod hints;
mod intake;
mod status;
#[cfg(test)]
mod tests;

pub(super) use failure::QUIET;
pub use handle::Ledger;
pub(super) use intake::Record;
