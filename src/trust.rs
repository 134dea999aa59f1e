//! Which authorities a TLS client of ours trusts: those of a PEM file, or those of this machine. It connects to nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Why a client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of authorities cannot be used.
    #[error("{setting}: {path} holds no certificate that can be read ({error}); name a PEM file (-----BEGIN CERTIFICATE-----)", path = .path.display())]
    File {
        /// The setting that names it.
        setting: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A client that trusts the authorities in the file that `setting` names, or those of this machine, and shows no certificate of its
/// own.
///
/// # Errors
/// [`TrustError`].
pub(crate) fn client(setting: &'static str, authorities: Option<&Path>) -> Result<ClientConfig, TrustError> {
    let roots = authorities.map_or_else(|| Ok(of_this_machine()), |path| in_file(setting, path))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn of_this_machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn in_file(setting: &'static str, path: &Path) -> Result<RootCertStore, TrustError> {
    let wrong = |error: String| TrustError::File { setting, path: path.to_owned(), error };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("there is none".to_owned())) } else { Ok(roots) }
}
