//! The HTTP client that asks the provider: one request per connection, bounded in bytes and time, no redirects, TLS by rustls;
//! without TLS only on this machine. It does not know what it asks for.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONNECTION, HOST};
use axum::http::uri::Scheme;
use axum::http::{HeaderValue, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::settings::is_loopback_host;
use crate::trust::{self, TrustError};

/// The most bytes of an answer. Documents of providers have some kilobytes.
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

/// The client.
#[derive(Clone)]
pub(super) struct Http {
    tls: Arc<ClientConfig>,
    timeout: Duration,
}

impl Http {
    /// A client that trusts the authorities in this file, or those of this machine.
    pub(super) fn new(ca_certificate: Option<&Path>, timeout: Duration) -> Result<Self, TrustError> {
        Ok(Self { tls: Arc::new(trust::client(ca_certificate)?), timeout })
    }

    /// Sends a request.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let uri = request.uri().clone();
        let host = uri.host().unwrap_or_default().to_owned();
        let is_encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        if host.is_empty() || !is_encrypted && !is_loopback_host(&host) {
            return Err(HttpError::Unsafe(uri.to_string()));
        }
        let slow = HttpError::Slow { host: host.clone(), time: self.timeout };
        let answer = self.exchange(request, &uri, &host, is_encrypted);
        tokio::time::timeout(self.timeout, answer).await.unwrap_or(Err(slow))
    }

    async fn exchange(
        &self,
        request: HttpRequest,
        uri: &Uri,
        host: &str,
        is_encrypted: bool,
    ) -> Result<HttpResponse, HttpError> {
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

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// One request and its whole answer.
async fn over<S>(stream: S, request: HttpRequest, uri: &Uri, host: &str) -> Result<HttpResponse, HttpError>
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
    Ok(HttpResponse::from_parts(head, body.to_bytes().to_vec()))
}
