//! HTTPS: what a browser gets by it, what plain HTTP gets, a new certificate while connections are open, and clients that begin a
//! handshake and do not end it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Server;
use super::client::request;
use super::memory::MemoryReader;
use crate::serve::{ConnectionSettings, Tls, TlsFiles};

const SOON: Duration = Duration::from_secs(20);

/// A server with a certificate of its own in a folder.
struct Secure {
    server: Server,
    certificate: CertificateDer<'static>,
    folder: tempfile::TempDir,
}

/// Writes a new certificate for 127.0.0.1, which is its own authority.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    certificate.der().clone()
}

impl Secure {
    async fn start(change: impl FnOnce(&mut ConnectionSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = renew(folder.path());
        let files = TlsFiles::new(folder.path().join("server.pem"), folder.path().join("server.key"));
        let tls = Some(Arc::new(Tls::load(files).unwrap()));
        let mut connections = ConnectionSettings { tls, ..ConnectionSettings::default() };
        change(&mut connections);
        let server = Server::start_limited(MemoryReader::sample(), connections, |_| {}).await;
        Self { server, certificate, folder }
    }

    async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        connect(self.server.address, &self.certificate).await
    }
}

async fn connect(address: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect("127.0.0.1".try_into().unwrap(), stream).await
}

/// Sends a request and reads the head of the answer and its body.
async fn ask<S>(stream: &mut BufReader<S>, path: &str) -> (String, Vec<u8>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let text = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.get_mut().write_all(text.as_bytes()).await.unwrap();
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        assert!(timeout(SOON, stream.read_line(&mut line)).await.unwrap().unwrap() > 0, "{head}");
        if let Some(text) = line.to_lowercase().strip_prefix("content-length: ") {
            length = text.trim().parse().unwrap();
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (head, body)
}

#[tokio::test]
async fn a_browser_is_answered_and_told_to_stay() {
    let secure = Secure::start(|_| {}).await;
    let stream = secure.connect().await.unwrap();
    let (_, session) = stream.get_ref();
    assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]), "no more is offered than is spoken");
    assert_eq!(session.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    let mut stream = BufReader::new(stream);
    for path in ["/healthz", "/api/overview", "/", "/api/nothing"] {
        let (head, body) = ask(&mut stream, path).await;
        let status = if path == "/api/nothing" { "404" } else { "200" };
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")) && !body.is_empty(), "{path}: {head}");
        assert!(head.contains("strict-transport-security: max-age=31536000\r\n"), "{path}: {head}");
    }
    // By HTTP a browser takes it from nobody, and this server does not say it.
    let plain = Server::start().await;
    assert_eq!(plain.get("/healthz").await.header("strict-transport-security"), None);
}

#[tokio::test]
async fn a_proxy_that_takes_https_passes_the_header_on() {
    let proxies = vec![std::net::IpAddr::from([127, 0, 0, 1])];
    let connections = ConnectionSettings { proxies, ..ConnectionSettings::default() };
    let server = Server::start_limited(MemoryReader::sample(), connections, |_| {}).await;
    for (said, expected) in [("https", Some("max-age=31536000")), ("http", None)] {
        let reply = request(server.address, "GET", "/healthz", &[("x-forwarded-proto", said)], b"").await;
        assert_eq!(reply.header("strict-transport-security"), expected, "{said}");
    }
    let silent = Server::start_with(MemoryReader::sample(), |settings| settings.https_only = Duration::ZERO).await;
    let reply = request(silent.address, "GET", "/healthz", &[("x-forwarded-proto", "https")], b"").await;
    assert_eq!(reply.header("strict-transport-security"), None);
}

#[tokio::test]
async fn plain_http_is_refused_in_words() {
    let secure = Secure::start(|_| {}).await;
    for (method, path) in [("GET", "/"), ("GET", "/healthz"), ("POST", "/api/session")] {
        let reply = request(secure.server.address, method, path, &[], b"{}").await;
        assert!(reply.error(400).contains("https://"), "{path}");
        assert_eq!(reply.json()["reason"], "https_only");
    }
    // What is neither is closed.
    let mut stream = TcpStream::connect(secure.server.address).await.unwrap();
    stream.write_all(&[22, 3, 1, 0, 5, 1, 2, 3, 4, 5]).await.unwrap();
    let mut rest = Vec::new();
    timeout(SOON, stream.read_to_end(&mut rest)).await.expect("it is closed").unwrap();
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
}

#[tokio::test]
async fn a_new_certificate_is_used_while_connections_are_open() {
    let secure = Secure::start(|_| {}).await;
    let mut open = BufReader::new(secure.connect().await.unwrap());
    assert!(ask(&mut open, "/healthz").await.0.contains("200"));
    let renewed = renew(secure.folder.path());
    let taken = async {
        while connect(secure.server.address, &renewed).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(SOON, taken).await.expect("the new certificate");
    assert!(secure.connect().await.is_err(), "the one of before is shown no longer");
    assert!(ask(&mut open, "/api/overview").await.0.contains("200"), "a connection goes on");
    // One that cannot be used changes nothing.
    std::fs::write(secure.folder.path().join("server.key"), "").unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(connect(secure.server.address, &renewed).await.is_ok());
    assert!(ask(&mut open, "/healthz").await.0.contains("200"));
}

#[tokio::test]
async fn handshakes_that_do_not_end_lock_nobody_out() {
    let secure = Secure::start(|settings| settings.max = 16).await;
    let mut silent = Vec::new();
    for number in 0..64 {
        let mut stream = TcpStream::connect(secure.server.address).await.unwrap();
        // Nothing at all, or the beginning of a handshake.
        if number % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        }
        silent.push(stream);
    }
    let mut stream = BufReader::new(timeout(SOON, secure.connect()).await.expect("a handshake").unwrap());
    assert!(ask(&mut stream, "/api/overview").await.0.contains("200"));
    let mut rest = Vec::new();
    assert!(timeout(SOON, silent[0].read_to_end(&mut rest)).await.is_ok(), "the oldest had to leave");
}

#[tokio::test]
async fn a_handshake_has_a_deadline() {
    let secure = Secure::start(|settings| settings.header_timeout = Duration::from_secs(1)).await;
    let mut silent = TcpStream::connect(secure.server.address).await.unwrap();
    let mut slow = TcpStream::connect(secure.server.address).await.unwrap();
    slow.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    // One that ends its handshake and then asks nothing has the deadline of every head.
    let mut idle = secure.connect().await.unwrap();
    for stream in [&mut silent, &mut slow] {
        let mut rest = Vec::new();
        assert!(timeout(SOON, stream.read_to_end(&mut rest)).await.is_ok());
    }
    let mut rest = Vec::new();
    assert!(timeout(SOON, idle.read_to_end(&mut rest)).await.is_ok());
}

/// More than the buffers of a connection hold, read slowly.
#[tokio::test]
async fn a_long_answer_arrives_whole() {
    let secure = Secure::start(|_| {}).await;
    let mut stream = BufReader::new(secure.connect().await.unwrap());
    let index = ask(&mut stream, "/").await.1;
    let page = String::from_utf8(index).unwrap();
    let script = page.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let plain = Server::start().await;
    let expected = plain.get(script).await.body;
    assert!(expected.len() > 100_000, "{}", expected.len());
    assert_eq!(ask(&mut stream, script).await.1, expected);
}
