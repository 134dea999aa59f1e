//! Accepting connections until the stop signal, and serving each of them.

use std::io;
use std::net::IpAddr;
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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client::{Answering, ClientStream};
use super::extensions::{Client, Crowded};
use super::places::{Place, Places, address_of};
use super::settings::ConnectionSettings;
use super::tls::Tls;
use crate::serve::error::{ApiError, ErrorReason};

/// Pause after an accept failed, for example because file descriptors ran out.
const REST_AFTER_FAILURE: Duration = Duration::from_millis(50);
/// Maximum bytes of the head of a request; hyper answers 431 beyond.
const MAX_HEAD_BYTES: usize = 96 << 10;

/// Serves `router` until `shutdown` is cancelled, then waits up to `deadline` for open requests.
///
/// # Errors
/// None at present: a failure on one connection ends only that connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: ConnectionSettings,
    shutdown: CancellationToken,
    deadline: Duration,
) -> io::Result<()> {
    if let Some(tls) = settings.tls.clone() {
        tokio::spawn(tls.follow(shutdown.clone()));
    }
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
                    tracing::warn!(%error, "cannot accept a connection; closing idle ones");
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

/// Serves one connection.
async fn connection(stream: TcpStream, place: Place, router: Router, places: Arc<Places>, shutdown: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let settings = places.settings();
    let client = |stream| ClientStream::new(stream, place.state(), settings.header_timeout, shutdown.clone());
    let evicted = place.evicted();
    // A connection in its handshake has sent no request: it ends for another client, and at shutdown.
    let opened = tokio::select! {
        opened = opened(stream, settings.tls.as_deref(), client, settings.header_timeout) => opened,
        () = evicted.cancelled() => return,
        () = shutdown.cancelled() => return,
    };
    match opened {
        Ok(Opened::Plain(stream)) => requests(stream, false, place, router, settings, shutdown).await,
        Ok(Opened::Secure(stream)) => requests(*stream, true, place, router, settings, shutdown).await,
        Ok(Opened::NotSecure(stream)) => {
            let refusal = Router::new().fallback(https_only);
            requests(stream, false, place, refusal, settings, shutdown).await;
        }
        Err(error) => {
            tracing::debug!(%error, address = %place.address(), "a connection ended before its first request")
        }
    }
}

/// A connection on which requests can come.
enum Opened {
    Plain(ClientStream),
    Secure(Box<TlsStream<ClientStream>>),
    /// HTTP where HTTPS is spoken.
    NotSecure(ClientStream),
}

/// The first byte of a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// Opens a connection: with a handshake where HTTPS is spoken, which may take up to `limit`.
async fn opened(
    stream: TcpStream,
    tls: Option<&Tls>,
    client: impl FnOnce(TcpStream) -> ClientStream,
    limit: Duration,
) -> io::Result<Opened> {
    let Some(tls) = tls else { return Ok(Opened::Plain(client(stream))) };
    let handshake = async {
        let mut first = [0];
        match stream.peek(&mut first).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ if first == [HANDSHAKE] => Ok(Opened::Secure(Box::new(tls.accept(client(stream)).await?))),
            _ => Ok(Opened::NotSecure(client(stream))),
        }
    };
    tokio::time::timeout(limit, handshake).await?
}

async fn https_only() -> ApiError {
    ApiError::new(ErrorReason::HttpsOnly)
}

/// Answers the requests of one connection.
async fn requests<S>(
    stream: S,
    is_tls: bool,
    place: Place,
    router: Router,
    settings: &ConnectionSettings,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let state = place.state();
    let router = TowerToHyperService::new(router);
    let (peer, is_reserve) = (place.address(), place.is_reserve());
    let (proxies, connection) = (settings.proxies.clone(), place.evicted());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let address = client_address(peer, request.headers(), &proxies);
        let is_encrypted = is_encrypted(peer, request.headers(), &proxies, is_tls);
        let is_here = peer.is_loopback() && !proxies.contains(&peer);
        let connection = connection.clone();
        request.extensions_mut().insert(Client { address, is_encrypted, is_here, connection });
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

/// Whether nobody between the client and here can read along: by what a known proxy says, or because HTTPS is spoken here.
fn is_encrypted(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr], is_tls: bool) -> bool {
    if !proxies.contains(&peer) {
        return is_tls;
    }
    let mut said = headers.get_all("x-forwarded-proto").iter().filter_map(|value| value.to_str().ok());
    said.next_back()
        .and_then(|list| list.rsplit(',').next())
        .is_some_and(|last| last.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_proxy_may_say_that_it_was_https() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = [ip("10.0.0.1"), ip("127.0.0.2")];
        for (peer, said, is_tls, expected) in [
            ("127.0.0.1", None, false, false),
            ("192.0.2.7", Some("https"), false, false),
            ("192.0.2.7", Some("http"), true, true),
            ("10.0.0.1", Some("https"), false, true),
            ("10.0.0.1", Some("https, http"), false, false),
            ("10.0.0.1", Some("HTTPS"), false, true),
            ("10.0.0.1", None, false, false),
            // Whoever speaks HTTP with the proxy is read along, however the proxy speaks with this server.
            ("10.0.0.1", Some("http"), true, false),
            ("127.0.0.2", None, false, false),
        ] {
            let headers = HeaderMap::from_iter(
                said.map(|text| (axum::http::HeaderName::from_static("x-forwarded-proto"), text.parse().unwrap())),
            );
            assert_eq!(is_encrypted(ip(peer), &headers, &proxies, is_tls), expected, "{peer} {said:?} {is_tls}");
        }
    }

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
