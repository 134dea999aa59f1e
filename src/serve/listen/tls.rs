//! HTTPS: the certificate that the server shows, and its renewal while connections are open.
//!
//! The files are looked at every few seconds, and at once at SIGHUP. New ones take effect for the next connections; if they
//! cannot be used, those of before stay, and the log says what is wrong. It does not know what is served.

mod files;
mod validity;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::clock::unix_now;
use files::{Loaded, Stamp, TlsError};

pub use files::TlsFiles;
#[cfg(any(test, fuzzing))]
pub(in crate::serve) use validity::ends_at as certificate_ends_at;

/// What is spoken: no version below 1.2.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
/// What the server offers inside.
const HTTP: &[u8] = b"http/1.1";
/// How often the files are looked at. A change counts once two looks have seen the same: a certificate and its key are
/// replaced one after the other.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A certificate that ends sooner than this is worth a warning, once a day.
const SECONDS_LEFT: i64 = 14 * 86_400;
const SECONDS_PER_DAY: i64 = 86_400;

/// The certificate of now.
#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// HTTPS with a certificate that can be replaced.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
    /// The version of the files that was read last, whether it could be used or not.
    read: Mutex<Stamp>,
    /// When the certificate ends, in seconds since 1970; the greatest number if that cannot be told.
    ends_at: AtomicI64,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`], which says what to change.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let stamp = files.stamp();
        let loaded = files.load(&provider)?;
        let ends_at = AtomicI64::new(loaded.ends_at);
        log(&files, &loaded);
        let shown = Arc::new(Shown(ArcSwap::from_pointee(loaded.key)));
        let config = server_config(provider, shown.clone())?;
        Ok(Self { files, shown, config: Arc::new(config), read: Mutex::new(stamp), ends_at })
    }

    /// When the certificate ends, in seconds since 1970; none if that cannot be told.
    pub fn ends_at(&self) -> Option<i64> {
        Some(self.ends_at.load(Ordering::Relaxed)).filter(|at| *at != i64::MAX)
    }

    /// The handshake.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        TlsAcceptor::from(self.config.clone()).accept(stream).await
    }

    /// Reads the files again whenever they change, until `stop`.
    pub(super) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut hangup = signal(SignalKind::hangup())
            .inspect_err(
                |error| tracing::warn!(%error, "cannot listen for SIGHUP: a new certificate is noticed by itself"),
            )
            .ok();
        let mut before = *self.read.lock();
        let mut warned_at = unix_now();
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => false,
                () = next(hangup.as_mut()) => true,
            };
            let tls = self.clone();
            // The files may be on a disk that does not answer.
            let looked = tokio::task::spawn_blocking(move || tls.look(asked, before)).await;
            before = looked.unwrap_or(before);
            if unix_now() - warned_at >= SECONDS_PER_DAY {
                warned_at = unix_now();
                warn_of_end(&self.files, self.ends_at.load(Ordering::Relaxed));
            }
        }
    }

    /// Reads the files again if they differ from those read last, and are as at the look before; with `asked` in any case.
    /// Returns their version.
    fn look(&self, asked: bool, before: Stamp) -> Stamp {
        let now = self.files.stamp();
        if asked || now != *self.read.lock() && now == before {
            *self.read.lock() = now;
            self.read_again();
        }
        now
    }

    fn read_again(&self) {
        match self.files.load(self.config.crypto_provider()) {
            Ok(loaded) => {
                log(&self.files, &loaded);
                self.ends_at.store(loaded.ends_at, Ordering::Relaxed);
                self.shown.0.store(Arc::new(loaded.key));
            }
            Err(error) => tracing::error!(
                %error,
                "the new certificate is not used, the one of before stays; after the correction it is read by itself, or at SIGHUP"
            ),
        }
    }
}

fn server_config(provider: Arc<CryptoProvider>, shown: Arc<Shown>) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&VERSIONS);
    let mut config = builder.map_err(TlsError::Provider)?.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = vec![HTTP.to_vec()];
    Ok(config)
}

/// The next SIGHUP; never without a listener.
async fn next(hangup: Option<&mut tokio::signal::unix::Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}

fn log(files: &TlsFiles, loaded: &Loaded) {
    let certificate = files.certificate.display();
    tracing::info!(%certificate, ends = validity::text(loaded.ends_at), "serving HTTPS with this certificate");
    if loaded.is_readable_by_others {
        let key = files.key.display();
        tracing::warn!(%key, "everybody on this machine can read the key of the certificate: take that away with chmod o-rwx");
    }
    warn_of_end(files, loaded.ends_at);
}

fn warn_of_end(files: &TlsFiles, ends_at: i64) {
    if ends_at.saturating_sub(unix_now()) < SECONDS_LEFT {
        let (certificate, ends) = (files.certificate.display(), validity::text(ends_at));
        tracing::warn!(%certificate, ends, "the certificate ends soon, or has ended: renew it, browsers refuse it from then on");
    }
}

impl TlsFiles {
    /// The files of a certificate and of its key.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key }
    }
}

#[cfg(test)]
mod tests;
