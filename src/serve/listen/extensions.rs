//! Extensions of requests and responses, by which a connection and a handler exchange values. It knows neither.

use std::net::IpAddr;

use tokio_util::sync::CancellationToken;

use crate::serve::error::{ApiError, ErrorReason};

/// The client; an extension of every request.
#[derive(Debug, Clone)]
pub(in crate::serve) struct Client {
    /// The peer, or the client that a reverse proxy reports. For IPv6 the /64 network, since a client can use any address
    /// in it.
    pub(in crate::serve) address: IpAddr,
    /// It came by HTTPS, to this server or to a reverse proxy that says so.
    pub(in crate::serve) is_encrypted: bool,
    /// It came from this machine, and from no reverse proxy on it.
    pub(in crate::serve) is_here: bool,
    /// Cancelling it closes the connection at once.
    pub(in crate::serve) connection: CancellationToken,
}

impl Client {
    /// Passwords and secrets go to a client only where nobody can read along.
    ///
    /// # Errors
    /// [`ErrorReason::NeedsHttps`].
    pub(in crate::serve) fn takes_secrets(&self) -> Result<(), ApiError> {
        if self.is_encrypted || self.is_here { Ok(()) } else { Err(ApiError::new(ErrorReason::NeedsHttps)) }
    }
}

/// Marks a request on a connection beyond the limit: only health probes are answered there.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Crowded;

/// Marks a long-lived response, such as an event stream; an extension of the response. Its handler bounds their number.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Lasting;
