//! The listening socket: binding it with an error that says what to do, serving until told to stop, and stopping within
//! a deadline. A client that does not read what it asked for is cut off, at a shutdown at once. It does not know what is
//! served.

use std::future::Future as _;
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
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Connections open at the same time; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 1024;
/// A client that takes no byte for so long, although some wait for it, is cut off.
const LONGEST_STALL: Duration = Duration::from_secs(60);
/// The same while the server stops: what nobody reads must not hold it up.
const LONGEST_STALL_AT_SHUTDOWN: Duration = Duration::from_millis(500);

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
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let limited = LimitedListener { listener, places, shutdown: shutdown.clone() };
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
    shutdown: CancellationToken,
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
        let shutdown = Box::pin(self.shutdown.clone().cancelled_owned());
        (LimitedStream { stream, shutdown: Some(shutdown), stalled: None, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection and its place among those allowed. It fails when its client reads nothing for too long.
struct LimitedStream {
    stream: TcpStream,
    /// None once the server stops.
    shutdown: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// Runs while the client takes nothing of what is written.
    stalled: Option<Pin<Box<Sleep>>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl LimitedStream {
    /// What a write has come to, or an error if the client has taken nothing for too long.
    fn or_stalled(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        if self.shutdown.as_mut().is_some_and(|shutdown| shutdown.as_mut().poll(cx).is_ready()) {
            self.shutdown = None;
            self.stalled = None;
        }
        let longest = if self.shutdown.is_some() { LONGEST_STALL } else { LONGEST_STALL_AT_SHUTDOWN };
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        stalled.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing")))
    }
}

impl AsyncRead for LimitedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for LimitedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.or_stalled(cx, written)
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.or_stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
