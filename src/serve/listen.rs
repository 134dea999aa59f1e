//! The listening socket: binding it with an error that says what to do, serving until the stop signal, and stopping within
//! a deadline. It does not know what is served.
//!
//! A slow or silent client does not delay others: [`places`] bounds the connections and closes the oldest idle one for a
//! new one, [`client`] sets a deadline for the head of a request and closes connections whose client does not read, and hyper
//! closes connections that are idle for too long. [`tls`] encrypts them, if a certificate is configured; what is sent by
//! plain HTTP is then refused.

mod accept;
pub(super) mod bind;
mod client;
mod extensions;
mod places;
mod settings;
mod tls;

pub use accept::serve;
pub use bind::bind;
pub(super) use extensions::{Client, Crowded, Lasting};
pub(super) use places::address_of;
pub use places::open_files;
pub use settings::ConnectionSettings;
#[cfg(any(test, fuzzing))]
pub(super) use tls::certificate_ends_at;
pub use tls::{Tls, TlsFiles};
