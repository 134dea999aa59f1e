//! A client of HTTP: one request per connection, bounded in bytes and time, no redirects, TLS by rustls. It does not know what it asks
//! for.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONNECTION, HOST};
use axum::http::uri::Scheme;
use axum::http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::trust::{self, TrustError};

/// The most bytes of an answer. What is asked for here has some kilobytes.
const MAX_BYTES: usize = 512 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// It would have to go unencrypted to another machine.
    #[error("{0} is not asked: only https, or http on this machine")]
    Unsafe(String),
    /// It took too long.
    #[error("{host} gave no whole answer within {} s", .time.as_secs_f64())]
    Slow {
        /// Who.
        host: String,
        /// How long it was waited for.
        time: Duration,
    },
    /// It cannot be connected to.
    #[error("cannot connect to {host}: {error}")]
    Connect {
        /// Who.
        host: String,
        /// Why.
        error: std::io::Error,
    },
    /// It ended in the middle, or is no HTTP.
    #[error("{host} gave no answer that can be read: {error}")]
    Http {
        /// Who.
        host: String,
        /// Why.
        error: hyper::Error,
    },
    /// It is too long, or ended in the middle.
    #[error("the answer of {host} cannot be taken (more than {MAX_BYTES} bytes are not): {error}")]
    Body {
        /// Who.
        host: String,
        /// Why.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Where requests may go unencrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// To this machine alone.
    Here,
    /// Anywhere.
    Anywhere,
}

/// The client.
#[derive(Clone)]
pub struct HttpClient {
    tls: Arc<ClientConfig>,
    timeout: Duration,
    plain: Plain,
}

impl HttpClient {
    /// A client that trusts the authorities in a file, or those of this machine; `setting` names the file.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn new(
        setting: &'static str,
        ca_certificate: Option<&Path>,
        timeout: Duration,
        plain: Plain,
    ) -> Result<Self, TrustError> {
        Ok(Self { tls: Arc::new(trust::client(setting, ca_certificate)?), timeout, plain })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let uri = request.uri().clone();
        let host = uri.host().unwrap_or_default().to_owned();
        let is_encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        let is_safe = is_encrypted || self.plain == Plain::Anywhere || is_loopback_host(&host);
        if host.is_empty() || !is_safe {
            return Err(HttpError::Unsafe(uri.to_string()));
        }
        let slow = HttpError::Slow { host: host.clone(), time: self.timeout };
        let answer = self.exchange(request, &uri, &host, is_encrypted);
        tokio::time::timeout(self.timeout, answer).await.unwrap_or(Err(slow))
    }

    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
        uri: &Uri,
        host: &str,
        is_encrypted: bool,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let connect = |error| HttpError::Connect { host: host.to_owned(), error };
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let stream = TcpStream::connect((name, port)).await.map_err(connect)?;
        if !is_encrypted {
            return over(stream, request, uri, host).await;
        }
        let server = ServerName::try_from(name.to_owned());
        let server = server.map_err(|error| connect(std::io::Error::other(error)))?;
        let stream = TlsConnector::from(self.tls.clone()).connect(server, stream).await.map_err(connect)?;
        over(stream, request, uri, host).await
    }
}

/// One request and its whole answer.
async fn over<S>(stream: S, request: Request<Vec<u8>>, uri: &Uri, host: &str) -> Result<Response<Vec<u8>>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error| HttpError::Http { host: host.to_owned(), error };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // It ends with this request, however that ends.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let mut request = request.map(|body| Full::new(Bytes::from(body)));
    let headers = request.headers_mut();
    if let Some(authority) = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok()) {
        headers.insert(HOST, authority);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().unwrap_or_default();
    let (head, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
    let body = Limited::new(body, MAX_BYTES).collect().await;
    let body = body.map_err(|error| HttpError::Body { host: host.to_owned(), error })?;
    Ok(Response::from_parts(head, body.to_bytes().to_vec()))
}

/// Whether a host, as an URL has it, is this machine: what goes there cannot be read on the way.
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for (host, is_here) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("LocalHost", true),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("10.0.0.7", false),
            ("[::2]", false),
        ] {
            assert_eq!(is_loopback_host(host), is_here, "{host}");
        }
    }
}
