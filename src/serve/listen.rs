//! The listening socket: binding it with an error that says what to do, serving until told to stop, and stopping within
//! a deadline. It does not know what is served.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Connections open at the same time; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 1024;

/// The address cannot be listened on; the text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("port {port} on {ip} is in use: stop the other program or choose another with --port", port = .0.port(), ip = .0.ip())]
    InUse(SocketAddr),
    /// The port needs a privilege.
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

/// Serves `router` until `shutdown` is cancelled, then lets open requests end for up to `deadline`.
///
/// # Errors
/// An I/O error of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    deadline: Duration,
) -> io::Result<()> {
    let limited = LimitedListener { listener, places: Arc::new(Semaphore::new(MAX_CONNECTIONS)) };
    let serving = axum::serve(limited, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let too_late = async {
        shutdown.cancelled().await;
        tokio::time::sleep(deadline).await;
    };
    tokio::select! {
        ended = serving => ended,
        () = too_late => {
            tracing::warn!(deadline_seconds = deadline.as_secs_f64(), "requests were still open at the shutdown deadline");
            Ok(())
        }
    }
}

/// A listener that holds no more than a number of connections at a time.
struct LimitedListener {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Listener for LimitedListener {
    type Io = LimitedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The semaphore is never closed, so a place always comes; without one the connection is simply not counted.
        let place = self.places.clone().acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        (LimitedStream { stream, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection and its place among those allowed.
struct LimitedStream {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for LimitedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for LimitedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
