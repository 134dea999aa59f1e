//! A certificate and its key as PEM files, and what can be wrong with them.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::validity;

/// Everybody but the owner and the group.
const OTHERS: u32 = 0o007;

/// The files, as `api.tls_certificate` and `api.tls_key` name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// Why they cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{setting}: cannot read {path}: {error}; the account of the service must be able to read it", path = path.display())]
    Unreadable {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no certificate in the file, or one that is damaged.
    #[error(
        "api.tls_certificate: {path} holds no certificate that can be read: name the PEM file (-----BEGIN CERTIFICATE-----) with \
         the server's own first, then those between it and the authority", path = .0.display()
    )]
    NoCertificate(PathBuf),
    /// There is no key in the file.
    #[error("api.tls_key: {path} holds no private key: name the PEM file (-----BEGIN PRIVATE KEY-----)", path = .0.display())]
    NoKey(PathBuf),
    /// The key asks for a passphrase.
    #[error(
        "api.tls_key: {path} is protected by a passphrase, which nobody types at a start: take it away with `openssl pkey -in {path} \
         -out NEW.key`", path = .0.display()
    )]
    Encrypted(PathBuf),
    /// Certificate and key are not of one another.
    #[error(
        "the key {key} (api.tls_key) is not that of the certificate {certificate} (api.tls_certificate): name those that were made \
         together, with the server's own certificate first in the file", key = .0.key.display(), certificate = .0.certificate.display()
    )]
    Apart(TlsFiles),
    /// The certificate is of a kind that is not supported.
    #[error("{certificate} (api.tls_certificate) with {key} (api.tls_key) cannot be used: {error}; ECDSA P-256 and RSA from 2048 bits can", key = .files.key.display(), certificate = .files.certificate.display())]
    Unusable {
        /// The files.
        files: TlsFiles,
        /// Why.
        error: Error,
    },
    /// The library cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Provider(Error),
}

/// Which version of a file there is: when it was written, how long it is, and which file it is; none if it is not there.
type Version = Option<(SystemTime, u64, u64)>;

/// Which versions of both files there are.
pub(super) type Stamp = [Version; 2];

/// What was read.
pub(super) struct Loaded {
    pub(super) key: CertifiedKey,
    /// When the certificate ends, in seconds since 1970; the greatest number if that cannot be told.
    pub(super) ends_at: i64,
    /// Whether others than the owner and the group can read the key.
    pub(super) is_readable_by_others: bool,
}

impl TlsFiles {
    /// Which versions there are now.
    pub(super) fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|path| {
            let about = std::fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len(), about.ino()))
        })
    }

    /// Reads both.
    pub(super) fn load(&self, provider: &CryptoProvider) -> Result<Loaded, TlsError> {
        let certificates = self.certificates()?;
        let key = self.key()?;
        let ends_at = certificates.first().and_then(|own| validity::ends_at(own)).unwrap_or(i64::MAX);
        let key = CertifiedKey::from_der(certificates, key, provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Apart(self.clone()),
            Error::InvalidCertificate(_) => TlsError::NoCertificate(self.certificate.clone()),
            error => TlsError::Unusable { files: self.clone(), error },
        })?;
        let is_readable_by_others = std::fs::metadata(&self.key).is_ok_and(|about| about.mode() & OTHERS != 0);
        Ok(Loaded { key, ends_at, is_readable_by_others })
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let text = read("api.tls_certificate", &self.certificate)?;
        let all = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
        all.ok().filter(|all| !all.is_empty()).ok_or_else(|| TlsError::NoCertificate(self.certificate.clone()))
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let text = read("api.tls_key", &self.key)?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
            let is_encrypted = text.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED);
            if is_encrypted { TlsError::Encrypted(self.key.clone()) } else { TlsError::NoKey(self.key.clone()) }
        })
    }
}

/// What the head of a key with a passphrase holds, in both of its forms.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Unreadable { setting, path: path.to_owned(), error })
}
