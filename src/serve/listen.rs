//! The listening socket: binding it with an error that says what to do, serving until told to stop, and stopping within
//! a deadline. It does not know what is served.
//!
//! A client that is slow or silent holds nobody up: [`places`] bounds the connections and closes the oldest idle one for a
//! new one, [`client`] gives a request's head a deadline and cuts off who does not read, and hyper closes a connection on
//! which nothing is asked for too long.

mod client;
mod places;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use client::{Answering, ClientStream};
use places::{Place, Places, address_of};

pub(super) use client::Lasting;
pub use places::open_files;

/// Pause after the system could not give a connection, for instance for want of file descriptors.
const REST_AFTER_FAILURE: Duration = Duration::from_millis(50);
/// Bytes of a request's head, at most; hyper answers 431 beyond.
const MAX_HEAD_BYTES: usize = 96 << 10;

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

/// How many connections there may be, and how long they may be silent.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// Connections at the same time; a few more are taken for health alone.
    pub max: usize,
    /// Those of one address among them.
    pub max_per_address: usize,
    /// How long a client may take for a request's head.
    pub header_timeout: Duration,
    /// How long a connection stays open on which nothing is asked.
    pub idle_timeout: Duration,
    /// Reverse proxies: their own number is not limited, and they say who the client is in `X-Forwarded-For`.
    pub proxies: Vec<IpAddr>,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            max: 1024,
            max_per_address: 512,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            proxies: Vec::new(),
        }
    }
}

/// Who asks; an extension of every request.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// The peer, or whom a reverse proxy names. Of IPv6 the network of 64 bits, since a client has as many addresses in
    /// it as it likes.
    pub(super) address: IpAddr,
    /// Closes the connection at once when it is cancelled.
    pub(super) connection: CancellationToken,
}

/// Marks a request on a connection beyond those that are allowed: only health is answered there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowded;

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
/// None at present: what fails on one connection ends that connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: ConnectionSettings,
    shutdown: CancellationToken,
    deadline: Duration,
) -> io::Result<()> {
    let places = Arc::new(Places::new(settings));
    let connections = TaskTracker::new();
    let mut is_failing = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                is_failing = false;
                let place = places.take(address_of(peer.ip()));
                connections.spawn(connection(stream, place, router.clone(), places.clone(), shutdown.clone()));
            }
            Err(error) => {
                if !std::mem::replace(&mut is_failing, true) {
                    tracing::warn!(%error, "a connection could not be taken; idle ones are closed to make room");
                }
                places.close_oldest_idle();
                tokio::time::sleep(REST_AFTER_FAILURE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(deadline, connections.wait()).await.is_err() {
        tracing::warn!(deadline_seconds = deadline.as_secs_f64(), "requests were still open at the shutdown deadline");
    }
    Ok(())
}

/// One connection from its beginning to its end.
async fn connection(stream: TcpStream, place: Place, router: Router, places: Arc<Places>, shutdown: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let settings = places.settings();
    let state = place.state();
    let stream = ClientStream::new(stream, state.clone(), settings.header_timeout, shutdown.clone());
    let router = TowerToHyperService::new(router);
    let (peer, is_reserve) = (place.address(), place.is_reserve());
    let (proxies, connection) = (settings.proxies.clone(), place.evicted());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let address = client_address(peer, request.headers(), &proxies);
        request.extensions_mut().insert(Client { address, connection: connection.clone() });
        if is_reserve {
            request.extensions_mut().insert(Crowded);
        }
        let answering = Answering::begin(state.clone());
        let answered = router.call(request);
        async move { answered.await.map(|response| answering.until_sent(response)) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(settings.idle_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .keep_alive(!is_reserve);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let evicted = place.evicted();
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                break;
            }
            () = evicted.cancelled() => break,
            () = shutdown.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The peer, or the last address that a known proxy added.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    if !proxies.contains(&peer) {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let last = forwarded.and_then(|list| list.rsplit(',').next()).map(str::trim);
    last.and_then(|text| text.parse().ok()).map_or(peer, address_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_proxy_may_name_the_client() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = [ip("10.0.0.1")];
        for (peer, forwarded, expected) in [
            ("192.0.2.7", Some("198.51.100.1"), "192.0.2.7"),
            ("10.0.0.1", Some("198.51.100.1"), "198.51.100.1"),
            ("10.0.0.1", Some("203.0.113.5, 198.51.100.1"), "198.51.100.1"),
            ("10.0.0.1", Some("unknown"), "10.0.0.1"),
            ("10.0.0.1", Some("2001:db8::1:2:3:4"), "2001:db8::"),
            ("10.0.0.1", None, "10.0.0.1"),
        ] {
            let headers = HeaderMap::from_iter(
                forwarded.map(|text| (axum::http::HeaderName::from_static("x-forwarded-for"), text.parse().unwrap())),
            );
            assert_eq!(client_address(ip(peer), &headers, &proxies), ip(expected), "{peer} {forwarded:?}");
        }
    }
}
