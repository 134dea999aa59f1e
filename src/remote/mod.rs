//! The reader of the `api` role: it answers from MySQL (through MyCat, or from both instances) and from the Redis lists,
//! and holds no data of its own.
//!
//! It answers what local storage answers for the same data; `deploy/README.md` lists where the two differ and why.
//! All statistics come from one scan of the table, whose result is kept for a while and renewed in the background
//! ([`refreshed`]). While a server is away, queries to it are refused at once with a sentence that names it, the others
//! are answered, and a watch probes it until it is back.
//!
//! It does not know who writes the tables and the list, nor HTTP.

mod cache;
mod case_changes;
mod cases;
mod error;
mod passages;
mod reader;
mod refreshed;
mod snapshot;
mod start;
mod statements;
mod statistics;
mod target;
mod warnings;
mod watch;

pub use error::RemoteError;
pub use reader::Remote;
