//! Binding the listening socket, with an error that says what to change. It does not know what is served.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// The address cannot be listened on; the text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("port {port} on {ip} is in use: stop the other program or choose another with --port", port = .0.port(), ip = .0.ip())]
    InUse(SocketAddr),
    /// The port requires a privilege.
    #[error("port {port} on {ip} needs a privilege that this user does not have: choose one above 1023 with --port", port = .0.port(), ip = .0.ip())]
    Forbidden(SocketAddr),
    /// The address is not one of this machine.
    #[error("{ip} is no address of this machine: choose one that is, or 0.0.0.0 for all, as api.listen", ip = .0.ip())]
    NotLocal(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {0}: {1}; choose another address as api.listen")]
    Other(SocketAddr, io::Error),
}

/// Listens on `address`.
///
/// # Errors
/// [`BindError`] with a sentence for the user.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(address),
        io::ErrorKind::PermissionDenied => BindError::Forbidden(address),
        io::ErrorKind::AddrNotAvailable => BindError::NotLocal(address),
        _ => BindError::Other(address, error),
    })
}
