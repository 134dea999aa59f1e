//! The listening socket: binding it with an error that says what to do, serving until told to stop, and stopping within
//! a deadline. It does not know what is served.
//!
//! A client that is slow or silent holds nobody up: [`places`] bounds the connections and closes the oldest idle one for a
//! new one, [`client`] gives a request's head a deadline and cuts off who does not read, and hyper closes a connection on
//! which nothing is asked for too long.

mod accept;
pub(super) mod bind;
mod client;
mod extensions;
mod places;
mod settings;

pub use accept::serve;
pub use bind::bind;
pub(super) use extensions::{Client, Crowded, Lasting};
pub use places::open_files;
pub use settings::ConnectionSettings;
