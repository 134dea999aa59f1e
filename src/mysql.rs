//! Connections to MySQL within the limits of MyCat 1.6: text protocol, one statement per query, a deadline for every
//! call.
//!
//! MyCat breaks prepared statements, answers wrongly on a connection that has seen an error, and has no TLS; the driver
//! would ask it for a socket and reconnect past it. So here every statement is text, a connection that saw any error is
//! thrown away, and the driver asks nothing on connecting. [`MysqlPool`] bounds how many connections are open to one
//! address; [`endpoint`] finds out what listens there, [`nodes`] whether an answer can be trusted, [`fitness`] whether
//! what is written arrives. [`table`] alone knows the tables; errors never hold a password.

mod answer;
mod endpoint;
mod error;
mod fitness;
mod literal;
mod nodes;
mod pool;
mod session;
pub(crate) mod table;

pub(crate) use answer::{civil_time, texts, whole};
pub use error::MysqlError;
pub use fitness::Fit;
pub use literal::push_text;
pub use pool::{MAX_STATEMENT_BYTES, MysqlPool};
