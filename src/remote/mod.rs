//! The reader of the `api` role: it answers from MySQL (through MyCat, or from both instances) and from the Redis list,
//! and holds no data of its own.
//!
//! It answers what local storage answers for the same data; `deploy/README.md` lists where the two differ and why.
//! All statistics come from one scan of the table, whose result is kept a while and made anew beside the requests
//! ([`refreshed`]). While a server is away its questions are refused at once with a sentence that says which one it is,
//! the others are answered, and a watch knocks until it is back.
//!
//! It does not know who writes the tables and the list, nor HTTP.

mod cache;
mod error;
mod passages;
mod reader;
mod refreshed;
pub(crate) mod rows;
mod snapshot;
mod start;
mod statements;
mod statistics;
mod target;
mod warnings;
mod watch;

pub use error::RemoteError;
pub use reader::Remote;
