//! What requests and responses carry between a connection and a handler, as their extensions. It knows neither.

use std::net::IpAddr;

use tokio_util::sync::CancellationToken;

/// Who asks; an extension of every request.
#[derive(Debug, Clone)]
pub(in crate::serve) struct Client {
    /// The peer, or whom a reverse proxy names. Of IPv6 the network of 64 bits, since a client has as many addresses in
    /// it as it likes.
    pub(in crate::serve) address: IpAddr,
    /// Closes the connection at once when it is cancelled.
    pub(in crate::serve) connection: CancellationToken,
}

/// Marks a request on a connection beyond those that are allowed: only health is answered there.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Crowded;

/// Marks an answer that lasts by its nature, such as an event stream: as an extension of the response. How many there are
/// is bounded by whoever gives them.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Lasting;
